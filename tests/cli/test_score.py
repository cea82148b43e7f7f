"""``asdbench score PRED --labels GT``: every format in, by every protocol, one clear error for each broken input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from asdbench.cli.score import _differing
from asdbench.protocols.catalogue import PROTOCOLS

ROWS = [(f"v{video}", f"v{video}:0", frame) for video in range(6) for frame in range(8)]
HEADER = "video_id,frame_timestamp,label,entity_id"


def label(frame):
    return "SPEAKING_AUDIBLE" if frame % 3 == 0 else "NOT_SPEAKING"


def score(video, frame):
    return (2 if frame % 3 == 0 else 0) + ((frame * 7 + int(video[1]) * 3) % 5) / 2


@pytest.fixture
def files(tmp_path):
    """Labels and scores of six small videos as the community writes them."""
    truth = [f"{video},{frame / 25:.2f},{label(frame)},{entity}" for video, entity, frame in ROWS]
    found = [f"{video},{frame / 25:.2f},{entity},{score(video, frame)}" for video, entity, frame in ROWS]
    write(tmp_path / "gt.csv", HEADER, truth)
    write(tmp_path / "pred.csv", "video_id,frame_timestamp,entity_id,score", found[::-1])
    return tmp_path


def write(path, header, lines):
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def line_of(result, protocol, part="all rows"):
    assert result.exit_code == 0, result.err
    lines = next(each["lines"] for each in result.json["protocols"] if each["protocol"] == protocol)
    return next(each for each in lines if each["part"] == part)


def test_each_number_is_in_the_table_of_its_protocol(cli, files):
    result = cli("score", "pred.csv", "--labels", "gt.csv", "--resamples", 100)
    assert result.exit_code == 0, result.err
    assert "AP (ava)" in result.out
    assert "AP (ap)" in result.out
    assert "Protocol ava: AP with envelope" in result.out
    assert "6 sources" in result.out
    assert "[" in result.out.split("Protocol")[0]  # intervals stand in the table
    assert "wasd: it needs WASD's dataset_division.txt; add --division FILE" in result.out


def test_parquet_and_csv_give_the_same_numbers_whatever_the_order_of_rows(cli, files):
    from_csv = cli("score", "pred.csv", "--labels", "gt.csv", "--json", "--resamples", "off")
    table = pd.read_csv("pred.csv")
    table["timestamp_ms"] = (table.pop("frame_timestamp") * 1000).round().astype("int64")
    table.to_parquet("pred.parquet")
    truth = pd.read_csv("gt.csv")
    truth["label"] = (truth["label"] == "SPEAKING_AUDIBLE").astype(int)
    truth.to_parquet("gt.parquet")
    from_parquet = cli("score", "pred.parquet", "--labels", "gt.parquet", "--json", "--resamples", "off")
    assert line_of(from_csv, "ava") == line_of(from_parquet, "ava")
    assert line_of(from_csv, "ava")["intervals"] == {}
    assert 0 < line_of(from_csv, "ava")["metrics"]["ap"] <= line_of(from_csv, "ava")["metrics"]["ava"] < 1


def test_recordings_are_resampled_where_the_file_names_them(cli, files):
    table = pd.read_csv("pred.csv").assign(source_id=lambda rows: "film" + (rows["video_id"] > "v2").astype(str))
    table["timestamp_ms"] = (table.pop("frame_timestamp") * 1000).round().astype("int64")
    table.to_parquet("pred.parquet")
    units = cli("score", "pred.parquet", "--labels", "gt.csv", "--json").json["protocols"][0]["units"]
    assert (units["kind"], units["count"], units["status"]) == ("source", 2, "none")


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "message"),
    [
        ("pred.csv", "v5,0.28,v5:0,2.0", "v5,0.28,v5:0,nan", 5, "1 scores are missing or NaN and 0 are infinite"),
        ("pred.csv", "v5,0.28,v5:0,2.0", "v5,0.28,v5:0,inf", 5, "0 scores are missing or NaN and 1 are infinite"),
        ("pred.csv", "v5,0.28,v5:0,2.0", "v5,0.28,v5:0,loud", 5, "not a readable csv file"),
        ("pred.csv", "v5,0.28,v5:0,2.0\n", "", 5, "1 labelled rows have no prediction, the first v5:0 of v5 at 0.280"),
        ("pred.csv", "v5,0.28,", "v5,0.36,", 5, "and 1 predictions have no label, the first v5:0 of v5 at 0.360 s"),
        ("pred.csv", "v5,0.28,", "v5,0.24,", 5, "1 rows repeat the video, entity and time of another"),
        ("gt.csv", "v5,0.28,", "v5,0.24,", 5, "1 rows repeat the video, entity and time of another"),
        ("gt.csv", "NOT_SPEAKING", "not_speaking", 5, "its label 'not_speaking' is none of"),
        ("gt.csv", "video_id,", "video,", 5, "no column video_id"),
    ],
)
def test_broken_input_is_one_clear_error_and_no_number(cli, files, file, old, new, code, message):
    edit(files / file, old, new)
    for protocol in ("ava", "all"):
        result = cli("score", "pred.csv", "--labels", "gt.csv", "--protocol", protocol)
        assert result.exit_code == code
        assert message in result.err
        assert result.out == ""
        assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("only", "reason"), [("SPEAKING_AUDIBLE", "no negative rows"), ("NOT_SPEAKING", "no positive rows")]
)
def test_one_class_has_no_number(cli, files, only, reason):
    text = (files / "gt.csv").read_text().replace("NOT_SPEAKING", only).replace("SPEAKING_AUDIBLE", only)
    (files / "gt.csv").write_text(text, encoding="utf-8")
    for protocol in ("ava", "ap", "all"):
        result = cli("score", "pred.csv", "--labels", "gt.csv", "--protocol", protocol)
        assert result.exit_code == 1
        assert f"{reason} remain" in result.err
        assert result.out == ""


def test_empty_files_have_no_number(cli, files):
    for name in ("pred.csv", "gt.csv"):
        kept = (files / name).read_text()
        for text in ("", kept.split("\n")[0] + "\n"):
            (files / name).write_text(text, encoding="utf-8")
            result = cli("score", "pred.csv", "--labels", "gt.csv")
            assert (result.exit_code, result.out) == (5, "")
            assert name in result.err
        (files / name).write_text(kept, encoding="utf-8")
    assert cli("score", "nowhere.csv", "--labels", "gt.csv").exit_code == 5


def test_a_constant_score_is_flagged(cli, files):
    table = pd.read_csv("pred.csv").assign(score=0.5)
    table.to_csv("pred.csv", index=False)
    result = cli("score", "pred.csv", "--labels", "gt.csv", "--protocol", "ava")
    assert "every score is the same, so nothing was ranked" in result.err
    line = line_of(cli("score", "pred.csv", "--labels", "gt.csv", "--json"), "ava")
    assert line["metrics"]["constant"] is True
    assert line["metrics"]["tied_share"] == 1
    assert line["metrics"]["ava"] == line["positives"] / line["rows"] < line["metrics"]["ava_best"] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--labels", "gt.csv", "--protocol", "avaa"), 2, "no protocol 'avaa'; did you mean ava"),
        (
            ("--labels", "gt.csv", "--protocol", "wasd"),
            2,
            "wasd cannot be computed: it needs WASD's dataset_division.txt",
        ),
        (
            ("--labels", "gt.csv", "--protocol", "laser"),
            2,
            "laser cannot be computed: it needs to know what the scores are",
        ),
        (("--labels", "gt.csv", "--protocol", "tnr", "--scores", "logit"), 2, "add --clean PRED"),
        (("--labels", "gt.csv", "--protocol", "ego4d-map50"), 2, "the labels are rows with a video"),
        (("--labels", "gt.csv", "--condition", "clean"), 2, "this is no run folder"),
        (("--labels", "gt.csv", "--scores", "probability"), 5, "scores are no probabilities"),
        (("--labels", "gt.csv", "--name", "me"), 2, "--name belong to a materialised SET"),
        (("--protocol", "ava"), 2, "--protocol belong to --labels; give that too"),
        ((), 2, "a file of scores; add --labels GT"),
    ],
)
def test_what_is_missing_is_said(cli, files, arguments, code, message):
    result = cli("score", "pred.csv", *arguments)
    assert result.exit_code == code
    assert message in result.err


def test_named_ego4d_rows_keep_their_protocols_name(cli, files):
    line = line_of(cli("score", "pred.csv", "--labels", "gt.csv", "--protocol", "ego4d-ava", "--json"), "ego4d-ava")
    assert line["metrics"] == line_of(cli("score", "pred.csv", "--labels", "gt.csv", "--json"), "ava")["metrics"]


def test_silence_is_shown_beside_the_clean_recall(cli, files):
    pd.read_csv("pred.csv").assign(score=-9.0).to_csv("silent.csv", index=False)
    arguments = ("--labels", "gt.csv", "--scores", "logit", "--protocol", "tnr", "--json")
    never = line_of(cli("score", "silent.csv", "--clean", "silent.csv", *arguments), "tnr")["metrics"]
    assert never == {"tnr": 1.0, "clean_recall": 0.0}
    line = line_of(cli("score", "silent.csv", "--clean", "pred.csv", *arguments), "tnr", "rows that speak")
    assert line["metrics"] == {"tnr": 1.0, "clean_recall": 1.0}
    assert line["rows"] == 18


def test_laser_may_bring_decisions(cli, files):
    table = pd.read_csv("pred.csv")
    table["label"] = "NOT_SPEAKING"
    table.to_csv("pred.csv", index=False)
    assert "labelled otherwise" in cli("score", "pred.csv", "--labels", "gt.csv", "--protocol", "ava").err
    found = cli("score", "pred.csv", "--labels", "gt.csv", "--protocol", "laser", "--scores", "logit", "--json")
    assert line_of(found, "laser")["metrics"]["talking"] == 1.0


def test_wasd_finds_its_division_beside_the_labels(cli, files):
    (files / "dataset_division.txt").write_text("# OC\nv0\nv1\n# SI\nv2\n# FO\nv3\n# HVN\nv4\n# SS\n", encoding="utf-8")
    found = cli("score", "pred.csv", "--labels", "gt.csv", "--protocol", "wasd", "--json")
    assert line_of(found, "wasd", "OC")["rows"] == 16
    assert line_of(found, "wasd", "SS")["metrics"]["ava"] == {"undefined": "no rows remain."}
    assert line_of(found, "wasd")["rows"] == 48
    assert "8 rows are of videos that no list names" in found.json["protocols"][0]["notes"][-1]


def test_unitalk_lists(cli, files):
    (files / "lists").mkdir()
    for name, videos in {"language": "v0\nv1", "mixed": "v2", "noise": "v3", "visual": "v4\nv5"}.items():
        (files / "lists" / f"test_{name}.csv").write_text(videos, encoding="utf-8")
    arguments = ("score", "pred.csv", "--labels", "gt.csv", "--protocol", "unitalk", "--division", "lists")
    assert line_of(cli(*arguments, "--json"), "unitalk", "language")["rows"] == 16
    (files / "lists" / "test_noise.csv").unlink()
    assert "test_noise.csv is missing" in cli(*arguments).err


def test_a_run_is_scored_against_labels_from_elsewhere(cli, fixture_root):
    assert cli(
        "run", "--model", "additive", "--suite", "unsync", "--data", fixture_root, "--out", "run", "--quiet", "--audit",
        "off", "--resamples", "off",
    ).exit_code == 0  # fmt: skip
    labels = fixture_root / "csv" / "val_orig.csv"
    recorded = json.loads(Path("run/metrics.json").read_text(encoding="utf-8"))["conditions"][0]["metrics"]
    line = line_of(cli("score", "run", "--labels", labels, "--json", "--resamples", "off"), "ava")
    for figure in ("ava", "ap"):
        assert line["metrics"][figure] == pytest.approx(recorded[figure], abs=1e-12)
    laser = ("--protocol", "laser", "--json", "--resamples", "off")
    assert "SPEAKING_NOT_AUDIBLE" in cli("score", "run", "--labels", "run", *laser).json["protocols"][0]["notes"][-1]
    notes = cli("score", "run", "--labels", labels, *laser).json["protocols"][0]["notes"]
    assert not any("SPEAKING_NOT_AUDIBLE" in each for each in notes)
    record = json.loads(Path("run/run.json").read_text(encoding="utf-8"))
    record["data"]["protocol"] = "ego4d-ava"
    Path("run/run.json").write_text(json.dumps(record), encoding="utf-8")
    for truth in (labels, "run"):
        found = cli("score", "run", "--labels", truth, "--json", "--resamples", "off").json
        assert found["not_computed"]["ava"].startswith("the rows are Ego4D's")
        assert "ego4d-ava" in [each["protocol"] for each in found["protocols"]]
    for broken in ("[]", "{}", '{"data": []}', '{"data": {"protocol": 1}}'):
        Path("other").mkdir(exist_ok=True)
        Path("other/run.json").write_text(broken, encoding="utf-8")
        Path("other/metrics.json").write_text(Path("run/metrics.json").read_text(encoding="utf-8"), encoding="utf-8")
        refused = cli("score", "run", "--labels", "other")
        assert (refused.exit_code, refused.out) == (5, "")
        assert "not finished or broken" in refused.err
    result = cli("score", "run", "--labels", labels, "--condition", "loud")
    assert "has no condition 'loud'" in result.err
    found = cli("score", "run", "--labels", labels, "--condition", "mismatch@1.00", "--protocol", "tnr", "--json")
    assert 0 <= line_of(found, "tnr")["metrics"]["tnr"] <= 1  # the clean recall comes from the run


def test_numbers_go_to_a_file(cli, files):
    result = cli("score", "pred.csv", "--labels", "gt.csv", "--out", "numbers.json", "--resamples", "off")
    assert result.exit_code == 0
    assert [each["protocol"] for each in json.loads((files / "numbers.json").read_text())["protocols"]] == ["ava", "ap"]


@pytest.mark.parametrize("out", [".", "gt.csv", "pred.csv"])
def test_numbers_never_overwrite_what_they_are_made_of(cli, files, out):
    kept = (files / "gt.csv").read_bytes(), (files / "pred.csv").read_bytes()
    result = cli("score", "pred.csv", "--labels", "gt.csv", "--out", out, "--resamples", "off")
    assert (result.exit_code, result.out) == (2, "")
    assert "--out" in result.err
    assert kept == ((files / "gt.csv").read_bytes(), (files / "pred.csv").read_bytes())


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("label", [0, 1, 2], "the label 2 is none of 0, 1"),
        ("label", [0, 1, -1], "the label -1 is none of 0, 1"),
        ("source_id", ["a", "b", "b"], "the video 'v0' has another source_id than above"),
    ],
)
def test_tables_say_one_thing(cli, files, column, values, message):
    truth = pd.read_csv("gt.csv")
    truth["label"] = (truth["label"] == "SPEAKING_AUDIBLE").astype(int)
    truth[column] = [values[place % 3] for place in range(len(truth))]
    truth.to_parquet("gt.parquet")
    result = cli("score", "pred.csv", "--labels", "gt.parquet")
    assert (result.exit_code, result.out) == (5, "")
    assert message in result.err


def test_probabilities_that_are_called_logits_are_noticed(cli, files):
    pd.read_csv("pred.csv").assign(score=lambda rows: rows["score"] / 9).to_csv("pred.csv", index=False)
    found = cli("score", "pred.csv", "--labels", "gt.csv", "--protocol", "laser", "--scores", "logit", "--json")
    assert "were they probabilities" in found.json["protocols"][0]["notes"][-1]
    found = cli("score", "pred.csv", "--labels", "gt.csv", "--protocol", "laser", "--scores", "probability", "--json")
    assert not any("probabilities" in each for each in found.json["protocols"][0]["notes"])


def boxes(path, name, values, clip="{}", frame="{}"):
    lines = [
        f"{clip.format(number)},{frame.format(at)},0,0,50,50,t,{values(at)}" for number in range(3) for at in range(6)
    ]
    write(path / name, f"clip,frame,x1,y1,x2,y2,track,{'score' if name[0] == 'p' else 'speaking'}", lines)


@pytest.mark.parametrize("clip", ["\u00b2{}", "9999999999{}", "9999999999999999999999{}", "9" * 5000 + "{}"])
def test_clips_may_be_called_anything(cli, files, clip):
    arguments = ("score", "pred.csv", "--labels", "gt.csv", "--protocol", "ego4d-map50", "--json")
    numbers = []
    for name in ("{}", clip):
        boxes(files, "pred.csv", lambda at: at / 2, name)
        boxes(files, "gt.csv", lambda at: at % 2, name)
        numbers.append(line_of(cli(*arguments), "ego4d-map50", "all detections")["metrics"]["map50"])
    assert numbers[0] == numbers[1]


@pytest.mark.parametrize("frame", ["inf", "1e300", "0.5"])
def test_frames_are_whole_numbers(cli, files, frame):
    boxes(files, "pred.csv", lambda at: at / 2, frame=frame)
    boxes(files, "gt.csv", lambda at: at % 2)
    result = cli("score", "pred.csv", "--labels", "gt.csv")
    assert (result.exit_code, result.out) == (5, "")
    assert "is no whole number from 0" in result.err


def test_protocols_are_listed(cli):
    assert [row["name"] for row in cli("ls", "protocols", "--json").json] == list(PROTOCOLS)


def test_neither_torch_nor_a_model_is_needed(files):
    code = (
        "import sys; sys.argv = ['asdbench', 'score', 'pred.csv', '--labels', 'gt.csv', '--json'];"
        "from asdbench.cli.main import main\n"
        "try: main()\n"
        "finally: print([name for name in ('torch', 'cv2', 'av') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=files, capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize(
    ("old", "new", "same"), [(0.1, 0.1 + 1e-15, True), (0.1, 0.1000001, False), (1, 2, False), (0.5, None, False)]
)
def test_figures_may_differ_by_rounding_alone(old: object, new: object, same: bool) -> None:
    assert (list(_differing({"a": [old]}, {"a": [new]})) == []) is same
