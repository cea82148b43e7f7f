"""Which conditions stand for which."""

from __future__ import annotations

import pytest

from asdbench.errors import UnknownNameError
from asdbench.gallery.choice import shown_conditions
from asdbench.suites import load_suite
from asdbench.types import Condition


def conditions(suite: str) -> dict[str, Condition]:
    return {each.name: each for each in load_suite(suite).conditions}


def test_the_largest_proportion_stands_for_the_others() -> None:
    assert shown_conditions(conditions("unsync")) == {
        "clean": (),
        "resplice@1.00": (),
        "mismatch@1.00": ("mismatch@0.25", "mismatch@0.50", "mismatch@0.75"),
        "misalign@1.00": ("misalign@0.25", "misalign@0.50", "misalign@0.75"),
    }


def test_severities_draws_and_offsets_have_one_each() -> None:
    shown = shown_conditions(conditions("full"))
    assert {"babble@s5", "camera@s5", "replace_audio#1", "shift@-1000", "shift@+1000", "mismatch(track)"} <= set(shown)
    every = [*shown, *(other for others in shown.values() for other in others)]
    assert sorted(every) == sorted(conditions("full"))


def test_named_conditions_stand_for_themselves() -> None:
    known = conditions("unsync")
    assert shown_conditions(known, ["mismatch@0.25", "clean"]) == {"clean": (), "mismatch@0.25": ()}
    with pytest.raises(UnknownNameError, match=r"mismatch@0\.20"):
        shown_conditions(known, ["mismatch@0.20"])
