"""Tracks through worker processes, each noted in the journal when its files are all there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from asdbench.data.workers import run_all
from asdbench.engine.activity import Meter
from asdbench.errors import DataError
from asdbench.materialize.journal import Journal
from asdbench.materialize.track import Recipe, TrackWriter
from asdbench.perturb.edits import Edit
from asdbench.types import Track, TrackKey


class Task(NamedTuple):
    """A track to write, and its edits under each condition."""

    key: TrackKey
    edits: Mapping[str, tuple[Edit, ...]]


class Done(NamedTuple):
    """A track that was written, or the reason why it was left out."""

    key: TrackKey
    reason: str | None = None


@dataclass(frozen=True)
class Setup:
    """What every process is sent once.

    Attributes:
        tracks: All tracks of the data set.
        recipe: How they become files.
        journal: Where finished ones are noted.
        meter: What is measured of them.
    """

    tracks: tuple[Track, ...]
    recipe: Recipe
    journal: Journal
    meter: Meter

    @cached_property
    def writer(self) -> TrackWriter:
        """The writer of this process, which keeps what it lent."""
        return TrackWriter(self.tracks, self.recipe, self.meter)


def write_tracks(
    setup: Setup, tasks: Iterable[Task], workers: int | None, total: int, hidden: bool | None
) -> Iterator[Done]:
    """Write tracks; they come back in the order in which they are finished.

    Args:
        setup: What to write, and how.
        tasks: The tracks.
        workers: How many processes; as many as there are CPUs by default, with 1 it is this one.
        total: Frames of all tracks, those of earlier starts included.
        hidden: Whether to hide the progress bar; ``None`` shows it on a terminal only.

    Raises:
        AsdbenchError: The first that a track raises; those that were begun are finished first.
    """
    waiting = list(tasks)
    frames = {track.key: len(track) for track in setup.tracks}
    yield from run_all(
        _write,
        waiting,
        [frames[task.key] for task in waiting],
        workers,
        shared=(setup,),
        media=[track.media for track in setup.tracks],
        total=total,
        hidden=hidden,
    )


def _write(setup: Setup, key: TrackKey, edits: Mapping[str, tuple[Edit, ...]], stopped: Callable[[], bool]) -> Done:
    if stopped():
        return Done(key)
    try:
        written = setup.writer.write(key, edits)
    except DataError as error:
        if not setup.recipe.skip:
            raise DataError(f"{error} Use --on-error skip to leave such tracks out and have them counted.") from error
        setup.writer.discard(key, edits)
        return Done(key, str(error))
    setup.journal.add(written)
    return Done(key)
