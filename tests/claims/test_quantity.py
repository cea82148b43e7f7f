"""Figures that claims speak of, as they stand in a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import asdbench
from asdbench.claims.quantity import Quantity, read_quantity, reliance_figure, value_in
from asdbench.report.run import Run


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("clean.ap", Quantity("ap", "clean")),
        ("mismatch@1.00.retention", Quantity("retention", "mismatch@1.00")),
        ("misalign@1.00.retention>=400ms", Quantity("retention", "misalign@1.00", 400)),
        ("phi_gap", Quantity("phi_gap")),
    ],
)
def test_names_are_taken_apart_and_put_together(text: str, expected: Quantity) -> None:
    assert read_quantity(text) == expected
    assert expected.text == text


@pytest.mark.parametrize(
    "text", ["", "ap", ".ap", "clean", "clean.", "clean.recall", "clean.retention>=ms", "x.phi_gap"]
)
def test_what_is_no_figure(text: str) -> None:
    with pytest.raises(ValueError, match="is no figure"):
        read_quantity(text)


@pytest.fixture(scope="module")
def run(fixture_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("claims") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("asdbench.jobs.finish.write_report", lambda *_: None)  # figures take most of the time
        return asdbench.run("additive", "claims", fixture_root, out=out, audit="off", resamples="off", progress=False)


def test_figures_are_those_of_the_tables(run: Run) -> None:
    table = run.table.set_index("condition")
    assert value_in(run, read_quantity("clean.ap")) == table.loc["clean", "ava"]
    for figure in ("retention", "fa_changed", "sync_auroc"):
        assert value_in(run, read_quantity(f"mismatch@1.00.{figure}")) == table.loc["mismatch@1.00", figure]
    assert value_in(run, read_quantity("hard-2.ap")) == table.loc["hard-2", "ava"]


def test_long_shifts_are_counted_from_the_rows(run: Run) -> None:
    clean, rows = run.read("clean"), run.read("misalign@1.00")
    long = rows.paired & (np.abs(rows.shift_ms) >= 400)
    assert 0 < np.count_nonzero(long) < np.count_nonzero(rows.paired)
    threshold = run.metrics["thresholds"]["tpr:0.9"]
    kept, had = np.mean(rows.score[long] >= threshold), np.mean(clean.score[long] >= threshold)
    assert value_in(run, read_quantity("misalign@1.00.retention>=400ms")) == pytest.approx(kept / had)
    assert value_in(run, read_quantity("misalign@1.00.retention>=100ms")) == pytest.approx(
        value_in(run, read_quantity("misalign@1.00.retention"))
    )


def test_the_gap_is_the_distance_of_the_two_values(run: Run) -> None:
    audio, video = (value_in(run, Quantity(name)) for name in ("phi_audio", "phi_video"))
    assert isinstance(audio, float)
    assert isinstance(video, float)
    assert value_in(run, Quantity("phi_gap")) == abs(audio - video)


def test_what_a_run_does_not_have_is_said(run: Run) -> None:
    def reason(text: str) -> str:
        found = value_in(run, read_quantity(text))
        assert isinstance(found, dict)
        return found["undefined"]

    assert reason("nowhere.ap") == "the run has no condition nowhere."
    assert reason("mismatch@1.00.ap") == "no positive rows remain."
    assert reason("clean.retention") == "clean has no retention."
    assert reason("misalign@1.00.retention>=2000ms")
    assert reliance_figure({}, "phi_gap") == {"undefined": "the suite does not replace sound and faces."}
