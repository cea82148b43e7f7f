"""Tracks in, shards out: with a progress bar, skipping or stopping at broken media, resuming what is done."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from tqdm import tqdm

from asdbench.engine.batches import Batch, batches_of, unfinished
from asdbench.engine.timings import Timings
from asdbench.errors import DataError
from asdbench.records.shards import Shards, TrackScores
from asdbench.types import Track, TrackKey

OnError = Literal["stop", "skip"]

Result = tuple[Track, TrackScores | DataError]
"""A track, and its scores or why it has none."""


class Engine(Protocol):
    """Scores tracks, in whatever order and wherever."""

    @property
    def timings(self) -> Timings:
        """Seconds by stage so far."""

    def record(self) -> dict[str, Any]:
        """Return what ``run.json`` says under ``engine``: where and how tracks were scored."""

    @property
    def batch_frames(self) -> int:
        """How many frames tracks may have that are embedded together; 0 where each is embedded alone."""

    def results(self, batches: Sequence[Batch]) -> Generator[Result, None, None]:
        """Yield each track of batches once, as soon as it is scored; ends all work when it is closed."""


@dataclass(frozen=True)
class Skipped:
    """A track that could not be scored, and why."""

    key: TrackKey
    reason: str


def score_tracks(
    engine: Engine,
    tracks: Sequence[Track],
    shards: Shards,
    on_error: OnError = "stop",
    progress: bool | None = None,
) -> tuple[Skipped, ...]:
    """Score every track that the shards do not hold yet.

    Args:
        engine: Scores each track under all conditions.
        tracks: The tracks to score.
        shards: Where scores go.
        on_error: Whether broken media end the run (what was scored is kept) or are skipped and listed.
        progress: Show a progress bar on stderr; ``None`` does so on a terminal only.

    Returns:
        What was skipped, in the order of the tracks.

    Raises:
        DataError: Broken media with ``on_error="stop"``, or no track that could be scored.
    """
    done = shards.done()
    todo = unfinished(batches_of(tracks, engine.batch_frames), done)
    skipped: dict[TrackKey, str] = {}
    hidden = None if progress is None else not progress
    total = sum(map(len, tracks))
    earlier = sum(len(track) for track in tracks if track.key in done)
    try:
        with (
            tqdm(total=total, initial=earlier, unit="frame", unit_scale=True, disable=hidden) as bar,
            closing(engine.results(todo)) as results,
        ):
            for track, found in results:
                if track.key in done:  # it was needed beside the others of its batch
                    continue
                bar.set_description(f"scoring {track.video_id}", refresh=False)
                if not isinstance(found, DataError):
                    shards.add(found)
                elif on_error == "stop":
                    raise DataError(
                        f"{found} Use --on-error skip to leave such tracks out and have them counted."
                    ) from found
                else:
                    skipped[track.key] = str(found)
                bar.update(len(track))
    finally:
        # Also on the way out of an interrupt or an error: what is scored is worth keeping.
        shards.flush()
    listed = tuple(Skipped(track.key, skipped[track.key]) for track in tracks if track.key in skipped)
    if len(listed) == len(tracks):
        raise DataError(f"none of the {len(tracks)} tracks could be scored; the first: {listed[0].reason}")
    return listed
