"""The vectorised rule against a plain loop over detections, on small random scenes full of overlaps and ties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.errors import DataError, UndefinedMetricError
from asdbench.protocols.ego4d_map50 import FaceBoxes, map50

side = st.integers(0, 6)
face = st.tuples(st.integers(0, 1), st.sampled_from([0, 2, 10]), side, side, side, side).map(
    lambda f: (*f[:2], min(f[2], f[4]), min(f[3], f[5]), max(f[2], f[4]), max(f[3], f[5]))
)
scenes = st.tuples(st.lists(face, min_size=1, max_size=8), st.lists(st.tuples(face, st.integers(0, 3)), max_size=12))


def faces(rows):
    table = np.array(rows, dtype=np.float64).reshape(-1, 6)
    return FaceBoxes(table[:, 0].astype(int), table[:, 1].astype(int), table[:, 2:])


def overlap(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]) + 1, min(a[3], b[3]) - max(a[1], b[1]) + 1
    if width <= 0 or height <= 0:
        return 0.0
    area = sum((box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (a, b))
    return width * height / (area - width * height)


def plain(truth, found):
    """The rule as its text says it, one detection after the other."""
    order = sorted(range(len(found)), key=lambda at: f"{found[at][0][0]}_{found[at][0][1]}.txt")
    order.sort(key=lambda at: -found[at][1])
    used, hits, precision, recall = set(), 0, [0.0], [0.0]
    for rank, at in enumerate(order, start=1):
        detection = found[at][0]
        best, chosen = -1.0, None
        for number, box in enumerate(truth):
            if box[:2] == detection[:2] and overlap(detection[2:], box[2:]) > best:
                best, chosen = overlap(detection[2:], box[2:]), number
        if best >= 0.5 and chosen not in used:
            used.add(chosen)
            hits += 1
        precision.append(hits / rank)
        recall.append(hits / len(truth))
    for at in range(len(precision) - 2, -1, -1):
        precision[at] = max(precision[at], precision[at + 1])
    return sum((recall[at] - recall[at - 1]) * precision[at] for at in range(1, len(recall))), hits


@given(scenes)
def test_against_a_plain_loop(scene):
    truth, found = scene
    result = map50(faces(truth), faces([row for row, _ in found]), np.array([score for _, score in found], dtype=float))
    value, hits = plain(truth, found)
    assert result.ap == pytest.approx(value, abs=1e-12)
    assert result.true_positives == hits
    assert (result.speaking_boxes, result.detections) == (len(truth), len(found))


def test_scores_are_written_with_six_decimals():
    boxes = [(0, 0, 0, 0, 9, 9), (0, 1, 0, 0, 9, 9)]
    result = map50(faces(boxes[1:]), faces(boxes), [0.5, 0.50000001])
    assert result.ap == 0.5  # tied, so the file of frame 0 comes first
    assert (result.tied_share, result.constant) == (1.0, True)


ONE = [(0, 0, 0, 0, 9, 9)]


@pytest.mark.parametrize(
    ("truth", "found", "scores", "options", "message"),
    [
        (ONE, ONE, [np.nan], {}, "1 NaN"),
        (ONE, ONE, [np.inf], {}, "1 infinite"),
        (ONE, ONE, [1.0, 2.0], {}, "1 detected boxes but 2 scores"),
        ([(0, 0, 5, 0, 1, 9)], ONE, [1.0], {}, "speaking boxes: 1 boxes end before they begin"),
        (ONE, [(0, 0, np.nan, 0, 1, 9)], [1.0], {}, "detected boxes: 1 boxes are not made of numbers"),
        (ONE, ONE, [1.0], {"detected_frames": []}, "hold detected faces but are not among"),
        (ONE, ONE, [1.0], {"annotated_frames": [(0, 0), (0, 1)], "detected_frames": [(0, 0)]}, "have no detections"),
        (ONE, ONE, [1.0], {"annotated_frames": [(0, 0)], "detected_frames": [(0, 0), (1, 4)]}, "have no annotation"),
    ],
)
def test_broken_input(truth, found, scores, options, message):
    with pytest.raises(DataError, match=message):
        map50(faces(truth), faces(found), scores, **options)


def test_no_speaking_box_and_no_detection():
    with pytest.raises(UndefinedMetricError, match="no speaking box"):
        map50(faces([]), faces(ONE), [1.0])
    assert map50(faces(ONE), faces([]), []).ap == 0.0
