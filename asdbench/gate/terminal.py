"""A gate's verdict on a terminal, and as plain text for the log of a test."""

from __future__ import annotations

import io
from typing import Literal

import rich.box
import rich.table
from rich.console import Console
from rich.text import Text

from asdbench.gate.lines import HEADERS, Line, lines
from asdbench.gate.verdict import STRICT, Judgement, Ruling
from asdbench.gate.words import figure_of, legend, sentence
from asdbench.report.text import printable

_STYLES = {0: "bold green", STRICT: "bold yellow"}
_FAILED = "bold red"
_NUMBERS = ("old", "new", "gain", "margin", "finds")
_PLAIN_WIDTH = 120
_ROOMY = 110


def print_judgement(console: Console, judgement: Judgement) -> None:
    """Print the table, the verdict in one sentence, and what must not be overlooked.

    Below the table stand the reasons, but for those of rules that passed.
    """
    if judgement.rulings:
        found = lines(judgement)
        console.print(_table(judgement, found, console.width))
        console.print(Text(shown(legend(judgement)), style="dim"))
        for line in found:
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


def _table(judgement: Judgement, found: list[Line], width: int) -> rich.table.Table:
    air = 1 if width >= _ROOMY else 0
    # As elsewhere: a table that fits 80 columns has no air between them.
    table = rich.table.Table(box=rich.box.SIMPLE_HEAD, padding=(0, air), pad_edge=False, show_edge=False)
    names = [name for name in Line._fields if name != "reason"]
    for name in names:
        align: Literal["left", "right"] = "right" if name in _NUMBERS else "left"
        # Only names may be long, and they go on in the next line: no part of one is hidden.
        table.add_column(Text(getattr(HEADERS, name)), justify=align, no_wrap=name != "rule", overflow="fold")
    others = [name for name in names if name != "rule"]
    room = width - _width([HEADERS, *found], others, 1 + 2 * air) - 1 - 2 * air
    rules = [_broken(line.rule, ruling, room) for line, ruling in zip(found, judgement.rulings, strict=True)]
    for line in (line._replace(rule=rule) for line, rule in zip(found, rules, strict=True)):
        # Text, not markup: names come from files.
        style = "" if line.outcome == "pass" else "bold"
        table.add_row(*(Text(shown(getattr(line, name))) for name in names), style=style)
    return table


def _broken(rule: str, ruling: Ruling, room: int) -> str:
    """Return the name of a rule; one for which there is no room may be broken before its figure."""
    return rule if len(shown(rule)) <= room else f"{ruling.rule.condition} .{figure_of(ruling)}"


def _width(rows: list[Line], names: list[str], between: int) -> int:
    return sum(max(len(shown(getattr(row, name))) for row in rows) + between for name in names) - between
