"""What tells one annotation from another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from asdbench.types import Track


def fingerprint(tracks: Iterable[Track], extra: bytes = b"") -> str:
    """Return the sha256 over an annotation: everything that decides what is planned and counted.

    Args:
        tracks: All tracks in order.
        extra: What else belongs to the annotation of a format, such as face boxes.
    """
    digest = hashlib.sha256()
    for track in tracks:
        digest.update(
            repr((track.key, track.source_id, track.fps, track.num_samples, track.audio_margin, len(track))).encode()
        )
        digest.update(track.timestamps_ms.astype("<i8").tobytes())
        digest.update(track.labels.tobytes())
        # What only some data sets have is added only where it is, so that the others keep their fingerprints.
        if track.person_id is not None or track.sentence_id is not None:
            digest.update(repr(("said", track.person_id, track.sentence_id)).encode())
        if track.dubbed is not None:
            digest.update(b"dubbed" + track.dubbed.tobytes())
        if track.scored is not None:
            digest.update(b"scored" + track.scored.tobytes())
        if track.face_in_crop is not None:
            digest.update(b"face" + track.face_in_crop.astype("<f4").tobytes())
        if track.voiced is not None:
            digest.update(b"voiced" + track.voiced.tobytes())
        if track.categories:
            digest.update(repr(("categories", track.categories)).encode())
    digest.update(extra)
    return digest.hexdigest()
