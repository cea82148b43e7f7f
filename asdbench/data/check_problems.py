"""What `asdbench data verify` can find, and how bad it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec

Severity = Literal["error", "warning"]


class Kind(NamedTuple):
    """A kind of problem: how bad it is, and what it means."""

    severity: Severity
    meaning: str


KINDS: Mapping[str, Kind] = {
    "refused": Kind("error", "the reader does not open the data set; nothing behind this was looked at"),
    "unknown label": Kind("error", "a label that is none of AVA's three"),
    "contradicting label": Kind("error", "the loader file has other labels than the text labels, which count"),
    "out of range": Kind("error", "a box, a time or a frame rate that cannot be"),
    "duplicate row": Kind("error", "one face twice at one time"),
    "missing": Kind("error", "a file, or a picture at an annotated time, that is not there"),
    "truncated": Kind("error", "a file that was cut off"),
    "unreadable": Kind("error", "a file that cannot be decoded, or not as what it should be"),
    "no pixel": Kind("error", "a box outside its picture"),
    "short audio": Kind("error", "sound that ends more than 80 ms before its labels, or starts as much after"),
    "sound gap": Kind("error", "a jump in the times of a video's sound"),
    "silent speech": Kind("error", "digital silence in a run that is labelled as speech"),
    "broken media": Kind("error", "media that a run would refuse for another reason"),
    "audio length": Kind("warning", "sound that is longer or shorter than its labels, but not too short to be used"),
    "audio offset": Kind("warning", "a track's sound that does not agree with its film at the annotated times"),
    "out of sync": Kind("warning", "pictures and sound of a file that start or end apart by its timestamps"),
    "film not used": Kind("warning", "a whole film's sound, too short or unreadable, without which shifts do"),
    "faint speech": Kind("warning", "a run labelled as speech whose sound stays below -60 dB of full scale"),
    "silent": Kind("warning", "a whole track of digital silence"),
    "black": Kind("warning", "face crops without light"),
    "constant": Kind("warning", "face crops of one level, or the same for a second and more"),
    "extra crops": Kind("warning", "crops at times that are not annotated"),
    "duplicate faces": Kind("warning", "the same crops under two ids"),
    "duplicate sound": Kind("warning", "the same sound in two videos"),
    "duplicate video": Kind("warning", "the same file as two videos"),
    "gap in time": Kind("warning", "a track that leaves out frames; behind a gap nothing is changed"),
    "one frame": Kind("warning", "a track of a single frame, which has no length"),
}  # fmt: skip
"""Every kind, in the order of the table."""

# How the messages of the readers tell what is wrong; the first that matches.
_SIGNS: tuple[tuple[str, str], ...] = (
    (r": truncated|: cut off after", "truncated"),
    (r"labelled frames that span|: the track needs sound from", "short audio"),
    (r": the sound jumps", "sound gap"),
    (r": the box holds no pixel", "no pixel"),
    (r"(crop|file) is missing|: there is no |shows no picture|\(No such file", "missing"),
    (
        r"shows the same picture|is not later than it|is not credible|share a crop|correct the frame rate",
        "out of range",
    ),
    (r": the (video|audio|sound) (cannot|is)|cannot be read|not a readable|cannot be decoded|is damaged", "unreadable"),
    (
        r"stream that can be decoded|channel\(s\) at|a second crop|not a time in seconds|expected entity_id",
        "unreadable",
    ),
)


class Problem(msgspec.Struct, frozen=True, order=True):
    """One thing that is wrong.

    Attributes:
        kind: A name of `KINDS`.
        video_id: The video, empty where it is about a table.
        entity_id: The face track, empty where it is about a whole video.
        message: What and where: with the file, and the line, time or crop.
        count: How many rows, crops or seconds it is about.
    """

    kind: str
    video_id: str
    entity_id: str
    message: str
    count: int = 1

    @property
    def severity(self) -> Severity:
        """``error`` where a run would refuse, or give numbers that are wrong; else ``warning``."""
        return KINDS[self.kind].severity


def kind_of(message: str) -> str:
    """Return the kind of problem that the message of a ``DataError`` is about."""
    return next((kind for sign, kind in _SIGNS if re.search(sign, message)), "broken media")
