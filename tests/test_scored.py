"""Frames that the data set does not score enter no metric and no threshold, under no condition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import asdbench
from asdbench.data import open_dataset
from asdbench.errors import DataError
from asdbench.metrics import average_precision_step, average_precision_tie_safe
from asdbench.records.predictions import predictions_path, read_predictions
from asdbench.types import IGNORE

READER = """
from dataclasses import replace
import numpy as np
from asdbench.data.ava import open_ava

def thinned(root, split="val", name=None, *, every="5"):
    data = open_ava(root, split, name)
    tracks = [replace(t, scored=np.arange(len(t)) % int(every) == 0) for t in data.tracks]
    return replace(data, tracks=tuple(tracks))

def only_silence(root, split="val", name=None):
    data = open_ava(root, split, name)
    return replace(data, tracks=tuple(replace(t, scored=t.labels == 0) for t in data.tracks))
"""


@pytest.fixture
def reader(tmp_path: Path) -> str:
    path = tmp_path / "reader.py"
    path.write_text(READER, encoding="utf-8")
    return str(path)


def test_unscored_frames_enter_no_metric(fixture_root: Path, reader: str, tmp_path: Path) -> None:
    run = asdbench.run(
        "additive", "unsync", fixture_root, format=f"{reader}:thinned", out=tmp_path / "run", progress=False
    )
    clean = read_predictions(predictions_path(run.path, "clean"))
    counted = clean.label_after != IGNORE
    dataset = open_dataset(fixture_root, data_format=f"{reader}:thinned")
    assert np.array_equal(counted, np.concatenate([track.scored for track in dataset.tracks]))  # type: ignore[misc]
    rows, measured = (clean.label[counted], clean.score[counted]), run.metrics["conditions"][0]["metrics"]
    assert measured["ava"] == pytest.approx(average_precision_tie_safe(*rows))
    assert measured["ap"] == pytest.approx(average_precision_step(*rows))
    for name in run.conditions:
        rows = read_predictions(predictions_path(run.path, name))
        assert (rows.label_after[~counted] == IGNORE).all(), name
    changed = read_predictions(predictions_path(run.path, "mismatch@1.00"))
    assert changed.changed[~counted].any(), "the sound of whole runs is changed, scored or not"
    assert not changed.paired[~counted].any()


def test_both_classes_must_be_among_the_scored_frames(fixture_root: Path, reader: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="labelled speaking"):
        asdbench.run(
            "additive", "unsync", fixture_root, format=f"{reader}:only_silence", out=tmp_path / "run", progress=False
        )
