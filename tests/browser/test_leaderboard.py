"""The leaderboard in a real browser: quiet, sorts, narrows, and shows hostile names without running them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from asdbench.leaderboard.boards import boards_of
from asdbench.leaderboard.entry import Entry, sealed
from asdbench.leaderboard.published import read_published
from asdbench.leaderboard.write import Leaderboard, leaderboard, write_leaderboard
from tests.browser.conftest import Browser, Opened
from tests.leaderboard.crafted import models
from tests.report.crafted import HOSTILE

NOISY = '<img src=x onerror="window.ran = 1"><script>window.ran = 1</script>'


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("leaderboard")
    return write_leaderboard(leaderboard(), folder)[0]


@pytest.fixture
def opened(browser: Browser, shipped: Path) -> Opened:
    return browser.open(shipped)


def visible(opened: Opened, css: str) -> list[str]:
    """First cells of the rows that are shown."""
    rows = [row for row in opened.find(f"{css} tbody tr") if row.is_displayed()]
    return [str(row.find_element("css selector", "th").get_property("textContent")) for row in rows]


def choose(opened: Opened, name: str, value: str) -> None:
    opened.run(
        f"const c = document.querySelector('[data-narrows={name}]'); c.value = {value!r};"
        "c.dispatchEvent(new Event('input', {bubbles: true}))"
    )


def test_nothing_goes_wrong_and_nothing_is_fetched(opened: Opened) -> None:
    assert opened.console == []
    assert opened.broken_images == []
    assert (
        opened.run("return performance.getEntriesByType('resource').filter(e => e.name.startsWith('http')).length") == 0
    )


def test_what_must_not_be_overlooked_is_in_sight(opened: Opened) -> None:
    text = opened.text("main")
    for words in ("mixes mAP and mAP@0.5", "out of domain here", "no benchmark results", "There is no overall score"):
        assert words in text


def test_a_click_sorts_by_number(opened: Opened) -> None:
    table = "figure[id^=models-]"
    before = visible(opened, table)
    assert before[0] == "light-asd.demo"
    opened.click(f"{table} th:nth-child(6) button")  # retention under misalign@1.00, least first
    assert visible(opened, table)[0] == "light-asd.demo-sync"
    opened.click(f"{table} th:nth-child(6) button")
    assert visible(opened, table)[-1] == "light-asd.demo-sync"


def test_it_narrows_by_data_set_parameters_and_name(opened: Opened) -> None:
    def sections() -> list[str]:
        return [str(part.get_attribute("data-data")) for part in opened.find("[data-data]") if part.is_displayed()]

    everything = sections()
    assert {"demo-val", "Ego4D", "WASD"} <= set(everything)
    choose(opened, "data", "Ego4D")
    assert sections() == ["Ego4D"]
    choose(opened, "data", "")
    assert sections() == everything
    choose(opened, "parameters", "1000000")
    assert set(visible(opened, "figure[id^=models-]")) == {"lr-asd.ava", "lr-asd.talkset"}
    choose(opened, "parameters", "")
    choose(opened, "text", "demo-sync")
    assert visible(opened, "figure[id^=models-]") == ["light-asd.demo-sync"]
    opened.run("document.querySelector('[data-narrows=suite]').add(new Option('another@1', 'another@1'))")
    choose(opened, "suite", "another@1")
    assert "demo-val" not in sections()
    assert "Ego4D" in sections()  # published numbers belong to no suite
    assert opened.console == []


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page whose every text from outside wants to run, or to break out of its cell."""
    folder = tmp_path_factory.mktemp("hostile")
    entries = list(models(folder / "runs").values())
    found: list[Entry] = []
    for place, (entry, text) in enumerate(zip(entries * 8, [NOISY, *(each for each in HOSTILE if each)], strict=False)):
        changes: dict[str, Any] = {
            "model": msgspec.structs.replace(entry.model, name=text, trained_on=text),
            "data": msgspec.structs.replace(entry.data, name=NOISY, notes=(NOISY,)),
            "note": text, "warnings": (text,), "commands": (text,), "run_fingerprint": f"{place:064x}",
        }  # fmt: skip
        found.append(sealed(msgspec.structs.replace(entry, **changes)))
    return write_leaderboard(Leaderboard(boards_of(found), read_published()), folder / "out")[0]


def test_hostile_names_are_shown_and_not_run(browser: Browser, hostile: Path) -> None:
    opened = browser.open(hostile)
    assert opened.run("return window.ran") is None
    assert opened.console == []
    assert opened.broken_images == []
    assert NOISY in opened.texts("figure[id^=models-] tbody th")
    assert len(opened.find("script")) == 1
    choose(opened, "text", "<script>")
    assert NOISY in visible(opened, "figure[id^=models-]")
    assert opened.run("return window.ran") is None
