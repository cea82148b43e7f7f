"""Noise of the user's own recordings, such as MUSAN or DEMAND, over the track's sound: noise_folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any

import msgspec

from asdbench.errors import DataError, UsageError
from asdbench.perturb.audio import join
from asdbench.perturb.choose import Chooser
from asdbench.perturb.donors import cover, distinct
from asdbench.perturb.edits import AudioEdit, Lender
from asdbench.perturb.noise import SnrOptions, add_noise
from asdbench.perturb.targets import Outcome, Perturbation, PlanContext, Planner, Target
from asdbench.types import AUDIO_TOLERANCE_MS, SAMPLE_RATE, Int16Array, Media

SUFFIXES = (".flac", ".wav")
"""Ends of names of files that are taken."""

_SHORT_WAV = AUDIO_TOLERANCE_MS * SAMPLE_RATE // 1000
# What is resampled may come out a little shorter than its header says.
_RESAMPLING_LOSS = SAMPLE_RATE // 10
_CHUNK = 1 << 20


class Recording(msgspec.Struct, frozen=True):
    """A span of a sound file, in samples at 16 kHz, and the hash of the file's content."""

    path: str
    start: int
    stop: int
    content: str


class RecordingsEdit(AudioEdit, frozen=True, kw_only=True, tag="recordings"):
    """Spans of sound files, joined, over the track's sound."""

    recordings: tuple[Recording, ...]
    snr_db: float

    def apply(self, original: Int16Array, media: Media, lender: Lender) -> Int16Array:
        """See `asdbench.perturb.noise.add_noise`.

        Raises:
            DataError: A file is gone or shorter than its header says, or the noise is digital silence.
        """
        noise = join([lender.recording(each.path, each.start, each.stop) for each in self.recordings])
        try:
            return add_noise(original, noise[: len(original)], self.snr_db)
        except UsageError as error:
            names = ", ".join(each.path for each in self.recordings)
            raise DataError(f"{names}: cannot be used as noise: {error}") from error


class ResampledRecordingsEdit(RecordingsEdit, frozen=True, kw_only=True, tag="resampled_recordings"):
    """Spans of sound files, one of which at least is not 16 kHz and mono, so that FFmpeg has a say in what is heard."""

    made_with: str


@dataclass(frozen=True)
class SoundFile:
    """A sound file of the folder.

    Attributes:
        path: Where it is, as the user named the folder.
        name: Its path within the folder, with ``/``.
        length: Samples at 16 kHz that can be counted on.
        plain: Whether its samples are taken as they are, without resampling.
    """

    path: Path
    name: str
    length: int
    plain: bool

    def __len__(self) -> int:
        return self.length


def sound_files(folder: Path) -> list[SoundFile]:
    """Return the WAV and FLAC files in a folder and its subfolders, sorted by name; hidden ones are passed over.

    Raises:
        UsageError: There is no such folder, it has no such file, or a link in it leads out of it.
        DataError: A file is not a readable sound file.
    """
    if not folder.is_dir():
        raise UsageError(f"folder = {str(folder)!r}: no such folder; give one with WAV or FLAC files of noise.")
    inside = folder.resolve()
    found = []
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() and not path.resolve().is_relative_to(inside):
            raise UsageError(f"{path}: a link that leads out of the folder {folder}; copy the file into it.")
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in SUFFIXES and path.is_file() and not hidden:
            found.append(SoundFile(path, name, *_length(path)))
    if not found:
        raise UsageError(f"folder = {str(folder)!r}: no WAV or FLAC file there.")
    return sorted(found, key=lambda each: each.name)


def _length(path: Path) -> tuple[int, bool]:
    """Return the length of a file at 16 kHz, and whether it needs no resampling."""
    import soundfile

    try:
        info: Any = soundfile.info(path)
    except (OSError, RuntimeError) as error:  # libsndfile's own error is a RuntimeError
        raise DataError(f"{path}: not a readable sound file ({error}); remove it or copy it again.") from error
    if info.frames <= 0:
        raise DataError(f"{path}: a sound file without sound; remove it or copy it again.")
    if (info.samplerate, info.channels) == (SAMPLE_RATE, 1):
        return int(info.frames), True
    return max(int(info.frames) * SAMPLE_RATE // int(info.samplerate) - _RESAMPLING_LOSS, 0), False


def _made_with() -> str:
    import av

    return f"av {av.__version__}, libswresample {'.'.join(map(str, av.library_versions['libswresample']))}"


@cache
def _content(path: Path, size: int, changed_ns: int) -> str:
    state = blake2b(digest_size=16)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            state.update(chunk)
    return state.hexdigest()


def content(path: Path) -> str:
    """Return the hash of a file's content, computed once while size and time of change stay.

    Raises:
        DataError: The file cannot be read.
    """
    try:
        status = path.stat()
        return _content(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); copy it again.") from error


class NoiseFolderOptions(SnrOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Folder of WAV and FLAC files; a path that is not absolute counts from the current folder."""

    folder: Annotated[str, msgspec.Meta(min_length=1)]


def plan_noise_folder(context: PlanContext, options: NoiseFolderOptions, me: Perturbation) -> Planner:
    """A random window of a random file; where it is too short, others follow it, none of them twice."""
    files = [each for each in sound_files(Path(options.folder)) if each.length > 0]
    choose = _chosen(files, context.chooser(me))
    plain = {each.path.as_posix() for each in files if each.plain}
    versions = "" if len(plain) == len(files) else _made_with()

    def planner(target: Target) -> Outcome:
        # A little more than the annotation asks for, in case the wav is longer than it.
        recordings = choose(target.target_id, target.end_sample + _SHORT_WAV)
        if recordings is None:
            return Outcome(reason="the recordings of noise are together too short")
        if all(each.path in plain for each in recordings):
            edit = RecordingsEdit(version=me.version, recordings=recordings, snr_db=options.ratio)
        else:
            edit = ResampledRecordingsEdit(
                version=me.version, recordings=recordings, snr_db=options.ratio, made_with=versions
            )
        return Outcome((edit,))

    return planner


def _chosen(files: list[SoundFile], chooser: Chooser) -> Callable[[str, int], tuple[Recording, ...] | None]:
    names = [each.name for each in files]

    def choose(target_id: str, length: int) -> tuple[Recording, ...] | None:
        order = distinct(chooser, target_id, "file", names, lambda index: True)
        chosen = cover((files[index] for index in order), length)
        if chosen is None:
            return None
        room = max(len(chosen[0]) - length, 0)
        first = int(chooser.fraction(target_id, "window") * (room + 1))
        missing, spans = length, []
        for number, each in enumerate(chosen):
            start = first if number == 0 else 0
            # No more is read than is heard; the crossfades take some of it, so a little more than is missing.
            stop = min(len(each), start + missing + SAMPLE_RATE)
            missing -= stop - start
            spans.append(Recording(each.path.as_posix(), start, stop, content(each.path)))
        return tuple(spans)

    return choose


RECORDINGS = (
    Perturbation(
        "noise_folder",
        1,
        "noise of a folder of recordings (MUSAN, DEMAND) at an SNR",
        "track",
        NoiseFolderOptions,
        plan_noise_folder,
        source="docs/perturbations.md; MUSAN: arXiv 1510.08484; DEMAND: doi 10.5281/zenodo.1227121",
    ),
)
"""What this module adds to the catalogue."""
