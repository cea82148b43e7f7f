"""The tables of a board: its models, the systems without weights, every pair, and how to make each run again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from asdbench.leaderboard.boards import Board
from asdbench.leaderboard.entry import Entry, Figure
from asdbench.leaderboard.words import called, command, evidence, rank_words
from asdbench.report.table import Column, Estimate, Table

HEADLINES = ("ava", "retention", "fa_changed", "ap_drop")
"""Figures that people see first; the others have a table of their own, and machines get all in one."""

PLACES = 6
"""Decimals of a share: more differ from one machine to the next."""


def rounded(value: float | None) -> float | None:
    """Return a number with as many places as are the same on every machine."""
    return None if value is None else round(value, PLACES) + 0.0


def cell(entry: Entry, figure: Figure) -> Any:
    """Return a figure of an entry as a cell."""
    found = entry.figure(figure.name)
    if found is None:
        return {"undefined": "its suite run has no such figure."}
    if found.value is None:
        return {"undefined": found.undefined}
    return Estimate(round(found.value, PLACES), rounded(found.low), rounded(found.high), found.reason)


def models_table(board: Board, figures: Sequence[Figure] | None = None) -> Table:
    """Return the models of a board with their ranks, by clean AP.

    Args:
        board: The board.
        figures: Which figures; the headline figures by default.
    """
    chosen = [figure for figure in board.figures if figure.figure in HEADLINES] if figures is None else figures
    columns = [Column("model", "model")]
    for figure in chosen:
        columns.append(Column(figure.name, called(figure), "percent"))
        columns.append(Column(f"{figure.name} rank", "rank" if figures is None else f"rank, {called(figure)}"))
    columns += [Column("parameters", "parameters", "count"), Column("trained_on", "trained on")]
    return Table(
        f"models-{board.key}",
        f"{board.title}. {evidence(board)}. In percent, rates at the threshold {board.first.threshold} of each model's "
        "clean rows; of retention, false alarms and drops less is better.",
        tuple(columns),
        tuple(_model_row(board, place, entry) for place, entry in enumerate(board.models)),
        _note(board),
    )


def others_table(board: Board) -> Table:
    """Return the figures of the models that are no headline."""
    chosen = [figure for figure in board.figures if figure.figure not in HEADLINES]
    table = models_table(board, chosen)
    columns = tuple(column for column in table.columns if column.key not in ("parameters", "trained_on"))
    return replace(
        table,
        name=f"others-{board.key}",
        caption=f"Further figures on {board.title}, in percent; of FPR less is better, of sync AUROC more, and 50 % is "
        "chance.",
        columns=columns if chosen else (),
        rows=table.rows if chosen else (),
    )


def references_table(board: Board) -> Table:
    """Return the systems without weights, which have no rank."""
    columns = [Column("model", "system"), Column("what", "what it is")]
    columns += [Column(figure.name, called(figure), "percent") for figure in board.figures]
    rows = [
        {"model": entry.model.name, "what": REFERENCE_WORDS.get(entry.model.adapter, ""), **_figures(board, entry)}
        for entry in board.references
    ]
    return Table(
        f"references-{board.key}",
        f"Systems without weights on {board.title}: they say what a number is worth, and have no rank. In percent.",
        tuple(columns),
        tuple(rows),
    )


REFERENCE_WORDS = {
    "constant": "one score for every frame",
    "deaf": "motion of the lips, no sound",
    "blind": "loudness, no face",
    "additive": "the sum of deaf and blind",
    "vad-lip": "voice activity times lip motion: pauses and onsets, not which sound",
    "oracle": "told which phoneme is spoken when",
}


def pairs_table(board: Board) -> Table:
    """Return every two models of a board under every figure."""
    columns = (
        Column("figure", "figure"),
        Column("first", "A"),
        Column("second", "B"),
        Column("difference", "A - B", "percent"),
        Column("all_low", "low", "percent"),
        Column("all_high", "high", "percent"),
        Column("low", "low, alone", "percent"),
        Column("high", "high, alone", "percent"),
        Column("verdict", "A is"),
    )
    return Table(
        f"pairs-{board.key}",
        f"Every two models on {board.title}, differences in points. Low and high: the interval that holds for all "
        "pairs of a figure together (max-T over the paired resamples); alone: that of this pair by itself, as asdbench "
        "compare gives it, not corrected.",
        columns,
        tuple(_pair_rows(board)),
    )


def runs_table(board: Board) -> Table:
    """Return of every entry what makes it again, and with what it was made."""
    columns = (
        Column("model", "entry"),
        Column("sha", "sha256 of the weights"),
        Column("made", "made with"),
        Column("command", "command"),
        Column("note", "note"),
    )
    return Table(
        f"runs-{board.key}",
        f"What makes the runs again; plan {board.first.suite.plan_sha256[:12]}, data "
        f"{board.first.data.fingerprint[:12]}.",
        columns,
        tuple(_run_row(entry) for entry in board.entries),
    )


def _model_row(board: Board, place: int, entry: Entry) -> dict[str, Any]:
    ranks = {
        f"{name} rank": rank_words(found.intervals[place] if len(board.models) > 1 and found.pairs else None)
        for name, found in board.ranks.items()
    }
    model = entry.model
    shared = {"model": model.name, "parameters": model.parameters, "trained_on": model.trained_on}
    return {**shared, **_figures(board, entry), **ranks}


def _figures(board: Board, entry: Entry) -> dict[str, Any]:
    return {figure.name: cell(entry, figure) for figure in board.figures}


def _note(board: Board) -> str:
    units = board.first.units
    if units.status == "none":
        return ""
    kind = "sources" if units.kind == "source" else "blocks of 60 s"
    return (
        f"In brackets: {100 * units.level:.0f} % intervals, {kind} resampled {units.resamples:,} times. Rank: as far "
        f"as the data leave it open, at {100 * units.level:.0f} % for all models of a column together."
    )


def _pair_rows(board: Board) -> Iterator[dict[str, Any]]:
    names = [entry.model.name for entry in board.models]
    for figure in board.figures:
        for pair in board.ranks[figure.name].pairs:
            ahead = (pair.difference > 0) == (figure.better == "higher")
            verdict = {True: "better" if ahead else "worse", False: "not separable", None: None}[pair.separable]
            if pair.separable is False and pair.alone:
                verdict = "not separable; alone it would be"
            yield {
                "figure": called(figure),
                "first": names[pair.first],
                "second": names[pair.second],
                **{key: rounded(getattr(pair, key)) for key in ("difference", "low", "high", "all_low", "all_high")},
                "verdict": verdict,
            }


def _run_row(entry: Entry) -> dict[str, Any]:
    digest, versions = entry.model.checkpoint_sha256, entry.versions
    made = f"asdbench {versions.get('asdbench', '?')}, torch {versions.get('torch', '?')}, {entry.device}"
    changed = " (changed)" if entry.modified else ""
    commit = f", commit {entry.commit[:12]}{changed}" if entry.commit else ""
    return {
        "model": entry.model.name,
        "sha": digest[:16] if digest else None,
        "made": made + commit,
        "command": command(entry),
        "note": entry.note,
    }
