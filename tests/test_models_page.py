"""The page of models says what the cards and the code say."""

from __future__ import annotations

import re

import pytest
import torch

from asdbench.adapters import MODELS
from asdbench.checkpoints.cards import model_cards
from asdbench.networks import ARCHITECTURES
from tools.models_page import END, PAGE, page

TEXT = PAGE.read_text(encoding="utf-8")
SYSTEMS = re.findall(r"^\| `([\w-]+)` \| ([\d,]+) \|", TEXT, re.MULTILINE)


def test_the_published_part_is_what_the_cards_say():
    assert TEXT.count(END) == 1
    assert page(TEXT, model_cards()) == TEXT, "run: python -m tools.models_page"


def test_every_number_of_every_card_is_there():
    rows = [line for line in TEXT.splitlines() if line.startswith("|")]
    for card in model_cards():
        for number in card.published:
            assert any(f"`{card.name}`" in row and f"| {number.value:g} |" in row for row in rows)


def test_a_changed_card_changes_the_page():
    import msgspec

    cards = [msgspec.structs.replace(card, parameters=7) for card in model_cards()]
    assert page(TEXT, cards) != TEXT


@pytest.mark.parametrize(("system", "parameters"), SYSTEMS)
def test_parameters_of_systems_are_those_of_their_weights_or_of_their_network(system: str, parameters: str):
    known = {card.parameters for card in model_cards() if card.architecture == system}
    if not known and system in ARCHITECTURES.names():
        with torch.device("meta"):
            network = ARCHITECTURES.load(system)()
        known = {sum(parameter.numel() for parameter in network.parameters())}
    if known:
        assert known == {int(parameters.replace(",", ""))}
    else:
        assert system == "vad-lip"


def test_every_model_and_every_option_is_described():
    described = set(re.findall(r"`([\w.-]+)`", TEXT))
    for name in MODELS.names():
        assert name in described
        assert set(MODELS.load(name).Options.__struct_fields__) <= described
    assert len(SYSTEMS) >= 7
