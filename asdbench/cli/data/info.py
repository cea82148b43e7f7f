"""``asdbench data info``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from asdbench.cli.data.source import open_source, source_options
from asdbench.cli.output import echo_json, json_option

_SHOWN = 12  # values of a kind, such as categories, before they are cut


@click.command(epilog="Example: asdbench data info AVADataPath")
@source_options
@json_option
def command(data: Path, data_format: str, split: str, data_options: tuple[str, ...], as_json: bool) -> None:
    """Count tracks, hours, faces and labels.

    Only annotation is read, and of some formats the headers of the videos. Counts of frames are rows: one per face and
    picture.
    """
    from asdbench.data.info import describe
    from asdbench.report.text import printable

    facts = describe(open_source(data, data_format, split, data_options))
    if as_json:
        echo_json(facts)
        return
    rows = _rows(facts)
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        click.echo(printable(f"{name:<{width}}  {value}"))


def _rows(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a person reads, line by line."""
    rate, frames = facts["base_rate"], facts["frames"]
    persons = f"{facts['persons'] or 0:,} named, {facts['tracks_without_person']:,} tracks without"
    seconds = facts["track_seconds"]
    rows = [
        ("data", f"{facts['name']} (format {facts['format']}, protocol {facts['protocol']})"),
        ("tracks", f"{facts['tracks']:,} of {facts['videos']:,} videos from {facts['sources']:,} sources"),
        ("persons", persons if facts["persons"] else "not known"),
        ("hours", f"{facts['hours']:.2f} of face tracks, {facts['hours_of_video']:.2f} of video with a face"),
        ("track length", " / ".join(f"{name} {value:.2f} s" for name, value in seconds.items())),
        ("frames", f"{frames:,}, scored {facts['scored_frames']:,}"),
        ("speaking", f"{facts['speaking_frames']:,}" + (f" (base rate {rate:.1%})" if rate is not None else "")),
        ("speaking runs", f"{facts['runs']:,}, eligible (0.4 s and more) {facts['eligible_runs']:,}"),
        ("dubbed", f"{facts['dubbed_frames']:,} frames in {facts['dubbed_tracks']:,} tracks"),
        ("frame rates", _list(facts["frame_rates"], "tracks")),
        ("faces per frame", _shares(facts["faces_per_frame"], frames)),
        ("face widths, px", _shares(facts["face_widths"], frames)),
        ("frame sizes", _list(facts["frame_sizes"], "tracks") or "not known"),
        ("categories", _list(facts["categories"], "tracks") or "none"),
        ("source audio", f"reaches beyond {facts['tracks_with_source_audio_beyond']:,} tracks"),
        ("gaps in time", f"{facts['tracks_with_gaps']:,} tracks"),
        ("fingerprint", facts["fingerprint"]),
    ]
    return rows + [("note", note) for note in facts["notes"]]


def _list(counts: Mapping[str, int], what: str) -> str:
    shown = [f"{name} ({count:,} {what})" for name, count in list(counts.items())[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else "")


def _shares(counts: Mapping[str, int] | None, total: int) -> str:
    if counts is None:
        return "not known"
    return ", ".join(f"{name}: {count:,} ({count / total:.1%})" for name, count in counts.items() if count)
