"""Resolved edits: plain data that says exactly what is changed in one track, and the functions that do it.

An edit holds sample positions and donors, no labels and no randomness, so it can be stored, hashed and replayed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b

import msgspec

from asdbench.perturb import audio as sound
from asdbench.perturb.visual import lip_mask
from asdbench.types import Int16Array, Media, TrackKey, UInt8Array

DonorAudio = Callable[[TrackKey], Int16Array]
"""Loads the whole audio of a donor's track."""


class Donor(msgspec.Struct, frozen=True):
    """A span of another track's wav, in samples."""

    video_id: str
    entity_id: str
    start: int
    stop: int

    def segment(self, load: DonorAudio) -> Int16Array:
        """Return the audio of the span."""
        return load(TrackKey(self.video_id, self.entity_id))[self.start : self.stop]


class AudioEdit(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the samples ``start`` to ``stop`` of a track's wav; ``stop = None`` is its end."""

    version: int
    start: int = 0
    stop: int | None = None

    def apply(self, original: Int16Array, media: Media, load: DonorAudio) -> Int16Array:
        """Return the track's audio with this edit alone."""
        raise NotImplementedError

    def span(self, waveform: Int16Array) -> tuple[int, int]:
        """Return first and one past the last sample of the edit in a track's wav."""
        # A wav may be a frame shorter than its annotation, which is all that the plan knows.
        stop = len(waveform) if self.stop is None else min(self.stop, len(waveform))
        return min(self.start, stop), stop


class MismatchEdit(AudioEdit, frozen=True, kw_only=True, tag="mismatch"):
    """Another recording's audio in place of the span."""

    donors: tuple[Donor, ...]
    match_level: bool = True

    def apply(self, original: Int16Array, media: Media, load: DonorAudio) -> Int16Array:
        """See ``asdbench.perturb.mismatch``."""
        segments = [donor.segment(load) for donor in self.donors]
        return sound.mismatch(original, *self.span(original), segments, match_level=self.match_level)


class MisalignEdit(AudioEdit, frozen=True, kw_only=True, tag="misalign"):
    """The recording's own audio, ``shift`` samples late (early if negative)."""

    shift: int

    def apply(self, original: Int16Array, media: Media, load: DonorAudio) -> Int16Array:
        """See ``asdbench.perturb.misalign``."""
        start, stop = self.span(original)
        first, last, end = start - self.shift, stop - self.shift, len(original)
        before = media.audio_window(first, 0) if first < 0 else None
        after = media.audio_window(end, last) if last > end else None
        return sound.misalign(original, start, stop, self.shift, before=before, after=after)


class RespliceEdit(AudioEdit, frozen=True, kw_only=True, tag="resplice"):
    """The span's own audio over the background of the first donor that mismatch would have used."""

    donors: tuple[Donor, ...]

    def apply(self, original: Int16Array, media: Media, load: DonorAudio) -> Int16Array:
        """See ``asdbench.perturb.resplice``."""
        track = load(TrackKey(self.donors[0].video_id, self.donors[0].entity_id))
        segments = [donor.segment(load) for donor in self.donors]
        return sound.resplice(original, *self.span(original), track, segments)


class SilenceEdit(AudioEdit, frozen=True, kw_only=True, tag="silence"):
    """Zeros."""

    def apply(self, original: Int16Array, media: Media, load: DonorAudio) -> Int16Array:
        """See ``asdbench.perturb.silence``."""
        return sound.silence(original)


class LipMaskEdit(msgspec.Struct, frozen=True, kw_only=True, tag="lip_mask"):
    """The bottom ``fraction`` of every face black."""

    version: int
    fraction: float

    def apply_faces(self, faces: Sequence[UInt8Array]) -> list[UInt8Array]:
        """See ``asdbench.perturb.lip_mask``."""
        return [lip_mask(face, self.fraction) for face in faces]


Edit = MismatchEdit | MisalignEdit | RespliceEdit | SilenceEdit | LipMaskEdit


def digest(edits: Sequence[msgspec.Struct]) -> str:
    """Return the identity of a list of edits, empty for an empty list: equal digests give equal media."""
    return blake2b(msgspec.json.encode(list(edits)), digest_size=16).hexdigest() if edits else ""


def split_media(edits: Sequence[Edit]) -> tuple[tuple[AudioEdit, ...], tuple[LipMaskEdit, ...]]:
    """Separate the edits of the audio from those of the faces."""
    return (
        tuple(edit for edit in edits if isinstance(edit, AudioEdit)),
        tuple(edit for edit in edits if isinstance(edit, LipMaskEdit)),
    )


def edit_audio(original: Int16Array, edits: Sequence[AudioEdit], media: Media, load: DonorAudio) -> Int16Array:
    """Apply edits to a track's audio.

    Args:
        original: ``[N]`` the track's audio.
        edits: Edits of spans that do not overlap.
        media: The track's media, for source audio beyond the track.
        load: Loads donors' audio.
    """
    result = original.copy()
    for edit in edits:
        start, stop = edit.span(original)
        # Each edit sees the original: a delayed window must not pick up what another edit put there.
        result[start:stop] = edit.apply(original, media, load)[start:stop]
    return result


def edit_faces(original: Sequence[UInt8Array], edits: Sequence[LipMaskEdit]) -> Sequence[UInt8Array]:
    """Apply edits to a track's faces, ``T`` crops ``[height, width]``."""
    result = original
    for edit in edits:
        result = edit.apply_faces(result)
    return result
