"""Of which conditions curves and distributions are kept."""

from __future__ import annotations

from asdbench.analysis.graded import graded_families
from asdbench.types import Condition


def test_a_diagnostic_of_the_same_perturbation_does_not_displace_the_test() -> None:
    conditions = [
        Condition("clean", role="reference"),
        Condition("mismatch@0.50", "mismatch", 0.5, "negative"),
        Condition("mismatch@1.00", "mismatch@1", 1.0, "negative"),
        Condition("mismatch(track)", "mismatch", 1.0, "keep", "diagnostic"),
        Condition("babble@s1", "babble"),
        Condition("resplice@1.00", "resplice", 1.0, "keep", "control"),
    ]
    assert {name: [each.name for each in some] for name, some in graded_families(conditions).items()} == {
        "mismatch": ["mismatch@0.50", "mismatch@1.00"],
        "resplice": ["resplice@1.00"],
    }


def test_of_a_long_suite_the_first_are_kept_and_dubbed() -> None:
    names = [f"p{number}" for number in range(12)]
    conditions = [Condition(name, name, 1.0, "negative") for name in [*names, "dubbed"]]
    assert list(graded_families(conditions)) == ["dubbed", *names[:5]]
