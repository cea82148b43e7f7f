"""What sound and faces contribute: tables, figure, words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asdbench.report import reliance
from asdbench.report.figures import write_figure
from tests.report.crafted import MISSING, ends, metrics, units

NAMES = ("both", "video", "audio", "neither", "phi_audio", "phi_video", "interaction", "total")


def figure(audio: float, video: float, spread: float | None = 0.02, total: float | None = None) -> dict[str, Any]:
    """A figure of which sound and faces give so much; ``spread`` is half the width of every interval."""
    total = audio + video if total is None else total
    values: dict[str, Any] = dict.fromkeys(NAMES, 0.1) | {"phi_audio": audio, "phi_video": video, "total": total}
    known = spread is not None and total - spread > 0
    shares: Any = (audio / total, video / total) if known else (MISSING, MISSING)
    values |= dict(zip(("share_audio", "share_video"), shares, strict=True))
    found = {} if spread is None else {name: ends(values[name] - spread, values[name] + spread) for name in NAMES}
    return {"values": values, "intervals": found}


def section(ap: dict[str, Any], **more: Any) -> dict[str, Any]:
    variant = {
        "conditions": {},
        "unchanged": 0,
        "figures": {"ava_rescaled": ap, "balanced_accuracy_rescaled": figure(0.2, 0.5)},
    }
    found = {"threshold": "tpr:0.9", "chance": 0.0, "replaced": variant, "zeroed": variant} | more
    return metrics() | {"units": units(), "reliance": found}


@pytest.mark.parametrize(
    ("audio", "video", "spread", "words"),
    [
        (0.2, 0.7, 0.1, "It uses both the sound and the faces: of 90.0 [80.0, 100.0] points of AP above chance"),
        (0.01, 0.7, 0.02, "It does not use the sound: "),
        (0.04, 0.9, 0.001, "It does not use the sound: "),  # surely not 0, but too little to matter
        (-0.06, 0.7, 0.02, "It does not use the sound, and even loses by it: "),
        (-0.3, 0.8, 0.02, "It is harmed by the sound: "),
        (0.7, 0.0, 0.02, "It does not use the faces: "),
        (0.1, 0.8, 0.3, "It may or may not use the sound: "),
        (0.1, 0.1, 0.3, "What it owes to sound and to faces cannot be told: "),
        (0.2, 0.7, None, "What it owes to sound and to faces cannot be told: "),
    ],
)
def test_the_sentence_follows_the_intervals(audio: float, video: float, spread: float | None, words: str) -> None:
    assert reliance.sentence(section(figure(audio, video, spread))).startswith(words)


def test_no_sentence_without_values() -> None:
    nothing = {"values": dict.fromkeys((*NAMES, "share_audio", "share_video"), MISSING), "intervals": {}}
    assert reliance.sentence(section(nothing)) == ""
    assert reliance.sentence(metrics()) == ""
    assert list(reliance.tables(metrics())) == list(reliance.figures("m", metrics())) == []


def test_tables_name_the_zeroed_variant_apart() -> None:
    lost = {"condition": "mismatch@1.00", "value": 0.031, "interval": ends(0.01, 0.05)}
    replaced, zeroed = reliance.tables(section(figure(0.2, 0.7), synchrony=lost))
    assert (replaced.name, zeroed.name) == ("reliance", "reliance_zeroed")
    assert "by theory it is 0" in replaced.caption
    assert "Synchrony reliance, 1 − retention at mismatch@1.00: 3.1 [1.0, 5.0] %." in replaced.caption
    assert "Zeros are evidence too" in zeroed.caption
    assert next(iter(replaced.cells()))[5:7] == ["20.0 [18.0, 22.0]", "70.0 [68.0, 72.0]"]


def test_rows_that_nothing_could_replace_are_in_the_caption() -> None:
    found = section(figure(0.2, 0.7))
    found["reliance"]["replaced"] = found["reliance"]["replaced"] | {"unchanged": 1234}
    assert "1,234 rows found nothing to take their place" in next(reliance.tables(found)).caption


def test_undefined_values_say_why_and_are_drawn_as_such(tmp_path: Path) -> None:
    nothing = {"values": dict.fromkeys((*NAMES, "share_audio", "share_video"), MISSING), "intervals": {}}
    found = section(nothing)
    table = next(reliance.tables(found))
    assert table.reasons() == ["AP: no positive rows remain"]
    (plot,) = reliance.figures("m", found)
    write_figure(tmp_path / plot.name, plot.draw, size=plot.size)
    assert b"undefined" in (tmp_path / "reliance.svg").read_bytes()
