"""What a reader must not overlook about dubbed tracks."""

from __future__ import annotations

from typing import Any

import pytest

from asdbench.report.warnings import find_warnings
from tests.report.crafted import MISSING, changed, metrics, with_dubbed

RECORD: dict[str, Any] = {
    "counts": {"tracks": 9, "skipped_tracks": 0, "incomplete_tracks": 0},
    "model": {"trained_on": None},
    "data": {"notes": ["a note"], "protocol": "ava"},
    "identity": {"limit": None},
    "custom": False,
}


@pytest.mark.parametrize(
    ("found", "warning"),
    [
        (with_dubbed(fa=0.714), "800 rows belong to dubbed tracks and count in the condition dubbed alone"),
        (with_dubbed(fa=MISSING), "800 rows belong to dubbed tracks and count in the condition dubbed alone"),
        (with_dubbed(fa=MISSING, rows=0), "no dubbed track is among those scored"),
    ],
)
def test_dubbed_rows_are_mentioned(found: dict[str, Any], warning: str) -> None:
    assert list(find_warnings(RECORD, found)) == ["a note", warning]


def test_without_the_condition_nothing_is_said() -> None:
    assert list(find_warnings(RECORD, metrics(changed("mismatch@1.00")))) == ["a note"]


@pytest.mark.parametrize(
    ("trained_on", "protocol", "said"),
    [
        ("AVA-ActiveSpeaker train, then TalkSet", "ava", True),
        ("TalkSet", "ava", True),
        ("AVA-ActiveSpeaker train", "ava", False),
        ("TalkSet", "columbia-f1", False),
        (None, "ava", False),
    ],
)
def test_weights_for_the_faces_of_a_demo_are_no_weights_for_ava(trained_on: str, protocol: str, said: bool) -> None:
    record = RECORD | {"model": {"trained_on": trained_on}, "data": {"notes": [], "protocol": protocol}}
    warnings = list(find_warnings(record, metrics(changed("mismatch@1.00"))))
    assert ["trained on TalkSet" in warning for warning in warnings] == [True] * said


def test_a_constant_score_is_no_tie_among_others() -> None:
    found = metrics(changed("mismatch@1.00", constant=True, ava=0.2, ava_best=0.9))
    (warning,) = list(find_warnings(RECORD, found))[1:]
    assert warning.startswith("constant score:")
    assert warning.endswith("mismatch@1.00")


def test_what_was_not_measured_for_want_of_a_library_is_mentioned() -> None:
    record = RECORD | {"activity": {"missing": "no voice activity: pip install silero-vad"}}
    assert list(find_warnings(record, metrics()))[1:] == ["no voice activity: pip install silero-vad"]
    assert list(find_warnings(RECORD | {"activity": {"voice": "annotation"}}, metrics()))[1:] == []
