"""All golden cases of the official AVA scorer and its TalkNet copy, from the files to the number."""

from __future__ import annotations

import pytest

from asdbench.errors import AsdbenchError, DataError, UndefinedMetricError
from asdbench.metrics import average_precision
from asdbench.protocols.ava_files import read_labels, read_predictions
from asdbench.protocols.ava_rows import join_rows
from asdbench.protocols.frame_ap import frame_ap
from asdbench.protocols.talknet_variant import printed, read_by_training_scripts
from tests.protocols.golden import cases, expected, file_of

# Each difference to the official scorer, on purpose: docs/protocols.md, "ava".
REFUSED = {
    "case_08_no_positives": (UndefinedMetricError, "no positive rows remain"),
    "case_09_no_positives_one_row": (UndefinedMetricError, "no positive rows remain"),
    "case_16_nan_score": (DataError, "1 scores are missing or NaN"),
    "case_17_empty_score": (DataError, "1 scores are missing or NaN"),
    "case_18_inf_scores": (DataError, "2 are infinite"),
    "case_20_missing_row": (DataError, "1 labelled rows have no prediction"),
    "case_21_extra_row": (DataError, "1 predictions have no label"),
    "case_22_duplicate_row_same_count": (DataError, "1 rows repeat"),
    "case_23_missing_plus_extra_same_count": (
        DataError,
        "1 labelled rows have no prediction.*and 1 predictions have no",
    ),
    "case_24_duplicate_in_groundtruth": (DataError, "groundtruth.csv: 1 rows repeat"),
    "case_32_box_mismatch": (DataError, "1 boxes differ"),
    "case_33_predictions_all_not_speaking": (DataError, "60 predictions are labelled otherwise"),
    "case_34_predictions_mixed_labels": (DataError, "1 predictions are labelled otherwise"),
    "case_37_empty_entity_id": (DataError, "line 5: its entity_id is empty"),
    "case_41_label_case": (DataError, r"its label 'speaking_audible' is none of.*22 such rows"),
}
ALL_ROWS = 0.9548198589780739
"""AP of the 60 rows that many cases share, without any of them dropped."""

SCORED_ANYWAY = {
    "case_26_timestamp_off_1e-6": (ALL_ROWS, "would drop 60 rows"),
    "case_27_half_timestamps_off": (ALL_ROWS, "would drop 30 rows"),
    "case_28_integer_vs_float_timestamps": (ALL_ROWS, "all times are whole seconds"),
    "case_30_timestamp_17_digits": (ALL_ROWS, None),
    "case_35_entity_ids_shared_by_videos": (0.9187876430941239, "two videos have the same entity at the same time"),
    "case_36_numeric_entity_id": (0.983766233766234, "entity ids that are numbers"),
    "case_38_header_rows": (ALL_ROWS, "without a header only"),
    "case_39_ten_column_groundtruth": (ALL_ROWS, None),
}


def joined(case):
    return join_rows(read_labels(file_of(case, "groundtruth")), read_predictions(file_of(case, "predictions")))


@pytest.fixture(scope="module")
def ava(shared):
    return cases(shared, "ava_official")


def test_every_case_is_judged(ava):
    assert len(ava) == 45
    assert set(REFUSED) | set(SCORED_ANYWAY) <= set(ava)
    assert not set(REFUSED) & set(SCORED_ANYWAY)


def test_equal_to_the_official_number_or_within_its_bounds(ava):
    exact = within = 0
    for name, case in ava.items():
        if name in REFUSED or name in SCORED_ANYWAY:
            continue
        want, rows = expected(case), joined(case)
        result, recorded = frame_ap(rows.positive, rows.score), want["scored"]
        if want["deterministic_across_environments"]:
            assert result.ava == pytest.approx(want["official_ap"], abs=1e-12), name
            assert result.ava_best == pytest.approx(result.ava, abs=1e-15), name
            exact += 1
        else:
            for official in want["by_environment"].values():
                assert result.ava - 1e-12 <= official <= result.ava_best + 1e-12, name
            within += 1
        assert result.ava == pytest.approx(recorded["ap_ties_grouped_with_envelope"], abs=1e-12), name
        assert result.ava_best == pytest.approx(recorded["ap_ties_best_case"], abs=1e-12), name
        in_row_order = average_precision(rows.positive, rows.score)
        assert in_row_order == pytest.approx(recorded["ap_stable_groundtruth_order"], abs=1e-12), name
        assert result.ap == pytest.approx(want["sklearn_average_precision_score"], abs=1e-12), name
        assert result.tied_share == recorded["rows_in_ties"] / recorded["n_rows"], name
        assert result.constant == (recorded["n_distinct_scores"] == 1), name
        assert (result.rows, result.positives) == (recorded["n_rows"], recorded["n_positive"]), name
    assert (exact, within) == (13, 9)


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_one_clear_sentence(ava, name):
    error, message = REFUSED[name]
    with pytest.raises(error, match=message) as caught:
        rows = joined(ava[name])
        frame_ap(rows.positive, rows.score)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", SCORED_ANYWAY)
def test_scored_where_the_official_scorer_fails_or_misleads(ava, name):
    value, note = SCORED_ANYWAY[name]
    rows = joined(ava[name])
    assert frame_ap(rows.positive, rows.score).ava == pytest.approx(value, abs=1e-12)
    assert (note is None) or any(note in each for each in rows.notes)
    official = expected(ava[name])["official_ap"]
    assert official is None or abs(official - value) > 1e-3  # else it would be no difference


def test_sound_files_carry_no_notes(ava):
    assert joined(ava["case_03_1000_no_ties"]).notes == ()
    assert joined(ava["case_40_unlabelled_rows"]).notes == (
        "10 rows without a label count as negatives, as in the official AVA scorer.",
    )


def test_talknet_variant(shared):
    found = cases(shared, "talknet_variant")
    assert len(found) == 4
    for name, case in found.items():
        want, rows = expected(case), joined(case)
        result = frame_ap(rows.positive, rows.score)
        if want["official_error"] is not None:  # it reads no file without a header; the rows are those of case 1
            assert name == "case_04_no_header"
            assert printed(result.ava) == "average precision: 91.25%"
            continue
        assert result.ava == pytest.approx(want["ap_full_precision_own_code"], abs=1e-12), name
        assert result.ap == pytest.approx(want["sklearn_average_precision_score"], abs=1e-12), name
        assert printed(result.ava) == want["official_stdout"], name
        assert read_by_training_scripts(printed(result.ava)) == want["value_parsed_by_the_training_scripts"], name
    with pytest.raises(AsdbenchError):
        printed(float("nan"))
