"""Figures are written, the same each time, whatever is undefined and whatever the names."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

from asdbench.report import figures
from asdbench.report.figures import write_figures
from tests.report.crafted import MISSING, changed, diagnostic, metrics, with_dubbed

SYNCHRONY = {"ap_vs_proportion", "retention_vs_proportion", "scores"}
SHARES = {f"{kind}@{share:.2f}": share for kind in ("mismatch", "misalign") for share in (0.5, 1.0)}
UNDEFINED = {"fa": MISSING, "before": MISSING, "kept": MISSING, "auroc": MISSING, "ap": MISSING}


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few pixels: what is drawn is the same, and the tests stay fast."""
    from matplotlib.figure import Figure

    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *args, **kwargs: save(self, *args, **kwargs | {"dpi": 40}))


def scores(count: int = 50) -> dict[str, Any]:
    draws = np.random.default_rng(0).normal(size=(4, count)).astype(np.float32)
    return dict(zip(("negative", "clean", "mismatch", "misalign"), draws, strict=True))


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
    for condition in found["conditions"]:
        condition["metrics"] |= {"ap": MISSING, "ava_rescaled": MISSING, "ap_unchanged": MISSING}
        condition["metrics"]["at"]["tpr:0.9"] |= {"tpr": MISSING, "fpr": MISSING}
    return found


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def stems(folder: Path) -> set[str]:
    return {Path(name).stem for name in contents(folder)}


def svg_text(path: Path) -> str:
    return "".join(ET.parse(path).getroot().itertext())


def test_every_figure_is_written_as_png_and_svg(tmp_path: Path) -> None:
    write_figures(tmp_path, "m", unsync(), scores())
    found = contents(tmp_path)
    assert set(found) == {f"{stem}.{extension}" for stem in SYNCHRONY for extension in ("png", "svg")}
    for name, content in found.items():
        assert content.startswith(b"\x89PNG" if name.endswith("png") else b"<?xml")
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
    write_figures(tmp_path, "m", found, scores())
    assert stems(tmp_path) == expected


def test_the_same_numbers_give_the_same_bytes(tmp_path: Path, coarse: None) -> None:
    for folder in ("a", "b"):
        write_figures(tmp_path / folder, "m", all_figures(), scores())
    assert stems(tmp_path / "a") == {*SYNCHRONY, "modality"}
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_other_numbers_give_other_figures(tmp_path: Path, coarse: None) -> None:
    other = changed("mismatch@1.00", kept=0.1, ap=0.3)
    write_figures(tmp_path / "a", "m", metrics(changed("mismatch@1.00")), scores())
    write_figures(tmp_path / "b", "m", metrics(other), {name: group + 1 for name, group in scores().items()})
    first, second = contents(tmp_path / "a"), contents(tmp_path / "b")
    assert [name for name in first if first[name] == second[name]] == []


@pytest.mark.parametrize("found", [unsync(**UNDEFINED), all_undefined()], ids=["changed", "all"])
def test_undefined_values_are_left_out(tmp_path: Path, coarse: None, found: dict[str, Any]) -> None:
    write_figures(tmp_path, "m", found, scores())
    assert stems(tmp_path) >= SYNCHRONY


def test_undefined_bars_say_so(tmp_path: Path, coarse: None) -> None:
    write_figures(tmp_path, "m", all_undefined(), scores())
    assert svg_text(tmp_path / "modality.svg").count("undefined") >= 4
    write_figures(tmp_path, "m", modality(), scores())
    assert "undefined" not in svg_text(tmp_path / "modality.svg")


@pytest.mark.parametrize(
    "groups",
    [
        scores(1),
        {k: np.zeros(9, np.float32) for k in scores()},
        {"negative": scores()["negative"], "clean": np.ones(3)},
    ],
    ids=["one row", "constant", "nothing changed"],
)
def test_any_scores_can_be_drawn(tmp_path: Path, coarse: None, groups: dict[str, Any]) -> None:
    with mpl.rc_context(figures._RC):
        figures._write(tmp_path / "scores", lambda figure: figures._draw_scores(figure, "m", metrics(), groups))
    text = svg_text(tmp_path / "scores.svg")
    for group in groups.values():
        assert f"n = {len(group)}" in text


HOSTILE = ["<a> & b_c 'd' ]]> ä – $", "$x_1 & y$", r"$\frac{$"]


@pytest.mark.parametrize("model", HOSTILE)
def test_any_model_name_can_be_drawn(tmp_path: Path, coarse: None, model: str) -> None:
    write_figures(tmp_path, model, all_figures(), scores())
    drawn = list(tmp_path.glob("*.svg"))
    assert len(drawn) == 4
    for path in drawn:
        assert model in svg_text(path)  # well-formed, and neither cut nor taken for a formula


@pytest.mark.parametrize("name", ["$x_1$", "<b>&"])
def test_any_condition_name_can_be_drawn(tmp_path: Path, coarse: None, name: str) -> None:
    write_figures(tmp_path, "m", metrics(diagnostic(name)), scores())
    assert name in svg_text(tmp_path / "modality.svg")


def test_only_realised_shares_of_tests_are_points() -> None:
    families = figures._families(unsync()["conditions"])
    assert {name: [share for share, _ in series] for name, series in families.items()} == {
        "mismatch": [0.5, 1.0],
        "misalign": [0.5, 1.0],
    }


def test_undefined_points_are_neither_zero_nor_interpolated() -> None:
    series = [(0.25, {"ap": 0.5}), (0.5, {"ap": MISSING}), (1.0, {"ap": 0.0})]
    assert figures._points(series, lambda metrics: metrics["ap"]) == ([0.25, 1.0], [0.5, 0.0])


@pytest.mark.parametrize("conditions", [(), unsync()["conditions"][1:], modality()["conditions"][1:]])
def test_dubbed_is_no_proportion_and_no_missing_modality(
    tmp_path: Path, coarse: None, conditions: list[dict[str, Any]]
) -> None:
    found, without = with_dubbed(*conditions), metrics(*conditions)
    write_figures(tmp_path / "a", "m", found, scores())
    write_figures(tmp_path / "b", "m", without, scores())
    assert figures._families(found["conditions"]) == figures._families(without["conditions"])
    assert (stems(tmp_path / "a") if conditions else set()) == (stems(tmp_path / "b") if conditions else set())


def test_dubbed_scores_can_be_drawn(tmp_path: Path, coarse: None) -> None:
    write_figures(tmp_path, "m", unsync(), scores() | {"dubbed": scores()["clean"]})
    assert "lips dubbed with another voice (dubbed), n = 50" in svg_text(tmp_path / "scores.svg")
