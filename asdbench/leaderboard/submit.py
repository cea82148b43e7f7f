"""A finished run as an entry, refused where it could not stand beside others."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from asdbench.adapters import MODELS
from asdbench.analysis.conditions import HEADLINE
from asdbench.analysis.intervals import units_record
from asdbench.analysis.rows import RunRows
from asdbench.checkpoints.cards import card_for
from asdbench.errors import CheckpointError, DataError, NotComparableError, UsageError
from asdbench.leaderboard.check import check_entry
from asdbench.leaderboard.command import commands_of
from asdbench.leaderboard.entry import (
    REFERENCES,
    Data,
    Entry,
    Evidence,
    Model,
    Source,
    SuiteMark,
    entry_name,
    sealed,
    write_entry,
)
from asdbench.leaderboard.figures import headline_figures, source_figures
from asdbench.metrics.bootstrap import RESAMPLES
from asdbench.report.run import Run, open_run
from asdbench.suites import load_suite

_FULL = "float32"
_LONGEST_ADDRESS, _LONGEST_NOTE = 300, 500  # as the schema has them


def entry_of(run: Run, *, code: str | None = None, weights: str | None = None, note: str | None = None) -> Entry:
    """Make the entry of a run; every number is computed again from its predictions.

    Args:
        run: A finished run.
        code: Address of code that asdbench does not ship.
        weights: Address of weights of which it has no card.
        note: A sentence of the submitter's.

    Raises:
        NotComparableError: Others could not stand beside it: limit, skips, own seed or suite, half precision.
        CheckpointError: Nobody can know what weights it had.
        DataError: Its numbers are not those of its predictions.
        UsageError: Code of its own, and no address of it; an address or a note that an entry cannot hold.
    """
    _require_words(code, weights, note)
    require_submittable(run, code)
    rows = run.rows
    fresh = run.recomputed()
    _require_same_numbers(run, fresh)
    record = run.record
    entry = Entry(
        name=entry_name(record["model"]["name"], _suite(record), record["data"]["name"], record["fingerprint"]),
        kind="reference" if record["model"]["adapter"] in REFERENCES else "model",
        commands=commands_of(record),
        model=_model(record["model"], code, weights),
        data=_data(record, rows, fresh.metrics),
        suite=_suite_mark(record),
        units=_evidence(rows),
        threshold=HEADLINE,
        figures=headline_figures(rows, fresh.metrics),
        sources=tuple(
            Source(name=name, positive=positive, negative=negative, figures=figures)
            for name, positive, negative, figures in source_figures(fresh.metrics)
        ),
        versions=dict(record["versions"]),
        device=record["device"]["kind"],
        dtype=record["model"]["dtype"],
        commit=(record.get("git") or {}).get("commit"),
        modified=bool((record.get("git") or {}).get("modified")),
        audited=bool(record.get("audit")),
        warnings=tuple(fresh.warnings),
        run_fingerprint=record["fingerprint"],
        note=note,
    )
    return sealed(_checked(entry))


def _require_words(code: str | None, weights: str | None, note: str | None) -> None:
    for flag, address in (("--code", code), ("--weights", weights)):
        if address is not None and not (re.fullmatch(r"https://[!-~]+", address) and len(address) <= _LONGEST_ADDRESS):
            raise UsageError(
                f"{flag} {address[:80]!r}: no address for an entry; it begins with https://, holds no spaces and no "
                f"other than ASCII signs, and is at most {_LONGEST_ADDRESS} long."
            )
    if note is not None and len(note) > _LONGEST_NOTE:
        raise UsageError(f"--note: at most {_LONGEST_NOTE} signs, and this one has {len(note):,}; shorten it.")


def require_submittable(run: Run, code: str | None = None) -> None:
    """Refuse a run that could not stand beside others.

    Raises:
        NotComparableError: As for `entry_of`.
        CheckpointError: As for `entry_of`.
        UsageError: As for `entry_of`.
    """
    record = run.record
    for reason in _reasons(record, run.metrics):
        raise NotComparableError(f"{run.path}: not for the leaderboard, since {reason}.")
    model = record["model"]
    if model["checkpoint_sha256"] is None and model["adapter"] not in REFERENCES:
        raise CheckpointError(
            f"{run.path}: not for the leaderboard, since nobody can know what weights {model['name']!r} had; run it "
            "with --checkpoint FILE."
        )
    if model["adapter"] not in {*MODELS.names(), *REFERENCES} and code is None:
        raise UsageError(
            f"{model['name']!r} is scored by code that asdbench does not ship; add --code https://..., where "
            "others get it."
        )


def _reasons(record: dict[str, Any] | Any, metrics: Any) -> Iterator[str]:
    identity, counts = record["identity"], record["counts"]
    if record["custom"]:
        yield "it has a seed of its own (--seed), so a plan of its own"
    if identity["limit"] is not None:
        yield f"only the first {identity['limit']} tracks were scored (--limit)"
    skipped = counts["skipped_tracks"] + counts["incomplete_tracks"]
    if skipped:
        yield f"{skipped} of {counts['tracks']} tracks were skipped, wholly or in part; mend the media"
    if record["model"]["dtype"] != _FULL:
        yield f"it was scored in {record['model']['dtype']}; run it with --dtype fp32"
    yield from _suite_reasons(record["suite"])
    units = metrics.get("units", {})
    if units.get("resamples") != RESAMPLES:
        yield f"its intervals do not rest on {RESAMPLES:,} resamples; run asdbench report RUN --resamples {RESAMPLES}"


def _suite_reasons(suite: Any) -> Iterator[str]:
    name = f"{suite['name']}@{suite['version']}"
    try:
        shipped = load_suite(name)
    except UsageError:
        yield f"{name} is no suite of this release"
        return
    if shipped.sha256 != suite["sha256"]:
        yield f"its suite {name} is another one than that of this release (sha256 {str(suite['sha256'])[:12]}...)"


def _require_same_numbers(run: Run, fresh: Run) -> None:
    for old, new in zip(run.metrics["conditions"], fresh.metrics["conditions"], strict=True):
        for key in ("ava", "sync_auroc"):
            before, after = old["metrics"].get(key), new["metrics"].get(key)
            if isinstance(before, float) != isinstance(after, float) or (
                isinstance(before, float) and abs(before - after) > 1e-9
            ):
                raise DataError(
                    f"{run.path}: metrics.json and the predictions disagree on {key} under {old['name']}; run "
                    "asdbench score RUN."
                )


def _model(model: Any, code: str | None, weights: str | None) -> Model:
    card = card_for(model["checkpoint_sha256"]) if model["checkpoint_sha256"] else None
    return Model(
        name=model["name"],
        adapter=model["adapter"],
        adapter_version=model["adapter_version"],
        options={key: str(value) for key, value in model.get("options", {}).items()},
        checkpoint_sha256=model["checkpoint_sha256"],
        fingerprint=model["fingerprint"],
        parameters=model["parameters"],
        trained_on=model["trained_on"],
        code=code or (card.code if card and (card.code or "").startswith("https://") else None),
        weights=weights,
    )


def _data(record: Any, rows: RunRows, metrics: Any) -> Data:
    data, setting = record["data"], record["config"].get("split", {"value": "val"})
    return Data(
        name=data["name"],
        split=str(setting["value"]),
        format=data["format"],
        fingerprint=data["fingerprint"],
        media_digest=data["media_digest"],
        protocol=data["protocol"],
        rows_sha256=_rows_hash(rows),
        tracks=record["counts"]["tracks"],
        rows={key: metrics["conditions"][0]["rows"][key] for key in ("total", "positive", "negative", "ignored")},
        notes=tuple(data["notes"]),
    )


def _rows_hash(rows: RunRows) -> str:
    """Return the hash of which rows there are, of which recordings, and how they are labelled."""
    clean, digest = rows.clean, hashlib.sha256()
    columns = (clean.video_id, clean.entity_id, clean.timestamp_ms, clean.source_id, clean.label, clean.label_after)
    for row in zip(*(column.tolist() for column in columns), strict=True):
        digest.update(repr(row).encode())
    return digest.hexdigest()


def _suite(record: Any) -> str:
    return f"{record['suite']['name']}@{record['suite']['version']}"


def _suite_mark(record: Any) -> SuiteMark:
    suite = record["suite"]
    return SuiteMark(
        name=suite["name"], version=suite["version"], sha256=suite["sha256"], seed=suite["seed"],
        plan_sha256=record["plan"]["sha256"],
    )  # fmt: skip


def _evidence(rows: RunRows) -> Evidence:
    names = hashlib.sha256(repr(rows.units.names).encode()).hexdigest()
    return Evidence(**units_record(rows), names_sha256=names)


def _checked(entry: Entry) -> Entry:
    """Return an entry, once through its schema: Structs are only checked where they are decoded."""
    try:
        return msgspec.json.decode(msgspec.json.encode(entry), type=Entry)
    except msgspec.ValidationError as error:
        raise DataError(f"the run cannot be made an entry ({error}).") from error


def submit(
    path: Path, out: Path | None = None, *, code: str | None = None, weights: str | None = None, note: str | None = None
) -> tuple[Path, Entry, tuple[str, ...]]:
    """Write the entry of a run, checked as the leaderboard will check it.

    Args:
        path: Of a finished run.
        out: File or folder; ``baselines/results`` in a checkout, else the current folder, by default.
        code: As for `entry_of`.
        weights: As for `entry_of`.
        note: As for `entry_of`.

    Returns:
        The file, the entry, and what its submitter should know.

    Raises:
        AsdbenchError: As for `entry_of`.
        DataError: The entry would be refused.
        UsageError: The file would have another name than the entry.
    """
    entry = entry_of(open_run(path), code=code, weights=weights, note=note)
    problems = check_entry(entry)
    if problems:
        raise DataError(f"{path}: not for the leaderboard: {problems[0]}")
    file = _target(entry, out)
    write_entry(entry, file)
    return file, entry, tuple(_cautions(entry))


def _target(entry: Entry, out: Path | None) -> Path:
    name = f"{entry.name}.json"
    if out is None:
        results = Path("baselines/results")
        return results / name if results.is_dir() else Path(name)
    if out.suffix == ".json" and not out.is_dir():
        if out.name != name:
            raise UsageError(f"{out}: the file of this entry must be called {name}; give a folder, or that name.")
        return out
    return out / name


def _cautions(entry: Entry) -> Iterator[str]:
    """Yield what a submitter should mend, or at least know."""
    if entry.modified:
        yield "the run was made from a checkout with changes of its own; others cannot have that code."
    if not entry.audited:
        yield "the run was not audited (--audit off)."
    if entry.kind == "model" and not entry.commands[0].startswith("asdbench fetch"):
        card = card_for(entry.model.checkpoint_sha256 or "")
        if card is None and entry.model.weights is None:
            yield "nobody knows where the weights are to be had; add --weights https://... if they are public."
    if entry.units.status != "ok":
        yield f"ranks are indicative at best: {entry.units.reason}"
