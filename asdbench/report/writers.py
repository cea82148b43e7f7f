"""Tables as Markdown, CSV and LaTeX. Names may come from anyone's files, so each format escapes what it must."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from typing import Any

from asdbench.report.table import Table
from asdbench.report.text import printable

_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "\0": "{}", "–": "--",
    "−": "$-$", "×": r"$\times$", "φ": r"$\varphi$", "∅": r"$\emptyset$", "≤": r"$\le$", "≥": r"$\ge$",
}  # fmt: skip

_LATIN = frozenset(map(chr, range(0xA1, 0x17F))) - set("\xad«»ÐÞðþĄąĐđĘęĦħĮįĸĿŀŉŊŋŦŧŲų") | set("—‘’“”†‡•…‰€™→")
"""What pdflatex sets in any document without further packages; of other signs it makes errors."""

_FORMULA = (*"=+-@\t\r\n", *"＝＋－＠")

_IN_COLUMN, _IN_PAGE = (4.6, 12, 237), (3.6, 6, 496)
"""Points that a sign and the space between cells take, and that there are: in a column of a two-column paper, and in
small print across its page."""


def to_markdown(table: Table) -> str:
    """Return a GitHub table with caption and the reasons of undefined cells."""
    right = [column.kind != "text" for column in table.shown]
    lines = [
        _markdown_row([column.header for column in table.shown]),
        "|" + "|".join("---:" if number else "---" for number in right) + "|",
        *(_markdown_row(cells) for cells in table.cells()),
    ]
    notes = [table.legend, *(f"Undefined: {markdown_text(reason)}." for reason in table.reasons())]
    return "\n".join([*lines, "", *("  \n".join(notes).splitlines()), ""])


def _markdown_row(cells: list[str]) -> str:
    return "| " + " | ".join(markdown_text(cell) for cell in cells) + " |"


def markdown_text(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    text = printable(" ".join(text.split()))
    for sign in "\\`*_|[]<>&":
        text = text.replace(sign, "\\" + sign)
    return text


def to_csv(table: Table) -> str:
    """Return the raw values with full precision; undefined cells are empty, their reasons in a last column.

    A column with intervals is followed by those of their ends.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow([*map(_csv_cell, table.keys), "undefined"])
    for record in table.records():
        values = [record.get(key) for key in table.keys]
        reasons = {v["undefined"]: None for v in values if isinstance(v, Mapping)}
        writer.writerow([*map(_csv_cell, values), _csv_cell("; ".join(reasons))])
    return buffer.getvalue()


def _csv_cell(value: Any) -> Any:
    if value is None or isinstance(value, Mapping):
        return ""
    if not isinstance(value, str):
        return value
    # A cell that a spreadsheet would take for a formula is made text; at NUL, readers of CSV stop.
    return ("'" if value.startswith(_FORMULA) else "") + value.replace("\0", r"\x00")


def to_latex(table: Table) -> str:
    """Return a booktabs ``tabular`` within a ``table``: across both columns in small print where it is wide.

    What is wider than a page is made smaller where the paper has the package graphicx, as most have.
    """
    alignment = "".join("l" if column.kind == "text" else "r" for column in table.shown)
    rows = [[column.header for column in table.shown], *table.cells()]
    signs = sum(max(map(len, cells)) for cells in zip(*rows, strict=True))
    wide, too_wide = (signs * sign + len(alignment) * gap > page for sign, gap, page in (_IN_COLUMN, _IN_PAGE))
    float_ = "table*" if wide else "table"
    lines = [
        rf"\begin{{{float_}}}",
        r"\centering",
        *([r"\scriptsize", r"\setlength{\tabcolsep}{3pt}"] if wide else []),
        rf"\caption{{{_latex_text(' '.join([table.legend, *(f'Undefined: {r}.' for r in table.reasons())]))}}}",
        *([r"\providecommand{\resizebox}[3]{#3}", r"\resizebox{\linewidth}{!}{%"] if too_wide else []),
        rf"\begin{{tabular}}{{{alignment}}}",
        r"\toprule",
        _latex_row([column.header for column in table.shown]),
        r"\midrule",
        *(_latex_row(cells) for cells in table.cells()),
        r"\bottomrule",
        r"\end{tabular}" + ("}" if too_wide else ""),
        rf"\end{{{float_}}}",
        "",
    ]
    return "\n".join(lines)


def _latex_row(cells: list[str]) -> str:
    row = " & ".join(_latex_text(cell) for cell in cells) + r" \\"
    # The empty group keeps a first cell such as [a] from being read as an argument of the line above.
    return "{}" + row if row.startswith(("[", "*")) else row


def _latex_text(text: str) -> str:
    """Return text that pdflatex shows as it is; letters that it has not by their numbers."""
    # Two hyphens would be drawn as one dash, so something stands between them.
    signs = printable(" ".join(text.split())).replace("--", "-\0-").replace("--", "-\0-")
    return "".join(map(_latex_sign, signs))


def _latex_sign(sign: str) -> str:
    if sign in _LATEX:
        return _LATEX[sign]
    return sign if sign.isascii() or sign in _LATIN else f"U+{ord(sign):04X}"


WRITERS: dict[str, Callable[[Table], str]] = {"md": to_markdown, "csv": to_csv, "tex": to_latex}
"""File extension to writer."""
