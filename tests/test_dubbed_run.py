"""Dubbed tracks through the whole pipeline: one more condition, and the same numbers everywhere else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import asdbench
from asdbench import api
from asdbench.adapters.calibration import Additive
from asdbench.errors import DataError
from asdbench.types import Dataset, Float32Array, Int16Array, Track, UInt8Array

SILENT = {"Zk3Yt9_aB-4x", "interview_9"}
"""Videos of the fixture with a face whose lips move although it does not speak."""


def dub(track: Track) -> Track:
    """Take a track that never speaks in these videos for a dubbed one, whose lips move in its middle."""
    if track.video_id not in SILENT or track.labels.any():
        return track
    return replace(track, dubbed=(np.arange(len(track)) > 9) & (np.arange(len(track)) < 45))


class Counting:
    """Additive without its split, counting how often it is asked."""

    name, version, fingerprint = "counting", 1, "1"

    def __init__(self) -> None:
        self.calls = 0

    def score_track(self, audio: Int16Array, faces: Sequence[UInt8Array], fps: float) -> Float32Array:
        self.calls += 1
        return Additive().score_track(audio, faces, fps)


Run = Callable[..., asdbench.Run]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, fixture_root: Path, fixture_dataset: Dataset, tmp_path: Path) -> Run:
    """Run ``additive`` on the fixture, with some of its tracks turned into dubbed ones or left out."""

    def call(
        suite: str, change: Callable[[Track], Track | None] = dub, model: object = "additive", **settings: object
    ) -> asdbench.Run:
        tracks = tuple(found for track in fixture_dataset.tracks if (found := change(track)) is not None)
        dataset = replace(fixture_dataset, tracks=tracks, fingerprint=f"{len(tracks)}{change.__name__}")
        monkeypatch.setattr(api, "open_dataset", lambda *_, **__: dataset)
        return asdbench.run(model, suite, fixture_root, runs=tmp_path, progress=False, **settings)  # type: ignore[arg-type]

    return call


def only_ordinary(track: Track) -> Track | None:
    return track if dub(track) is track else None


@pytest.mark.parametrize("suite", ["clean", "unsync", "modality"])
def test_every_other_number_is_that_of_the_data_without_them(run: Run, suite: str) -> None:
    found, without = run(suite).metrics, run(suite, only_ordinary).metrics
    assert [c["name"] for c in found["conditions"]] == [*(c["name"] for c in without["conditions"]), "dubbed"]
    assert found["thresholds"] == without["thresholds"]
    for here, there in zip(found["conditions"], without["conditions"], strict=False):
        assert here["metrics"] == there["metrics"]
        assert {k: v for k, v in here["rows"].items() if k not in ("total", "ignored")} == {
            k: v for k, v in there["rows"].items() if k not in ("total", "ignored")
        }


def test_the_condition_is_in_record_tables_and_page(run: Run) -> None:
    found = run("unsync")
    assert [c["name"] for c in found.record["suite"]["conditions"]][-1] == "dubbed"
    assert list(found.conditions)[-1] == "dubbed"
    assert found.record["plan"]["conditions"]["dubbed"]["changed"] == 2
    row = found.table.set_index("condition").loc["dubbed"]
    assert 0 < row["ava"] < 1
    assert 0 <= row["fa_changed"] <= 1
    assert pd.isna(row["retention"])
    page = (found.path / "report.md").read_text(encoding="utf-8")
    assert "a dubbed track has no clean version" in page
    assert "dubbed lips move" in found.conclusion
    assert "%" not in next(warning for warning in found.warnings if "dubbed" in warning), "said in the conclusion"
    figure = (found.path / "plots" / "scores.svg").read_text(encoding="utf-8")
    assert "n = 70<" in figure
    assert any("count in the condition dubbed alone" in warning for warning in found.warnings)
    assert asdbench.score(found.path).metrics == found.metrics


def test_dubbed_rows_are_counted_by_hand(run: Run) -> None:
    found = run("clean")
    clean, dubbed = found.predictions("clean"), found.predictions("dubbed")
    assert (clean["score"] == dubbed["score"]).all()
    more = clean["label_after"] == -1
    assert set(clean.loc[more, "video_id"]) == SILENT
    assert (dubbed.loc[~more, "label_after"] == clean.loc[~more, "label"]).all()
    assert (dubbed.loc[more, "label_after"] == 0).all()
    threshold = found.metrics["thresholds"]["tpr:0.9"]
    rates = found.metrics["conditions"][-1]["metrics"]["at"]["tpr:0.9"]
    assert rates["fa_changed"] == (dubbed.loc[dubbed["changed"], "score"] >= threshold).mean()
    assert dubbed["changed"].sum() == 2 * 35


def test_nothing_is_inferred_twice(run: Run, fixture_dataset: Dataset) -> None:
    model = Counting()
    run("clean", model=model)
    assert model.calls == len(fixture_dataset.tracks)
    alone, beside = Counting(), Counting()
    run("unsync", only_ordinary, model=alone)
    run("unsync", model=beside)
    assert beside.calls == alone.calls + 2


def test_a_limit_that_leaves_them_out_leaves_their_numbers_undefined(run: Run, fixture_dataset: Dataset) -> None:
    # Keys sort upper case first, and with it one of the two dubbed tracks.
    def late(track: Track) -> Track:
        return track if track.video_id == "Zk3Yt9_aB-4x" else dub(track)

    found = run("unsync", late, limit=4)
    metrics = found.metrics["conditions"][-1]["metrics"]
    assert found.metrics["conditions"][-1]["name"] == "dubbed"
    assert "undefined" in metrics["ap"]
    assert all("undefined" in rate for rate in metrics["at"]["tpr:0.9"].values())
    assert "no dubbed track is among those scored" in found.warnings
    assert "dubbed" not in found.conclusion


def test_dubbed_rows_are_no_class_of_their_own(run: Run) -> None:
    def everything(track: Track) -> Track:
        return replace(track, labels=track.labels * 0, dubbed=track.labels == 1)

    with pytest.raises(DataError, match="0 of the 0 frames"):
        run("clean", everything)
