"""Which tracks are embedded together.

Batches follow from the order of the tracks alone, not from what is scored already: in other company a track's
embedding may differ in its last digits, and a run that was killed must end with the bytes of one that was not.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from asdbench.types import Track, TrackKey

Batch = tuple[Track, ...]
"""Consecutive tracks."""


def batches_of(tracks: Sequence[Track], frames: int) -> list[Batch]:
    """Cut tracks into batches, in their order.

    Args:
        tracks: All tracks of a run.
        frames: How many a batch may have; a track that has more is a batch of its own. With 0 each is.
    """
    batches: list[Batch] = []
    held = 0
    for track in tracks:
        held += len(track)
        if batches and held <= frames:
            batches[-1] += (track,)
        else:
            batches.append((track,))
            held = len(track)
    return batches


def unfinished(batches: Sequence[Batch], done: Collection[TrackKey]) -> list[Batch]:
    """Return the batches of which something is left to do, whole, with those of their tracks that are done."""
    return [batch for batch in batches if any(track.key not in done for track in batch)]
