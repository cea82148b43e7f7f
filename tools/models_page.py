"""Write the generated part of ``docs/models.md`` from the model cards: ``python -m tools.models_page``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import click

from asdbench.checkpoints.cards import ModelCard, Published, model_cards

PAGE = Path(__file__).parent.parent / "docs" / "models.md"
BEGIN, END = "<!-- made by tools/models_page.py from baselines/models: begin -->", "<!-- end -->"

SPEAKERS = ("Bell", "Boll", "Lieb", "Long", "Sick")
_COLUMBIA = "columbia-f1"
_RULES = {
    "ava": "The official AVA rule (mAP of one class), on face boxes that are given.",
    _COLUMBIA: "F1 in percent per speaker of the Columbia video, and their mean.",
    "unstated": "Papers that name no scoring rule, or another one than the data set's own: comparable with nothing.",
}

_Rows = Sequence[Sequence[str]]


def generated(cards: Sequence[ModelCard]) -> str:
    """Return the tables of weights and of published numbers, as Markdown."""
    parts = ["### Weights", _weights(cards)]
    for protocol, rule in _RULES.items():
        table = _columbia(cards) if protocol == _COLUMBIA else _plain(cards, protocol)
        parts += [f"### Published under `{protocol}`", rule, table]
    notes = [f"- `{card.name}`: {card.note}" for card in cards if card.note]
    return "\n\n".join([*parts, "### What their users must know", "\n".join(notes)])


def page(text: str, cards: Sequence[ModelCard]) -> str:
    """Return the page with its generated part made anew."""
    pattern = f"(?<={re.escape(BEGIN)}\n).*(?={re.escape(END)})"
    return re.sub(pattern, lambda _: f"\n{generated(cards)}\n\n", text, flags=re.DOTALL)


def _table(head: Sequence[str], align: str, rows: _Rows) -> str:
    lines = [head, ["---:" if side == "r" else "---" for side in align], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _weights(cards: Sequence[ModelCard]) -> str:
    rows = [
        (
            f"`{card.name}`",
            card.trained_on,
            f"{card.parameters:,}" if card.parameters else "not published",
            card.licence,
            _where(card),
            f"`{card.sha256[:12]}`" if card.sha256 else "not known",
        )
        for card in cards
    ]
    return _table(("weights", "trained on", "parameters", "licence", "file", "sha256"), "llrlll", rows)


def _where(card: ModelCard) -> str:
    if card.file is not None:
        return "shipped"
    if card.weights is None:
        return "none offered"
    if card.commit is not None:
        return f"[{card.weights}]({card.code}/blob/{card.commit}/{card.weights})"
    return f"[page]({card.weights})"


def _plain(cards: Sequence[ModelCard], protocol: str) -> str:
    rows = [
        (f"`{card.name}`", number.dataset, number.metric, f"{number.value:g}", number.source)
        for card in cards
        for number in card.published
        if number.protocol == protocol
    ]
    return _table(("weights", "data", "metric", "%", "source"), "lllrl", rows)


def _columbia(cards: Sequence[ModelCard]) -> str:
    rows = []
    for card in cards:
        numbers = [number for number in card.published if number.protocol == _COLUMBIA]
        for source in dict.fromkeys(number.source for number in numbers):
            same = [number for number in numbers if number.source == source]
            rows.append(_columbia_row(card, same))
    return _table(("weights", *SPEAKERS, "mean", "source"), "lrrrrrrl", rows)


def _columbia_row(card: ModelCard, numbers: Sequence[Published]) -> Sequence[str]:
    values = {number.metric: number.value for number in numbers}
    cells = [values.pop(f"F1, speaker {speaker}", None) for speaker in SPEAKERS]
    ((metric, mean),) = values.items()
    remark = re.sub(r"^F1, average over speakers *", "", metric)
    source = f"{numbers[0].source} {remark}".strip()
    return (f"`{card.name}`", *("" if cell is None else f"{cell:g}" for cell in cells), f"{mean:g}", source)


@click.command()
def main() -> None:
    """Write the generated part of docs/models.md anew."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(page(text, model_cards()), encoding="utf-8")


if __name__ == "__main__":
    main()
