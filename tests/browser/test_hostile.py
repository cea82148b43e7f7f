"""A run of hostile names in every format: they are shown, and nothing of them runs."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from asdbench.report.comparison import compare
from asdbench.report.comparison_page import comparison_page
from asdbench.report.pages import MAX_BYTES
from asdbench.report.report_page import report_page
from asdbench.report.run import Run, open_run
from asdbench.report.text import printable
from asdbench.report.write import KINDS, write_report
from tests.browser.conftest import Browser
from tests.report.hostile import MODEL, NAMES, hostile_run

TABLES = 10
"""So many at least has the run; fewer would mean that this tests little."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of hostile names with its report."""
    found = hostile_run(tmp_path_factory.mktemp("hostile") / "run")
    write_report(found)
    return found


def test_the_report_of_hostile_names(browser: Browser, run: Run) -> None:
    path = run.path / "report.html"
    assert path.stat().st_size < MAX_BYTES
    page = browser.open(path)
    assert page.console == []
    assert page.broken_images == []
    assert page.driver.title.startswith("<script>document.title='ran'</script>")
    assert page.text("h1") == printable(MODEL)
    assert page.find("main script, main iframe, main object, main [onerror], main [onload], main [style]") == []
    shown = page.text("main")
    for name in NAMES:
        assert printable(name) in shown
    assert not [sign for sign in "\0\u202e\u2066" if sign in shown]
    assert "someone" not in path.read_text(encoding="utf-8")


def test_every_table_of_the_report_sorts(browser: Browser, run: Run) -> None:
    page = browser.open(run.path / "report.html")
    tables = page.find("table.sortable")
    assert len(tables) > 10
    unsorted = page.run(
        """
        const value = (cell) => cell.dataset.sort === undefined ? null : Number(cell.dataset.sort);
        const wrong = [];
        for (const table of document.querySelectorAll("table.sortable"))
          for (const heading of table.tHead.rows[0].cells)
            for (const sign of [1, -1]) {
              heading.querySelector("button").click();
              if (!heading.classList.contains("number")) continue;
              const found = Array.from(table.tBodies[0].rows, (row) => value(row.cells[heading.cellIndex]));
              const known = found.filter((each) => each !== null);
              const last = found.slice(known.length).every((each) => each === null);
              const disorder = known.some((each, i) => i && (each - known[i - 1]) * sign < 0);
              if (!last || disorder) wrong.push(heading.textContent);
            }
        return wrong;
        """
    )
    assert unsorted == []
    assert page.console == []


def test_every_link_leads_to_a_place_on_the_page(browser: Browser, run: Run) -> None:
    page = browser.open(run.path / "report.html")
    goals = [link.get_attribute("href").partition("#")[2] for link in page.find("a")]
    assert len(goals) > 8
    assert [goal for goal in goals if not page.find(f"#{goal}")] == []
    ids = page.run("return Array.from(document.querySelectorAll('[id]'), (each) => each.id)")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("width", [400, 900, 1500])
def test_the_page_itself_never_scrolls_sideways(browser: Browser, run: Run, width: int) -> None:
    page = browser.open(run.path / "report.html", width=width)
    assert page.run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_the_comparison_of_hostile_names(browser: Browser, run: Run, tmp_path: Path) -> None:
    other = hostile_run(tmp_path / "other", "<b>other</b>")
    (tmp_path / "comparison.html").write_text(comparison_page(compare(run, other)), encoding="utf-8")
    page = browser.open(tmp_path / "comparison.html")
    assert page.console == []
    assert page.broken_images == []
    assert "<b>other</b>" in page.text("h1")
    assert page.find("main script, main [onerror], main [style]") == []
    page.click("#comparison thead th:nth-child(5) button")
    assert page.find("#comparison th[aria-sort]")[0].text.startswith("B - A")


def test_figures_are_xml_without_anything_that_runs_or_loads(run: Run) -> None:
    found = sorted((run.path / "plots").glob("*.svg"))
    assert len(found) > TABLES
    for path in found:
        for element in ET.parse(path).iter():
            kind = element.tag.rpartition("}")[2].lower()
            assert kind not in ("script", "foreignobject", "a", "iframe")
            for name, value in element.attrib.items():
                assert not name.lower().startswith("on")
                assert not name.endswith("href") or value.startswith(("#", "data:image/png;base64,"))
            assert not [sign for sign in "\0\u202e\u2066" if sign in (element.text or "")]


def test_markdown_has_no_tag_and_no_link_that_is_not_ours(run: Run) -> None:
    text = (run.path / "report.md").read_text(encoding="utf-8")
    assert not re.search(r"(?<!\\)<", text)
    assert not [sign for sign in "\0\u202e\u2066" if sign in text]
    for target in re.findall(r"(?<!\\)\]\(([^)]*)\)", text):
        assert re.fullmatch(r"plots/\w+\.png", target)


def test_no_cell_of_csv_is_a_formula(run: Run) -> None:
    for path in (run.path / "tables").glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            [header, *rows] = csv.reader(file)
        assert {len(row) for row in rows} == {len(header)}
        for cell in [*header, *(cell for row in rows for cell in row)]:
            assert not cell.startswith(("=", "+", "@", "\t", "\r"))
            assert not cell.startswith("-") or float(cell) <= 0


@pytest.mark.parametrize("packages", ["booktabs", "booktabs,graphicx"])
def test_every_latex_table_compiles_and_shows_the_names(run: Run, tmp_path: Path, packages: str) -> None:
    tables = sorted((run.path / "tables").glob("*.tex"))
    assert len(tables) > TABLES
    text = _compiled(tables, packages, tmp_path)
    if "graphicx" in packages:  # without it a wide table may run over the edge
        assert "Overfull" not in (tmp_path / "paper.log").read_text(encoding="utf-8", errors="replace")
    for name in ("<script>alert(1)</script>", "50 % & $x", "\\input{x}", "a\\|b", "\\u202ebackwards", "U+6A21"):
        assert name in text


def _compiled(tables: list[Path], packages: str, folder: Path) -> str:
    """Return the text of a PDF with all tables, as somebody would paste them in a paper."""
    tools = [shutil.which(name) for name in ("pdflatex", "pdftotext")]
    if None in tools:
        if os.environ.get("ASDBENCH_REQUIRE_TOOLS"):
            pytest.fail("pdflatex or pdftotext is not installed")
        pytest.skip("needs pdflatex and pdftotext; Debian: texlive-latex-recommended poppler-utils")
    body = "\n\\clearpage\n".join(path.read_text(encoding="utf-8") for path in tables)
    head = f"\\documentclass[twocolumn]{{article}}\n\\usepackage[margin=2cm]{{geometry}}\n\\usepackage{{{packages}}}"
    document = f"{head}\n\\begin{{document}}\n{body}\n\\end{{document}}\n"
    (folder / "paper.tex").write_text(document, encoding="utf-8")
    # Where a name were a command, it should find nothing to do harm with.
    command = ["pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    subprocess.run(["pdftotext", "-raw", "paper.pdf"], cwd=folder, check=True)
    # Long cells are broken between words; a quotation mark has a direction in print.
    return " ".join((folder / "paper.txt").read_text(encoding="utf-8").split())


def test_equal_runs_have_equal_pages_but_for_what_their_record_says(run: Run, tmp_path: Path) -> None:
    page = (run.path / "report.html").read_text(encoding="utf-8")
    assert report_page(open_run(run.path), run.path / "plots") == page
    other = shutil.copytree(run.path, tmp_path / "elsewhere")
    assert report_page(open_run(other), other / "plots") == page


def test_times_are_shown_under_cost_alone(run: Run) -> None:
    slower = replace(run, record={**run.record, "timings": {**run.record["timings"], "wall_seconds": 77.7}})
    pages = [report_page(each, run.path / "plots") for each in (run, slower)]
    parts = [re.split(r'<section id="([\w-]+)">', page) for page in pages]
    keys = ["head", *parts[0][1::2]]
    differing = [key for key, one, other in zip(keys, *(each[::2] for each in parts), strict=True) if one != other]
    assert differing == ["cost"]


def test_only_the_kinds_that_are_asked_for_are_written(run: Run, tmp_path: Path) -> None:
    ends = {"md": {".md"}, "latex": {".tex"}, "csv": {".csv"}}
    bare = Path(
        shutil.copytree(run.path, tmp_path / "bare", ignore=shutil.ignore_patterns("tables", "plots", "report*"))
    )
    before = {path for path in bare.rglob("*") if path.is_file()}
    for kind in ("latex", "csv"):
        write_report(open_run(bare), (kind,))
        written = {path for path in bare.rglob("*") if path.is_file()} - before
        assert {path.suffix for path in written} == ends[kind]
        shutil.rmtree(bare / "tables")
    assert set(KINDS) == {"html", *ends}
