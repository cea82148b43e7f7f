"""What the golden cases of WASD, UniTalk, ASW, Columbia, LASER do not reach."""

from __future__ import annotations

import numpy as np
import pytest

from asdbench.analysis.file_inputs import Request
from asdbench.analysis.file_scores import score_files
from asdbench.errors import DataError, UndefinedMetricError
from asdbench.protocols.asw import score_asw
from asdbench.protocols.ava_rows import AvaRows, JoinedRows
from asdbench.protocols.columbia_f1 import ScoredTrack, columbia_f1, person_labels, read_person_labels, smoothed
from asdbench.protocols.tnr import laser_accuracy, score_tnr
from asdbench.protocols.unitalk import score_unitalk
from asdbench.protocols.wasd import read_division, score_wasd


def rows_of(videos, labels, scores):
    names = tuple(dict.fromkeys(videos))
    codes = np.array([names.index(video) for video in videos], np.int32)
    truth = AvaRows("labels", names, ("e",), codes, np.zeros(len(codes), np.int32), np.arange(len(codes)) * 0.04, (),
                    np.array(labels, np.int8))  # fmt: skip
    return JoinedRows(truth, truth.label, np.array(scores, float), ())


def test_unitalk_lists_match_exact_ids_only():
    rows = rows_of(["a", "a", "ab", "ab", "c"], [1, 0, 0, 1, 1], [2, 1, 2, 1, 0])
    found = score_unitalk(rows, {"noise": ["a "], "mixed": ["ab"], "visual": ["c"], "language": ["nowhere"]})
    assert found.subcategories["noise"].ava == 1.0
    assert found.subcategories["mixed"].ava == 0.5
    assert found.subcategories["noise"].protocol == "unitalk noise"
    assert found.subcategories["language"] == {"undefined": "no rows remain."}
    assert (found.overall.rows, found.outside) == (5, 0)
    assert score_unitalk(rows, {"noise": ["a"]}).outside == 3
    with pytest.raises(DataError, match="no UniTalk sub-category 'music'"):
        score_unitalk(rows, {"music": ["a"]})


def test_wasd_counts_a_source_under_two_headings_twice(tmp_path):
    path = tmp_path / "division.txt"
    path.write_text("# Interview\nx.\n# Debate\nx.\n# Podcast\n# React\n# Police\n", encoding="utf-8")
    found = score_wasd(rows_of(["x._0-30", "x_0-30"], [1, 0], [2, 1]), read_division(path))
    assert found.categories["OC"].rows == found.categories["SI"].rows == 1  # plain text: the dot matches a dot
    assert (found.overall.rows, found.outside) == (2, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("abc\n# OC\n", "line 1: the source 'abc' stands above the first heading"),
        ("# OC\n# Films\n", "line 2: no category 'Films'"),
        ("# OC\nabc\n", "no heading for SI, FO, HVN, SS"),
    ],
)
def test_broken_division(tmp_path, text, message):
    path = tmp_path / "division.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_division(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_division(tmp_path / "nowhere.txt")


def test_asw_leaves_out_what_is_not_evaluated():
    found = score_asw([1, 0, 1, 0], [4.0, 3.0, 2.0, 1.0], [1, 1, 0, 0])
    assert (found.rows, found.left_out, found.auroc, found.ap) == (2, 2, 1.0, 1.0)
    one_class = score_asw([1, 1], [1.0, 2.0], [1, 1])
    assert one_class.ap == 1.0
    assert one_class.eer["root"] == {"undefined": "no negative rows remain."}
    with pytest.raises(UndefinedMetricError, match="no rows"):
        score_asw([1], [1.0], [0])
    with pytest.raises(DataError, match="2 fields eval but 1 labels"):
        score_asw([1], [1.0], [1, 1])
    with pytest.raises(DataError, match="1 NaN"):
        score_asw([1, 0], [np.nan, 1.0], [1, 1])


def test_tnr_stands_beside_the_clean_recall():
    never_fires = score_tnr([-9.0] * 4, [1, 1, 0], [-9.0] * 3, 0.0)
    assert (never_fires.tnr, never_fires.clean_recall) == (1.0, 0.0)
    good = score_tnr([-1.0, 0.0], [1, 0], [0.0, -1.0], 0.0)
    assert (good.tnr, good.clean_recall) == (0.5, 1.0)  # a score at the threshold is called speaking
    with pytest.raises(UndefinedMetricError, match="no positive rows"):
        score_tnr([1.0], [0], [1.0], 0.0)
    with pytest.raises(DataError, match="changed scores hold 1 NaN"):
        score_tnr([np.nan], [1], [1.0], 0.0)


def test_laser_by_hand():
    found = laser_accuracy([1, 0, 2], [0.5, 0.4, 0.1])
    assert (found.overall, found.talking, found.not_talking, found.unjudged) == (2 / 3, 1.0, 1.0, 1)
    with pytest.raises(DataError, match="2 labels but 1 scores"):
        laser_accuracy([1, 0], [0.5])
    with pytest.raises(UndefinedMetricError):
        laser_accuracy([], [])


def person(speaking, count=4):
    return person_labels([[frame, 0, 0, 10, speaking] for frame in range(count)])


def track(score, frames=4, size=10.0):
    return ScoredTrack(np.arange(frames), np.full((frames, 2), 10.0), np.full(frames, size), np.full(frames, score))


PEOPLE = ("bell", "boll", "lieb", "long", "sick")


def test_columbia_by_hand():
    found = columbia_f1({name: person(1) for name in PEOPLE}, [track(1.0)])
    assert found.mean_f1 == 1.0
    assert found.people["bell"].labels == 4
    # 0.004 rounds to 0.0, which is not above 0
    assert columbia_f1({name: person(1) for name in PEOPLE}, [track(0.004)]).mean_f1 == 0.0
    # the more covered box decides, whatever its score; of equally covered ones the larger score
    rival = columbia_f1({name: person(1) for name in PEOPLE}, [track(-1.0, size=9.0), track(1.0, size=12.0)])
    assert rival.mean_f1 == 0.0
    assert columbia_f1({name: person(1) for name in PEOPLE}, [track(-1.0), track(1.0)]).mean_f1 == 1.0


def test_columbia_never_uses_the_last_score():
    assert smoothed(np.array([0.0, 0.0, 100.0]), 3).tolist() == [0.0, 0.0, 0.0]
    assert np.isnan(smoothed(np.array([1.0]), 1)).all()


def test_columbia_broken_input(tmp_path):
    labels = {name: person(1) for name in PEOPLE}
    with pytest.raises(DataError, match="no labels of sick"):
        columbia_f1({name: labels[name] for name in PEOPLE[:4]}, [])
    with pytest.raises(DataError, match="track 0: a score or a place is not finite"):
        columbia_f1(labels, [track(np.nan)])
    with pytest.raises(DataError, match="track 0: a score or a place"):
        columbia_f1(labels, [track(1.0, size=0.0)])
    with pytest.raises(DataError, match="one per frame"):
        columbia_f1(labels, [ScoredTrack(np.arange(2), np.zeros((2, 2)), np.ones(2), np.zeros(3))])
    path = tmp_path / "bell.txt"
    for line in ("0\t1\t2\t3", "0\t1\t2\t3\t2", "0 1 2 3 1"):
        path.write_text(f"{line}\n", encoding="utf-8")
        with pytest.raises(DataError, match="line 1: expected frame, x, y, width and 0 or 1"):
            read_person_labels(path)


def columbia_files(folder):
    (folder / "col_labels").mkdir()
    for name in ("bell", "boll", "lieb", "long", "sick"):
        lines = [f"{frame}\t40\t40\t20\t{frame % 20 // 10}\n" for frame in range(60)]
        (folder / "col_labels" / f"{name}.txt").write_text("".join(lines), encoding="utf-8")
    rows = [f"1,{frame},100,100,15,{frame % 17 // 8 - 0.5}" for frame in range(50)]
    return "track,frame_25,center_x,center_y,half_size,score", rows


def columbia_lines(folder, header, rows):
    (folder / "tracks.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    request = Request(folder / "tracks.csv", folder / "col_labels", resamples=0)
    return score_files(request, "columbia-f1")["protocols"][0]["lines"]


def test_columbia_does_not_depend_on_the_order_of_rows(tmp_path):
    header, rows = columbia_files(tmp_path)
    expected = columbia_lines(tmp_path, header, rows)
    assert 0 < expected[0]["metrics"]["f1"] < 1
    assert columbia_lines(tmp_path, header, rows[::2] + rows[1::2]) == expected


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda rows: [*rows, rows[0]], "stands there twice for its track"),
        (lambda rows: [*rows, "1,1e30,100,100,15,1"], "is no whole number from 0"),
        (lambda rows: [*rows, "1,0.5,100,100,15,1"], "is no whole number from 0"),
        (lambda rows: [row.rpartition(",")[0] + "," for row in rows], "no track has a score"),
    ],
)
def test_columbia_refuses_broken_tracks(tmp_path, edit, message):
    header, rows = columbia_files(tmp_path)
    with pytest.raises(DataError, match=message):
        columbia_lines(tmp_path, header, edit(rows))


def test_columbia_refuses_labels_beyond_every_picture(tmp_path):
    header, rows = columbia_files(tmp_path)
    (tmp_path / "col_labels" / "bell.txt").write_text(f"{10**30}\t1\t1\t1\t1\n", encoding="utf-8")
    with pytest.raises(DataError, match="expected frame, x, y, width"):
        columbia_lines(tmp_path, header, rows)
