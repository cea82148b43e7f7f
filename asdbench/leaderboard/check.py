"""What the leaderboard's own checks say of an entry: plausible, unchanged since it was written, named as it should be.

A hash finds what was changed by accident. Nothing in a file can prove that a run took place; ``commands`` lets others
make it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from asdbench.adapters import MODELS
from asdbench.analysis.conditions import HEADLINE
from asdbench.checkpoints.cards import card_for
from asdbench.errors import DataError, UsageError
from asdbench.leaderboard.entry import (
    REFERENCES,
    Entry,
    Figure,
    content_hash,
    decoded,
    entry_name,
    read_entry,
    replicates_of,
)
from asdbench.leaderboard.figures import CLEAN, figures_of
from asdbench.metrics import interval
from asdbench.metrics.bootstrap import RESAMPLES
from asdbench.metrics.intervals import LEVEL
from asdbench.perturb.dubbed import DUBBED
from asdbench.protocols.catalogue import PROTOCOLS
from asdbench.suites import load_suite

_RANGES = {"ap_drop": (-1.0, 1.0), "retention": (0.0, 10.0)}
"""Of figures that are no shares; retention has at least a tenth below the line."""

_CLOSE = 1e-6
"""What float32 leaves of the ends of an interval."""


def check_entry(entry: Entry) -> tuple[str, ...]:
    """Return what is wrong with an entry, each a sentence; nothing where it may stand on the leaderboard."""
    return tuple(
        problem
        for each in (_identity, _suite, _model, _counts, _figures, _sources)
        for problem in each(entry)
    )  # fmt: skip


def check_file(path: Path) -> tuple[str, ...]:
    """Return what is wrong with the file of an entry; its name must be that of the entry.

    Raises:
        DataError: It cannot be read, or does not follow the schema.
    """
    entry = read_entry(path)
    misnamed = [f"the file must be called {entry.name}.json."] if path.name != f"{entry.name}.json" else []
    return (*misnamed, *check_entry(entry))


def entries_in(folders: Sequence[Path]) -> tuple[Entry, ...]:
    """Return all entries of some folders, sorted by name, each checked.

    Raises:
        DataError: There is no such folder, an entry is not in order, or two of them tell of one run differently.
    """
    found: dict[str, tuple[Path, Entry]] = {}
    for folder in folders:
        if not folder.is_dir():
            raise DataError(f"{folder}: no such folder of results.")
        files = sorted(folder.glob("*.json"))
        if not files:
            raise DataError(f"{folder}: no entries; asdbench submit RUN writes one.")
        for path in files:
            problems = check_file(path)
            if problems:
                raise DataError(f"{path}: {problems[0]}")
            entry = read_entry(path)
            other, same = found.setdefault(entry.run_fingerprint, (path, entry))
            if same.content_sha256 != entry.content_sha256:
                raise DataError(f"{path}: another account of the same run as {other}; remove one of them.")
    return tuple(sorted((entry for _, entry in found.values()), key=lambda entry: entry.name))


def _identity(entry: Entry) -> Iterator[str]:
    if entry.content_sha256 != content_hash(entry):
        yield "its content is not what its hash says; make it again with asdbench submit."
    if not entry.name.endswith(f"-{entry.run_fingerprint[:8]}"):
        yield f"its name must end with the first signs of its run, {entry.run_fingerprint[:8]}."
    elif entry.name != _named(entry):
        yield f"its name must be {_named(entry)}."
    if entry.threshold != HEADLINE:
        yield f"its rates must be at {HEADLINE}, not at {entry.threshold}."
    if entry.dtype != "float32":
        yield f"it was scored in {entry.dtype}, not in float32."
    if entry.data.protocol not in PROTOCOLS:
        yield f"there is no protocol {entry.data.protocol!r}."


def _named(entry: Entry) -> str:
    return entry_name(
        entry.model.name, f"{entry.suite.name}@{entry.suite.version}", entry.data.name, entry.run_fingerprint
    )


def _suite(entry: Entry) -> Iterator[str]:
    label = f"{entry.suite.name}@{entry.suite.version}"
    try:
        shipped = load_suite(label)
    except UsageError:
        yield f"there is no suite {label} in this release."
        return
    if shipped.sha256 != entry.suite.sha256:
        yield f"its suite {label} is another one than that of this release."
    if shipped.seed != entry.suite.seed:
        yield f"its seed is not that of {label}."
    known = {condition.name for condition in shipped.conditions} | {CLEAN, "dubbed"}
    for figure in entry.figures:
        strays = {*(figure.mean_of or (figure.condition,))} - known
        if strays:
            yield f"{label} has no condition {min(strays)!r}."
    yield from _right_figures(entry, label, figures_of(shipped))


def _right_figures(
    entry: Entry, label: str, wanted: Mapping[str, tuple[Literal["higher", "lower"], tuple[str, ...]]]
) -> Iterator[str]:
    """Yield which figures are not those of every entry of the suite: none more, none less, none turned round."""
    for figure in entry.figures:
        if figure.name not in wanted:
            yield f"an entry of {label} has no figure {figure.name!r}."
        elif (figure.better, figure.mean_of) != wanted[figure.name]:
            better, mean_of = wanted[figure.name]
            yield f"{figure.name}: {better} is better" + (f", the mean of {', '.join(mean_of)}." if mean_of else ".")
    missing = [name for name in wanted if entry.figure(name) is None and not name.startswith(f"{DUBBED.name}.")]
    if missing:
        yield f"{missing[0]} is missing; an entry has all figures of {label}."


def _model(entry: Entry) -> Iterator[str]:
    model = entry.model
    if (entry.kind == "reference") != (model.adapter in REFERENCES):
        yield f"{model.adapter!r} is of another kind than {entry.kind!r}."
    if entry.kind == "reference":
        return
    if model.adapter not in MODELS.names() and model.code is None:
        yield f"asdbench ships no code of {model.adapter!r}, and it names none."
    if model.checkpoint_sha256 is None:
        yield "nobody can know what weights it had."
        return
    card = card_for(model.checkpoint_sha256)
    weights = model.name.partition("[")[0].partition(".")[2]
    if card is not None and weights != card.name.partition(".")[2]:
        yield f"it calls itself {model.name}, and its weights are those of {card.name}."
    known = None if card is None else card.parameters
    if known is not None and model.parameters not in (None, known):
        yield f"{card.name if card else model.name} has {known:,} parameters, not {model.parameters:,}."


def _counts(entry: Entry) -> Iterator[str]:
    rows, units = entry.data.rows, entry.units
    if set(rows) != {"total", "positive", "negative", "ignored"}:
        yield "the rows must be counted as total, positive, negative and ignored."
        return
    if rows["total"] != rows["positive"] + rows["negative"] + rows["ignored"] or not rows["positive"]:
        yield "its counts of rows do not add up."
    if units.effective > units.count:
        yield "it has more effective units than units."
    if units.resamples != RESAMPLES:
        yield f"its intervals must rest on {RESAMPLES:,} resamples."
    if units.level != LEVEL:
        yield f"its intervals must be those of {100 * LEVEL:g} %."


def _figures(entry: Entry) -> Iterator[str]:
    names = [figure.name for figure in entry.figures]
    if len(set(names)) < len(names):
        yield "a figure stands there twice."
    for figure in entry.figures:
        for problem in _figure(entry, figure):
            yield f"{figure.name}: {problem}"


def _figure(entry: Entry, figure: Figure) -> Iterator[str]:
    if figure.value is None:
        if not figure.undefined or figure.replicates is not None or figure.low is not None:
            yield "without a value it needs a reason, and can have no interval."
        return
    low, high = _RANGES.get(figure.figure, (0.0, 1.0))
    if not low <= figure.value <= high:
        yield f"{figure.value} lies outside of {low:g} to {high:g}."
    if (figure.low is None) != (figure.high is None) or (figure.low or 0.0) > (figure.high or 0.0):
        yield "its interval has no two ends in order."
    yield from _resampled(entry, figure, low, high)


def _resampled(entry: Entry, figure: Figure, low: float, high: float) -> Iterator[str]:
    if figure.replicates is None:
        if figure.low is not None or entry.units.status != "none":
            yield "its resampled values are missing."
        return
    try:
        values = decoded(figure.replicates)
    except DataError as error:
        yield str(error)
        return
    known = values[np.isfinite(values)]
    if len(values) != entry.units.resamples or np.isinf(values).any():
        yield f"it needs {entry.units.resamples:,} resampled values."
    elif len(known) and not (low - _CLOSE <= known.min() and known.max() <= high + _CLOSE):
        yield f"a resampled value lies outside of {low:g} to {high:g}."
    elif len(known) and not known.min() - _CLOSE <= (figure.value or 0.0) <= known.max() + _CLOSE:
        yield f"{figure.value} lies beyond all of its resampled values."
    else:
        yield from _same_ends(entry, figure)


def _same_ends(entry: Entry, figure: Figure) -> Iterator[str]:
    resampled = replicates_of(entry, figure)
    ends = None if resampled is None else interval(resampled)
    for stated, found in ((figure.low, ends.low), (figure.high, ends.high)) if ends else ():
        if (stated is None) != (found is None) or abs((stated or 0.0) - (found or 0.0)) > _CLOSE:
            yield "its interval is not that of its resampled values."
            return


def _sources(entry: Entry) -> Iterator[str]:
    rows, sources = entry.data.rows, entry.sources
    if entry.units.kind == "source" and len(sources) != entry.units.count:
        yield f"{len(sources)} sources are listed, and {entry.units.count} were resampled."
    if len({source.name for source in sources}) < len(sources):
        yield "a source stands there twice."
    for key, total in ((key, rows.get(key, 0)) for key in ("positive", "negative")):
        if sum(getattr(source, key) for source in sources) != total:
            yield f"the {key} rows of its sources do not add up to {total:,}."
    for source in sources:
        for name, value in source.figures.items():
            low, high = _RANGES.get(name.rpartition(".")[2], (0.0, 1.0))
            if value is not None and not low <= value <= high:
                yield f"source {source.name!r}, {name}: {value} lies outside of {low:g} to {high:g}."
