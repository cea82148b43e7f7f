"""What the tables of the leaderboard call things, and what a reader of a board must not overlook."""

from __future__ import annotations

from collections.abc import Iterator

from asdbench.config import DEMO_DATA
from asdbench.leaderboard.boards import Board
from asdbench.leaderboard.entry import Entry, Figure
from asdbench.metrics.units import FEW_UNITS

DEMO_NOTE = (
    "demo-val is generated: heads drawn by a program, synthetic voices. Its figures show the mechanics of the "
    "benchmark and sanity-rank checkpoints; they are no benchmark results and say nothing of real films. The weights "
    "named .demo and .demo-sync were trained on data of the same generator. All others, trained on AVA-ActiveSpeaker "
    "or TalkSet, are out of domain here: their place on this board is not their place on AVA."
)

SEPARATE = (
    "Measured and published numbers never share a table or a column, nor do two protocols, two parts of a data set, or "
    "two plans. There is no overall score: clean AP and what remains under a test stand side by side, and a model may "
    "be first in one and last in the other."
)

_KEYS = {
    "ava": "AP", "fpr": "FPR", "retention": "retention", "sync_auroc": "sync AUROC", "fa_changed": "false alarms",
    "ap_drop": "AP drop",
}  # fmt: skip


def called(figure: Figure) -> str:
    """Return what to call a figure: ``clean AP``, ``retention, mismatch@1.00``."""
    key = _KEYS.get(figure.figure, figure.figure)
    if figure.condition == "clean":
        return f"clean {key}"
    return f"mean {key}, {figure.condition}" if figure.mean_of else f"{key}, {figure.condition}"


def cautions(board: Board) -> Iterator[str]:
    """Yield what a reader of a board must know before its numbers."""
    if board.first.data.name == DEMO_DATA:
        yield DEMO_NOTE
    else:
        yield from board.first.data.notes
    units = board.first.units
    if units.status == "none":
        yield f"No intervals and no ranks: {units.reason}"
    elif units.count < FEW_UNITS:
        yield f"Intervals and ranks are indicative only: {units.reason}"
    if len(board.models) < 2:
        yield "There is no second model to compare with, so no rank means anything."


def evidence(board: Board) -> str:
    """Return what the numbers of a board rest on."""
    data, units = board.first.data, board.first.units
    kind = "sources" if units.kind == "source" else "blocks of 60 s of a single source"
    counted = data.rows["positive"] + data.rows["negative"]
    said = (
        f"{data.tracks:,} tracks, {counted:,} rows, {data.rows['positive']:,} of them speaking, {units.count:,} {kind}"
    )
    if units.effective != units.count:
        said += f" (as good as {units.effective:,} equal ones)"
    return said


def command(entry: Entry) -> str:
    """Return what to type to make a run again, on one line."""
    return " && ".join(entry.commands)


def rank_words(ranks: tuple[int, int] | None) -> str | None:
    """Return a rank interval: ``1``, or ``2–4`` where the data leave it open."""
    if ranks is None:
        return None
    return str(ranks[0]) if ranks[0] == ranks[1] else f"{ranks[0]}–{ranks[1]}"


READING = (
    "AP: by the protocol of the data set, on unchanged data. FPR: share of silent frames called speaking, at the "
    "threshold that finds 90 % of the speaking ones.",
    "Retention: of the speaking frames found before, the share still called speaking after their sound was replaced or "
    "shifted. A model that listens lets go of them; one that ignores whether sound and lips belong together has 100 %.",
    "Sync AUROC: how well the model's own scores tell a frame's true sound from the changed one; 50 % is chance.",
    "False alarms on dubbed tracks: share of frames in which lips move to another voice that are called speaking.",
    "Two figures are separable where the interval of their difference excludes 0, with intervals that hold for all "
    "pairs of a column together at 95 %. A rank such as 2–4 says that the data leave open which of these it is. "
    "Columns are not corrected for one another.",
    "Systems without weights calibrate the benchmark and have no rank. The oracle is told the answer.",
)
"""How to read the page, one thing each."""
