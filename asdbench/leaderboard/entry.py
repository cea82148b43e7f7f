"""An entry of the leaderboard: what one finished run found, small enough for a pull request (docs/leaderboard.md)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np

from asdbench.atomic import write_text
from asdbench.errors import DataError
from asdbench.metrics.bootstrap import Replicates, Resampling
from asdbench.metrics.inputs import Float64Array

ENTRY_SCHEMA: Literal[1] = 1
"""Bumped when what an entry holds changes."""

REFERENCES = ("constant", "deaf", "blind", "additive", "vad-lip", "oracle")
"""Systems without weights: they calibrate the benchmark, and none of them is a model that somebody trained."""

_Text = Annotated[str, msgspec.Meta(max_length=500)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
_Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{8,64}$")]
_Address = Annotated[str, msgspec.Meta(pattern="^https://[!-~]+$", max_length=300)]
_Count = Annotated[int, msgspec.Meta(ge=0)]
_MOST_BYTES = 2_000_000
_MOST_UNITS = 1_000_000


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was scored, and with which of its weights.

    Attributes:
        name: As the run calls it.
        adapter: Name of the adapter.
        adapter_version: Its version.
        options: Its options as far as they differ from the defaults, as text.
        checkpoint_sha256: Of the weights; ``None`` for systems without any.
        fingerprint: What else tells it from others: the hash of a user's own code.
        parameters: Number of trainable numbers, where known.
        trained_on: As its card says.
        code: Where code that asdbench does not ship is to be had.
        weights: Where the weights are to be had.
    """

    name: _Name
    adapter: _Name
    adapter_version: int
    options: dict[str, _Text] = {}
    checkpoint_sha256: _Sha256 | None = None
    fingerprint: _Sha256 | None = None
    parameters: Annotated[int, msgspec.Meta(ge=0)] | None = None
    trained_on: _Text | None = None
    code: _Address | None = None
    weights: _Address | None = None


class Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On what: all of it that two entries must share to stand in one table.

    Attributes:
        name: As the run calls it.
        split: Which part.
        format: In which format it was read.
        fingerprint: Of the annotations.
        media_digest: Of what was decoded of the media.
        protocol: The scoring rule of the data set.
        rows_sha256: Of keys, sources and labels of all rows.
        tracks: How many.
        rows: Counts of the clean condition.
        notes: What the data set says of itself.
    """

    name: _Name
    split: _Name
    format: _Name
    fingerprint: _Sha256
    media_digest: _Digest | None
    protocol: _Name
    rows_sha256: _Sha256
    tracks: _Count
    rows: dict[str, _Count]
    notes: tuple[_Text, ...] = ()


class SuiteMark(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which suite, and which plan it made of the data."""

    name: _Name
    version: int
    sha256: _Sha256
    seed: int
    plan_sha256: _Sha256


class Evidence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the intervals rest on; as ``units`` in ``metrics.json``, with the hash of the units' names."""

    kind: Literal["source", "block"]
    count: Annotated[int, msgspec.Meta(ge=1, le=_MOST_UNITS)]
    effective: Annotated[int, msgspec.Meta(ge=1, le=_MOST_UNITS)]
    names_sha256: _Sha256
    resamples: _Count
    seed: _Text
    level: Annotated[float, msgspec.Meta(gt=0, lt=1)]
    status: Literal["ok", "indicative", "none"]
    reason: _Text = ""


class Figure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One figure of the run.

    Attributes:
        condition: Name of the condition, or of the perturbation whose conditions are averaged.
        figure: Its key in ``metrics.json``; rates at the headline threshold.
        better: Whether more or less of it is better.
        value: The number, ``None`` where it has none.
        undefined: Why it has none.
        low: Lower end of its interval.
        high: Upper end.
        reason: Why there is no interval.
        mean_of: The conditions that are averaged; empty for a single one.
        replicates: Its value on each resample, float32 with the little end first, in base64; NaN where it has none.
    """

    condition: _Name
    figure: _Name
    better: Literal["higher", "lower"]
    value: float | None
    undefined: _Text = ""
    low: float | None = None
    high: float | None = None
    reason: _Text = ""
    mean_of: tuple[_Name, ...] = ()
    replicates: Annotated[str, msgspec.Meta(max_length=200_000)] | None = None

    @property
    def name(self) -> str:
        """``condition.figure``."""
        return f"{self.condition}.{self.figure}"


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One recording on its own: counts, and figures by ``condition.figure``, ``None`` where one has no value."""

    name: _Name
    positive: _Count
    negative: _Count
    figures: dict[_Name, float | None]


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ``baselines/results/<name>.json`` holds.

    Attributes:
        schema: Of this record.
        name: Also the file's name.
        kind: ``model``, or ``reference`` for systems without weights, which calibrate the benchmark and have no rank.
        commands: What makes the run again.
        model: What was scored.
        data: On what.
        suite: Under what.
        units: What the intervals rest on.
        threshold: Of the rates.
        figures: The headline figures with their resamples.
        sources: Figures of each recording on its own.
        versions: Of every package that can move a number.
        device: On which kind of device.
        dtype: Precision of the encoders.
        commit: Of the checkout, where there was one.
        modified: Whether that differed from its commit.
        audited: Whether it was measured before scoring that the perturbations did what the suite says.
        warnings: What a reader must not overlook.
        run_fingerprint: Of the run.
        note: What its submitter says of it.
        content_sha256: Of all else.
    """

    schema: Literal[1] = ENTRY_SCHEMA
    name: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9][A-Za-z0-9@.()_+#=-]*$", max_length=200)]
    kind: Literal["model", "reference"]
    commands: Annotated[tuple[_Text, ...], msgspec.Meta(min_length=1)]
    model: Model
    data: Data
    suite: SuiteMark
    units: Evidence
    threshold: _Name
    figures: Annotated[tuple[Figure, ...], msgspec.Meta(min_length=1, max_length=60)]
    sources: Annotated[tuple[Source, ...], msgspec.Meta(max_length=5000)]
    versions: dict[str, _Text]
    device: _Name
    dtype: _Name
    commit: _Text | None = None
    modified: bool = False
    audited: bool = True
    warnings: tuple[_Text, ...] = ()
    run_fingerprint: _Sha256
    note: _Text | None = None
    content_sha256: str = ""

    def figure(self, name: str) -> Figure | None:
        """Return a figure by ``condition.figure``, ``None`` where the entry has none."""
        return next((each for each in self.figures if each.name == name), None)


def entry_name(model: str, suite: str, data: str, run_fingerprint: str) -> str:
    """Return what the entry of a run is called, with signs that file names have everywhere.

    Args:
        model: As the run calls it.
        suite: Name and version.
        data: Name of the data set.
        run_fingerprint: Of the run.
    """
    label = re.sub(r"[^A-Za-z0-9@.()_+#=-]+", "-", f"{model}-{suite}-{data}").strip("-.") or "entry"
    return f"{label[:180]}-{run_fingerprint[:8]}"


def content_hash(entry: Entry) -> str:
    """Return the sha256 over all of an entry but this hash itself."""
    return hashlib.sha256(msgspec.json.encode(_bare(entry), order="sorted")).hexdigest()


def sealed(entry: Entry) -> Entry:
    """Return an entry with the hash of its content."""
    return msgspec.structs.replace(entry, content_sha256=content_hash(entry))


def read_entry(path: Path) -> Entry:
    """Read an entry; what it says is not judged here, see ``check``.

    Raises:
        DataError: The file cannot be read, or does not follow the schema.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: the entry cannot be read ({error.strerror}).") from error
    if len(content) > _MOST_BYTES:
        raise DataError(f"{path}: an entry has at most {_MOST_BYTES:,} bytes, and this one has {len(content):,}.")
    try:
        return msgspec.json.decode(content, type=Entry)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{path}: not an entry of the leaderboard ({error}).") from error


def write_entry(entry: Entry, path: Path) -> None:
    """Write an entry; equal entries give equal bytes."""
    text = msgspec.json.format(msgspec.json.encode(entry, order="sorted"), indent=1)
    write_text(path, text.decode() + "\n")


def encoded(values: Iterable[float]) -> str:
    """Return resampled values as text.

    Example:
        >>> decoded(encoded([0.5, float("nan")])).tolist()
        [0.5, nan]
    """
    return base64.b64encode(np.asarray(list(values), dtype="<f4").tobytes()).decode("ascii")


def decoded(text: str) -> Float64Array:
    """Return resampled values.

    Raises:
        DataError: The text is not base64 of float32.
    """
    try:
        return np.frombuffer(base64.b64decode(text, validate=True), dtype="<f4").astype(np.float64)
    except (binascii.Error, ValueError) as error:
        raise DataError(f"the resampled values are not base64 of float32 ({error}).") from error


def replicates_of(entry: Entry, figure: Figure) -> Replicates | None:
    """Return a figure on the resamples that all entries of a board share; ``None`` where it has none."""
    if figure.value is None or figure.replicates is None:
        return None
    units = entry.units
    draws = Resampling(units.count, units.seed, units.resamples, units.effective)
    return Replicates(draws, figure.value, decoded(figure.replicates), np.full(units.count, np.nan))


def _bare(entry: Entry) -> Entry:
    return msgspec.structs.replace(entry, content_sha256="")
