"""What ``asdbench score PRED --labels GT`` is given: read once, in whatever format, and joined by key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from asdbench.analysis.scored import ALL, Line, Sample, precision_line
from asdbench.errors import DataError, UsageError
from asdbench.metrics import resampling_units
from asdbench.metrics.bootstrap import RESAMPLES
from asdbench.metrics.units import Units
from asdbench.protocols.asw_files import has_asw_keys, is_asw, read_asw, read_asw_scores
from asdbench.protocols.ava_rows import AvaRows, JoinedRows
from asdbench.protocols.columbia_files import is_columbia
from asdbench.protocols.ego4d_detections import has_detections, read_detections
from asdbench.protocols.ego4d_files import Annotated, Boxes, is_annotation, read_annotation, read_boxes
from asdbench.protocols.row_files import RowFile, join_counted, read_rows
from asdbench.protocols.sniff import columns

Kind = Literal["rows", "samples", "boxes", "annotation", "people"]
"""What labels are: AVA rows, ASW samples, a table of Ego4D boxes, Ego4D's annotation, Columbia's people."""

KINDS: dict[Kind, str] = {
    "rows": "rows with a video, an entity and a time",
    "samples": "samples of ASW",
    "boxes": "boxes of Ego4D",
    "annotation": "the annotation of Ego4D",
    "people": "the labels of Columbia",
}


class NotGivenError(UsageError):
    """A protocol needs something that was not given."""


@dataclass(frozen=True)
class Request:
    """What was asked for.

    Attributes:
        predictions: File or folder of scores.
        labels: File or folder of labels.
        condition: Of a run that holds the scores.
        scale: ``logit`` or ``probability``, where it was said.
        clean: Scores of the same rows on unchanged media.
        division: WASD's division file, or the folder of UniTalk's lists.
        resamples: How many resamples the intervals rest on; 0 for none.
        seed: Of the resamples.
    """

    predictions: Path
    labels: Path
    condition: str | None = None
    scale: str | None = None
    clean: Path | None = None
    division: Path | None = None
    resamples: int = RESAMPLES
    seed: str = "1"


@dataclass(frozen=True, eq=False)
class Scored:
    """Labelled rows with scores and units."""

    rows: JoinedRows
    unit: NDArray[np.int32]
    sample: Sample


class Inputs:
    """The files of a request, each read when it is first needed.

    Args:
        request: What was asked for.

    Raises:
        DataError: There is no such file or folder.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self._joined: dict[bool, Scored] = {}
        for path in filter(None, (request.predictions, request.labels, request.clean, request.division)):
            if not path.exists():
                raise DataError(f"{path}: no such file or folder.")

    @cached_property
    def kind(self) -> Kind:
        """What the labels are."""
        path = self._annotation or self.request.labels
        if (path / "run.json").is_file():
            return "rows"
        if path.is_dir() and is_columbia(path):
            return "people"
        if is_annotation(path):
            return "annotation"
        if is_asw(path):
            return "samples"
        if path.suffix == ".json":
            raise DataError(f"{path}: neither the annotation of Ego4D nor samples of ASW.")
        return "boxes" if "x1" in columns(path) else "rows"

    @cached_property
    def _annotation(self) -> Path | None:
        """The annotation of Ego4D in a folder."""
        folder = self.request.labels
        found = sorted(folder.glob("av_*.json")) if folder.is_dir() else []
        return next((path for path in found if path.name == "av_val.json"), found[0] if found else None)

    @cached_property
    def annotation(self) -> Annotated:
        """Ego4D's annotation."""
        return read_annotation(self._annotation or self.request.labels)

    @cached_property
    def truth(self) -> RowFile:
        """The labels as rows."""
        if self.kind == "annotation":
            rows = self.annotation.rows
            return RowFile(rows, np.ones(len(rows), np.bool_), self.annotation.boxes.sources, recorded=True)
        return read_asw(self.request.labels) if self.kind == "samples" else read_rows(self.request.labels, labels=True)

    @cached_property
    def scores(self) -> RowFile:
        """The scores as rows."""
        path = self.request.predictions
        if self.scores_are_boxes:
            raise NotGivenError(f"{path} holds detected boxes, not scores of labelled rows")
        if has_asw_keys(path):
            return read_asw_scores(path)
        return read_rows(path, labels=False, condition=self.request.condition)

    @cached_property
    def scores_are_boxes(self) -> bool:
        """Whether the scores are those of boxes."""
        path = self.request.predictions
        if (path / "run.json").is_file():
            return False
        return has_detections(path) or "x1" in columns(path)

    @cached_property
    def detections(self) -> Boxes:
        """The scores as boxes."""
        path = self.request.predictions
        return read_detections(path) if has_detections(path) else read_boxes(path, labels=False)

    @cached_property
    def labelled_boxes(self) -> Boxes:
        """The labels as boxes."""
        return self.annotation.boxes if self.kind == "annotation" else read_boxes(self.request.labels, labels=True)

    @cached_property
    def protocol(self) -> str:
        """The protocol of the data set, where a run says so: that of the labels, or else of the scores."""
        record = self.truth.run or (None if self.scores_are_boxes else self.scores.run)
        return "ava" if record is None else str(record["data"]["protocol"])

    def joined(self, *, decided: bool = False) -> Scored:
        """Return the labelled rows with their scores.

        Args:
            decided: Whether the scores may come with decisions, as for ``join_rows``.

        Raises:
            DataError: As ``join_rows``; or scores that are said to be probabilities are not.
            NotGivenError: The scores are those of boxes.
        """
        if decided not in self._joined:
            self._joined[decided] = self._with_units(
                self._checked(join_counted(self.truth, self.scores, decided=decided))
            )
        return self._joined[decided]

    @cached_property
    def whole(self) -> Line:
        """AP of all rows, which several protocols give."""
        data = self.joined()
        return precision_line(ALL, data.rows.positive, data.rows.score, data.unit, data.sample)

    def require(self, *kinds: Kind) -> None:
        """Refuse labels of another kind.

        Raises:
            NotGivenError: They are of another.
        """
        if self.kind not in kinds:
            wanted = " or ".join(KINDS[kind] for kind in kinds)
            raise NotGivenError(f"it needs {wanted}, and the labels are {KINDS[self.kind]}")

    def division(self, *names: str) -> Path | None:
        """Return the division of the videos that was given, or that lies beside the labels under one of these names."""
        if self.request.division is not None:
            return self.request.division
        labels = self.request.labels
        folders = [labels] if labels.is_dir() else [labels.parent, labels.parent.parent]
        return next((folder / name for folder in folders for name in names if (folder / name).exists()), None)

    def sample(self, units: Units) -> Sample:
        """Return what is resampled."""
        return Sample(units, self.request.resamples, self.request.seed)

    def clean(self) -> JoinedRows:
        """Return the labelled rows with their scores on unchanged media.

        Raises:
            NotGivenError: There are none.
            DataError: As for ``joined``.
        """
        path, run = self.request.clean, self.scores.run
        if path is None and run is not None:
            own = read_rows(self.request.predictions, labels=False)
            if own.condition != self.scores.condition:
                return join_counted(self.truth, own)
        if path is None:
            raise NotGivenError("it needs the scores of the same rows on unchanged media; add --clean PRED")
        return self._checked(join_counted(self.truth, read_rows(path, labels=False)))

    def threshold(self) -> float:
        """Return probability 0.5 on the scale of the scores.

        Raises:
            NotGivenError: Nobody said what the scores are.
        """
        scale = self.request.scale or self.scores.scale
        if scale is None:
            raise NotGivenError("it needs to know what the scores are; add --scores logit or --scores probability")
        return 0.0 if scale == "logit" else 0.5

    def _checked(self, rows: JoinedRows) -> JoinedRows:
        if self.request.scale == "probability":
            outside = np.flatnonzero((rows.score < 0) | (rows.score > 1))
            if len(outside):
                raise DataError(
                    f"{self.request.predictions}: {len(outside)} scores are no probabilities, the first for "
                    f"{rows.truth.show(outside)}; say --scores logit if they are log-odds."
                )
        return rows

    def _with_units(self, rows: JoinedRows) -> Scored:
        sources = self.truth.sources
        if not self.truth.recorded and self.scores.recorded:
            sources = {**sources, **self.scores.sources}
        units = row_units(rows.truth, sources)
        return Scored(rows, units.of_row, self.sample(units))


def row_units(rows: AvaRows, sources: Mapping[str, str]) -> Units:
    """Return the units of rows: recordings, or blocks of 60 s of a single one.

    Args:
        rows: The rows.
        sources: Video to its recording.
    """
    used = np.unique(rows.video).tolist()
    names = sorted({sources[rows.videos[code]] for code in used})
    if len(names) > 1:
        place = {name: number for number, name in enumerate(names)}
        of_video = np.array([place.get(sources.get(video, ""), 0) for video in rows.videos], dtype=np.int32)
        return Units("source", tuple(names), of_video[rows.video])
    videos = np.array(rows.videos)[rows.video]
    return resampling_units(np.full(len(rows), names[0]), rows.milliseconds, videos)
