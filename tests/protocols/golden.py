"""Reads the golden cases: what the official scorers printed for small files."""

from __future__ import annotations

import json

import pandas as pd


def cases(shared, scorer):
    """Name -> folder of every case of a scorer."""
    return {case.name: case for case in sorted((shared / "protocols" / "golden" / scorer).iterdir())}


def expected(case):
    return json.loads((case / "expected.json").read_text())


def file_of(case, name):
    return next(case.glob(f"{name}.csv*"))


def table(case, name):
    return pd.read_csv(file_of(case, name))
