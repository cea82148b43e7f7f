from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asdbench.adapters.calibration import Additive
from asdbench.data import open_dataset
from asdbench.engine.loop import score_tracks
from asdbench.engine.tracks import TrackEvaluator
from asdbench.errors import DataError
from asdbench.perturb import plan
from asdbench.records.shards import Shards
from asdbench.suites import load_suite
from asdbench.types import Dataset, Track


class Stopping(TrackEvaluator):
    """Evaluates tracks until it is interrupted; remembers which."""

    def __init__(self, dataset: Dataset, after: int | None = None) -> None:
        suite = load_suite("clean")
        super().__init__(Additive(), plan(dataset.tracks, suite), dataset.tracks, "test")
        self.seen: list[Track] = []
        self.after = after

    def evaluate(self, track: Track, load: Any = None):
        if len(self.seen) == self.after:
            raise KeyboardInterrupt
        self.seen.append(track)
        return super().evaluate(track, load)


def test_an_interrupted_loop_continues_where_it_stopped(fixture_dataset: Dataset, tmp_path: Path):
    first = Stopping(fixture_dataset, after=5)
    with pytest.raises(KeyboardInterrupt):
        score_tracks(first, fixture_dataset.tracks, Shards(tmp_path, ("clean",)), progress=False)
    second = Stopping(fixture_dataset)
    shards = Shards(tmp_path, ("clean",))
    assert score_tracks(second, fixture_dataset.tracks, shards, progress=False) == ()
    assert [*first.seen, *second.seen] == list(fixture_dataset.tracks)
    assert shards.done() == {track.key for track in fixture_dataset.tracks}


def broken(root: Path) -> tuple[Dataset, Track]:
    dataset = open_dataset(root)
    track = dataset.tracks[3]
    next((root / "clips_videos" / "val" / track.video_id / track.entity_id).iterdir()).unlink()
    return dataset, track


def test_broken_media_stop_the_loop_and_keep_what_is_done(fixture_copy: Path, tmp_path: Path):
    dataset, _ = broken(fixture_copy)
    shards = Shards(tmp_path, ("clean",))
    with pytest.raises(DataError, match=r"face crop is missing.*--on-error skip"):
        score_tracks(Stopping(dataset), dataset.tracks, shards, progress=False)
    assert shards.done() == {track.key for track in dataset.tracks[:3]}


def test_skipped_tracks_are_listed_with_their_reason(fixture_copy: Path, tmp_path: Path):
    dataset, track = broken(fixture_copy)
    shards = Shards(tmp_path, ("clean",))
    (skipped,) = score_tracks(Stopping(dataset), dataset.tracks, shards, "skip", progress=False)
    assert skipped.key == track.key
    assert "face crop is missing" in skipped.reason
    assert shards.done() == {other.key for other in dataset.tracks} - {track.key}


def test_nothing_left_is_an_error(fixture_copy: Path, tmp_path: Path):
    dataset, track = broken(fixture_copy)
    with pytest.raises(DataError, match="none of the 1 tracks could be scored"):
        score_tracks(Stopping(dataset), [track], Shards(tmp_path, ("clean",)), "skip", progress=False)


def test_the_progress_bar_counts_frames(fixture_dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    tracks = fixture_dataset.tracks[:2]
    score_tracks(Stopping(fixture_dataset), tracks, Shards(tmp_path, ("clean",)), progress=True)
    assert f"{sum(map(len, tracks))}/{sum(map(len, tracks))}" in capsys.readouterr().err
