"""A suite under further plans."""

from __future__ import annotations

from dataclasses import replace

import pytest

from asdbench.perturb.plan import Plan, plan
from asdbench.perturb.repeats import seed_of, with_repeats
from asdbench.suites import load_suite
from asdbench.types import Condition, Dataset, Suite


@pytest.fixture(scope="module")
def suite() -> Suite:
    return load_suite("unsync")


def several(dataset: Dataset, suite: Suite, count: int = 3, seed: int | None = None) -> Plan:
    return with_repeats(plan(dataset.tracks, suite, seed), dataset.tracks, suite, seed, count)


def test_each_test_and_control_is_repeated_under_its_name(fixture_dataset: Dataset, suite: Suite) -> None:
    found = several(fixture_dataset, suite)
    changed = [c.name for c in suite.conditions[1:]]
    assert [each.condition.name for each in found.repeats] == [f"{name}~{n}" for name in changed for n in (2, 3)]
    assert found.scored == (*found.conditions, *found.repeats)
    assert {record["condition"] for record in found.records()} >= {"mismatch@1.00", "mismatch@1.00~3"}


def test_the_first_plan_stays_what_it_is(fixture_dataset: Dataset, suite: Suite) -> None:
    alone = plan(fixture_dataset.tracks, suite)
    found = several(fixture_dataset, suite)
    assert found.sha256 == alone.sha256
    assert list(replace(found, repeats=()).records()) == list(alone.records())
    assert several(fixture_dataset, suite, 1) == alone


def test_plans_differ_and_do_not_depend_on_their_number(fixture_dataset: Dataset, suite: Suite) -> None:
    three, five = (several(fixture_dataset, suite, count) for count in (3, 5))
    names = [each.condition.name for each in five.repeats]
    for each in three.repeats:
        assert each == five.repeats[names.index(each.condition.name)]
    edits = [
        [d.outcome.edits for group in each.decisions.values() for d in group]
        for each in (five["mismatch@1.00"], *(r for r in five.repeats if r.condition.name.startswith("mismatch@1.00")))
    ]
    assert len(edits) == 5
    assert all(one != other for index, one in enumerate(edits) for other in edits[:index])


def test_the_seed_of_a_custom_run_counts(fixture_dataset: Dataset, suite: Suite) -> None:
    ours, custom = several(fixture_dataset, suite), several(fixture_dataset, suite, seed=7)
    assert ours.repeats[0].decisions != custom.repeats[0].decisions
    assert len({seed_of(suite.seed, 2), seed_of(suite.seed, 3), seed_of(7, 2), suite.seed}) == 4


def test_diagnostics_and_what_no_choice_enters_are_not_repeated(fixture_dataset: Dataset, suite: Suite) -> None:
    conditions = (
        suite.conditions[0],
        Condition("silence", "silence", role="diagnostic"),
        Condition("silence as a test", "silence"),
        Condition("silence in half", "silence", 0.5),
    )
    found = several(fixture_dataset, replace(suite, conditions=conditions))
    assert [each.condition.name for each in found.repeats] == ["silence in half~2", "silence in half~3"]
