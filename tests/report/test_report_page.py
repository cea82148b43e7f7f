"""The order of a page, and what it says of where numbers come from."""

from __future__ import annotations

from typing import Any

import pytest

from asdbench.report.layout import EXPLAINED, GROUPS, arranged, explained
from asdbench.report.provenance import command_of, facts_of, settings_of
from asdbench.report.terms import TERMS, column_title, terms_of

RECORD: dict[str, Any] = {
    "model": {
        "name": "m",
        "checkpoint": "/home/someone/weights/a b.model",
        "parameters": 1_021_636,
        "fingerprint": None,
    },
    "data": {"name": "d", "protocol": "ava"},
    "suite": {"name": "s", "version": 2, "seed": 20_261_120},
    "config": {
        "suite": {"value": "s", "source": "flag"},
        "checkpoint": {"value": "/home/someone/weights/a b.model", "source": "/home/someone/settings.toml"},
        "option": {"value": ["x=1", "y=$(z)"], "source": "flag"},
        "data": {"value": "AVADataPath", "source": "ASDBENCH_DATA"},
        "reuse": {"value": False, "source": "flag"},
        "limit": {"value": None, "source": "default"},
        "out": {"value": "/home/someone/there", "source": "flag"},
        "plan_seeds": {"value": 3, "source": "flag"},
        "split": {"value": "val", "source": "default"},
    },
}


def test_the_command_has_what_was_asked_for_and_can_be_pasted() -> None:
    assert command_of(RECORD) == (
        "asdbench run --suite s --checkpoint 'a b.model' --option x=1 --option 'y=$(z)' --data AVADataPath --no-reuse "
        "--plan-seeds 3"
    )


@pytest.mark.parametrize(
    ("name", "value", "flag"),
    [("reuse", False, " --no-reuse"), ("reuse", True, ""), ("compile", True, " --compile"), ("compile", False, "")],
)
def test_switches_stand_in_the_command_as_they_are_typed(name: str, value: bool, flag: str) -> None:
    assert command_of({"config": {name: {"value": value, "source": "flag"}}}) == f"asdbench run{flag}"


def test_nothing_says_where_somebody_keeps_files() -> None:
    assert "someone" not in repr((command_of(RECORD), settings_of(RECORD), facts_of(RECORD)))


def test_every_setting_has_its_source() -> None:
    found = {name: (value, source) for name, value, source in settings_of(RECORD)}
    assert found["data"] == ("AVADataPath", "ASDBENCH_DATA")
    assert found["checkpoint"] == ("a b.model", "settings.toml")
    assert found["reuse"] == ("no", "flag")
    assert found["limit"] == ("–", "default")


def test_facts_that_are_not_known_are_absent() -> None:
    facts = dict(facts_of(RECORD))
    assert dict(facts["Model"]) == {"name": "m", "checkpoint": "a b.model", "parameters": "1,021,636"}
    assert dict(facts["Suite and plan"]) == {"suite": "s@2", "seed": "20261120"}
    assert "Machine" not in facts


def test_sections_come_in_the_order_of_the_page_whatever_order_they_are_named_in() -> None:
    found = arranged(["cues", "curve", "ap_vs_proportion", "robustness", "peaks", "curve"])
    assert found == {
        "robustness": ["robustness", "ap_vs_proportion"],
        "synchrony": ["curve", "peaks"],
        "checks": ["cues"],
    }


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("reliance_zeroed", "reliance"),
        ("pr_curves_mismatch", "precision-recall"),
        ("wasd", "more"),
        ("curveball", "more"),
    ],
)
def test_what_has_no_place_of_its_own_goes_with_its_kind(name: str, group: str) -> None:
    assert arranged([name]) == {group: [name]}


def test_everything_with_a_place_is_explained_in_a_line() -> None:
    names = [name for group in GROUPS for name in group.names]
    assert len(names) == len(set(names))
    assert set(names) == set(EXPLAINED)
    assert all(about.endswith(".") for _, about in EXPLAINED.values())
    assert explained("columbia_f1") == ("Columbia f1", "")


def test_only_words_that_a_page_uses_are_explained() -> None:
    words = dict(terms_of({"retention", "whatever"}, {"reliance"}, {"mismatch", ""}))
    assert {"retention", "mismatch", "φ", "row"} <= set(words)
    assert not {"misalign", "ECE"} & set(words)
    assert column_title("retention") == words["retention"]
    assert column_title("whatever") == ""
    assert all(meaning.endswith(".") for _, meaning in TERMS.values())
