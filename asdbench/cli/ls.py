"""``asdbench ls``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from asdbench.cli.output import echo_json, echo_rows, json_option, note
from asdbench.config import DEMO_DATA, DEMO_TRAINING_DATA

if TYPE_CHECKING:
    from asdbench.checkpoints.cards import ModelCard

_Row = dict[str, str]

_NEEDS_WITHOUT_WEIGHTS = {"vad-lip": "the extra vad"}  # what no card can say, since there is none


def _models() -> list[_Row]:
    from asdbench.adapters import MODELS, WEIGHTS_OF
    from asdbench.checkpoints.cards import model_cards

    plugins = set(MODELS.plugins())
    rows = []
    for name in MODELS.names():
        weights = WEIGHTS_OF.get(name, name)
        cards = [card for card in model_cards() if card.architecture == weights]
        if name in plugins:
            needs, error = _plugin(name)
        else:
            needs, error = _built_in(name, cards), ""
        sizes = sorted({card.parameters for card in cards if card.parameters})
        rows.append(
            {
                "name": name,
                "parameters": " or ".join(f"{size:,}" for size in sizes),
                "shipped weights": ", ".join(card.name for card in cards if card.file),
                "known weights": ", ".join(card.name for card in cards if not card.file),
                "needs": needs,
                "error": error,
            }
        )
    return rows


def _built_in(name: str, cards: list[ModelCard]) -> str:
    """Return what a model of this package needs; read from the cards, since loading the model would load torch."""
    if cards:
        return "; ".join(("a checkpoint", *cards[0].needs))
    return "; ".join(filter(None, ("no checkpoint", _NEEDS_WITHOUT_WEIGHTS.get(name))))


def _plugin(name: str) -> tuple[str, str]:
    """Return what a plug-in needs, or why it cannot be loaded; only its own code can tell."""
    from asdbench.adapters import needs_checkpoint
    from asdbench.errors import AsdbenchError

    try:
        return "a checkpoint" if needs_checkpoint(name) else "no checkpoint", ""
    except AsdbenchError as error:
        return "cannot be loaded", str(error)


def _suites() -> list[_Row]:
    from asdbench.suites import load_suite, suite_versions

    suites = [load_suite(f"{name}@{version}") for name, held in suite_versions().items() for version in held[::-1]]
    return [{"name": s.label, "conditions": str(len(s.conditions)), "summary": s.summary} for s in suites]


def _data() -> list[_Row]:
    from asdbench.data.formats import FORMATS

    return [{"name": each.name, "layout": each.layout} for each in FORMATS]


def _perturbations() -> list[_Row]:
    from asdbench.perturb.catalogue import PERTURBATIONS

    return [
        {"name": each.label, "changes": each.scope, "summary": each.summary, "source": each.source}
        for each in PERTURBATIONS.values()
    ]


def _recipes() -> list[_Row]:
    from asdbench.training.recipes import load_recipe, recipe_names

    recipes = [load_recipe(name) for name in recipe_names()]
    return [
        {
            "name": each.name,
            "architecture": each.model.architecture,
            "epochs": str(each.epochs),
            "starts from": ", ".join(start.recipe for start in each.start),
            "summary": each.summary,
        }
        for each in recipes
    ]


def _protocols() -> list[_Row]:
    from asdbench.protocols.catalogue import PROTOCOLS

    return [
        {"name": each.name, "ranks": each.ranks, "number": each.number, "needs": each.needs, "source": each.source}
        for each in PROTOCOLS.values()
    ]


_KINDS: dict[str, Callable[[], list[_Row]]] = {
    "models": _models,
    "suites": _suites,
    "perturbations": _perturbations,
    "data": _data,
    "protocols": _protocols,
    "recipes": _recipes,
}


@click.command(epilog="Example: asdbench ls suites")
@click.argument("kind", type=click.Choice(list(_KINDS)))
@json_option
def command(kind: str, as_json: bool) -> None:
    """List models, suites, perturbations, data formats, protocols, or recipes of trainings."""
    rows = _KINDS[kind]()
    if as_json:
        echo_json(rows)
        return
    errors = [row.pop("error") for row in rows if "error" in row]
    echo_rows(rows)
    for error in filter(None, errors):
        note(f"warning: {error}")
    if kind == "data":
        click.echo(f"\nshipped with asdbench: {DEMO_DATA} (asdbench run --data {DEMO_DATA} ...)")
        click.echo(f"                       {DEMO_TRAINING_DATA} (asdbench train RECIPE --data {DEMO_TRAINING_DATA})")
