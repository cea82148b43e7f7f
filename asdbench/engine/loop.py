"""Tracks in, shards out: with a progress bar, skipping or stopping at broken media, resuming what is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tqdm import tqdm

from asdbench.engine.tracks import TrackEvaluator
from asdbench.errors import DataError
from asdbench.records.shards import Shards
from asdbench.types import Track, TrackKey

OnError = Literal["stop", "skip"]


@dataclass(frozen=True)
class Skipped:
    """A track that could not be scored, and why."""

    key: TrackKey
    reason: str


def score_tracks(
    evaluator: TrackEvaluator,
    tracks: Sequence[Track],
    shards: Shards,
    on_error: OnError = "stop",
    progress: bool | None = None,
) -> tuple[Skipped, ...]:
    """Score every track that the shards do not hold yet.

    Args:
        evaluator: Scores one track under all conditions.
        tracks: The tracks to score.
        shards: Where scores go.
        on_error: Whether broken media end the run (what was scored is kept) or are skipped and listed.
        progress: Show a progress bar on stderr; ``None`` does so on a terminal only.

    Raises:
        DataError: Broken media with ``on_error="stop"``, or no track that could be scored.
    """
    done = shards.done()
    skipped = []
    hidden = None if progress is None else not progress
    try:
        earlier = sum(len(track) for track in tracks if track.key in done)
        total = sum(map(len, tracks))
        with tqdm(total=total, initial=earlier, unit="frame", unit_scale=True, disable=hidden) as bar:
            for track in tracks:
                if track.key in done:
                    continue
                bar.set_description(track.video_id, refresh=False)
                try:
                    shards.add(evaluator.evaluate(track))
                except DataError as error:
                    if on_error == "stop":
                        raise DataError(
                            f"{error} Use --on-error skip to leave such tracks out and have them counted."
                        ) from error
                    skipped.append(Skipped(track.key, str(error)))
                bar.update(len(track))
    finally:
        # Also on the way out of an interrupt or an error: what is scored is worth keeping.
        shards.flush()
    if len(skipped) == len(tracks):
        raise DataError(f"none of the {len(tracks)} tracks could be scored; the first: {skipped[0].reason}")
    return tuple(skipped)
