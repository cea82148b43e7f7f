"""Figures as files: PNG, SVG and PDF. The same numbers give the same bytes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from asdbench.atomic import replacing
from asdbench.report.plot import SMALL, TEXT, WIDE, Plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EXTENSIONS = ("png", "svg", "pdf")

_SIZE = (WIDE, 3.2)
_DOTS = 200
"""Per inch, of PNGs."""

_RC: Any = {
    "font.family": "DejaVu Sans",  # the one font that matplotlib brings along: the same letters everywhere
    "font.size": TEXT,
    "axes.titlesize": TEXT,
    "axes.labelsize": TEXT,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "figure.titlesize": TEXT,
    "figure.labelsize": TEXT,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlepad": 4,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "legend.frameon": False,
    "legend.handlelength": 2.2,
    "figure.constrained_layout.w_pad": 0.03,
    "figure.constrained_layout.h_pad": 0.03,
    "axes.formatter.useoffset": False,
    "svg.hashsalt": "asdbench",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,  # outlines that printers of proceedings take; the other kind they refuse
    "text.parse_math": False,  # names come from files
}


def write_plot(folder: Path, plot: Plot, extensions: Sequence[str] = EXTENSIONS) -> None:
    """Write a figure under its own name; see `write_figure`."""
    write_figure(folder / plot.name, plot.draw, extensions, plot.size)


def write_figure(
    stem: Path,
    draw: Callable[[Figure], None],
    extensions: Sequence[str] = EXTENSIONS,
    size: tuple[float, float] = _SIZE,
) -> None:
    """Write one figure as PNG, SVG and PDF.

    Args:
        stem: Path without extension.
        draw: Fills the figure.
        extensions: Which of the three.
        size: Width and height in inches.
    """
    import matplotlib as mpl

    with mpl.rc_context(_RC), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # no font has every sign of every name
        _write(stem, draw, extensions, size)


def _write(stem: Path, draw: Callable[[Figure], None], extensions: Sequence[str], size: tuple[float, float]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    draw(figure)
    # One layout for all files: it takes longer than to write them.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for extension in extensions:
        with replacing(stem.with_name(f"{stem.name}.{extension}")) as temporary, temporary.open("wb") as file:
            _PRINT[extension](figure, file)


# Not Figure.savefig, which draws every figure twice for the sake of layouts. Nothing tells when a file was made.


def _print_png(figure: Figure, file: BinaryIO) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.dpi = _DOTS
    canvas: Any = FigureCanvasAgg(figure)
    canvas.print_png(file, metadata={"Software": None})


def _print_svg(figure: Figure, file: BinaryIO) -> None:
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    canvas: Any = FigureCanvasSVG(figure)
    canvas.print_svg(file, metadata={"Date": None, "Creator": None})


def _print_pdf(figure: Figure, file: BinaryIO) -> None:
    from matplotlib.backends.backend_pdf import FigureCanvasPdf

    canvas: Any = FigureCanvasPdf(figure)
    canvas.print_pdf(file, metadata={"CreationDate": None, "Creator": None, "Producer": None})


_PRINT: dict[str, Callable[[Figure, BinaryIO], None]] = {"png": _print_png, "svg": _print_svg, "pdf": _print_pdf}
