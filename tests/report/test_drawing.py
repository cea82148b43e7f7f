"""Every figure of a run as a picture: nothing clipped, nothing too small, equal bytes, no dates, fonts that print."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from asdbench.analysis.run import run_metrics
from asdbench.report import drawing
from asdbench.report.drawing import write_plot
from asdbench.report.figures import run_plots
from asdbench.report.plot import NARROW, SMALL, WIDE, Plot, framed, shortened
from asdbench.types import Condition
from tests.analysis.test_intervals import DUBBED, MISMATCH, SILENCE, example, run_of, under

LONG = "a-very-long-name-of-a-model-that-somebody-made.trained-on-everything-there-is.epoch-0123456789-best"
NAMED = (
    Condition("mismatch@0.25", "mismatch", 0.25, "negative"),
    Condition("misalign@1.00", "misalign", 1.0, "negative"),
    Condition("resplice@1.00", "resplice", 1.0, "keep", "control"),
    Condition("a_perturbation_with_a_long_name@0.50", "a_perturbation_with_a_long_name", 0.5, "negative"),
    *(Condition(f"offscreen_speech+camera@s{severity}", "joint", 1.0, "keep") for severity in (1, 3, 5)),
)
TWO = Plot("two", lambda figure: framed(figure, "m", "t", "n = 3", _legend(figure)))


def _legend(figure: Figure) -> tuple[list[Any], list[str]]:
    axes = figure.subplots()
    axes.plot([0, 1], [1, 0], label="line")
    return axes.get_legend_handles_labels()  # type: ignore[return-value]


@pytest.fixture(scope="module")
def plots() -> list[Plot]:
    clean = example(sources=8, dubs=20)
    conditions = (MISMATCH, *NAMED, SILENCE, DUBBED)
    metrics = run_metrics(run_of(clean, *((each, under(clean, each)) for each in conditions), resamples=100))
    return list(run_plots(LONG, metrics))


def laid_out(plot: Plot) -> Figure:
    with mpl.rc_context(drawing._RC):
        figure = Figure(figsize=plot.size, layout="constrained")
        FigureCanvasAgg(figure)
        plot.draw(figure)
        figure.draw_without_rendering()
    return figure


def texts(figure: Figure) -> Iterator[Text]:
    """Texts that are seen: ticks beyond the ends of an axis are not."""
    hidden = set()
    for axes in figure.axes:
        room = axes.get_window_extent()
        for text in axes.get_xticklabels():
            box = text.get_window_extent()
            if not room.x0 - 1 <= (box.x0 + box.x1) / 2 <= room.x1 + 1:
                hidden.add(text)
        for text in axes.get_yticklabels():
            box = text.get_window_extent()
            if not room.y0 - 1 <= (box.y0 + box.y1) / 2 <= room.y1 + 1:
                hidden.add(text)
    yield from (
        text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible() and text not in hidden
    )


def test_there_is_a_figure_of_everything(plots: list[Plot]) -> None:
    assert {plot.name for plot in plots} >= {
        "ap_vs_proportion", "retention_vs_proportion", "modality", "corruptions", "pr_curves", "scores", "breakdowns",
        "reliability", "sources",
    }  # fmt: skip


def test_figures_have_the_width_of_columns_and_letters_that_can_be_read(plots: list[Plot]) -> None:
    for plot in plots:
        assert plot.size[0] in (NARROW, WIDE)
        assert plot.size[1] <= 9, "fits on a page"
        assert {text.get_fontsize() for text in texts(laid_out(plot))} <= {SMALL, SMALL + 1}, plot.name


def test_no_text_leaves_its_figure(plots: list[Plot]) -> None:
    for plot in plots:
        figure = laid_out(plot)
        width, height = figure.bbox.size
        for text in texts(figure):
            box = text.get_window_extent()
            assert box.x0 >= -1, (plot.name, text.get_text())
            assert box.y0 >= -1, (plot.name, text.get_text())
            assert box.x1 <= width + 1, (plot.name, text.get_text())
            assert box.y1 <= height + 1, (plot.name, text.get_text())


def test_titles_legends_and_notes_do_not_touch_one_another_nor_the_axes(plots: list[Plot]) -> None:
    for plot in plots:
        figure = laid_out(plot)
        axes = [each.get_tightbbox() for each in figure.axes if each.get_visible() and each.axison]
        head, *note = [text.get_window_extent() for text in figure.texts]
        legend = [each.get_window_extent() for each in figure.legends]
        top, bottom = max(box.y1 for box in axes), min(box.y0 for box in axes)
        stack = [head.y0, top, bottom, *(y for box in (*legend, *note) for y in (box.y1, box.y0))]
        for above, below in pairwise(stack):
            assert above >= below - 1, (plot.name, stack)


def test_each_row_and_each_source_is_named(plots: list[Plot]) -> None:
    """Beside one another, labels of ticks do not overlap."""
    for plot in plots:
        for axes in laid_out(plot).axes:
            boxes = [text.get_window_extent() for text in axes.get_yticklabels() if text.get_text()]
            for one, other in pairwise(sorted(boxes, key=lambda box: box.y0)):
                assert one.y1 <= other.y0 + 1.5, plot.name


def test_the_same_numbers_give_the_same_bytes_in_any_process(plots: list[Plot], tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from asdbench.report.drawing import write_plot; "
        "from tests.report.test_drawing import TWO; write_plot(Path(sys.argv[1]), TWO)"
    )
    write_plot(tmp_path / "a", TWO)
    environment = os.environ | {"PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "1"}
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "b")], check=True, env=environment)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name
    assert b"CreationDate" not in (tmp_path / "a" / "two.pdf").read_bytes()
    assert b"dc:date" not in (tmp_path / "a" / "two.svg").read_bytes()


def test_a_pdf_embeds_outlines_that_proceedings_take(tmp_path: Path) -> None:
    write_plot(tmp_path, TWO, ("pdf",))
    content = (tmp_path / "two.pdf").read_bytes()
    assert b"/FontFile2" in content
    assert b"/Type3" not in content


@pytest.mark.parametrize("signs", [10, 30])
def test_long_names_keep_both_ends(signs: int) -> None:
    short = shortened(LONG, signs)
    assert len(short) == signs
    assert short[0] == LONG[0]
    assert short[-1] == LONG[-1]
    assert shortened("brief", signs) == "brief"
    assert "\n" not in shortened("a\nb")


def test_gray_tells_lines_apart(plots: list[Plot]) -> None:
    """Lines of one panel differ in dashes or in how dark they are, not in colour alone."""
    figure = laid_out(next(plot for plot in plots if plot.name == "ap_vs_proportion"))
    seen = []
    for line in figure.axes[0].lines:
        if not line.get_label().startswith("_"):
            red, green, blue = mpl.colors.to_rgb(line.get_color())
            seen.append((line.get_linestyle(), line.get_marker(), round(0.3 * red + 0.6 * green + 0.1 * blue, 1)))
    assert len(seen) == len(set(seen)) >= 3
    assert np.unique([marker for _, marker, _ in seen]).size >= 3
