"""Markdown, CSV and LaTeX, whatever the names."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from asdbench.report.tables import Column, Table
from asdbench.report.text import printable
from asdbench.report.writers import WRITERS, markdown_text, to_csv, to_latex, to_markdown
from tests.report.crafted import HOSTILE, MISSING

COLUMNS = (Column("name", "Name"), Column("ap", "AP %", "percent"), Column("rows", "rows", "count"))
FORMULA = tuple("=+-@\t\r")
MARKDOWN_SPECIAL = r"\\`*_|\[\]<>&"


def table(*names: str, caption: str = "Caption with fa_changed.", **values: Any) -> Table:
    row = {"ap": 0.1234567890123, "rows": 1234} | values
    return Table("t", caption, COLUMNS, tuple({"name": name, **row} for name in names))


def markdown_cells(line: str) -> list[str]:
    """Split a row as GitHub does: at each pipe that no backslash escapes."""
    return re.split(r"(?<!\\)(?:\\\\)*\|", line.strip())[1:-1]


def markdown_table(text: str) -> list[str]:
    return text.partition("\n\n")[0].split("\n")


def shown(text: str) -> str:
    """What a reader of the Markdown sees."""
    escape_or_entity = r"\\([!-/:-@\[-`{-~])|&#?\w+;"
    return re.sub(escape_or_entity, lambda found: found[1] or html.unescape(found[0]), text)


def test_markdown() -> None:
    assert to_markdown(table("mismatch@1.00", ap=MISSING)) == (
        "| Name | AP % | rows |\n"
        "|---|---:|---:|\n"
        "| mismatch@1.00 | – | 1,234 |\n"
        "\n"
        "Caption with fa_changed.  \n"
        "Undefined: mismatch@1.00: no positive rows remain.\n"
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_markdown_has_the_same_columns_in_every_row(name: str) -> None:
    lines = markdown_table(to_markdown(table(name, "harmless", name)))
    assert len(lines) == 2 + 3
    assert {len(markdown_cells(line)) for line in lines} == {3}
    assert markdown_cells(lines[3])[0].strip() == "harmless"


@pytest.mark.parametrize("name", HOSTILE)
def test_markdown_leaves_no_sign_that_means_something(name: str) -> None:
    text = markdown_text(name)
    assert len(text.splitlines()) <= 1
    without_escapes = re.sub(rf"\\[{MARKDOWN_SPECIAL}]", "", text)
    assert not re.search(rf"[{MARKDOWN_SPECIAL}]", without_escapes)


@pytest.mark.parametrize("name", [*HOSTILE, "&lt;b&gt;", "AT&amp;T", "&#60;"])
def test_markdown_shows_what_was_written(name: str) -> None:
    assert shown(markdown_text(name)) == printable(" ".join(name.split()))


@pytest.mark.parametrize("name", HOSTILE)
def test_markdown_reasons_are_escaped_too(name: str) -> None:
    text = to_markdown(table(name, ap=MISSING))
    assert f"Undefined: {markdown_text(name + ': no positive rows remain')}" in text


@pytest.mark.parametrize("write", [to_markdown, to_latex])
def test_nothing_that_a_terminal_or_tex_would_obey(write: Callable[[Table], str]) -> None:
    text = write(table("\x1b[31mred\x07\u202e\x00"))
    assert text.replace("\n", "").isprintable()
    assert "x1b" in text


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_csv() -> None:
    assert to_csv(table("clean", ap=None)) == '"name","ap","rows","undefined"\n"clean","",1234,""\n'


def test_csv_keeps_reasons_in_the_last_column() -> None:
    other = {"undefined": "only 0, of 9"}
    assert rows_of(to_csv(table("a", ap=MISSING, rows=other)))[1] == [
        "a",
        "",
        "",
        "no positive rows remain.; only 0, of 9",
    ]
    assert rows_of(to_csv(table("a", ap=MISSING, rows=MISSING)))[1][-1] == "no positive rows remain."


VALUES = [0.1 + 0.2, 1 / 3, 1e-17, -0.5, 0.0, 123456789.123456789, -30.000001907348633]


@pytest.mark.parametrize("value", VALUES)
def test_pandas_reads_the_raw_value(value: float) -> None:
    frame = pd.read_csv(io.StringIO(to_csv(table("clean", ap=value))), converters={"ap": float})
    assert frame["ap"].tolist() == [value]
    assert frame["rows"].tolist() == [1234]


def test_pandas_reads_undefined_cells_as_missing() -> None:
    frame = pd.read_csv(io.StringIO(to_csv(table("clean", ap=MISSING))))
    assert frame["ap"].isna().all()


@pytest.mark.parametrize("name", HOSTILE)
def test_names_survive_csv(name: str) -> None:
    text = to_csv(table(name, "harmless"))
    frame = pd.read_csv(io.StringIO(text, newline=""), keep_default_na=False, dtype=str)
    expected = (f"'{name}" if name.startswith(FORMULA) else name).replace("\0", r"\x00")
    assert frame["name"].tolist() == [expected, "harmless"]
    assert frame["rows"].tolist() == ["1234", "1234"]
    assert [len(row) for row in rows_of(text)] == [4, 4, 4]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_csv_cell_is_a_formula(name: str) -> None:
    for row in rows_of(to_csv(table(name))):
        assert not any(cell.startswith(FORMULA) for cell in row)


def test_csv_line_ends_are_the_same_everywhere() -> None:
    assert "\r" not in to_csv(table("a", "b"))


def latex_rows(text: str) -> list[str]:
    return text.partition("\\midrule\n")[2].partition("\\bottomrule")[0].splitlines()


def test_latex() -> None:
    assert to_latex(table("mismatch@1.00")) == (
        "\\begin{table}\n"
        "\\centering\n"
        "\\caption{Caption with fa\\_changed.}\n"
        "\\begin{tabular}{lrr}\n"
        "\\toprule\n"
        "Name & AP \\% & rows \\\\\n"
        "\\midrule\n"
        "mismatch@1.00 & 12.35 & 1,234 \\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}\n"
        "\\end{table}\n"
    )


def test_latex_gives_the_reasons_in_the_caption() -> None:
    caption = to_latex(table("x_1", ap=MISSING)).splitlines()[2]
    assert "Undefined: x\\_1: no positive rows remain" in caption


@pytest.mark.parametrize("name", HOSTILE)
def test_latex_rows_stay_rows(name: str) -> None:
    rows = latex_rows(to_latex(table(name, "harmless", name)))
    assert len(rows) == 3
    for row in rows:
        assert row.endswith(r" \\")
        assert len(re.findall(r"(?<!\\)&", row)) == 2


KNOWN_COMMANDS = r"\\text(?:backslash|asciitilde|asciicircum|less|greater|bar)\{\}|(?<=-)\{\}(?=-)|\\[{}$&#_%]"


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_is_a_latex_command(name: str) -> None:
    cell = latex_rows(to_latex(table(name)))[0].partition(" & 12.35")[0]
    assert not re.search(r"[\\{}$&#_%~^]", re.sub(KNOWN_COMMANDS, "", cell))


@pytest.mark.parametrize("name", ["[2ex] x", "* x"])
def test_no_latex_row_starts_like_an_argument_of_the_line_before(name: str) -> None:
    # LaTeX skips white space after \\ and \midrule in search of an optional argument.
    for row in latex_rows(to_latex(table("first", name))) + latex_rows(to_latex(table(name))):
        assert not row.startswith(("[", "*"))


def test_every_writer_is_found_by_its_extension() -> None:
    assert list(WRITERS.items()) == [("md", to_markdown), ("csv", to_csv), ("tex", to_latex)]


@pytest.mark.parametrize("extension", WRITERS)
def test_equal_tables_give_equal_text_that_ends_with_a_line_end(extension: str) -> None:
    first, again = (WRITERS[extension](table(*HOSTILE)) for _ in range(2))
    assert first == again
    assert first.endswith("\n")
    assert not first.endswith("\n\n")
