"""Counts of a data set, out of its annotation alone: nothing is decoded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asdbench.types import Dataset, Track

WIDTHS = (64, 128)
"""Borders between small, middle and large faces, in pixels (Zhang et al., UniCon, ACM MM 2021)."""

_MS_PER_HOUR = 3_600_000


def describe(dataset: Dataset) -> dict[str, Any]:
    """Return the counts of a data set.

    Returns:
        Values for JSON. ``hours`` are those of face tracks, ``hours_of_video`` those in which a face is annotated;
        ``base_rate`` is the share of speaking rows among those that may enter a metric, dubbed tracks left out, and
        ``null`` without any; ``runs`` are speaking runs, ``eligible_runs`` those of 0.4 s and more
        (docs/method.md, section 1); ``face_widths`` are rows by width in pixels, ``null`` where no frame size is known.
    """
    tracks = dataset.tracks
    ordinary = [track for track in tracks if track.dubbed is None]
    scored = np.concatenate([np.zeros(0, np.int8), *(track.scored_labels for track in ordinary)])
    runs = [run for track in ordinary for run in track.speaking_runs]
    return {
        "name": dataset.name,
        "format": dataset.format,
        "protocol": dataset.protocol,
        "fingerprint": dataset.fingerprint,
        "notes": list(dataset.notes),
        "tracks": len(tracks),
        "videos": len({track.video_id for track in tracks}),
        "sources": len({track.source_id for track in tracks}),
        "persons": len({track.person_id for track in tracks} - {None}) or None,
        "tracks_without_person": sum(track.person_id is None for track in tracks),
        "frames": sum(map(len, tracks)),
        "scored_frames": len(scored),
        "unscored_frames": sum(len(track) - len(track.scored_labels) for track in tracks),
        "speaking_frames": int((scored == 1).sum()),
        "base_rate": float((scored == 1).mean()) if len(scored) else None,
        "hours": sum(len(track) / track.fps for track in tracks) / 3600,
        "hours_of_video": sum(_seen_ms(tracks)) / _MS_PER_HOUR,
        "runs": len(runs),
        "eligible_runs": sum(run.long_enough for run in runs),
        "dubbed_tracks": len(tracks) - len(ordinary),
        "dubbed_frames": sum(int(track.dubbed.sum()) for track in tracks if track.dubbed is not None),
        "tracks_with_gaps": sum(track.gapless < len(track) for track in tracks),
        "tracks_with_source_audio_beyond": sum(any(track.audio_margin) for track in tracks),
        "track_seconds": _spread([len(track) / track.fps for track in tracks]),
        "frame_rates": _counted(f"{track.fps:g}" for track in sorted(tracks, key=lambda track: track.fps)),
        "faces_per_frame": _faces_per_frame(tracks),
        "face_widths": _face_widths(tracks),
        "frame_sizes": _counted(f"{track.frame_size[0]}x{track.frame_size[1]}" for track in tracks if track.frame_size),
        "categories": _counted(name for track in tracks for name in track.categories),
    }  # fmt: skip


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values))


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"shortest": min(values), "median": float(np.median(values)), "longest": max(values)}


def _times(tracks: Sequence[Track]) -> dict[str, list[NDArray[np.int64]]]:
    times: dict[str, list[NDArray[np.int64]]] = {}
    for track in tracks:
        times.setdefault(track.video_id, []).append(track.timestamps_ms)
    return times


def _seen_ms(tracks: Sequence[Track]) -> list[float]:
    """Return for each video how long a face is annotated in it."""
    rates = {track.video_id: track.fps for track in tracks}
    return [
        len(np.unique(np.concatenate(times))) * 1000 / rates[video] for video, times in sorted(_times(tracks).items())
    ]


def _faces_per_frame(tracks: Sequence[Track]) -> dict[str, int]:
    """Return rows by the number of faces annotated in the same video at the same time."""
    rows = {"1": 0, "2": 0, "3+": 0}
    for times in _times(tracks).values():
        _, faces = np.unique(np.concatenate(times), return_counts=True)
        rows["1"] += int(faces[faces == 1].sum())
        rows["2"] += int(faces[faces == 2].sum())
        rows["3+"] += int(faces[faces > 2].sum())
    return rows


def _face_widths(tracks: Sequence[Track]) -> dict[str, int] | None:
    """Return rows by the width of the face in pixels of the video that is there."""
    widths = [
        (track.boxes[:, 2] - track.boxes[:, 0]) * track.frame_size[0]
        for track in tracks
        if track.boxes is not None and track.frame_size is not None
    ]
    if not widths:
        return None
    every = np.concatenate(widths)
    small, large = WIDTHS
    return {
        f"< {small}": int((every < small).sum()),
        f"{small}-{large}": int(((every >= small) & (every <= large)).sum()),
        f"> {large}": int((every > large).sum()),
        "unknown": sum(map(len, tracks)) - len(every),
    }
