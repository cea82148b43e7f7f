"""The gallery of a run: its worst errors with faces, sound and scores, as a page with clips."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from asdbench.analysis.conditions import HEADLINE
from asdbench.atomic import write_json, write_text
from asdbench.errors import UsageError
from asdbench.gallery.choice import shown_conditions
from asdbench.gallery.drawing import LEFT, RIGHT, WIDTH, draw, height
from asdbench.gallery.folder import PAGE, RECORD, WARNING, claim, default_folder, tidy
from asdbench.gallery.picks import Found, Pick, worst
from asdbench.gallery.scene import Scene, scene
from asdbench.gallery.source import Source, open_source
from asdbench.gallery.words import about, changed, counted, surroundings, title
from asdbench.records.facts import RowFacts, read_facts
from asdbench.records.predictions import Predictions
from asdbench.report.figures import write_figure
from asdbench.report.movie import fitted, write_movie
from asdbench.report.pages import render_page
from asdbench.report.run import Run
from asdbench.types import Condition, Int16Array, UInt8Array

SIDE = 256
"""Size of a face in the clips, in pixels."""

MOST = 100
"""Of errors of one kind; nobody looks at more."""


@dataclass(frozen=True)
class Gallery:
    """What was written.

    Attributes:
        path: The folder.
        errors: How many errors it shows.
        clips: How many clips.
    """

    path: Path
    errors: int
    clips: int

    @property
    def page(self) -> Path:
        """The page to open."""
        return self.path / PAGE


def gallery(
    run: Run,
    out: str | Path | None = None,
    *,
    data: str | Path | None = None,
    count: int = 3,
    conditions: Sequence[str] = (),
    notify: Callable[[str], None] = lambda _: None,
) -> Gallery:
    """Write the worst errors of a run with faces, sound and scores.

    Args:
        run: A finished run.
        out: Folder to write; beside the run folder by default, with ``do-not-publish`` in its name.
        data: Folder of the data set; as the run says by default.
        count: How many errors of each kind per condition, 1 to 100.
        conditions: Some of the conditions of the run; by default, of those that differ in an amount alone, the one that
            changes most.
        notify: Told in a few words what happens.

    Raises:
        DataError: The data set is not there, or broken.
        NotComparableError: It is another than the run was scored on, or its plan cannot be made again.
        UsageError: The folder is not fit, or no such number of errors.
        UnknownNameError: No such condition.
        ResourceError: The folder cannot be written.
    """
    if not 1 <= count <= MOST:
        raise UsageError(f"{count} errors per condition: expected 1 to {MOST}.")
    chosen = shown_conditions(run.conditions, conditions)
    folder = default_folder(run.path) if out is None else Path(out)
    source = open_source(run, data)
    claim(folder, run)
    maker = _Maker(run, source, folder.resolve(), count)
    sections = []
    for name, others in chosen.items():
        notify(f"gallery: {name}")
        sections.append(maker.section(run.conditions[name], others))
    tidy(maker.folder, maker.files)
    errors = [error for section in sections for group in section["groups"] for error in group["errors"]]
    write_json(folder / RECORD, _record(run, maker, sections))
    write_text(folder / PAGE, _page(run, maker, sections, count))
    return Gallery(folder, len(errors), sum(len(error["clips"]) for error in errors))


@dataclass
class _Maker:
    """Writes figures and clips, and numbers them: ids are no file names."""

    run: Run
    source: Source
    folder: Path
    count: int
    files: list[Path] = field(default_factory=list)
    number: int = 0

    def __post_init__(self) -> None:
        self.clean: Predictions = self.run.read(next(iter(self.run.conditions)))
        self.facts: RowFacts | None = read_facts(self.run.path)
        self.threshold: float = self.run.metrics["thresholds"][HEADLINE]

    def section(self, condition: Condition, others: Sequence[str]) -> dict[str, Any]:
        """Return what the page says of a condition."""
        rows = self.clean if condition.perturbation is None else self.run.read(condition.name)
        rows.require_same_rows(self.clean, condition.name)
        groups = worst(self.clean, rows, condition, self.threshold, self.count)
        return {
            "name": condition.name,
            "about": about(condition),
            "others": list(others),
            "groups": [self._group(condition, rows, found) for found in groups],
        }

    def _group(self, condition: Condition, rows: Predictions, found: Found) -> dict[str, Any]:
        return {
            "kind": found.kind,
            "title": title(found.kind, condition),
            "counted": counted(found, condition),
            "wrong": found.wrong,
            "judged": found.judged,
            "errors": [self._error(condition, rows, pick) for pick in found.picks],
        }

    def _error(self, condition: Condition, rows: Predictions, pick: Pick) -> dict[str, Any]:
        self.number += 1
        stem = f"{self.number:03d}"
        shown = scene(self.source, condition.name, pick, self.clean, rows)
        picture = self.folder / "figures" / f"{stem}.svg"
        write_figure(
            picture.with_suffix(""),
            lambda figure: draw(figure, shown, self.threshold, HEADLINE),
            ("svg",),
            (WIDTH, height(shown)),
        )
        self.files.append(picture)
        above = rows.score[shown.rows] >= self.threshold
        first = int(shown.track.timestamps_ms[pick.first])
        return {
            "number": self.number,
            "video": pick.key.video_id,
            "track": pick.key.entity_id,
            "seconds": [round(each / 1000, 3) for each in (shown.start_ms, shown.start_ms + shown.duration_ms)],
            "judged_seconds": [first / 1000, int(shown.track.timestamps_ms[pick.stop - 1]) / 1000],
            "clean": pick.clean,
            "score": pick.score,
            "above": float(np.mean(above)),
            "changed": changed(self.source, condition, pick),
            "facts": list(surroundings(shown, self.facts)),
            "figure": f"figures/{stem}.svg",
            "size": [round(100 * WIDTH), round(100 * height(shown))],
            "clips": list(self._clips(stem, shown)),
            "duration": shown.duration_ms / 1000,
        }

    def _clips(self, stem: str, shown: Scene) -> Iterator[dict[str, str]]:
        """Write the clips of an error, the changed one first, and yield what the page says of them."""
        versions = [("clean", shown.audio, shown.faces)]
        if shown.changed is not None:
            sound = shown.audio if shown.new_audio is None else shown.new_audio
            faces = shown.faces if shown.new_faces is None else shown.new_faces
            versions.insert(0, ("changed", sound, faces))
        for name, sound, faces in versions:
            file = self.folder / "clips" / f"{stem}-{name}.mp4"
            write_clip(file, shown, sound, faces)
            self.files.append(file)
            yield {"name": name, "file": f"clips/{file.name}"}


def write_clip(file: Path, shown: Scene, sound: Int16Array, faces: Sequence[UInt8Array]) -> None:
    """Write the faces of a scene, each at its time, with a sound."""
    pictures = (fitted(face, SIDE, smooth=True) for face in faces)
    times = [int(each) for each in shown.times_ms]
    write_movie(file, pictures, (SIDE, SIDE), shown.track.fps, {file.stem: sound}, times_ms=times, comment=WARNING)


def _record(run: Run, maker: _Maker, sections: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the content of ``gallery.json``: the same as on the page, for machines."""
    return {
        "schema": 1,
        "warning": WARNING,
        "run": run.record["fingerprint"],
        "model": run.model,
        "data": run.record["data"]["name"],
        "threshold": {"name": HEADLINE, "value": maker.threshold},
        "conditions": list(sections),
    }


def _page(run: Run, maker: _Maker, sections: Sequence[dict[str, Any]], count: int) -> str:
    suite = run.record["suite"]
    values = {
        "warning": WARNING,
        "model": run.model,
        "data": run.record["data"]["name"],
        "suite": f"{suite['name']}@{suite['version']}",
        "threshold": f"{maker.threshold:.2f}",
        "threshold_name": HEADLINE,
        "count": count,
        "sections": sections,
        "left": LEFT,
        "right": RIGHT,
        "version": run.record["versions"].get("asdbench", ""),
    }
    return render_page("gallery.html", f"Errors of {run.model} on {values['data']}: do not publish", values, media=True)
