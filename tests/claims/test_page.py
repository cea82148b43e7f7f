"""docs/claims.md: what the shipped grid says, and a place for its table."""

from __future__ import annotations

from asdbench.claims.grid import load_grid
from asdbench.claims.write import parts_of
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "claims.md"


def test_the_page_has_a_place_for_the_table() -> None:
    before, after = parts_of(PAGE)
    assert "## What came of it" in before
    assert "## The claims" in after


def test_the_page_speaks_of_every_claim_and_its_threshold() -> None:
    _, after = parts_of(PAGE)
    text = " ".join(after.split("## The claims")[1].split("## What the demo data")[0].split())
    for claim in load_grid("demo").claims:
        assert f"({claim.id}" in text or f", {claim.id})" in text or f" {claim.id})" in text, claim.id
    for said in (
        "at least 0.7",
        "at least 0.1",
        "less than a half",
        "less than a fifth",
        "by more than 1 point",
        "within 3 points",
    ):
        assert said in text
    for choice in load_grid("demo").choices.values():
        assert f"in {choice.low} to {choice.high}" in text
