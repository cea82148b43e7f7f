"""Ego4D's annotation, and scores as published code writes them."""

from __future__ import annotations

import json

import pytest

from asdbench.analysis.file_inputs import Request
from asdbench.analysis.file_scores import score_files
from asdbench.errors import DataError, UsageError

CLIPS = ("clip-a", "clip-b")


def box(frame, left):
    return {"frame": frame, "x": left + 0.7, "y": 10.0, "width": 50.0, "height": 60.0}


@pytest.fixture
def folder(tmp_path):
    """Two clips: in each one face speaks in frames 2 to 4, another never; a third stands alone in time and speaks."""
    videos = []
    for clip in CLIPS:
        persons = [
            {
                "person_id": "1",
                "voice_segments": [{"start_frame": 2, "end_frame": 4}],
                "tracking_paths": [{"track_id": "t1", "track": [box(frame, 100.0) for frame in range(8)]}],
            },
            {
                "person_id": "2",
                "tracking_paths": [{"track_id": "t2", "track": [box(frame, 300.0) for frame in range(8)]}],
            },
            {
                "person_id": "3",
                "voice_segments": [{"start_frame": 0, "end_frame": 20}],
                "tracking_paths": [{"track_id": "t3", "track": [box(20, 500.0), box(9000, 500.0)]}],
            },
        ]
        videos.append({"video_uid": f"film-{clip}", "clips": [{"clip_uid": clip, "persons": persons}]})
    (tmp_path / "av_val.json").write_text(json.dumps({"videos": videos}), encoding="utf-8")
    return tmp_path


def score(frame, left):
    return 3.0 - abs(frame - 3) if left == 100 else -1.0 - frame / 10


def lines_of_text(left_out=()):
    rows = [(frame, left) for frame in range(8) for left in (100, 300)] + [(20, 500)]
    return [f"{f} 1 {left} 10 {left + 50} 70 {score(f, left)} 1" for f, left in rows if (f, left) not in left_out]


def write_text(folder, names=CLIPS, lines=None):
    (folder / "results").mkdir()
    for name in names:
        (folder / "results" / f"{name}.txt").write_text("\n".join(lines or lines_of_text()) + "\n", encoding="utf-8")
    return folder / "results"


def computed(predictions, labels, protocol="all", **options):
    found = score_files(Request(predictions, labels, resamples=0, **options), protocol)
    return {each["protocol"]: each for each in found["protocols"]}, found["not_computed"]


def test_every_speaking_box_of_the_annotation_counts(folder):
    found, absent = computed(write_text(folder), folder / "av_val.json")
    line = found["ego4d-map50"]["lines"][0]
    assert (line["rows"], line["positives"]) == (
        34,
        8,
    )  # a box alone in time speaks too; frame 9000 is none of the clip's
    assert line["metrics"]["true_positives"] == 8
    assert "it ranks the annotated faces" in absent["ego4d-ava"]
    missing, _ = computed(write_text_again(folder, lines_of_text({(3, 100)})), folder / "av_val.json")
    assert missing["ego4d-map50"]["lines"][0]["metrics"]["map50"] < line["metrics"]["map50"]


def write_text_again(folder, lines):
    for path in (folder / "results").iterdir():
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "results"


def test_clips_may_go_by_their_number(folder):
    by_name, _ = computed(write_text(folder), folder / "av_val.json", "ego4d-map50")
    for number, clip in enumerate(CLIPS):
        (folder / "results" / f"{clip}.txt").rename(folder / "results" / f"{7 + number}.txt")
    with pytest.raises(DataError, match=r"2 clips are not in .*av_val.json, the first 7, 8; .* v.txt"):
        computed(folder / "results", folder / "av_val.json", "ego4d-map50")
    (folder / "results" / "v.txt").write_text("".join(f"x/{n}.mp4\n" for n in [*"abcdefg", *CLIPS]), encoding="utf-8")
    by_number, _ = computed(folder / "results", folder / "av_val.json", "ego4d-map50")
    assert by_number["ego4d-map50"]["lines"] == by_name["ego4d-map50"]["lines"]


def test_lists_of_boxes_say_the_same_as_lines(folder):
    by_line, _ = computed(write_text(folder), folder / "av_val.json", "ego4d-map50")
    (folder / "lists").mkdir()
    for clip in CLIPS:
        rows = [line.split() for line in lines_of_text()]
        keys = ("frame", "pid", "x1", "y1", "x2", "y2", "score", "label")
        for track, part in (("t1:0", rows[:20]), ("t2:0", rows[20:])):
            content = [
                dict(zip(keys, [int(row[0]), *row[1:2], *map(int, row[2:6]), *row[6:]], strict=True)) for row in part
            ]
            (folder / "lists" / f"{clip}:{track}.json").write_text(json.dumps(content), encoding="utf-8")
    by_list, _ = computed(folder / "lists", folder / "av_val.json", "ego4d-map50")
    assert by_list["ego4d-map50"]["lines"] == by_line["ego4d-map50"]["lines"]


def test_scores_of_annotated_rows_give_both_numbers_each_under_its_name(folder):
    rows = [f"{clip},{frame / 30},{clip}:{track},{score(frame, left)}"
            for clip in CLIPS for frame in range(8) for track, left in (("t1", 100), ("t2", 300))]  # fmt: skip
    (folder / "rows.csv").write_text("\n".join(["video_id,frame_timestamp,entity_id,score", *rows]), encoding="utf-8")
    found, absent = computed(folder / "rows.csv", folder)
    assert set(found) == {"ap", "ego4d-ava", "ego4d-map50"}
    assert "ava" in absent
    line = found["ego4d-ava"]["lines"][0]
    assert (line["rows"], line["positives"], line["metrics"]["ava"]) == (32, 6, 1.0)
    assert found["ego4d-ava"]["units"]["count"] == 2
    # the box that stands alone in time has no row, and counts as missed
    assert found["ego4d-map50"]["lines"][0]["metrics"]["map50"] == pytest.approx(6 / 8)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 1 2 3", r"clip-a.txt, line 1: 4 fields; expected frame"),
        ("0 1 100 10 150 70 nan 1", r"clip-a.txt, line 1: a frame, side or score is no finite number"),
        ("0 1 100 10 150 70 loud 1", r"clip-a.txt, line 1: a frame, side or score is no finite number"),
        ("0.5 1 100 10 150 70 1 1", r"clip-a.txt, line 1: a frame, side or score is no finite number"),
    ],
)
def test_broken_lines(folder, line, message):
    with pytest.raises(DataError, match=message):
        computed(write_text(folder, lines=[line]), folder / "av_val.json", "ego4d-map50")


def test_broken_lists_and_other_json(folder):
    (folder / "lists").mkdir()
    (folder / "lists" / "clip-a:t1:0.json").write_text('[{"frame": 1}]', encoding="utf-8")
    with pytest.raises(DataError, match=r"item 0: expected a box with frame.*it lacks one of them"):
        computed(folder / "lists", folder / "av_val.json", "ego4d-map50")
    (folder / "other.json").write_text('{"a": 1}', encoding="utf-8")
    with pytest.raises(DataError, match="neither the annotation of Ego4D nor samples of ASW"):
        computed(write_text(folder), folder / "other.json")
    with pytest.raises(UsageError, match="ava cannot be computed: it needs rows with a video"):
        computed(folder / "results", folder / "av_val.json", "ava")


@pytest.mark.parametrize("lines", [["", ""], ["9000 1 100 10 150 70 0.5 1"], ["1e300 1 100 10 150 70 0.5 1"]])
def test_no_detection_at_all_has_no_number(folder, lines):
    with pytest.raises(DataError, match="no detected face at the frames of a clip"):
        computed(write_text(folder, lines=lines), folder / "av_val.json")


def test_detections_that_are_left_out_are_counted(folder):
    lines = [*lines_of_text(), "9000 1 100 10 150 70 0.5 1", "-1 1 100 10 150 70 0.5 1"]
    found, _ = computed(write_text(folder, lines=lines), folder / "av_val.json")
    assert "4 detections are at frames that no clip has, and are left out." in found["ego4d-map50"]["notes"]
    assert found["ego4d-map50"]["lines"][0]["rows"] == 34


def test_odd_names_and_numbers_are_data_errors(folder):
    with pytest.raises(DataError, match="clips are not in"):
        computed(write_text(folder, ["²"]), folder / "av_val.json")
    broken = folder / "clip-a:t1:0.json"
    broken.write_text(json.dumps([{"frame": 10**400, "x1": 1, "y1": 1, "x2": 9, "y2": 9, "score": 1}]))
    with pytest.raises(DataError, match="is no finite number"):
        computed(broken, folder / "av_val.json")
