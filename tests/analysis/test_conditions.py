"""Every number of a run, against values worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.analysis.conditions import HEADLINE, base_rate, value_of
from asdbench.analysis.rows import RunRows
from asdbench.analysis.run import run_metrics
from asdbench.errors import DataError, NotComparableError
from asdbench.metrics.synchrony import MIN_TPR_SAME_ROWS
from asdbench.records.predictions import Predictions
from asdbench.types import IGNORE, Condition

CLEAN = Condition("clean", role="reference")
MISMATCH = Condition("mismatch@0.50", "mismatch", 0.5, "negative")
RESPLICE = Condition("resplice@1.00", "resplice", 1.0, "keep", "control")
SILENCE = Condition("silence", "silence", 1.0, "keep", "diagnostic")
ALL = Condition("mismatch@1.00", "mismatch", 1.0, "negative")
MISALIGN = Condition("misalign@1.00", "misalign", 1.0, "negative")


def predictions(run: Sequence[int], score: Sequence[float], video: str | None = None) -> Predictions:
    """Rows 100 ms apart, positive within runs, unchanged; one letter of ``video`` per row."""
    count = len(run)
    videos = list(video or "a" * count)
    times = [100 * (i - videos.index(videos[i])) for i in range(count)]
    label = (np.array(run) >= 0).astype(np.int8)
    return Predictions(
        video_id=np.array(videos, dtype=object),
        entity_id=np.array(videos, dtype=object),
        source_id=np.array(videos, dtype=object),
        timestamp_ms=np.array(times, dtype=np.int64),
        run=np.array(run, dtype=np.int32),
        label=label,
        label_after=label,
        changed=np.zeros(count, dtype=np.bool_),
        eligible=np.ones(count, dtype=np.bool_),
        shift_ms=np.full(count, np.nan, dtype=np.float32),
        score=np.array(score, dtype=np.float32),
    )


def under(
    clean: Predictions,
    changed: Sequence[int],
    scores: Mapping[int, float],
    negative: Sequence[int] = (),
    ignored: Sequence[int] = (),
    ineligible: Sequence[int] = (),
) -> Predictions:
    """The clean rows as a condition leaves them; every argument names rows."""
    arrays = {name: getattr(clean, name).copy() for name in ("changed", "label_after", "eligible", "score")}
    arrays["changed"][list(changed)] = True
    arrays["label_after"][list(negative)] = 0
    arrays["label_after"][list(ignored)] = IGNORE
    arrays["eligible"][list(ineligible)] = False
    for row, score in scores.items():
        arrays["score"][row] = score
    return replace(clean, **arrays)


def measured(pairs: Sequence[tuple[Condition, Predictions]]) -> dict[str, Any]:
    """Content of metrics.json for pairs of condition and rows."""
    loaded = {condition.name: predictions for condition, predictions in pairs}
    return run_metrics(RunRows({condition.name: condition for condition, _ in pairs}, loaded.__getitem__))


def metrics_of(rows: Predictions, clean: Predictions, condition: Condition) -> dict[str, Any]:
    metrics: dict[str, Any] = measured([(CLEAN, clean), (condition, rows)])["conditions"][1]["metrics"]
    return metrics


def undefined(value: Any) -> str:
    assert list(value) == ["undefined"]
    return str(value["undefined"])


# Two tracks. Row:  0  1  2  3  4   5  6    7   8  9 10 11  12  13   14  15
CLEAN_ROWS = predictions(
    run=[0, 0, 0, 0, 0, -1, 1, -1, -1, 0, 0, 0, 0, -1, -1, -1],
    score=[9, 8, 7, 6, 5, -1, 4, 2.5, -2, 3, 2, 1, -3, -4, 0.5, -5],
    video="aaaaaaaabbbbbbbb",
)
MISMATCH_ROWS = under(
    CLEAN_ROWS,
    changed=range(5),
    negative=range(4),
    ignored=[4, 6],  # 4: where the donor's sound ends; 6: a run too short to be changed
    ineligible=[6],
    scores={0: 0.5, 1: 8, 2: -1.5, 3: 2.2, 4: 100, 5: 1.5, 6: 50},
)
RESPLICE_ROWS = under(
    CLEAN_ROWS,
    changed=[*range(5), *range(9, 13)],
    ineligible=[6],
    scores={1: 7.5, 2: 7.2, 4: 0.9, 10: 2.1, 11: -0.5},
)
SILENCE_ROWS = under(
    CLEAN_ROWS,
    changed=range(16),
    scores={row: float(CLEAN_ROWS.score[row]) - 4.25 for row in np.flatnonzero(CLEAN_ROWS.label)},
)
CLEAN_AP = (7 + 9 / 10 + 9 / 10 + 10 / 14) / 10  # positives at ranks 1..7, 9, 10, 14; precisions enveloped


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    return measured(
        [(CLEAN, CLEAN_ROWS), (MISMATCH, MISMATCH_ROWS), (RESPLICE, RESPLICE_ROWS), (SILENCE, SILENCE_ROWS)]
    )


@pytest.fixture(scope="module")
def by_name(result: dict[str, Any]) -> dict[str, Any]:
    return {condition["name"]: condition for condition in result["conditions"]}


def test_header(result: dict[str, Any]) -> None:
    assert (result["protocol"], result["headline"]) == ("ava", "tpr:0.9")
    # 9 of 10 positives reach 1.0; at 2.0 FPR is 1/6 and FNR 2/10, nowhere closer
    assert result["thresholds"] == {"tpr:0.9": 1.0, "eer": 2.0, "fixed:0.5": 0.0}
    assert next(iter(result["thresholds"])) == HEADLINE
    assert [c["name"] for c in result["conditions"]] == ["clean", "mismatch@0.50", "resplice@1.00", "silence"]


@pytest.mark.parametrize("condition", [CLEAN, MISMATCH, RESPLICE, SILENCE])
def test_each_result_says_what_its_condition_was(by_name: dict[str, Any], condition: Condition) -> None:
    found = by_name[condition.name]
    for field in ("perturbation", "proportion", "labels", "role"):
        assert found[field] == getattr(condition, field)


ROWS = ("total", "positive", "negative", "ignored", "changed", "ineligible", "paired")


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("clean", (16, 10, 6, 0, 0, 0, 0)),
        ("mismatch@0.50", (16, 4, 10, 2, 5, 1, 4)),
        ("resplice@1.00", (16, 10, 6, 0, 9, 1, 9)),
        ("silence", (16, 10, 6, 0, 16, 0, 10)),
    ],
)
def test_counts(by_name: dict[str, Any], name: str, counts: tuple[int, ...]) -> None:
    assert by_name[name]["rows"] == dict(zip(ROWS, counts, strict=True))


MISMATCH_AP = (1 / 2 + 3 / 7 + 3 / 7 + 1 / 3) / 4  # positives at ranks 2, 5, 7, 12 of 14
RESPLICE_AP = (6 + 8 / 9 + 8 / 9 + 9 / 11 + 10 / 14) / 10  # ranks 1..6, 8, 9, 11, 14
SILENCE_AP = (3 + 5 / 6 + 5 / 6 + 3 / 4 + 7 / 10 + 9 / 13 + 9 / 13 + 10 / 16) / 10  # 1..3, 5, 6, 8, 10, 12, 13, 16
VALUES = {
    "clean": {
        "ap": (7 + 8 / 9 + 9 / 10 + 10 / 14) / 10,  # no envelope
        "ava": CLEAN_AP,
        "ava_best": CLEAN_AP,
        "tied_share": 0.0,
        "ava_rescaled": (CLEAN_AP - 10 / 16) / (6 / 16),
    },
    "mismatch@0.50": {
        "ap": (1 / 2 + 2 / 5 + 3 / 7 + 4 / 12) / 4,
        "ava": MISMATCH_AP,  # the one tie is among negatives
        "ava_best": MISMATCH_AP,
        "tied_share": 2 / 14,
        "ava_rescaled": (MISMATCH_AP - 4 / 14) / (10 / 14),
        "ap_rescaled": ((1 / 2 + 2 / 5 + 3 / 7 + 4 / 12) / 4 - 4 / 14) / (10 / 14),
        "ap_unchanged": (1 + 2 / 3 + 3 / 5 + 1 / 2) / 4,  # positives at ranks 1, 3, 5, 8 of 10
        "sync_auroc": (4 + 3.5 + 3 + 3) / 16,  # 9, 8, 7, 6 against 0.5, 8, -1.5, 2.2
        "sync_winrate": 3.5 / 4,
    },
    "resplice@1.00": {
        "ap": (6 + 7 / 8 + 8 / 9 + 9 / 11 + 10 / 14) / 10,
        "ava": RESPLICE_AP,
        "ap_drop": CLEAN_AP - RESPLICE_AP,
        "ap_unchanged": 1.0,  # only row 6 is positive and unchanged, and it leads
        "sync_auroc": (8.5 + 8 + 6 + 5.5 + 5 + 4.5 + 3 + 3 + 0.5) / 81,
        "sync_winrate": (3 + 4 / 2) / 9,
    },
    "silence": {
        "ap": (3 + 4 / 5 + 5 / 6 + 6 / 8 + 7 / 10 + 8 / 12 + 9 / 13 + 10 / 16) / 10,
        "ava": SILENCE_AP,
        "ap_drop": CLEAN_AP - SILENCE_AP,
        "ava_rescaled": (SILENCE_AP - 10 / 16) / (6 / 16),
        "sync_auroc": (5 * 10 + 9 + 8 + 7 + 6 + 2) / 100,
        "sync_winrate": 1.0,
    },
}


@pytest.mark.parametrize(("name", "key"), [(name, key) for name, values in VALUES.items() for key in values])
def test_values_without_threshold(by_name: dict[str, Any], name: str, key: str) -> None:
    assert by_name[name]["metrics"][key] == pytest.approx(VALUES[name][key], abs=1e-12)


RATES = {
    ("clean", "tpr:0.9"): {"tpr": 9 / 10, "fpr": 1 / 6},
    ("clean", "eer"): {"tpr": 8 / 10, "fpr": 1 / 6},
    ("clean", "fixed:0.5"): {"tpr": 9 / 10, "fpr": 2 / 6},
    # Rows 0..3 are relabelled: in neither rate. Negatives: rows 5, 7, 8, 13, 14, 15.
    ("mismatch@0.50", "tpr:0.9"): {
        "tpr": 3 / 4,
        "fpr": 2 / 6,
        "fa_changed": 2 / 4,  # 8 and 2.2
        "fa_changed_inner": 0.0,  # row 2 alone is 0.2 s from both ends
        "tpr_same_rows": 1.0,
        "retention": 2 / 4,
    },
    ("mismatch@0.50", "eer"): {
        "tpr": 2 / 4,
        "fpr": 1 / 6,
        "fa_changed": 2 / 4,
        "fa_changed_inner": 0.0,
        "tpr_same_rows": 1.0,
        "retention": 2 / 4,
    },
    ("mismatch@0.50", "fixed:0.5"): {
        "tpr": 3 / 4,
        "fpr": 3 / 6,
        "fa_changed": 3 / 4,
        "fa_changed_inner": 0.0,
        "tpr_same_rows": 1.0,
        "retention": 3 / 4,
    },
    ("resplice@1.00", "tpr:0.9"): {
        "tpr": 7 / 10,
        "tpr_drop": 9 / 10 - 7 / 10,
        "fpr": 1 / 6,
        "fa_changed": 6 / 9,
        "fa_changed_inner": 1.0,  # row 2; the second run lasts 0.3 s and has no inside
        "tpr_same_rows": 8 / 9,
        "retention": 6 / 8,
    },
    ("silence", "tpr:0.9"): {
        "tpr": 4 / 10,
        "tpr_drop": 9 / 10 - 4 / 10,
        "fpr": 1 / 6,  # every row is changed, no label is: all negatives count
        "fa_changed": 4 / 10,
        "fa_changed_inner": 1.0,
        "tpr_same_rows": 9 / 10,
        "retention": 4 / 9,
    },
}


@pytest.mark.parametrize(("name", "threshold"), RATES)
def test_rates(by_name: dict[str, Any], name: str, threshold: str) -> None:
    found = dict(by_name[name]["metrics"]["at"][threshold])
    for key in OPERATING:
        del found[key]
    assert found == pytest.approx(RATES[name, threshold], abs=1e-12)  # the keys too: nothing more is claimed


OPERATING = ("precision", "f1", "balanced_accuracy")


@pytest.mark.parametrize(
    ("name", "hits", "positives", "alarms", "negatives"),
    [
        ("clean", 9, 10, 1, 6),
        ("mismatch@0.50", 3, 4, 4, 10),  # two alarms among the six negatives, two among the four changed rows
        ("resplice@1.00", 7, 10, 1, 6),
    ],
)
def test_precision_f1_and_balanced_accuracy_speak_of_all_rows_that_count(
    by_name: dict[str, Any], name: str, hits: int, positives: int, alarms: int, negatives: int
) -> None:
    found = by_name[name]["metrics"]["at"]["tpr:0.9"]
    assert found["precision"] == hits / (hits + alarms)
    assert found["f1"] == 2 * hits / (hits + alarms + positives)
    assert found["balanced_accuracy"] == pytest.approx((hits / positives + 1 - alarms / negatives) / 2, abs=1e-12)


def test_voiced_rows_are_those_with_voice_before_and_after_the_change() -> None:
    voiced = np.ones(16, dtype=np.int8)
    clean = replace(CLEAN_ROWS, voiced=voiced)
    after = voiced.copy()
    after[[1, 2]] = 0, -1  # rows 0 (0.5) and 3 (2.2) remain, of which one reaches 1.0
    rates = metrics_of(replace(MISMATCH_ROWS, voiced=after), clean, MISMATCH)["at"][HEADLINE]
    assert (rates["fa_changed"], rates["fa_changed_voiced"], rates["retention_voiced"]) == (2 / 4, 1 / 2, 1 / 2)
    silent = replace(MISMATCH_ROWS, voiced=np.zeros(16, dtype=np.int8))
    rates = metrics_of(silent, clean, MISMATCH)["at"][HEADLINE]
    assert undefined(rates["fa_changed_voiced"]) == undefined(rates["retention_voiced"]) == "no rows remain."


@pytest.mark.parametrize(
    ("name", "absent"),
    [
        ("clean", {"ap_unchanged", "ap_drop", "sync_auroc", "sync_winrate", "by_shift"}),
        ("mismatch@0.50", {"ap_drop", "by_shift"}),
        ("resplice@1.00", {"by_shift"}),
    ],
)
def test_what_has_no_meaning_is_not_there(by_name: dict[str, Any], name: str, absent: set[str]) -> None:
    assert not absent & set(by_name[name]["metrics"])


def test_without_unchanged_rows_their_ap_is_undefined(by_name: dict[str, Any]) -> None:
    assert undefined(by_name["silence"]["metrics"]["ap_unchanged"]) == "no rows remain."


def test_metrics_survive_json(result: dict[str, Any]) -> None:
    again = msgspec.json.decode(msgspec.json.encode(result))
    assert again == result
    # 1.0 must not come back as the integer 1, which value_of would call undefined
    assert value_of(again["conditions"][3]["metrics"]["sync_winrate"]) == 1.0
    assert value_of(again["conditions"][1]["metrics"]["at"][HEADLINE]["fa_changed_inner"]) == 0.0


@pytest.mark.parametrize(("measured_value", "value"), [(0.0, 0.0), ({"undefined": "why"}, None), (None, None)])
def test_value_of(measured_value: Any, value: float | None) -> None:
    assert value_of(measured_value) == value


def everything_changed() -> Predictions:
    spoken = [row for row in np.flatnonzero(CLEAN_ROWS.label) if row != 6]
    return under(CLEAN_ROWS, changed=spoken, negative=spoken, ignored=[6], ineligible=[6], scores={0: -9, 9: -9})


@pytest.mark.parametrize("key", ["ap", "ava", "ava_best", "tied_share", "ava_rescaled"])
def test_no_ap_once_every_run_is_changed(key: str) -> None:
    metrics = metrics_of(everything_changed(), CLEAN_ROWS, ALL)
    assert undefined(metrics[key]) == "no positive rows remain."


def test_what_remains_once_every_run_is_changed() -> None:
    metrics = metrics_of(everything_changed(), CLEAN_ROWS, ALL)
    rates = metrics["at"][HEADLINE]
    assert undefined(metrics["ap_unchanged"]) == "no positive rows remain."
    assert undefined(rates["tpr"]) == "no positive rows remain."
    assert rates["fpr"] == 1 / 6
    assert rates["fa_changed"] == 6 / 9  # 8, 7, 6, 5, 2, 1; not -9, -9, -3
    assert rates["tpr_same_rows"] == 8 / 9
    assert rates["retention"] == 6 / 8


def test_a_condition_that_changes_nothing_has_no_synchrony() -> None:
    metrics = metrics_of(CLEAN_ROWS, CLEAN_ROWS, ALL)
    rates = metrics["at"][HEADLINE]
    assert (metrics["ava"], metrics["ap_unchanged"]) == pytest.approx((CLEAN_AP, CLEAN_AP))
    for value in (metrics["sync_auroc"], metrics["sync_winrate"], *(rates[key] for key in CHANGED_RATES)):
        assert undefined(value) == "no rows remain."


CHANGED_RATES = ("fa_changed", "fa_changed_inner", "tpr_same_rows", "retention")


def test_retention_needs_a_tenth_of_the_rows_found_on_clean_sound() -> None:
    rows = under(CLEAN_ROWS, changed=[12], negative=[12], scores={12: 5})
    rates = metrics_of(rows, CLEAN_ROWS, MISMATCH)["at"][HEADLINE]
    assert rates["tpr_same_rows"] == 0.0
    assert rates["fa_changed"] == 1.0
    assert undefined(rates["retention"]).startswith("only 0 of 1 rows reach the threshold on clean media")


@pytest.mark.parametrize(("found", "defined"), [(1, True), (0, False)])
def test_exactly_a_tenth_is_enough(found: int, defined: bool) -> None:
    # 100 positives, the threshold is the 90th of them; 10 rows are changed, 1 or 0 of which lie above it
    clean = predictions(run=[0] * 100 + [-1], score=[*range(100, 0, -1), -1])
    changed = range(90 - found, 100 - found)
    rates = metrics_of(under(clean, changed, {}, negative=changed), clean, MISMATCH)["at"][HEADLINE]
    assert rates["tpr_same_rows"] == found / 10
    assert (value_of(rates["retention"]) == 1.0) is defined
    assert MIN_TPR_SAME_ROWS == 0.1


def test_the_inside_of_a_run_starts_at_exactly_a_fifth_of_a_second() -> None:
    clean = predictions(run=[-1, *[0] * 6, -1], score=[-9, *[5] * 6, -9])
    # rows 1..6 are 0, 100 .. 500 ms into the run: 3 and 4 are inside
    heard = under(clean, range(1, 7), {3: -8, 4: 6, 1: -8, 2: -8, 5: -8, 6: -8}, negative=range(1, 7))
    rates = metrics_of(heard, clean, MISMATCH)["at"][HEADLINE]
    assert rates["fa_changed_inner"] == 1 / 2
    assert rates["fa_changed"] == 1 / 6


def test_the_inside_is_that_of_each_run_not_of_the_track() -> None:
    clean = predictions(run=[0, 0, 0, 1, 1, 1, -1], score=[5] * 6 + [-9])
    rows = under(clean, range(6), {}, negative=range(6))
    inner = metrics_of(rows, clean, MISMATCH)["at"][HEADLINE]["fa_changed_inner"]
    assert undefined(inner) == "no rows remain."


SHIFTS = [165, 249.9, 250, -499.9, 500, -1000, 164.9, 1000.1]
SHIFTED_SCORES = [4, -4, 4, -4, -4, 4, 4, 4]


@pytest.fixture(scope="module")
def by_shift() -> dict[str, Any]:
    clean = predictions(run=[*range(8), -1], score=[5, 5, 5, 5, 5, 3, 5, 5, -9])
    rows = under(clean, range(8), dict(enumerate(SHIFTED_SCORES)), negative=range(8))
    found: dict[str, Any] = metrics_of(
        replace(rows, shift_ms=np.array([*SHIFTS, np.nan], dtype=np.float32)), clean, MISALIGN
    )["by_shift"]
    return found


@pytest.mark.parametrize(
    ("group", "rows", "fa_changed", "winrate"),
    [
        ("late", 6, 4 / 6, 1.0),
        ("early", 2, 1 / 2, 1 / 2),
        ("165-250 ms", 2, 1 / 2, 1.0),
        ("250-500 ms", 2, 1 / 2, 1.0),
        ("500-1000 ms", 2, 1 / 2, 1 / 2),  # the upper edge of the last band belongs to it
    ],
)
def test_shifts_by_sign_and_size(
    by_shift: dict[str, Any], group: str, rows: int, fa_changed: float, winrate: float
) -> None:
    found = by_shift[group]
    assert found["rows"] == rows
    assert found["fa_changed"] == fa_changed  # the threshold is 3: 7 of 8 rows would not be 90 %
    assert found["sync_winrate"] == winrate
    assert found["tpr_same_rows"] == 1.0
    assert found["retention"] == fa_changed


def test_the_groups_of_shifts_are_complete_and_in_order(by_shift: dict[str, Any]) -> None:
    assert list(by_shift) == ["late", "early", "165-250 ms", "250-500 ms", "500-1000 ms"]
    assert by_shift["early"]["sync_auroc"] == 3 / 4  # 5 and 3 against -4 and 4


def test_ignored_rows_are_in_no_group_of_shifts() -> None:
    clean = predictions(run=[0, 0, -1], score=[5, 5, -9])
    rows = under(clean, [0, 1], {}, negative=[0], ignored=[1])
    shifted = replace(rows, shift_ms=np.array([200, 200, np.nan], dtype=np.float32))
    found = metrics_of(shifted, clean, MISALIGN)["by_shift"]
    assert found["165-250 ms"]["rows"] == found["late"]["rows"] == 1
    assert found["early"]["rows"] == 0
    assert undefined(found["early"]["retention"]) == "no rows remain."


@pytest.mark.parametrize("run", [[0, 0], [-1, -1]])
def test_rows_of_one_class_freeze_no_threshold(run: list[int]) -> None:
    with pytest.raises(DataError, match=r"of the 2 frames .* need frames of both kinds"):
        measured([(CLEAN, predictions(run, [1, 2]))])


def test_other_rows_are_not_compared() -> None:
    other = replace(MISMATCH_ROWS, timestamp_ms=MISMATCH_ROWS.timestamp_ms + 1)
    with pytest.raises(NotComparableError, match=r"'mismatch@0\.50'"):
        measured([(CLEAN, CLEAN_ROWS), (MISMATCH, other)])


def test_scores_that_are_no_numbers_never_become_a_metric() -> None:
    with pytest.raises(DataError, match="NaN"):
        metrics_of(under(MISMATCH_ROWS, [], {7: float("nan")}), CLEAN_ROWS, MISMATCH)


row_lists = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(-5, 5)), min_size=2, max_size=30).filter(
    lambda rows: {speaks for speaks, _, _ in rows} == {True, False}
)


@given(row_lists, st.sampled_from([MISMATCH, RESPLICE, SILENCE]))
def test_a_deaf_model_is_at_chance(rows: list[tuple[bool, bool, int]], condition: Condition) -> None:
    clean = predictions(run=[0 if speaks else -1 for speaks, _, _ in rows], score=[score for _, _, score in rows])
    changed = [i for i, (speaks, chosen, _) in enumerate(rows) if speaks and chosen]
    heard = under(clean, changed, {}, negative=changed if condition.labels == "negative" else [])
    metrics = metrics_of(heard, clean, condition)
    if changed:
        assert (metrics["sync_auroc"], metrics["sync_winrate"]) == (0.5, 0.5)
    if condition.labels == "keep":
        assert metrics["ap_drop"] == 0.0
    for rates in metrics["at"].values():
        assert value_of(rates["retention"]) in (1.0, None)
        assert rates["fa_changed"] == rates["tpr_same_rows"]
        if (share := value_of(rates["tpr_same_rows"])) is not None:
            assert (value_of(rates["retention"]) == 1.0) is (share >= MIN_TPR_SAME_ROWS)


# --- dubbed ------------------------------------------------------------------------------------------------------

DUBBED = Condition("dubbed", "dubbed", 1.0, "negative")
# Rows 16 to 23 are a third track, dubbed: its lips articulate in rows 17 to 22.
DUB_SCORES = [0.2, 6, 1, 0.9, -1, 2, 0.1, 3]
WITH_DUBS = predictions(
    run=[*CLEAN_ROWS.run, *[-1] * 8], score=[*CLEAN_ROWS.score, *DUB_SCORES], video="aaaaaaaabbbbbbbbcccccccc"
)


def with_dubs(rows: Predictions, counted: bool = False) -> Predictions:
    """The rows of a condition, with those of the dubbed track added."""
    values: dict[str, Any] = {}
    for name in ("label_after", "changed", "eligible", "score", "shift_ms"):
        values[name] = np.concatenate([getattr(rows, name), getattr(WITH_DUBS, name)[16:]])
    values["label_after"][16:] = 0 if counted else IGNORE
    values["changed"][17:23] = counted
    run = WITH_DUBS.run.copy()
    run[17:23] = 0
    return replace(WITH_DUBS, run=run, **values)


@pytest.fixture(scope="module")
def dubbed() -> dict[str, Any]:
    clean = with_dubs(CLEAN_ROWS)
    pairs = [(MISMATCH, MISMATCH_ROWS), (RESPLICE, RESPLICE_ROWS), (SILENCE, SILENCE_ROWS)]
    return measured(
        [
            (CLEAN, clean),
            *((condition, with_dubs(rows)) for condition, rows in pairs),
            (DUBBED, with_dubs(CLEAN_ROWS, counted=True)),
        ]
    )


def test_dubbed_rows_change_nothing_outside_of_their_condition(dubbed: dict[str, Any], result: dict[str, Any]) -> None:
    assert dubbed["thresholds"] == result["thresholds"]
    for found, expected in zip(dubbed["conditions"], result["conditions"], strict=False):
        assert found["metrics"] == expected["metrics"]
        more = {"total": 8, "ignored": 8}
        assert found["rows"] == {name: count + more.get(name, 0) for name, count in expected["rows"].items()}


def test_under_dubbed_ap_has_more_negatives(dubbed: dict[str, Any]) -> None:
    found = dubbed["conditions"][-1]
    assert found["name"] == "dubbed"
    assert found["rows"] == dict(zip(ROWS, (24, 10, 14, 0, 6, 0, 0), strict=True))
    assert base_rate(found) == 10 / 24
    assert base_rate(dubbed["conditions"][0]) == 10 / 16
    # positives 9 8 7 6= 5 4 3= 2= 1= -3, those with = tied with a dubbed row; 2.5 lies before 2, seven rows before -3
    worst = (3 + 3 * 6 / 7 + 7 / 9 + 8 / 12 + 9 / 14 + 10 / 22) / 10
    best = (4 + 3 * 7 / 8 + 8 / 11 + 9 / 13 + 10 / 22) / 10
    metrics = found["metrics"]
    assert metrics["ava"] == pytest.approx(worst, abs=1e-12)
    assert metrics["ava_best"] == pytest.approx(best, abs=1e-12)
    assert metrics["ava_rescaled"] == pytest.approx((worst - 10 / 24) / (14 / 24), abs=1e-12)
    assert metrics["tied_share"] == 10 / 24


@pytest.mark.parametrize(
    ("threshold", "tpr", "fpr", "alarms", "inner"),
    [
        # the dub articulates at 6, 1, 0.9, -1, 2, 0.1, of which 0.9 and -1 lie inside; 0.2 and 3 are its other rows
        ("tpr:0.9", 9 / 10, 2 / 8, 3 / 6, 0 / 2),
        ("eer", 8 / 10, 2 / 8, 2 / 6, 0 / 2),
        ("fixed:0.5", 9 / 10, 4 / 8, 5 / 6, 1 / 2),
    ],
)
def test_false_alarms_are_those_of_articulating_rows(
    dubbed: dict[str, Any], threshold: str, tpr: float, fpr: float, alarms: float, inner: float
) -> None:
    rates = dubbed["conditions"][-1]["metrics"]["at"][threshold]
    assert (rates["tpr"], rates["fpr"]) == pytest.approx((tpr, fpr))
    assert (rates["fa_changed"], rates["fa_changed_inner"]) == pytest.approx((alarms, inner))


def test_a_dubbed_track_has_no_clean_version(dubbed: dict[str, Any]) -> None:
    metrics = dubbed["conditions"][-1]["metrics"]
    rates = metrics["at"][HEADLINE]
    for value in (metrics["sync_auroc"], metrics["sync_winrate"], rates["tpr_same_rows"], rates["retention"]):
        assert undefined(value) == "a dubbed track has no clean version."
    assert not {"share_changed", "ap_drop", "by_shift"} & set(metrics)
    assert "tpr_drop" not in rates


def test_without_a_dubbed_row_everything_is_undefined() -> None:
    metrics = metrics_of(CLEAN_ROWS, CLEAN_ROWS, DUBBED)
    for value in (*(metrics[key] for key in ("ap", "ava", "ava_rescaled")), *metrics["at"][HEADLINE].values()):
        assert undefined(value)


def test_dubbed_lips_that_never_move_raise_no_alarm() -> None:
    still = replace(with_dubs(CLEAN_ROWS, counted=True), changed=np.zeros(24, dtype=np.bool_))
    metrics = metrics_of(still, with_dubs(CLEAN_ROWS), DUBBED)
    assert metrics["at"][HEADLINE]["fpr"] == 5 / 14  # 2.5, and 6, 1, 2, 3 of the dub
    assert undefined(metrics["at"][HEADLINE]["fa_changed"]) == "no rows remain."


def test_thresholds_need_both_classes_without_the_dubbed() -> None:
    speaking = replace(with_dubs(CLEAN_ROWS), label=np.array([1] * 16 + [0] * 8, dtype=np.int8))
    with pytest.raises(DataError, match="16 of the 16 frames"):
        measured([(CLEAN, speaking)])


@pytest.mark.parametrize(("positive", "negative", "rate"), [(1, 3, 0.25), (0, 4, 0.0), (0, 0, None)])
def test_base_rate(positive: int, negative: int, rate: float | None) -> None:
    assert base_rate({"rows": {"positive": positive, "negative": negative}}) == rate
