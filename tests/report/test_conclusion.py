"""One sentence per run, from fixed rules."""

from __future__ import annotations

from typing import Any

import pytest

from asdbench.report.conclusion import conclude
from tests.report.crafted import MISSING, changed, condition, diagnostic, metrics

BLIND = "it does not react to whether sound and lips belong together"
HARDLY = "its scores react to the change, its verdict hardly does"
PARTLY = "its verdict follows the sound in part"
RELIES = "its verdict follows the sound"
NO_IDEA = "it detects too little of the clean speech to tell"


def verdict(*conditions: dict[str, Any]) -> str:
    return conclude("m", metrics(*conditions)).rpartition(": ")[2]


def both(kept: float, auroc: float) -> tuple[Any, Any]:
    return changed("mismatch@1.00", kept=kept, auroc=auroc), changed("misalign@1.00", kept=kept, auroc=auroc)


def floor(auroc: Any) -> Any:
    return changed("resplice@1.00", role="control", labels="keep", auroc=auroc)


@pytest.mark.parametrize(
    ("kept", "auroc", "expected"),
    [
        (1.0, 0.5, BLIND),
        (1.0, 0.519, BLIND),
        (0.1, 0.45, BLIND),
        (1.0, 0.53, HARDLY),
        (0.9, 0.8, HARDLY),
        (0.899, 0.8, PARTLY),
        (0.5, 0.8, PARTLY),
        (0.499, 0.8, RELIES),
        (0.0, 1.0, RELIES),
    ],
)
def test_each_verdict(kept: float, auroc: float, expected: str) -> None:
    assert verdict(*both(kept, auroc)) == f"{expected}."


def test_the_worse_of_both_families_decides() -> None:
    assert verdict(changed("mismatch@1.00", kept=0.1), changed("misalign@1.00", kept=0.95)) == f"{HARDLY}."
    assert verdict(changed("mismatch@1.00", kept=0.6), changed("misalign@1.00", kept=0.1)) == f"{PARTLY}."


def test_one_family_that_moves_the_scores_is_a_reaction() -> None:
    found = verdict(changed("mismatch@1.00", kept=0.95, auroc=0.5), changed("misalign@1.00", kept=0.95, auroc=0.6))
    assert found == f"{HARDLY}."


@pytest.mark.parametrize(
    ("splice", "expected"), [(0.5, HARDLY), (0.54, BLIND), (MISSING, HARDLY)], ids=["none", "splice", "undefined"]
)
def test_the_splice_is_the_floor(splice: Any, expected: str) -> None:
    assert verdict(floor(splice), *both(1.0, 0.55)) == f"{expected}."


def test_the_sentence_has_both_numbers_of_both_families() -> None:
    sentence = conclude(
        "my model",
        metrics(changed("mismatch@1.00", fa=0.456, before=0.9), changed("misalign@1.00", fa=0.701, before=0.894)),
    )
    assert sentence == (
        "my model still says speaking on 46 % of the speaking frames that carry somebody else's voice "
        "(90 % with the right sound) and on 70 % of the speaking frames whose own voice is early or late "
        f"(89 % with the right sound): {PARTLY}."
    )


def test_lesser_proportions_are_not_what_is_concluded_from() -> None:
    sentence = conclude("m", metrics(changed("mismatch@0.25", fa=0.11), changed("mismatch@1.00", fa=0.33)))
    assert "33 %" in sentence
    assert "11 %" not in sentence


def test_too_few_clean_detections_give_no_verdict() -> None:
    rarely = {"undefined": "only 0 of 9 rows reach the threshold"}
    assert verdict(changed("mismatch@1.00", fa=0.0, before=0.0, kept=rarely)) == f"{NO_IDEA}."


NOTHING = {"fa": MISSING, "before": MISSING, "kept": MISSING, "auroc": MISSING}


def test_no_changed_runs() -> None:
    sentence = conclude("m", metrics(changed("mismatch@1.00", **NOTHING), changed("misalign@1.00", **NOTHING)))
    assert sentence == "m: no speaking run could be changed, so nothing is known of its synchrony."


@pytest.mark.parametrize(("kept", "auroc", "expected"), [(1.0, 0.5, BLIND), (0.95, 0.8, HARDLY), (0.2, 0.8, RELIES)])
@pytest.mark.parametrize("missing", ["mismatch@1.00", "misalign@1.00"])
def test_a_family_without_changed_runs_has_no_say(kept: float, auroc: float, expected: str, missing: str) -> None:
    present = ({"mismatch@1.00", "misalign@1.00"} - {missing}).pop()
    sentence = conclude("m", metrics(changed(missing, **NOTHING), changed(present, kept=kept, auroc=auroc)))
    assert sentence.endswith(f": {expected}.")
    assert sentence.count("of the speaking frames") == 1


def test_diagnostics_are_told_as_drops() -> None:
    sentence = conclude("m", metrics(diagnostic("silence", 0.1234), diagnostic("lip_mask", -0.002)))
    assert sentence == "m: AP 98.75 %; points of AP by condition: silence -12.3, lip_mask +0.2."


@pytest.mark.parametrize("drop", [0.0, 1e-9, -1e-9])
def test_no_drop_has_no_sign_of_a_loss(drop: float) -> None:
    assert "-0.0" not in conclude("m", metrics(diagnostic("lip_mask", drop)))


def test_an_undefined_drop_is_left_out() -> None:
    sentence = conclude("m", metrics(diagnostic("silence", MISSING), diagnostic("lip_mask", 0.01)))
    assert sentence == "m: AP 98.75 %; points of AP by condition: lip_mask -1.0."


def test_the_clean_suite() -> None:
    assert conclude("m", metrics()) == "m: AP 98.75 % on the clean data."


def test_undefined_clean_precision() -> None:
    found = metrics()
    found["conditions"][0] = condition("clean", role="reference", ap=MISSING)
    assert conclude("m", found) == "m: AP undefined on the clean data."
