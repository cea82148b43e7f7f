"""The golden cases of every other scorer: Ego4D, WASD, ASW, Columbia, LASER."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from asdbench.errors import DataError, UndefinedMetricError
from asdbench.protocols.asw import score_asw
from asdbench.protocols.ava_files import read_labels, read_predictions
from asdbench.protocols.ava_rows import join_rows
from asdbench.protocols.columbia_f1 import ScoredTrack, columbia_f1, person_labels, read_person_labels
from asdbench.protocols.ego4d_ava import ego4d_ava
from asdbench.protocols.ego4d_map50 import FaceBoxes, map50
from asdbench.protocols.tnr import laser_accuracy
from asdbench.protocols.wasd import read_division, score_wasd
from tests.protocols.golden import cases, expected, file_of, table

BOX = ["x1", "y1", "x2", "y2"]


def boxes(rows):
    return FaceBoxes(rows["clip_index"].to_numpy(int), rows["frame"].to_numpy(int), rows[BOX].to_numpy(float))


def frames(rows):
    return set(zip(rows["clip_index"], rows["frame"], strict=True))


def ego4d(case, **options):
    truth, found = table(case, "groundtruth"), table(case, "predictions")
    return map50(boxes(truth[truth["speaking"] == 1]), boxes(found), found["score"].to_numpy(float), **options)


def test_ego4d_map50(shared):
    found = cases(shared, "ego4d_official")
    assert len(found) == 14
    seen = 0
    for name, case in found.items():
        want = expected(case)
        if want["official_mAP_at_0.5"] is not None:
            result = ego4d(case)
            assert result.ap == pytest.approx(want["official_mAP_at_0.5"], abs=1e-12), name
            assert result.speaking_boxes == want["n_groundtruth_speaking_boxes"]["1"], name
            assert result.detections == want["n_detections"].get("1", 0), name
            assert result.true_positives == want["true_positives"]["1"], name
            seen += 1
    assert seen == 11
    assert ego4d(found["case_03_score_ties"]).tied_share > 0.9


def test_ego4d_without_a_speaking_box(shared):
    with pytest.raises(UndefinedMetricError, match="no speaking box"):
        ego4d(cases(shared, "ego4d_official")["case_07_no_speaking_boxes"])


@pytest.mark.parametrize(
    ("name", "side", "message"),
    [
        ("case_08_missing_detection_file", "detected_frames", r"frame 5 of clip 0.* have no detections"),
        ("case_09_missing_groundtruth_file", "annotated_frames", r"frame 5 of clip 0"),
    ],
)
def test_ego4d_frames_that_one_side_lacks(shared, name, side, message):
    case = cases(shared, "ego4d_official")[name]
    truth, found = table(case, "groundtruth"), table(case, "predictions")
    assert "0_5.txt" in expected(case)["official_stdout"]
    covered = {"annotated_frames": frames(truth), "detected_frames": frames(truth)}
    assert 0 < ego4d(case, **covered).ap <= 1
    covered[side] = covered[side] - {(0, 5)}
    other = boxes(found[found["frame"] != 5]) if side == "detected_frames" else boxes(found)
    scores = found["score"][found["frame"] != 5] if side == "detected_frames" else found["score"]
    speaking = truth[(truth["speaking"] == 1) & ((truth["frame"] != 5) | (side == "detected_frames"))]
    with pytest.raises(DataError, match=message):
        map50(boxes(speaking), other, scores.to_numpy(float), **covered)


def test_ego4d_ava(shared):
    seen = 0
    for name, case in cases(shared, "ego4d_official").items():
        want = expected(case)
        if "ava_style_frame_ap_same_rows" not in want:
            continue
        truth = table(case, "groundtruth").rename(columns={"person_id": "track_id"})
        rows = truth.merge(table(case, "predictions")[["clip_index", "frame", "track_id", "score"]], validate="1:1")
        assert len(rows) == len(truth)
        result = ego4d_ava(rows["speaking"], rows["score"])
        official = want["ava_style_frame_ap_same_rows"]
        if result.tied_share:
            assert result.ava - 1e-12 <= official <= result.ava_best + 1e-12, name
        else:
            assert result.ava == pytest.approx(official, abs=1e-12), name
        assert result.ap == pytest.approx(want["sklearn_average_precision_score"], abs=1e-12), name
        seen += 1
    assert seen == 4


def wasd(case):
    rows = join_rows(read_labels(file_of(case, "groundtruth")), read_predictions(file_of(case, "predictions")))
    return score_wasd(rows, read_division(case / "dataset_division.txt"))


def test_wasd(shared):
    shipped = {"Interview": "OC", "Debate": "SI", "Podcast": "FO", "React": "HVN", "Police": "SS"}
    found = cases(shared, "wasd")
    assert len(found) == 9
    for name, case in found.items():
        want, result = expected(case), wasd(case)
        for category, recorded in want["per_category"].items():
            ours = result.overall if category == "Overall" else result.categories[shipped.get(category, category)]
            if recorded["positives"]:
                assert ours.ava == pytest.approx(recorded["own_envelope_ap"], abs=1e-12), (name, category)
                assert ours.ap == pytest.approx(recorded["sklearn_average_precision_score"], abs=1e-12), (
                    name,
                    category,
                )
                assert (ours.rows, ours.positives) == (recorded["rows"], recorded["positives"]), (name, category)
            else:
                assert "undefined" in ours, (name, category)
        for category, official in want["official"].items():
            if isinstance(official, float) and official:
                ours = result.overall if category == "Overall" else result.categories[category]
                assert ours.ava == pytest.approx(official, abs=1e-12), (name, category)
            elif category == "Overall_printed":
                assert f"{100 * result.overall.ava:.2f}%" == official, name


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("case_02_shipped_headings", "does not know the headings of its own division file"),
        ("case_04_header_ten_columns_talknet_script", "without a header only"),
        ("case_05_source_listed_twice", "CCcc0000003 stands twice under SI"),
        ("case_07_empty_category", "SI has no rows"),
        ("case_08_category_without_positives", "FO has no positive rows"),
    ],
)
def test_wasd_says_where_the_official_script_differs(shared, name, note):
    assert any(note in each for each in wasd(cases(shared, "wasd")[name]).notes)


def test_asw(shared):
    found = cases(shared, "asw")
    assert len(found) == 5
    for name, case in found.items():
        rows = table(case, "groundtruth").merge(table(case, "predictions"), validate="1:1")
        for part, evaluated in (("eval_frames_only", rows["eval"]), ("all_frames", np.ones(len(rows), int))):
            want, result = expected(case)[part], score_asw(rows["label"], rows["score"], evaluated)
            assert (result.rows, result.positives) == (want["frames"], want["positives"]), name
            if "error" in want:
                assert "undefined" in result.auroc, name
                assert "undefined" in result.eer["root"], name
                continue
            assert result.ap == pytest.approx(want["ap"], abs=1e-12), name
            assert result.auroc == pytest.approx(want["auroc"], abs=1e-12), name
            assert result.eer["root"] == pytest.approx(want["eer_interpolated_root"], abs=1e-12), name
            assert result.eer["nearest-max"] == pytest.approx(want["eer_nearest_point_max"], abs=1e-12), name
            assert result.eer["nearest-mean"] == pytest.approx(want["eer_nearest_point_mean"], abs=1e-12), name
            dropped = want["eer_nearest_point_max_drop_intermediate"]
            assert result.eer["nearest-max-of-corners"] == pytest.approx(dropped, abs=1e-12), name


def test_asw_tables_are_those_of_the_json_files(shared):
    """The flat tables of the cases hold what the published format holds: a reader of it can use the same function."""
    for case in cases(shared, "asw").values():
        rows = [
            (path.stem, track, sample["time"], sample["label"], sample["eval"])
            for path in sorted((case / "json").iterdir())
            for track, samples in json.loads(path.read_text()).items()
            for sample in samples
        ]
        flat = pd.DataFrame(rows, columns=["video_id", "track", "time", "label", "eval"])
        pd.testing.assert_frame_equal(flat, table(case, "groundtruth"), check_dtype=False)


def columbia(case):
    labels = {path.stem: read_person_labels(path) for path in sorted((case / "col_labels").iterdir())}
    tracks = [
        ScoredTrack(
            track["frame_25"].to_numpy(int),
            track[["center_x", "center_y"]].to_numpy(float),
            track["half_size"].to_numpy(float),
            track["score"].dropna().to_numpy(float),
        )
        for _, track in table(case, "predictions").groupby("track")
    ]
    return columbia_f1(labels, tracks, expected(case)["n_video_frames_25fps"])


def test_columbia_f1(shared):
    found = cases(shared, "columbia_f1")
    assert len(found) == 10
    for name, case in found.items():
        want = expected(case)
        if want["official_error"] is not None:
            with pytest.raises(DataError, match="no labels of sick"):
                columbia(case)
            continue
        result = columbia(case)
        assert result.mean_f1 == pytest.approx(want["average_f1_over_bell_boll_lieb_long_sick"], abs=1e-12), name
        for person, official in want["per_person"].items():
            ours = result.people[person]
            assert ours.f1 == pytest.approx(official["f1"], abs=1e-12), (name, person)
            assert ours.accuracy == pytest.approx(official["accuracy"], abs=1e-12), (name, person)
            assert (ours.labels, ours.positives) == (official["labelled_boxes"], official["positives"]), (name, person)
    assert columbia(found["case_03_missing_track"]).people["boll"].unmatched == 300
    assert columbia(found["case_08_score_much_shorter"]).people["bell"].unscored > 30
    assert columbia(found["case_07_score_shorter_than_track"]).people["bell"].unscored == 0


def test_columbia_tables_are_those_of_the_label_files(shared):
    case = cases(shared, "columbia_f1")["case_01_six_people"]
    flat = table(case, "groundtruth")
    for person, rows in flat.groupby("person"):
        ours = person_labels(rows[["frame_29_97", "x", "y", "w", "speaking"]].to_numpy())
        theirs = read_person_labels(case / "col_labels" / f"{person}.txt")
        assert np.array_equal(ours.boxes, theirs.boxes)
        assert np.array_equal(ours.speaking, theirs.speaking)


def test_laser_accuracy(shared):
    found = cases(shared, "laser_no_map")
    assert len(found) == 3
    for name, case in found.items():
        truth, predictions = read_labels(file_of(case, "groundtruth")), read_predictions(file_of(case, "predictions"))
        rows = join_rows(truth, predictions, decided=True)
        result, want = laser_accuracy(rows.label, rows.score), expected(case)["official_percent"]
        assert 100 * result.overall == pytest.approx(want["overall probability"], abs=1e-12), name
        for ours, key in ((result.talking, "talking faces"), (result.not_talking, "non talking faces")):
            official = want[f"probability of correct among {key}"]
            if official == "nan":
                assert ours == {"undefined": "no rows remain."}, name
            else:
                assert 100 * ours == pytest.approx(official, abs=1e-12), name
