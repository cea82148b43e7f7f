"""Figures are written, the same each time, whatever is undefined and whatever the names."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from asdbench.report import drawing, proportion
from asdbench.report.evidence import figure_of
from asdbench.report.figures import write_figures
from tests.report.crafted import (
    MISSING,
    changed,
    condition,
    diagnostic,
    ends,
    metrics,
    units,
    with_dubbed,
    with_ends,
)

SYNCHRONY = {"ap_vs_proportion", "retention_vs_proportion"}
SHARES = {f"{kind}@{share:.2f}": share for kind in ("mismatch", "misalign") for share in (0.5, 1.0)}
UNDEFINED = {"fa": MISSING, "before": MISSING, "kept": MISSING, "auroc": MISSING, "ap": MISSING}


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few pixels: what is drawn is the same, and the tests stay fast."""
    monkeypatch.setattr(drawing, "_DOTS", 40)


def unsync(**values: Any) -> dict[str, Any]:
    control = changed("resplice@1.00", role="control", labels="keep")
    return metrics(control, *(changed(name, share_changed=share, **values) for name, share in SHARES.items()))


def modality() -> dict[str, Any]:
    return metrics(diagnostic("silence"), diagnostic("lip_mask"))


def all_figures() -> dict[str, Any]:
    return metrics(changed("mismatch@0.50"), changed("mismatch@1.00"), diagnostic("silence"))


def all_undefined() -> dict[str, Any]:
    conditions = [changed(name, **UNDEFINED, ap_unchanged=MISSING) for name in SHARES]
    found = metrics(*conditions, diagnostic("silence", drop=MISSING, **UNDEFINED))
    for each in found["conditions"]:
        each["metrics"] |= {"ap": MISSING, "ava_rescaled": MISSING, "ap_unchanged": MISSING}
        each["metrics"]["at"]["tpr:0.9"] |= {"tpr": MISSING, "fpr": MISSING}
    return found


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def stems(folder: Path) -> set[str]:
    return {Path(name).stem for name in contents(folder)}


def svg_text(path: Path) -> str:
    return " ".join("".join(ET.parse(path).getroot().itertext()).split())  # also where lines are broken


def test_every_figure_is_written_as_png_svg_and_pdf(tmp_path: Path) -> None:
    write_figures(tmp_path, "m", unsync())
    found = contents(tmp_path)
    assert set(found) == {f"{stem}.{extension}" for stem in SYNCHRONY for extension in ("png", "svg", "pdf")}
    for name, content in found.items():
        assert content.startswith({"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[name.rpartition(".")[2]])
        assert len(content) > 5_000


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (modality(), {"modality"}),
        (metrics(), set()),
        (metrics(*(changed(name, share_changed=MISSING) for name in SHARES)), set()),
    ],
    ids=["modality", "clean", "nothing eligible"],
)
def test_only_what_the_run_has_data_for(
    tmp_path: Path, coarse: None, found: dict[str, Any], expected: set[str]
) -> None:
    write_figures(tmp_path, "m", found)
    assert stems(tmp_path) == expected


def test_the_same_numbers_give_the_same_bytes(tmp_path: Path, coarse: None) -> None:
    for folder in ("a", "b"):
        write_figures(tmp_path / folder, "m", all_figures())
    assert stems(tmp_path / "a") == {*SYNCHRONY, "modality"}
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_other_numbers_give_other_figures(tmp_path: Path, coarse: None) -> None:
    other = changed("mismatch@1.00", kept=0.1, ap=0.3)
    write_figures(tmp_path / "a", "m", metrics(changed("mismatch@1.00")))
    write_figures(tmp_path / "b", "m", metrics(other))
    first, second = contents(tmp_path / "a"), contents(tmp_path / "b")
    assert [name for name in first if first[name] == second[name]] == []


@pytest.mark.parametrize("found", [unsync(**UNDEFINED), all_undefined()], ids=["changed", "all"])
def test_undefined_values_are_left_out(tmp_path: Path, coarse: None, found: dict[str, Any]) -> None:
    write_figures(tmp_path, "m", found)
    assert stems(tmp_path) >= SYNCHRONY


def test_undefined_bars_say_so(tmp_path: Path, coarse: None) -> None:
    write_figures(tmp_path, "m", all_undefined())
    assert svg_text(tmp_path / "modality.svg").count("undefined") >= 4
    write_figures(tmp_path, "m", modality())
    assert "undefined" not in svg_text(tmp_path / "modality.svg")


HOSTILE = ["<a> & b_c 'd' ]]> ä – $", "$x_1 & y$", r"$\frac{$"]


@pytest.mark.parametrize("model", HOSTILE)
def test_any_model_name_can_be_drawn(tmp_path: Path, coarse: None, model: str) -> None:
    write_figures(tmp_path, model, all_figures())
    drawn = list(tmp_path.glob("*.svg"))
    assert len(drawn) == 3
    for path in drawn:
        assert model in svg_text(path)  # well-formed, and neither cut nor taken for a formula


@pytest.mark.parametrize("name", ["$x_1$", "<b>&"])
def test_any_condition_name_can_be_drawn(tmp_path: Path, coarse: None, name: str) -> None:
    write_figures(tmp_path, "m", metrics(diagnostic(name)))
    assert name in svg_text(tmp_path / "modality.svg")


def test_only_realised_shares_of_tests_are_points() -> None:
    families = proportion.families_of(unsync()["conditions"])
    assert {name: [share for share, _ in series] for name, series in families.items()} == {
        "mismatch": [0.5, 1.0],
        "misalign": [0.5, 1.0],
    }


def test_undefined_points_are_neither_zero_nor_interpolated() -> None:
    series = [(share, condition("x", ap=ap)) for share, ap in ((0.25, 0.5), (0.5, MISSING), (1.0, 0.0))]
    axes = Figure().subplots()
    proportion.draw_lines(axes, {"mismatch": series}, lambda c: figure_of(c, "ava"))
    (line,) = axes.lines
    assert list(line.get_xdata()) == [0.25, 0.5, 1.0]
    assert [str(value) for value in line.get_ydata()] == ["0.5", "nan", "0.0"]  # where there is none the line breaks


def test_intervals_are_drawn_at_their_points() -> None:
    series = [(0.5, with_ends(condition("x", ap=0.5), ava=ends(0.25, 0.625))), (1.0, condition("y", ap=0.75))]
    axes = Figure().subplots()
    assert proportion.draw_lines(axes, {"mismatch": series}, lambda c: figure_of(c, "ava")) == 0.625
    _, whisker = axes.lines
    assert (list(whisker.get_xdata()), list(whisker.get_ydata())) == ([0.5, 0.5], [0.25, 0.625])


def test_an_interval_beside_its_number_can_be_drawn(tmp_path: Path, coarse: None) -> None:
    def away(name: str, **more: Any) -> Any:
        at = {"retention": ends(1.1, 1.3), "tpr": ends(0.0, 0.1)}
        return with_ends(changed(name, **more), at, ava=ends(0.1, 0.2), ava_rescaled=ends(-0.5, -0.1))

    found = metrics(away("mismatch@1.00"), away("silence", role="diagnostic", labels="keep")) | {"units": units(7)}
    write_figures(tmp_path, "m", found)
    for stem in ("ap_vs_proportion", "retention_vs_proportion", "modality"):
        text = svg_text(tmp_path / f"{stem}.svg")
        assert "n = 12,345 rows, 4,000 speaking; 7 sources; bars: 95 % intervals, indicative" in text


def test_without_intervals_nothing_is_said_of_bars(tmp_path: Path, coarse: None) -> None:
    write_figures(tmp_path / "old", "m", unsync())
    assert "bars" not in svg_text(tmp_path / "old" / "retention_vs_proportion.svg")
    write_figures(tmp_path / "few", "m", unsync() | {"units": units(3)})
    assert "3 sources, no intervals" in svg_text(tmp_path / "few" / "retention_vs_proportion.svg")


@pytest.mark.parametrize("conditions", [(), unsync()["conditions"][1:], modality()["conditions"][1:]])
def test_dubbed_is_no_proportion_and_no_missing_modality(
    tmp_path: Path, coarse: None, conditions: list[dict[str, Any]]
) -> None:
    found, without = with_dubbed(*conditions), metrics(*conditions)
    write_figures(tmp_path / "a", "m", found)
    write_figures(tmp_path / "b", "m", without)
    assert proportion.families_of(found["conditions"]) == proportion.families_of(without["conditions"])
    assert (stems(tmp_path / "a") if conditions else set()) == (stems(tmp_path / "b") if conditions else set())
