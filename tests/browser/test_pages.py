"""Pages as a browser shows them: what runs, what is loaded, what a click does."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdbench.report.pages import picture, render_page, table_html
from asdbench.report.table import Column, Estimate, Table
from tests.browser.conftest import Browser, Opened
from tests.report.crafted import HOSTILE

VALUES = {"x10": Estimate(0.9, 0.8, 1.0), "x9": 0.25, "none": {"undefined": "no rows"}, "X2": -3.0, "big": 1e3}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="72pt" height="36pt"><script>document.title="ran"</script></svg>'


@pytest.fixture
def small(browser: Browser, tmp_path: Path) -> Opened:
    """A page with one table and one picture."""
    columns = (Column("name", "Name"), Column("value", "Value", "ratio"))
    rows = tuple({"name": name, "value": value} for name, value in VALUES.items())
    table = Table("t", "Caption", columns, rows)
    page = render_page("base.html", "<i>title</i>", {})
    path = tmp_path / "page.html"
    path.write_text(page.replace("<body>", f"<body>{table_html(table)}{picture(SVG, 'a picture')}"), encoding="utf-8")
    return browser.open(path)


def names(page: Opened) -> list[str]:
    return page.texts("tbody th")


def test_numbers_are_sorted_by_value_and_what_is_undefined_comes_last_either_way(small: Opened) -> None:
    small.click("thead th:nth-child(2) button")
    assert names(small) == ["X2", "x9", "x10", "big", "none"]
    assert small.find("thead th")[1].get_attribute("aria-sort") == "ascending"
    small.click("thead th:nth-child(2) button")
    assert names(small) == ["big", "x10", "x9", "X2", "none"]
    assert small.find("thead th")[1].get_attribute("aria-sort") == "descending"


def test_text_is_sorted_as_people_do_and_from_the_keyboard(small: Opened) -> None:
    [button, _] = small.find("thead button")
    button.send_keys("\n")
    assert names(small) == ["big", "none", "X2", "x9", "x10"]
    assert [each.get_attribute("aria-sort") for each in small.find("thead th")] == ["ascending", None]


def test_pictures_are_seen_and_their_scripts_do_not_run(small: Opened) -> None:
    assert small.broken_images == []
    assert small.run("return document.images[0].naturalWidth") > 0
    assert small.driver.title == "<i>title</i>"
    assert small.console == []


def test_the_policy_refuses_what_the_page_did_not_bring(browser: Browser, tmp_path: Path) -> None:
    page = render_page("base.html", "t", {}).replace(
        "<body>",
        "<body><script>document.title='ran'</script><img id=a src=x onerror=\"document.title='ran'\">"
        "<img src='https://example.org/a.png'><p style='color:red'>x</p><iframe src='https://example.org'></iframe>",
    )
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    opened = browser.open(tmp_path / "page.html")
    opened.run("return fetch('https://example.org').catch(() => 0)")
    assert opened.driver.title == "t"
    said = "\n".join(opened.console)
    for directive in ("script-src", "img-src", "style-src", "default-src"):
        assert directive in said
    assert opened.run("return getComputedStyle(document.querySelector('p')).color") != "rgb(255, 0, 0)"


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_attributes_stay_text(name: str) -> None:
    table = Table("t", name, (Column("name", name),), ({"name": name},))
    html = table_html(table, name=name)
    assert "<script" not in html
    assert "<img" not in html
    assert " onerror='" not in html
