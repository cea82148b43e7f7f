"""The errors that are chosen are those that a slow search by hand finds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from asdbench.gallery.picks import Pick, diverse, worst
from asdbench.records.predictions import Predictions
from asdbench.types import IGNORE, Condition, TrackKey
from tests.analysis.rows import CLEAN, clean_rows

WIDTH = 10  # frames of 40 ms that make up 0.4 s
NEGATIVE = Condition("mismatch", "mismatch", labels="negative")
KEPT = Condition("noise", "white_noise", labels="keep")


def moments(rows: Predictions, scores: np.ndarray, label: int) -> dict[str, list[tuple[float, int]]]:
    """Mean score and first frame of every 0.4 s of one label, by video."""
    found: dict[str, list[tuple[float, int]]] = {}
    for video in np.unique(rows.video_id):
        of = np.flatnonzero(rows.video_id == video)
        for first in range(len(of) - WIDTH + 1):
            part = of[first : first + WIDTH]
            if (rows.label_after[part] == label).all():
                found.setdefault(video, []).append((float(scores[part].astype(float).mean()), first))
    return found


def changed_rows(clean: Predictions, shift: float, seed: int = 5) -> Predictions:
    """Every speaking row changed, with other scores."""
    noise = np.random.default_rng(seed).normal(size=len(clean)).astype(np.float32)
    speaking = clean.label == 1
    return replace(
        clean,
        score=np.where(speaking, clean.score + noise + shift, clean.score).astype(np.float32),
        changed=speaking,
        label_after=np.zeros_like(clean.label),
    )


def test_clean_errors_are_the_worst_moments() -> None:
    rows = clean_rows(videos=8)
    threshold = 0.6
    alarms, misses = worst(rows, rows, CLEAN, threshold, 3)
    by_hand = {video: max(all_) for video, all_ in moments(rows, rows.score, 0).items()}
    wrong = sorted(((mean, video) for video, (mean, _) in by_hand.items() if mean >= threshold), reverse=True)
    expected = wrong[:3] or sorted(((mean, video) for video, (mean, _) in by_hand.items()), reverse=True)[:3]
    assert [(pick.key.video_id, pick.score) for pick in alarms.picks] == [
        (video, pytest.approx(mean)) for mean, video in expected
    ]
    assert (alarms.wrong, alarms.judged) == (len(wrong), 8)
    lowest = {video: min(all_) for video, all_ in moments(rows, rows.score, 1).items()}
    missed = sorted((mean, video, first) for video, (mean, first) in lowest.items() if mean < threshold)
    assert misses.wrong == len(missed) > 3
    assert [(p.score, p.key.video_id, p.first, p.stop, p.centre) for p in misses.picks] == [
        (pytest.approx(mean), video, first, first + WIDTH, first + WIDTH // 2) for mean, video, first in missed[:3]
    ]
    assert all(pick.clean == pick.score for pick in misses.picks)


def test_fooled_are_whole_runs_by_their_mean() -> None:
    clean = clean_rows(videos=8)
    rows = changed_rows(clean, -0.8)
    (found,) = worst(clean, rows, NEGATIVE, 0.2, 2)
    means = {
        video: float(rows.score[(rows.video_id == video) & (rows.label == 1)].astype(float).mean())
        for video in np.unique(rows.video_id)
    }
    over = sorted((mean for mean in means.values() if mean >= 0.2), reverse=True)
    assert 2 < len(over) < 8
    assert (found.kind, found.wrong, found.judged) == ("fooled", len(over), 8)
    assert [pick.score for pick in found.picks] == [pytest.approx(mean) for mean in over[:2]]
    assert all((pick.first, pick.stop) == (10, 40) for pick in found.picks)
    assert all(10 <= pick.centre < 40 for pick in found.picks)


def test_invented_frames_are_no_part_of_a_changed_run() -> None:
    clean = clean_rows(videos=1)
    rows = changed_rows(clean, 0)
    ignored = (rows.timestamp_ms >= 400) & (rows.timestamp_ms < 800)
    high = np.where(ignored, 100, rows.score).astype(np.float32)
    rows = replace(rows, score=high, label_after=np.where(ignored, IGNORE, rows.label_after).astype(np.int8))
    (found,) = worst(clean, rows, NEGATIVE, -50, 1)
    assert found.picks[0].first == 20
    assert found.picks[0].score == pytest.approx(float(rows.score[20:40].astype(float).mean()))


def test_kept_labels_show_what_the_condition_broke() -> None:
    clean = clean_rows(videos=8)
    rows = replace(
        clean,
        score=(clean.score - 1 + np.random.default_rng(3).normal(size=len(clean))).astype(np.float32),
        changed=np.ones(len(clean), np.bool_),
    )
    threshold = 0.6
    _, misses = worst(clean, rows, KEPT, threshold, 8)
    before, after = moments(clean, clean.score, 1), moments(rows, rows.score, 1)
    expected = {
        video: min(
            (now, first)
            for (now, first), (own, _) in zip(after[video], before[video], strict=True)
            if now < threshold <= own
        )
        for video in after
        if any(now < threshold <= own for (now, _), (own, _) in zip(after[video], before[video], strict=True))
    }
    assert misses.wrong == len(expected) > 0
    assert {pick.key.video_id: (pick.score, pick.first) for pick in misses.picks} == {
        video: (pytest.approx(mean), first) for video, (mean, first) in expected.items()
    }
    assert all(pick.score < threshold <= pick.clean for pick in misses.picks)


def test_a_single_loud_frame_is_no_false_alarm() -> None:
    rows = clean_rows(videos=2)
    score = np.full(len(rows), -1.0, np.float32)
    score[5] = 8
    alarms, _ = worst(rows, replace(rows, score=score), CLEAN, 0.0, 3)
    assert alarms.wrong == 0
    assert [pick.score < 0 for pick in alarms.picks] == [True, True]  # those nearest to an error


def test_no_moment_spans_a_gap_in_time() -> None:
    rows = clean_rows(videos=1, speaking=(0, 0))
    times = rows.timestamp_ms + np.where(np.arange(len(rows)) >= 15, 2000, 0)
    score = np.where(np.abs(np.arange(len(rows)) - 14.5) < 5, 5, -5).astype(np.float32)
    alarms, misses = worst(rows, replace(rows, timestamp_ms=times, score=score), CLEAN, 0.0, 1)
    assert alarms.picks[0].first in (5, 15)
    assert (misses.picks, misses.wrong, misses.judged) == ((), 0, 0)


def test_frames_of_30_per_second_make_moments_of_twelve() -> None:
    rows = clean_rows(videos=1, speaking=(0, 0))
    times = 10 * np.round(np.arange(len(rows)) * 100 / 30).astype(np.int64)
    alarms, _ = worst(rows, replace(rows, timestamp_ms=times), CLEAN, -9, 1)
    assert alarms.picks[0].stop - alarms.picks[0].first == 12


def test_ignored_labels_leave_nothing_to_be_wrong() -> None:
    rows = clean_rows()
    assert worst(rows, rows, Condition("near", "shift", labels="ignore"), 0.0, 3) == ()


def pick(video: str, track: str, score: float, first: int = 0) -> Pick:
    return Pick("fooled", TrackKey(video, track), first, first + 10, first + 5, 0.0, score)


def test_one_per_track_and_other_videos_first() -> None:
    picks = [
        pick("a", "1", 9), pick("a", "1", 8, 50), pick("a", "2", 7), pick("b", "1", 3), pick("a", "3", 6),
        pick("c", "1", 2),
    ]  # fmt: skip
    chosen = diverse(picks, 4)
    assert [(each.key.video_id, each.key.entity_id, each.score) for each in chosen] == [
        ("a", "1", 9), ("a", "2", 7), ("b", "1", 3), ("c", "1", 2)
    ]  # fmt: skip
    assert diverse(picks[::-1], 4) == chosen
    assert [each.score for each in diverse(picks, 2)] == [9, 3]
