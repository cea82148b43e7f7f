"""How far figures move between plans."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from asdbench.analysis.plan_seeds import spread
from asdbench.analysis.run import run_metrics
from asdbench.errors import NotComparableError
from asdbench.report.plan_seeds import tables
from tests.analysis.test_comparison import MISMATCH, scored


def test_a_spread_is_of_the_plans_with_a_value() -> None:
    found = spread([0.25, {"undefined": "no rows."}, 0.75])
    assert found == {
        "values": [0.25, {"undefined": "no rows."}, 0.75],
        "min": 0.25, "max": 0.75, "mean": 0.5, "sd": pytest.approx(np.std([0.25, 0.75], ddof=1)),
    }  # fmt: skip
    alone = spread([0.25, {"undefined": "no rows."}])
    assert alone["sd"] == {"undefined": "the figure has a value under 1 of 2 plans."}


def test_repeats_enter_their_section_only() -> None:
    rows, other = scored(0.9), scored(0.3, seed=1)
    repeat = replace(MISMATCH, name="mismatch@1.00~2")
    alone = run_metrics(rows)
    found = run_metrics(
        replace(
            rows,
            read=lambda name: other.read("mismatch@1.00") if name == repeat.name else rows.read(name),
            repeats={"mismatch@1.00": (repeat,)},
        )
    )
    section = found.pop("plan_seeds")
    assert found == alone
    (condition,) = section["conditions"]
    assert (condition["name"], condition["plans"]) == ("mismatch@1.00", 2)
    changed = next(each for each in alone["conditions"] if each["name"] == "mismatch@1.00")
    values = condition["figures"]["fa_changed"]["values"]
    assert values[0] == changed["metrics"]["at"]["tpr:0.9"]["fa_changed"] > values[1]
    assert condition["figures"]["fa_changed"]["max"] == values[0]
    (table,) = tables(found | {"plan_seeds": section})
    # AP is undefined at 1.00, under every plan.
    assert [row["figure"] for row in table.rows] == ["fa_changed", "retention", "sync AUROC"]
    assert list(tables(found)) == []


def test_rows_of_another_run_are_refused() -> None:
    rows, other = scored(0.9), scored(0.9, sources=24)
    repeat = replace(MISMATCH, name="mismatch@1.00~2")
    with pytest.raises(NotComparableError, match=r"mismatch@1\.00~2"):
        run_metrics(
            replace(
                rows,
                read=lambda name: other.read("mismatch@1.00") if name == repeat.name else rows.read(name),
                repeats={"mismatch@1.00": (repeat,)},
            )
        )
