"""Reading ahead: in order, never too far, errors at their item, no thread left."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from asdbench.adapters.calibration import Additive
from asdbench.engine.ahead import default_loaders, read_ahead
from asdbench.engine.batches import batches_of
from asdbench.engine.how import How
from asdbench.engine.tracks import TrackEvaluator
from asdbench.errors import DataError
from asdbench.perturb import plan
from asdbench.suites import load_suite
from asdbench.types import Dataset


def _loaders() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("asdbench-loader")]


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_in_order_each_once(threads: int):
    assert [(item, load()) for item, load in read_ahead(range(20), lambda x: x * x, threads)] == [
        (x, x * x) for x in range(20)
    ]
    assert _loaders() == []


@pytest.mark.parametrize("threads", [1, 3])
def test_no_more_than_one_per_thread_is_held_ready(threads: int):
    begun: list[int] = []
    reader = read_ahead(range(20), begun.append, threads)
    next(reader)
    time.sleep(0.05)
    assert len(begun) <= threads + 1
    assert len(begun) > 1 or threads == 1
    reader.close()
    assert len(begun) <= threads + 1
    assert _loaders() == []


@pytest.mark.parametrize("threads", [0, 2])
def test_errors_come_at_their_item(threads: int):
    def load(number: int) -> int:
        if number == 2:
            raise DataError("broken")
        return number

    found = []
    for item, loaded in read_ahead(range(5), load, threads):
        try:
            found.append(loaded())
        except DataError:
            found.append(-item)
    assert found == [0, 1, -2, 3, 4]


def test_items_are_not_taken_before_they_are_wanted():
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(50):
            taken.append(number)
            yield number

    reader = read_ahead(items(), abs, 2)
    next(reader)
    assert len(taken) == 3
    reader.close()


def test_scores_do_not_depend_on_who_reads(fixture_dataset: Dataset):
    resolved, tracks = plan(fixture_dataset.tracks, load_suite("modality")), fixture_dataset.tracks[:8]
    here, ahead = (
        list(
            TrackEvaluator(Additive(), resolved, fixture_dataset.tracks, "test", how=How(loaders=number)).results(
                batches_of(tracks, 0)
            )
        )
        for number in (0, 3)
    )
    assert [track.key for track, _ in ahead] == [track.key for track in tracks]
    for (_, one), (_, two) in zip(here, ahead, strict=True):
        for name, scores in one.scores.items():  # type: ignore[union-attr]
            np.testing.assert_array_equal(scores, two.scores[name])  # type: ignore[union-attr]


def test_how_many_by_default(monkeypatch: pytest.MonkeyPatch):
    for cores, on_cpu, on_gpu in ((2, 0, 1), (8, 1, 4), (64, 1, 4)):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        assert default_loaders("cpu") == on_cpu
        assert default_loaders("cuda:1") == on_gpu
