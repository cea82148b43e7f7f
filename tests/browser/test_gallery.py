"""The gallery in a real browser: every picture is seen, every clip plays, no name of a track runs as code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from asdbench.gallery import Gallery, gallery
from tests.gallery.made import HOSTILE, make_run, rename_video

PLAY = """
const video = document.querySelectorAll("video")[arguments[0]], done = arguments[arguments.length - 1];
const wait = new Promise((resolve) => setTimeout(resolve, 20000, "too slow"));
const moved = new Promise((resolve) => video.addEventListener("timeupdate", () => {
  if (video.currentTime > 0.3) resolve("moved");
}));
video.muted = true;
video.play().then(() => Promise.race([moved, wait])).then((how) => {
  const cursor = video.closest(".shown").querySelector(".cursor");
  done({how, time: video.currentTime, error: video.error, seconds: video.duration, width: video.videoWidth,
        cursor: cursor.hidden ? null : parseFloat(cursor.style.left)});
}, (error) => done({how: String(error)}));
"""


@pytest.fixture(scope="module")
def written(fixture_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    folder = tmp_path_factory.mktemp("shown")
    data = Path(shutil.copytree(fixture_root, folder / "data"))
    for old, new in (("E5mTqLw", HOSTILE), ("d_09x", "#?%22&'(x)")):
        rename_video(data, old, new)
    return gallery(make_run(data, folder, short=True), count=5)


def play(page: Any, number: int) -> dict[str, Any]:
    found: dict[str, Any] = page.driver.execute_async_script(PLAY, number)
    return found


def test_it_opens_and_every_clip_plays(browser: Any, written: Gallery) -> None:
    page = browser.open(written.page)
    page.run("for (const image of document.images) image.loading = 'eager'")  # those out of sight would wait for it
    assert page.broken_images == []
    assert len(page.find("img")) == written.errors
    videos = page.find("video")
    assert len(videos) == written.clips > 5
    record = json.loads((written.path / "gallery.json").read_text(encoding="utf-8"))
    errors = [error for part in record["conditions"] for group in part["groups"] for error in group["errors"]]
    seconds = [error["duration"] for error in errors for _ in error["clips"]]
    for number in (0, len(videos) - 2, len(videos) - 1):
        played = play(page, number)
        assert played["how"] == "moved", played
        assert played["error"] is None
        assert played["seconds"] == pytest.approx(seconds[number], abs=0.15)
        assert played["width"] == 256
        assert played["cursor"] > 12
    assert page.console == []


def test_every_clip_can_be_decoded_by_the_browser(browser: Any, written: Gallery) -> None:
    page = browser.open(written.page)
    states = page.driver.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "Promise.all(Array.from(document.querySelectorAll('video'), (v) => new Promise((r) => {"
        "  const ready = () => r(v.error ? v.error.message : v.readyState >= 1 ? '' : 'nothing');"
        "  if (v.readyState >= 1) ready(); else { v.onloadedmetadata = ready; v.onerror = ready; } }))).then(done);"
    )
    assert set(states) == {""}
    assert page.console == []


def test_the_other_clip_goes_on_where_the_first_one_was(browser: Any, written: Gallery) -> None:
    page = browser.open(written.page)
    pair = page.run(
        "const all = Array.from(document.querySelectorAll('video'));"
        "return all.findIndex((v) => v.closest('.clips').querySelectorAll('video').length === 2)"
    )
    before = play(page, pair)["time"]
    page.run(f"document.querySelectorAll('video')[{pair + 1}].play()")
    one, other = (page.run(f"return document.querySelectorAll('video')[{pair + n}].paused") for n in (0, 1))
    assert (one, other) == (True, False)
    assert page.run(f"return document.querySelectorAll('video')[{pair + 1}].currentTime") >= before - 0.1


def test_a_click_into_the_picture_starts_there(browser: Any, written: Gallery) -> None:
    page = browser.open(written.page)
    page.click(".time")  # in its middle
    shown = page.run(
        "const s = document.querySelector('.shown').dataset; return [s.left, s.right, s.seconds].map(Number)"
    )
    wanted = (0.5 - shown[0]) / (shown[1] - shown[0]) * shown[2]
    assert page.run("return document.querySelector('video').currentTime") == pytest.approx(wanted, abs=0.5)


def test_names_are_shown_and_do_nothing(browser: Any, written: Gallery) -> None:
    page = browser.open(written.page)
    assert any(HOSTILE in text for text in page.texts("h4"))
    assert page.run("return document.title") != "1"
    assert not page.find("h4 img")
    assert "Do not publish" in page.text(".banner")
    page.click("nav.contents li:nth-child(3) a")
    assert page.run("return location.hash") == "#condition-2"
