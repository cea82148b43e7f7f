"""All 90 golden cases from the files to the number, as ``asdbench score PRED --labels GT`` takes them."""

from __future__ import annotations

import pytest

from asdbench.analysis.file_inputs import Request
from asdbench.analysis.file_scores import score_files
from asdbench.errors import DataError, UndefinedMetricError
from tests.protocols.golden import cases, expected, file_of
from tests.protocols.test_golden_ava import REFUSED, SCORED_ANYWAY

ONE_CLASS = {"case_06_all_positive", "case_02_all_positive"}
"""Where every number would be 1: the command refuses, the function gives what the official scorer gives."""


def lines(case, protocol, labels=None, **options):
    request = Request(file_of(case, "predictions"), labels or file_of(case, "groundtruth"), resamples=0, **options)
    found = next(each for each in score_files(request, protocol)["protocols"] if each["protocol"] == protocol)
    return {line["part"]: line for line in found["lines"]}


def test_ava(shared):
    seen = 0
    for name, case in {**cases(shared, "ava_official"), **cases(shared, "talknet_variant")}.items():
        if name in ONE_CLASS or name in REFUSED:
            error = UndefinedMetricError if name in ONE_CLASS else REFUSED[name][0]
            with pytest.raises(error) as caught:
                lines(case, "ava")
            assert "\n" not in str(caught.value)
            continue
        found, want = lines(case, "ava")["all rows"]["metrics"], expected(case)
        if name in SCORED_ANYWAY:
            assert found["ava"] == pytest.approx(SCORED_ANYWAY[name][0], abs=1e-12), name
        elif want.get("deterministic_across_environments"):
            assert found["ava"] == pytest.approx(want["official_ap"], abs=1e-12), name
        else:
            for official in want.get("by_environment", {}).values():
                assert found["ava"] - 1e-12 <= official <= found["ava_best"] + 1e-12, name
        seen += 1
    assert seen == 45 + 4 - len(ONE_CLASS) - len(REFUSED)


def test_ego4d(shared):
    for name, case in cases(shared, "ego4d_official").items():
        want = expected(case)
        if name == "case_07_no_speaking_boxes":
            with pytest.raises(UndefinedMetricError, match=r"groundtruth.csv: no speaking box remains"):
                lines(case, "ego4d-map50")
        elif name == "case_10_no_detections":
            with pytest.raises(DataError, match="no rows below the header"):
                lines(case, "ego4d-map50")
        elif want["official_mAP_at_0.5"] is not None:
            found = lines(case, "ego4d-map50")["all detections"]
            assert found["metrics"]["map50"] == pytest.approx(want["official_mAP_at_0.5"], abs=1e-12), name
            assert found["positives"] == want["n_groundtruth_speaking_boxes"]["1"], name
    case = cases(shared, "ego4d_official")["case_01_groundtruth_boxes"]
    want = expected(case)["ava_style_frame_ap_same_rows"]
    assert lines(case, "ego4d-ava")["all rows"]["metrics"]["ava"] == pytest.approx(want, abs=1e-12)


def test_wasd(shared):
    shipped = {"Interview": "OC", "Debate": "SI", "Podcast": "FO", "React": "HVN", "Police": "SS"}
    for name, case in cases(shared, "wasd").items():
        found = lines(case, "wasd")
        for category, want in expected(case)["per_category"].items():
            line = found["all rows" if category == "Overall" else shipped.get(category, category)]
            assert (line["rows"], line["positives"]) == (want["rows"], want["positives"]), name
            if want["positives"]:
                assert line["metrics"]["ava"] == pytest.approx(want["own_envelope_ap"], abs=1e-12), (name, category)
            else:
                assert "undefined" in line["metrics"]["ava"], (name, category)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_asw(shared, form):
    for name, case in cases(shared, "asw").items():
        labels, want = case / "json" if form == "json" else None, expected(case)["eval_frames_only"]
        if "error" in want:
            with pytest.raises(UndefinedMetricError, match="no positive rows remain"):
                lines(case, "asw", labels)
            continue
        found = lines(case, "asw", labels)["all rows"]
        assert (found["rows"], found["positives"]) == (want["frames"], want["positives"]), name
        for ours, theirs in (("ap", "ap"), ("auroc", "auroc"), ("eer", "eer_interpolated_root")):
            assert found["metrics"][ours] == pytest.approx(want[theirs], abs=1e-12), (name, ours)


def test_columbia(shared):
    for name, case in cases(shared, "columbia_f1").items():
        want = expected(case)
        if want["official_error"] is not None:
            with pytest.raises(DataError, match="no labels of sick"):
                lines(case, "columbia-f1", case / "col_labels")
            continue
        found = lines(case, "columbia-f1", case / "col_labels")
        mean = want["average_f1_over_bell_boll_lieb_long_sick"]
        assert found["mean of five"]["metrics"]["f1"] == pytest.approx(mean, abs=1e-12), name
        for person, official in want["per_person"].items():
            assert found[person]["metrics"]["f1"] == pytest.approx(official["f1"], abs=1e-12), (name, person)


def test_laser(shared):
    for name, case in cases(shared, "laser_no_map").items():
        found = lines(case, "laser", scale="probability")["all rows"]["metrics"]
        want = expected(case)["official_percent"]
        assert 100 * found["overall"] == pytest.approx(want["overall probability"], abs=1e-12), name
        silent = want["probability of correct among non talking faces"]
        assert 100 * found["not_talking"] == pytest.approx(silent, abs=1e-12), name
