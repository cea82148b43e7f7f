"""Tables, figures and sentences of the suites beyond ``unsync``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asdbench.analysis.corruptions import section
from asdbench.analysis.rows import RunRows
from asdbench.report.conclusion import conclude
from asdbench.report.families import curve, drops_by_severity
from asdbench.report.figures import write_figures
from asdbench.report.table import Estimate
from asdbench.report.tables import build_tables
from asdbench.report.warnings import find_warnings
from tests.report.crafted import MISSING, changed, condition, diagnostic, ends, metrics, rates, summary, units
from tests.report.test_warnings import RECORD


def corrupted(name: str, drop: Any) -> Any:
    return changed(name, role="test", labels="keep", ap_drop=drop)


def shifted(offset: int, kept: Any = 0.8, role: str = "diagnostic", labels: str = "keep") -> Any:
    at = rates(
        fa_changed=0.9 * kept if kept != MISSING else MISSING, fa_changed_inner=0.5, tpr_same_rows=0.9, retention=kept
    )
    return condition(
        f"shift@{offset:+}", "shift", role=role, labels=labels, at=at, offset_ms=float(offset), score_changed=1.5,
        score_same_rows=2.5, sync_auroc=0.6, sync_winrate=0.6, share_changed=1.0, ap_unchanged=MISSING, ap_drop=0.01,
    )  # fmt: skip


def with_means(*conditions: Any) -> Any:
    """Content of metrics.json with the means of its drops, as a run without intervals has them."""
    found = metrics(*conditions)
    return found | {"corruptions": section(RunRows({}, lambda _: no_rows()), found["conditions"])}


def no_rows() -> Any:
    raise AssertionError("means are made of what is measured already.")


CORRUPTIONS = with_means(
    corrupted("babble@s1", 0.01), corrupted("babble@s5", 0.05), corrupted("camera+hand@s1", -0.01),
    corrupted("camera+hand@s5", 0.03),
)  # fmt: skip
CURVE = metrics(shifted(200, 0.5), shifted(-40, 1.0), shifted(-1000, 0.9))


def tables(found: Any, **more: Any) -> dict[str, Any]:
    plan = {c["name"]: summary() for c in found["conditions"][1:]}
    return {table.name: table for table in build_tables(found, plan, **more)}


# --- corruptions -------------------------------------------------------------------------------------------------


def test_corruptions_are_a_matrix_with_means() -> None:
    table = tables(CORRUPTIONS)["corruptions"]
    assert [column.key for column in table.shown] == ["corruption", "s1", "s5", "mean"]
    rows = {row["corruption"]: row for row in table.rows}
    assert list(rows) == ["babble", "camera+hand", "mean"]
    assert rows["babble"]["mean"] == pytest.approx(0.03)
    assert rows["mean"]["s1"] == pytest.approx(0.0)
    assert rows["mean"]["s5"] == pytest.approx(0.04)
    assert rows["mean"]["mean"] == pytest.approx(0.02)


def test_an_undefined_drop_makes_its_means_undefined() -> None:
    found = with_means(corrupted("babble@s1", 0.01), corrupted("babble@s2", MISSING), corrupted("hand@s1", 0.03))
    rows = {row["corruption"]: row for row in tables(found)["corruptions"].rows}
    assert rows["babble"]["s2"] == MISSING
    assert (rows["babble"]["mean"], rows["mean"]["mean"]) == (MISSING, MISSING)
    assert rows["mean"]["s1"] == pytest.approx(0.02)


def test_a_kind_with_fewer_severities_counts_as_much_as_any() -> None:
    found = with_means(corrupted("babble@s1", 0.01), corrupted("babble@s2", 0.05), corrupted("hand@s1", 0.09))
    rows = {row["corruption"]: row for row in tables(found)["corruptions"].rows}
    assert rows["mean"]["mean"] == pytest.approx(0.06)


def test_means_have_intervals_and_severities_have_numbers(tmp_path: Path) -> None:
    found = with_means(corrupted("babble@s1", 0.01), corrupted("hand@s1", 0.03))
    found["corruptions"]["intervals"] = {
        "kinds": {"babble": ends(0.0, 0.02), "hand": ends(0.01, 0.04)}, "severities": {"1": ends(0.01, 0.03)},
        "mean": ends(0.015, 0.025),
    }  # fmt: skip
    rows = {row["corruption"]: row for row in tables(found | {"units": units()})["corruptions"].rows}
    assert (rows["babble"]["s1"], rows["babble"]["mean"]) == (0.01, Estimate(0.01, 0.0, 0.02))
    assert rows["mean"]["s1"] == Estimate(0.02, 0.01, 0.03)
    assert rows["mean"]["mean"] == Estimate(0.02, 0.015, 0.025)
    write_figures(tmp_path, "m", found | {"units": units()})
    assert "33 sources; bars: 95 % intervals" in (tmp_path / "corruptions.svg").read_text(encoding="utf-8")


def test_runs_of_earlier_releases_have_no_means(tmp_path: Path) -> None:
    found = metrics(corrupted("babble@s1", 0.01), corrupted("hand@s1", 0.03))
    assert [column.key for column in tables(found)["corruptions"].shown] == ["corruption", "s1"]
    assert conclude("m", found) == "m: AP 98.75 % on the clean data."
    write_figures(tmp_path, "m", found)


@pytest.mark.parametrize("name", ["babble@s6", "babble@s0", "babble", "babble@1", "@s1"])
def test_other_names_are_no_severities(name: str) -> None:
    assert drops_by_severity([corrupted(name, 0.01)]) == {}


def test_what_changes_labels_is_no_corruption() -> None:
    assert drops_by_severity([changed("mismatch@s1")]) == {}
    assert "corruptions" not in tables(metrics(changed("mismatch@0.50")))


def test_corruptions_are_concluded_and_drawn(tmp_path: Path) -> None:
    said = conclude("m", CORRUPTIONS)
    assert said == "m: AP 98.75 %; 2 corruptions take 2.0 points on average, babble the most with 3.0."
    write_figures(tmp_path, "m", CORRUPTIONS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corruptions.pdf", "corruptions.png", "corruptions.svg"]


def test_undefined_and_rising_drops_can_be_drawn(tmp_path: Path) -> None:
    found = metrics(corrupted("babble@s1", MISSING), corrupted("hand@s3", -0.1))
    write_figures(tmp_path, "m", found)
    assert "–" in (tmp_path / "corruptions.svg").read_text(encoding="utf-8")


# --- curve -------------------------------------------------------------------------------------------------------


def test_the_curve_is_in_the_order_of_offsets_and_apart_from_modality() -> None:
    found = tables(CURVE)
    assert [row["offset"] for row in found["curve"].rows] == ["-1000", "-40", "+200"]
    assert [row["retention"] for row in found["curve"].rows] == [0.9, 1.0, 0.5]
    assert "modality" not in found
    assert "shifts" not in found


def test_the_curve_is_concluded() -> None:
    said = conclude("m", CURVE)
    assert said == (
        "m: AP 98.75 %; with all sound shifted it keeps 50 % of its detections at the worst offset, 200 ms late."
    )


def test_undefined_points_are_left_out_of_the_curve(tmp_path: Path) -> None:
    found = metrics(shifted(40, MISSING))
    assert len(curve(found["conditions"])) == 1
    write_figures(tmp_path, "m", found)
    assert conclude("m", found) == "m: AP 98.75 % on the clean data."


# --- published tests ---------------------------------------------------------------------------------------------


def laser(name: str, fpr: float, fa: float, negative: int, paired: int) -> Any:
    at = {
        "tpr": MISSING,
        "fpr": fpr,
        "fa_changed": fa,
        "fa_changed_inner": fa,
        "tpr_same_rows": 0.9,
        "retention": fa / 0.9,
    }
    found = condition(name, "laser_shift", at=at, ap=MISSING, offset_ms=500.0, share_changed=1.0, sync_auroc=0.6)
    found["rows"] |= {"positive": 0, "negative": negative, "paired": paired, "changed": negative}
    return found


def test_accuracy_is_lasers() -> None:
    found = metrics(laser("laser_shift@0.5", 0.1, 0.6, 10_000, 4_000))
    rows = {row["condition"]: row for row in tables(found)["accuracy"].rows}
    # Crafted clean rows: 4,000 speaking (TPR 0.9), 8,345 not (FPR 0.05).
    assert rows["clean"]["talking"] == 0.9
    assert rows["clean"]["not_talking"] == pytest.approx(0.95)
    assert rows["clean"]["overall"] == pytest.approx((3_600 + 0.95 * 8_345) / 12_345)
    # 6,000 rows were silent before (FPR 0.1), 4,000 spoke (0.6 still called speaking).
    assert rows["laser_shift@0.5"]["talking"] == MISSING
    assert rows["laser_shift@0.5"]["not_talking"] == pytest.approx(1 - (600 + 2_400) / 10_000)
    assert rows["laser_shift@0.5"]["overall"] == pytest.approx(0.7)


def test_accuracy_needs_lasers_conditions() -> None:
    assert "accuracy" not in tables(metrics(changed("mismatch@0.50")))


def test_published_tests_are_concluded_and_drawn(tmp_path: Path) -> None:
    found = metrics(
        changed("synctalknet_flip@0.50", fa=0.4),
        changed("synctalknet_flip@1.00", fa=0.7, proportion=1.0, share_changed=1.0),
    )
    found["conditions"][1]["proportion"] = 0.5
    said = conclude("m", found)
    assert (
        said
        == "m: AP 98.75 %; of the changed speaking frames it still calls speaking 70 % under synctalknet_flip@1.00."
    )
    write_figures(tmp_path, "m", found)
    assert (tmp_path / "ap_vs_proportion.png").is_file()


def test_a_shift_of_all_sound_has_no_proportions(tmp_path: Path) -> None:
    found = metrics(laser("laser_shift@0.5", 0.1, 0.6, 10_000, 4_000))
    write_figures(tmp_path, "m", found)
    assert list(tmp_path.iterdir()) == []
    assert "under laser_shift@0.5" in conclude("m", found)


def test_draws_are_averaged_in_the_sentence() -> None:
    found = metrics(
        diagnostic("replace_audio#1", 0.02), diagnostic("replace_audio#2", 0.04), diagnostic("silence", 0.1)
    )
    assert conclude("m", found).endswith("points of AP by condition: replace_audio -3.0, silence -10.0.")


# --- audit -------------------------------------------------------------------------------------------------------

AUDIT: dict[str, Any] = {
    "sample": 4,
    "tracks": 7,
    "unreadable": 0,
    "ok": False,
    "checks": [
        {"condition": "a|b", "check": "length", "unit": "samples more", "count": 4, "lowest": 0, "highest": 0,
         "wanted": "0", "ok": True, "where": ""},
        {"condition": "a|b", "check": "energy left", "unit": "RMS", "count": 4, "lowest": 0.0, "highest": 3.25,
         "wanted": "0", "ok": False, "where": "v/t:0"},
    ],
    "cue_limit": 0.6,
    "cues": [
        {"conditions": ["mismatch@1.00", "mismatch@0.50"], "auroc": 0.71, "low": 0.5, "high": 0.9, "tracks": 30,
         "sources": 20, "undefined": "", "flagged": True, "donors_heard": True},
        {"conditions": ["silence"], "auroc": None, "low": None, "high": None, "tracks": 3, "sources": 2,
         "undefined": "too few", "flagged": False},
    ],
}  # fmt: skip


def test_audit_and_cues_are_tables() -> None:
    found = tables(metrics(changed("mismatch@1.00")), audit=AUDIT)
    (row,) = found["audit"].rows
    assert row["passed"] == "1 of 2"
    assert row["measured"] == "energy left 0 to 3.25 RMS (0, NOT OK, first at v/t:0)"
    flagged, undefined = found["cues"].rows
    assert (flagged["auroc"], flagged["flag"], flagged["donors"]) == (0.71, "above 0.60", "heard")
    assert undefined["auroc"] == {"undefined": "too few"}


@pytest.mark.parametrize(
    ("audit", "labels", "said"),
    [
        ({"cue_flagged": ["mismatch@1.00"]}, "negative", "sound alone tells changed tracks from unchanged ones"),
        ({"cue_flagged": ["mismatch@1.00"]}, "keep", None),
        ({"cue_flagged": []}, "negative", None),
        (None, "negative", "not audited"),
    ],
)
def test_warnings_of_the_audit(audit: Any, labels: str, said: str | None) -> None:
    found = metrics(changed("mismatch@1.00", labels=labels, ap_drop=0.0))
    warnings = [each for each in find_warnings(RECORD | {"audit": audit}, found) if each != "a note"]
    assert (len(warnings), all(said in each for each in warnings) if said else True) == (int(said is not None), True)


def test_runs_of_older_releases_have_no_audit_and_no_warning() -> None:
    assert list(find_warnings(RECORD, metrics(changed("mismatch@1.00")))) == ["a note"]
