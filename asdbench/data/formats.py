"""The data formats by name: which reader opens each, and what gives it away on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from asdbench.errors import DataError
from asdbench.registry import Registry


@dataclass(frozen=True)
class Format:
    """A format of data sets.

    Attributes:
        name: Its name.
        reader: ``module:function`` of ``(root, split, name, *, option="default", ...) -> Dataset``; options are texts.
        layout: One line on what lies in its folder.
        marks: Patterns of paths in the folder, all of which must match for the format to be recognised; of patterns
            joined by a bar, any may.
    """

    name: str
    reader: str
    layout: str
    marks: tuple[str, ...]


FORMATS = (
    Format(
        "store",
        "asdbench.data.store:open_store",
        "store.json, tracks.parquet, frames.parquet, media/ (asdbench data prepare --store)",
        ("store.json",),
    ),
    Format(
        "ego4d",
        "asdbench.data.ego4d:open_ego4d",
        "av_<split>.json and the clips' own mp4, as Ego4D's download leaves them (docs/data_formats.md)",
        ("av_*.json|*/av_*.json|v[12]/annotations/av_*.json",),
    ),
    Format(
        "laser-bench",
        "asdbench.data.laser_bench:open_laser_bench",
        "noise_0/ and noise_1/, each as ava (option noise)",
        ("noise_[01]/csv/*_orig.csv",),
    ),
    Format(
        "columbia",
        "asdbench.data.columbia:open_columbia",
        "col_labels/<person>.txt and the video of the Columbia panel discussion",
        ("col_labels/*.txt|col_labels/*/*.txt",),
    ),
    Format(
        "asw",
        "asdbench.data.asw:open_asw",
        "json/<video>.json, split/<split>set.list, videos/ (Look Who's Talking)",
        ("json/*.json", "split/*set.list|*set.list|json/*set.list|lists/*set.list|videos|original|pyavi"),
    ),
    Format(
        "wasd",
        "asdbench.data.wasd:open_wasd",
        "as ava, with dataset_division.txt",
        ("csv/*_orig.csv|csv/*/*.csv", "dataset_division.txt|*/dataset_division.txt|csv/*_body.csv|clips_videos_body"),
    ),
    Format(
        "unitalk",
        "asdbench.data.unitalk:open_unitalk",
        "as ava, with sub_categories/",
        ("csv/*_orig.csv|csv/*/*.csv", "sub_categories/test_*.csv|video_list/*.csv"),
    ),
    Format(
        "talkies",
        "asdbench.data.talkies:open_talkies",
        "as ava, with talkies in the name of a file or folder",
        ("csv/*_orig.csv|csv/*/*.csv", "[Tt]alkies*|TALKIES*|csv/[Tt]alkies*"),
    ),
    Format(
        "ava",
        "asdbench.data.ava:open_ava",
        "csv/<split>_orig.csv, clips_videos/, clips_audios/ (AVA as the TalkNet preprocessing leaves it), or the "
        "official <video>-activespeaker.csv",
        ("csv/*_orig.csv|csv/*/*.csv|*-activespeaker.csv|*/*-activespeaker.csv",),
    ),
    Format(
        "folder",
        "asdbench.data.folder:open_folder",
        "labels.csv, videos/, optional audio/ and tracks.csv (your own videos, see docs/data_folder.md)",
        ("labels.csv",),
    ),
)
"""In the order in which they are tried: what is found in the folders of several stands last."""

DATA_FORMATS = Registry("data format", {each.name: each.reader for each in FORMATS})


def recognise(folder: Path) -> str:
    """Return the name of the format of a folder.

    Raises:
        DataError: It has the marks of none.
    """
    for each in FORMATS:
        if all(any(any(folder.glob(one)) for one in mark.split("|")) for mark in each.marks):
            return each.name
    expected = "; ".join(f"{each.name}: {', '.join(each.marks)}" for each in FORMATS)
    raise DataError(
        f"{folder}: no known data format; expected the files of one of them ({expected}), or --format NAME."
    )
