"""AVA-ActiveSpeaker, and whatever has its columns: annotation, loader file and media joined to tracks.

::

    ROOT/csv/<split>_orig.csv                              annotation; other forms: `asdbench.data.ava_official`
    ROOT/csv/<split>_loader.csv                            tab-separated: entity_id, frames, fps, [labels], number
    ROOT/csv/<split>_tracks.csv                            optional: what `asdbench.data.layout` writes there
    ROOT/clips_videos/<split>/<video>/<entity>/<time>.jpg  face crops, time in seconds with two decimals
    ROOT/clips_audios/<split>/<video>/<entity>.wav         16 kHz mono, first to last timestamp of the track
    ROOT/clips_videos/<split>/<entity>/<time>.jpg          the same without the folder of the video, as ASC has it
    ROOT/clips_audios/<split>/<entity>.wav
    ROOT/orig_audios/{trainval,test}/<video>.wav           optional: the film's audio, for shifts beyond a track's ends
    ROOT/videos/<video>.mp4                                or orig_videos/{trainval,test}/: the films themselves, from
                                                           which the tracks are cut that have no crops

Everything is joined by (video_id, entity_id, time in ms). The loader file gives frame rates; its order means nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from asdbench.data.ava_official import annotation_files, read_files
from asdbench.data.ava_tracks import AvaTracks
from asdbench.data.film_tracks import crop_style, cut_fingerprint
from asdbench.data.fingerprint import fingerprint
from asdbench.data.prepare_folder import prepared_protocol
from asdbench.errors import UsageError
from asdbench.types import Dataset

# WASD cuts 30-second pieces named <11-character source>_<start>-<end>; pieces of one source are not independent.
_WASD_PIECE = re.compile(r"(?P<source>.{11})_\d+-\d+")
_INAUDIBLE = ("keep", "drop")


def source_of(video_id: str) -> str:
    """Return the recording that a video was cut from, where its id says so; else the video."""
    piece = _WASD_PIECE.fullmatch(video_id)
    return piece["source"] if piece else video_id


@dataclass(frozen=True)
class Kin:
    """What tells a data set with AVA's columns from AVA.

    Attributes:
        format: Its name.
        source: Video to the independent recording it comes from.
        categories: Video to the categories it belongs to.
        notes: What a reader of its results must know.
        protocol: Name of the scoring rule that belongs to it.
    """

    format: str = "ava"
    source: Callable[[str], str] = source_of
    categories: Callable[[str], tuple[str, ...]] = lambda _: ()
    notes: tuple[str, ...] = ()
    protocol: str = "ava"


def open_ava(
    root: Path, split: str = "val", name: str | None = None, *, crop: str = "box", inaudible: str = "keep"
) -> Dataset:
    """Read the annotation of a folder; media are opened later, track by track.

    Args:
        root: The folder that holds ``csv/`` and media.
        split: ``val``, ``train``, ``test``, or whatever the csv files are called.
        name: Short name for tables and folders; the folder's name and the split without one.
        crop: How faces are cut out of films: ``box`` or another of `asdbench.data.crops`.
        inaudible: ``drop`` leaves out rows labelled SPEAKING_NOT_AUDIBLE, of which WASD's extraction makes no crops.

    Raises:
        DataError: A file is missing or contradicts itself or another; the message has file and line.
        UsageError: An option has another value.
    """
    return open_kin(Kin(), root, split, name, crop=crop, inaudible=inaudible)


def open_kin(
    kin: Kin, root: Path, split: str, name: str | None, *, crop: str = "box", inaudible: str = "keep"
) -> Dataset:
    """Read a data set with AVA's columns; arguments and errors as for `open_ava`."""
    style = crop_style(crop)
    if inaudible not in _INAUDIBLE:
        raise UsageError(f"the option inaudible={inaudible} is none of {', '.join(_INAUDIBLE)}.")
    files = annotation_files(root, split)
    reader = AvaTracks(root, split, files[0], read_files(files), style, drop=inaudible == "drop")
    tracks = reader.tracks(kin.source, kin.categories)
    return Dataset(
        name=name or f"{root.resolve().name}-{split}",
        format=kin.format,
        protocol=prepared_protocol(root, split) or kin.protocol,
        tracks=tracks,
        fingerprint=fingerprint(tracks, cut_fingerprint(tracks, style) if reader.cut else b""),
        notes=(*kin.notes, *reader.notes()),
    )
