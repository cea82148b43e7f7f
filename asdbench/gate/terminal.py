"""A gate's verdict on a terminal, and as plain text for the log of a test."""

from __future__ import annotations

import io
from typing import Literal

import rich.box
import rich.table
from rich.console import Console
from rich.text import Text

from asdbench.gate.lines import HEADERS, Line, lines
from asdbench.gate.verdict import STRICT, Judgement
from asdbench.gate.words import figure_of, legend, sentence
from asdbench.report.text import printable

_STYLES = {0: "bold green", STRICT: "bold yellow"}
_FAILED = "bold red"
_NUMBERS = ("old", "new", "gain", "margin", "finds")
_PLAIN_WIDTH = 120


def print_judgement(console: Console, judgement: Judgement) -> None:
    """Print the table, the verdict in one sentence, and what must not be overlooked.

    The reasons stand in the table where it fits with them, else below it, but for those of rules that passed.
    """
    if judgement.rulings:
        roomy = _width([HEADERS, *lines(judgement)], 2) <= console.width
        console.print(_table(judgement, roomy, console.width))
        console.print(Text(shown(legend(judgement)), style="dim"))
        for line in () if roomy else lines(judgement):
            if line.outcome != "pass":
                console.print(Text(shown(f"{line.rule}: {line.reason}")))
        console.print()
    undecided = judgement.state == "inconclusive" and not judgement.strict
    style = _STYLES[STRICT] if undecided else _STYLES.get(judgement.exit_code, _FAILED)
    console.print(Text(shown(sentence(judgement)), style=style))
    for warning in judgement.warnings:
        console.print(Text(shown(f"note: {warning}"), style="yellow"))


def to_text(judgement: Judgement) -> str:
    """Return the same as plain text."""
    buffer = io.StringIO()
    print_judgement(Console(file=buffer, width=_PLAIN_WIDTH, highlight=False, color_system=None), judgement)
    return "".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())


def shown(text: str) -> str:
    """Return text that neither a terminal nor the log of a job on GitHub obeys, however its lines are broken."""
    return printable(text).replace("::", ":\\x3a").replace("##[", "#\\x23[")


def _width(rows: list[Line], air: int) -> int:
    return sum(max(len(shown(cell)) for cell in cells) + air for cells in zip(*rows, strict=True))


def _table(judgement: Judgement, roomy: bool, width: int) -> rich.table.Table:
    names = [name for name in Line._fields if roomy or name != "reason"]
    # Where the reasons do not fit, every column counts: with air between them they do not fit 80.
    table = rich.table.Table(box=rich.box.SIMPLE_HEAD, padding=(0, int(roomy)), pad_edge=False, show_edge=False)
    for name in names:
        align: Literal["left", "right"] = "right" if name in _NUMBERS else "left"
        # Only names may be long, and they go on in the next line: no part of one is hidden.
        table.add_column(Text(getattr(HEADERS, name)), justify=align, no_wrap=name != "rule", overflow="fold")
    found = lines(judgement)
    if _width([line._replace(reason="") for line in (HEADERS, *found)], 1) > width + 1 and not roomy:
        found = [
            line._replace(rule=f"{ruling.rule.condition} .{figure_of(ruling)}")
            for line, ruling in zip(found, judgement.rulings, strict=True)
        ]
    for line in found:
        # Text, not markup: names come from files.
        style = "" if line.outcome == "pass" else "bold"
        table.add_row(*(Text(shown(getattr(line, name))) for name in names), style=style)
    return table
