from __future__ import annotations

import json

import numpy as np
import pytest

import asdbench
from tests.standin import NAMES
from tools.intervals import mean_and_interval
from tools.measure_contrast import figures, table


def test_intervals_are_those_of_student():
    # 3.182 is the 97.5 % quantile of t with 3 degrees of freedom, 1.2910 the sample's standard deviation.
    assert mean_and_interval(np.array([1.0, 2, 3, 4])) == "2.500 [0.447, 4.553]"
    assert mean_and_interval(np.array([0.25])) == "0.250"


def test_differences_are_taken_seed_by_seed():
    results = {"plain": [{"x": 1.0}, {"x": 3.0}], "sync": [{"x": 0.5}, {"x": 2.5}]}
    assert table(results).splitlines()[2].endswith("| 0.500 [0.500, 0.500] |")


@pytest.mark.usefixtures("standin")
def test_figures_of_a_run_are_those_of_its_tables(tmp_path):
    run = asdbench.run("auto", "unsync", "demo-val", checkpoint=NAMES[0], out=tmp_path / "run", progress=False)
    found = figures(run)
    at = json.loads((tmp_path / "run" / "metrics.json").read_text())["conditions"]
    shifted = next(each for each in at if each["name"] == "misalign@1.00")["metrics"]
    assert found["retention, misalign@1.00"] == shifted["at"]["tpr:0.9"]["retention"]
    # The suite shifts by 165 to 1000 ms, so the long shifts alone are another number.
    assert found["retention, shifts >= 400 ms"] != found["retention, misalign@1.00"]
    assert found["clean AP"] == at[0]["metrics"]["ava"]
