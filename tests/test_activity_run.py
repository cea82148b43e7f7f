"""What a run measures beside the scores, from the command to the files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import asdbench
from asdbench.engine.activity import wants_activity
from asdbench.engine.tracks import TrackEvaluator
from asdbench.records.facts import read_facts
from asdbench.types import Dataset


def without_silero(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("asdbench.adapters.vad_lip.find_spec", lambda _: None)


def run(data: Path, out: Path, limit: int | None = 3) -> asdbench.Run:
    return asdbench.run("additive", "unsync", data, out=out, limit=limit, audit="off", resamples="off", progress=False)


def files(folder: Path) -> dict[str, bytes]:
    paths = [*folder.glob("predictions/*.parquet"), folder / "rows.parquet", folder / "metrics.json"]
    return {path.name: path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def measured(fixture_root: Path, tmp_path_factory: pytest.TempPathFactory) -> asdbench.Run:
    return run(fixture_root, tmp_path_factory.mktemp("activity") / "run")


def test_every_condition_has_the_columns_that_its_numbers_need(measured: asdbench.Run) -> None:
    for name, condition in measured.conditions.items():
        optional = set(measured.read(name).optional)
        assert optional == ({"voiced", "activity"} if wants_activity(condition) else set()) | (
            {"lips"} if name == "clean" else set()
        )
    clean = measured.read("clean")
    assert clean.voiced is not None
    assert set(np.unique(clean.voiced)) <= {0, 1}
    assert clean.activity is not None
    assert np.isfinite(clean.activity).all()


def test_facts_are_those_of_the_rows_with_all_of_the_data_set_in_sight(
    measured: asdbench.Run, fixture_dataset: Dataset
) -> None:
    facts, rows = read_facts(measured.path), measured.read("clean")
    assert facts is not None
    assert len(facts) == len(rows)
    here = {(t.video_id, int(time)) for t in fixture_dataset.tracks[:3] for time in t.timestamps_ms}
    assert here == set(zip(rows.video_id, rows.timestamp_ms.tolist(), strict=True))
    for place in range(len(rows)):
        at = [
            bool(track.labels[found[0]])
            for track in fixture_dataset.tracks
            if track.video_id == rows.video_id[place]
            and len(found := np.flatnonzero(track.timestamps_ms == rows.timestamp_ms[place]))
        ]
        assert (facts.faces[place], facts.speakers[place]) == (len(at), sum(at))


def test_the_record_says_what_measured_and_how_long(measured: asdbench.Run) -> None:
    record = json.loads((measured.path / "run.json").read_text())
    assert record["activity"]["floor"] == "vad-lip"
    assert record["activity"]["lips"] == "lip motion"
    assert record["activity"]["voice"].startswith("silero-vad")
    assert record["timings"]["activity_seconds"] > 0


def test_a_run_without_silero_says_what_it_lacks(
    fixture_root: Path, tmp_path: Path, measured: asdbench.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_silero(monkeypatch)
    found = run(fixture_root, tmp_path / "run")
    assert set(found.read("clean").optional) == {"lips"}
    assert found.read("mismatch@1.00").optional == ()
    assert any("pip install 'asdbench[vad]'" in warning for warning in found.warnings)
    np.testing.assert_array_equal(found.read("mismatch@1.00").score, measured.read("mismatch@1.00").score)
    np.testing.assert_array_equal(found.read("clean").lips, measured.read("clean").lips)


def test_tracks_scored_before_silero_was_installed_are_scored_again(
    fixture_root: Path, tmp_path: Path, measured: asdbench.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate, left = TrackEvaluator.evaluate, [2]

    def interrupted(self: TrackEvaluator, *track: Any) -> object:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return evaluate(self, *track)

    with monkeypatch.context() as patch:
        without_silero(patch)
        patch.setattr(TrackEvaluator, "evaluate", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(fixture_root, tmp_path / "run")
    (shard,) = (tmp_path / "run" / "work").glob("*.parquet")
    assert pq.read_table(shard).num_rows
    continued = run(fixture_root, tmp_path / "run")
    assert files(tmp_path / "run") == files(measured.path)
    assert continued.record["timings"]["tracks_from_earlier_starts"] == 0
    assert not (tmp_path / "run" / "work").exists()
