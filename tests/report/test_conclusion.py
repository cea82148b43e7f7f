"""One sentence per run, from fixed rules."""

from __future__ import annotations

from typing import Any

import pytest

from asdbench.report.conclusion import conclude
from tests.report.crafted import MISSING, changed, condition, diagnostic, ends, metrics, units, with_dubbed, with_ends

BLIND = "it does not react to whether sound and lips belong together"


def conclusion(*conditions: dict[str, Any]) -> str:
    return conclude("m", metrics(*conditions))


def both(kept: float, auroc: float) -> tuple[Any, Any]:
    return changed("mismatch@1.00", kept=kept, auroc=auroc), changed("misalign@1.00", kept=kept, auroc=auroc)


def floor(auroc: Any) -> Any:
    return changed("resplice@1.00", role="control", labels="keep", auroc=auroc)


@pytest.mark.parametrize(
    ("kept", "words"),
    [(1.1, "no fewer"), (0.98, "no fewer"), (0.979, "slightly fewer"), (0.9, "slightly fewer"), (0.899, "fewer"),
     (0.5, "fewer"), (0.499, "far fewer"), (0.0, "far fewer")],
)  # fmt: skip
def test_each_family_gets_its_own_words(kept: float, words: str) -> None:
    found = conclusion(changed("mismatch@1.00", kept=kept, auroc=0.9), changed("misalign@1.00", kept=0.95, auroc=0.9))
    assert f"somebody else's voice, {words} than the 90 % with the right sound, and on" in found
    assert "early or late, slightly fewer than the 90 %" in found
    assert BLIND not in found


@pytest.mark.parametrize(
    ("kept", "auroc", "blind"),
    [(1.0, 0.5, True), (1.0, 0.519, True), (1.03, 0.467, True), (1.0, 0.56, False), (1.0, 0.2, False),
     (0.1, 0.5, False)],
)  # fmt: skip
def test_no_reaction_needs_unmoved_scores_and_verdicts(kept: float, auroc: float, blind: bool) -> None:
    assert conclusion(*both(kept, auroc)).endswith(f": {BLIND}.") is blind


def test_one_family_that_moves_the_scores_is_a_reaction() -> None:
    found = conclusion(changed("mismatch@1.00", kept=1.0, auroc=0.5), changed("misalign@1.00", kept=1.0, auroc=0.6))
    assert BLIND not in found


@pytest.mark.parametrize(("splice", "blind"), [(0.5, False), (0.54, True), (MISSING, False)])
def test_the_splice_is_the_floor(splice: Any, blind: bool) -> None:
    assert (BLIND in conclusion(floor(splice), *both(1.0, 0.55))) is blind


def test_the_sentence_has_both_numbers_of_both_families() -> None:
    sentence = conclude(
        "my model",
        metrics(
            changed("mismatch@1.00", fa=0.456, before=0.9, kept=0.507),
            changed("misalign@1.00", fa=0.701, before=0.894, kept=0.784),
        ),
    )
    assert sentence == (
        "my model still says speaking on 46 % of the speaking frames that carry somebody else's voice, fewer than the "
        "90 % with the right sound, and on 70 % of the speaking frames that hear their own voice early or late, fewer "
        "than the 89 % with the right sound."
    )


def test_lesser_proportions_are_not_what_is_concluded_from() -> None:
    sentence = conclude("m", metrics(changed("mismatch@0.25", fa=0.11), changed("mismatch@1.00", fa=0.33)))
    assert "33 %" in sentence
    assert "11 %" not in sentence


def test_too_few_clean_detections_give_no_verdict() -> None:
    rarely = {"undefined": "only 0 of 9 rows reach the threshold"}
    found = conclusion(changed("mismatch@1.00", fa=0.0, before=0.0, kept=rarely))
    assert found.endswith("(only 0 % with the right sound: too few to tell).")


NOTHING = {"fa": MISSING, "before": MISSING, "kept": MISSING, "auroc": MISSING}


def test_no_changed_runs() -> None:
    sentence = conclude("m", metrics(changed("mismatch@1.00", **NOTHING), changed("misalign@1.00", **NOTHING)))
    assert sentence == "m: no speaking run could be changed, so nothing is known of its synchrony."


@pytest.mark.parametrize(("kept", "auroc", "blind"), [(1.0, 0.5, True), (0.95, 0.8, False)])
@pytest.mark.parametrize("missing", ["mismatch@1.00", "misalign@1.00"])
def test_a_family_without_changed_runs_has_no_say(kept: float, auroc: float, blind: bool, missing: str) -> None:
    present = ({"mismatch@1.00", "misalign@1.00"} - {missing}).pop()
    sentence = conclusion(changed(missing, **NOTHING), changed(present, kept=kept, auroc=auroc))
    assert (BLIND in sentence) is blind
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


@pytest.mark.parametrize(
    "conditions", [(), both(1.0, 0.5), (diagnostic("silence"),)], ids=["clean", "unsync", "modality"]
)
def test_dubbed_tracks_get_a_sentence_of_their_own(conditions: tuple[Any, ...]) -> None:
    assert conclude("m", with_dubbed(*conditions, fa=0.714)) == (
        conclusion(*conditions) + " It says speaking on 71 % of the frames in which dubbed lips move."
    )


def test_no_dubbed_row_no_sentence() -> None:
    assert conclude("m", with_dubbed(*both(1.0, 0.5), fa=MISSING, rows=0)) == conclusion(*both(1.0, 0.5))


def told(auroc: tuple[float, float], kept: tuple[float, float], splice: tuple[float, float] = (0.5, 0.5)) -> str:
    """What is concluded from intervals around the same middle under both perturbations."""

    def within(name: str, **more: Any) -> Any:
        middle = {"auroc": sum(auroc) / 2, "kept": sum(kept) / 2}
        at = {"retention": ends(*kept), "fa_changed": ends(0.4449, 0.5551)}
        return with_ends(changed(name, **middle, **more), at, sync_auroc=ends(*auroc))

    control = with_ends(floor(sum(splice) / 2), sync_auroc=ends(*splice))
    found = metrics(control, within("mismatch@1.00"), within("misalign@1.00"))
    return conclude("m", found | {"units": units(33)})


@pytest.mark.parametrize(
    ("auroc", "kept", "words"),
    [
        ((0.49, 0.53), (0.98, 1.01), f": {BLIND}."),
        ((0.45, 0.57), (0.93, 1.04), f": {BLIND}."),
        ((0.51, 0.53), (0.96, 0.99), ": it hardly reacts to whether sound and lips belong together."),
        ((0.40, 0.62), (0.80, 1.10), ": no reaction to whether sound and lips belong together can be shown on these"),
        ((0.49, 0.53), (0.70, 1.20), ": no reaction to whether sound and lips belong together can be shown on these"),
        ((0.60, 0.70), (0.98, 1.01), "with the right sound. Brackets"),
        ((0.49, 0.53), (0.70, 0.90), "with the right sound. Brackets"),
    ],
    ids=["none", "none of few", "slight", "wide scores", "wide verdicts", "scores", "verdicts"],
)
def test_a_reaction_is_judged_by_intervals(auroc: tuple[float, float], kept: tuple[float, float], words: str) -> None:
    assert words in told(auroc, kept)


def test_the_interval_of_the_splice_is_the_floor() -> None:
    assert BLIND not in told((0.53, 0.56), (0.99, 1.01))
    assert BLIND in told((0.53, 0.56), (0.99, 1.01), splice=(0.51, 0.55))


@pytest.mark.parametrize(
    ("kept", "words"),
    [((0.97, 1.01), "no fewer"), ((0.97, 0.995), "slightly fewer"), ((0.8, 1.05), "not separably fewer"),
     ((0.3, 0.4), "far fewer")],
)  # fmt: skip
def test_fewer_is_said_where_the_interval_says_so(kept: tuple[float, float], words: str) -> None:
    assert f"somebody else's voice, {words} than" in told((0.6, 0.7), kept)


def test_the_conclusion_shows_intervals_and_what_they_rest_on() -> None:
    said = told((0.6, 0.7), (0.5, 0.6))
    assert "on 50 % [44, 56] of the speaking frames that carry" in said
    assert said.endswith("Brackets: 95 % intervals over 33 sources.")
    one = with_ends(diagnostic("silence"), ava=ends(0.9, 1.0))
    clean = with_ends(metrics()["conditions"][0], ava=ends(0.97, 0.9951))
    few = metrics() | {"conditions": [clean, one], "units": units(7)}
    assert conclude("m", few) == (
        "m: AP 98.75 % [97.0, 99.6]; points of AP by condition: silence -1.2. "
        "Brackets: 95 % intervals over 7 sources, indicative only."
    )
    fewer = metrics() | {"units": units(3)}
    assert conclude("m", fewer) == (
        "m: AP 98.75 % on the clean data. No intervals: an interval needs at least 5 units, and there are 3."
    )
