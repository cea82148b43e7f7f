"""Makes a data set of many short tracks out of one that `asdbench data prepare` wrote, to see what grows with data.

Each copy of a track has a video of its own. Files are linked, not copied, so that thousands of tracks take no room.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from asdbench.data import open_dataset
from asdbench.data.layout import CommunityLayout, TrackRows, face_name
from asdbench.types import Track


def many_tracks(source: Path, out: Path, count: int, frames: int, suffix: str = ".jpg") -> Path:
    """Write a set of short tracks, those where somebody speaks first.

    Args:
        source: A prepared set, split ``val``.
        out: Folder to write.
        count: How many tracks.
        frames: Frames of each, at most those of its original.
        suffix: Of the pictures.

    Returns:
        ``out``.
    """
    originals = sorted(open_dataset(source).tracks, key=lambda track: not (track.labels[:frames] == 1).any())
    there, here = CommunityLayout(source, "val"), CommunityLayout(out, "val")
    rows = []
    for number in range(count):
        track = originals[number % len(originals)]
        copy = _shortened(track, frames, f"-{number:05}")
        links = {there.wav(track): here.wav(copy)}
        for time in copy.timestamps_ms:
            name = face_name(int(time), suffix)
            links[there.faces(track) / name] = here.faces(copy) / name
        for file, link in links.items():
            link.parent.mkdir(parents=True, exist_ok=True)
            os.link(file, link)
        rows.append(TrackRows(copy, copy.labels))
    here.write_tables(rows)
    return out


def _shortened(track: Track, frames: int, mark: str) -> Track:
    ids = {"video_id": track.video_id + mark, "entity_id": track.entity_id + mark}
    return replace(
        track,
        **ids,
        timestamps_ms=track.timestamps_ms[:frames],
        labels=track.labels[:frames],
        scored=None,
        dubbed=None,
        boxes=None,
        face_in_crop=None,
        voiced=None,
    )
