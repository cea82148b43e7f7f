"""``asdbench ls``."""

from __future__ import annotations

from collections.abc import Callable

import click

from asdbench.cli.output import echo_json, json_option
from asdbench.config import DEMO_DATA

_Row = dict[str, str]


def _models() -> list[_Row]:
    from asdbench.adapters import MODELS
    from asdbench.checkpoints.cards import model_cards

    known: dict[str, list[str]] = {}
    shipped: dict[str, list[str]] = {}
    for card in model_cards():
        (known if card.file is None else shipped).setdefault(card.architecture, []).append(card.name)
    return [
        {
            "name": name,
            "shipped weights": ", ".join(shipped.get(name, [])),
            "known weights": ", ".join(known.get(name, ["" if name in shipped else "none needed"])),
        }
        for name in MODELS.names()
    ]


def _suites() -> list[_Row]:
    from asdbench.suites import load_suite, suite_names

    suites = [load_suite(name) for name in suite_names()]
    return [{"name": s.label, "conditions": str(len(s.conditions)), "summary": s.summary} for s in suites]


def _data() -> list[_Row]:
    from asdbench.data import DATA_FORMATS, FORMAT_SUMMARIES

    return [{"name": name, "layout": FORMAT_SUMMARIES.get(name, "plug-in")} for name in DATA_FORMATS.names()]


_KINDS: dict[str, Callable[[], list[_Row]]] = {"models": _models, "suites": _suites, "data": _data}


@click.command(epilog="Example: asdbench ls suites")
@click.argument("kind", type=click.Choice(list(_KINDS)))
@json_option
def command(kind: str, as_json: bool) -> None:
    """List models, suites, or data formats."""
    rows = _KINDS[kind]()
    if as_json:
        echo_json(rows)
        return
    widths = {key: max(len(row[key]) for row in [*rows, {k: k for k in rows[0]}]) for key in rows[0]}
    for row in [{key: key for key in rows[0]}, *rows]:
        click.echo("  ".join(row[key].ljust(width) for key, width in widths.items()).rstrip())
    if kind == "data":
        click.echo(f"\nshipped with asdbench: {DEMO_DATA} (asdbench run --data {DEMO_DATA} ...)")
