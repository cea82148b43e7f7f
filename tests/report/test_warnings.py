"""What a reader must not overlook about dubbed tracks."""

from __future__ import annotations

from typing import Any

import pytest

from asdbench.report.warnings import find_warnings
from tests.report.crafted import MISSING, changed, metrics, with_dubbed

RECORD: dict[str, Any] = {
    "counts": {"tracks": 9, "skipped_tracks": 0, "incomplete_tracks": 0},
    "data": {"notes": ["a note"]},
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
