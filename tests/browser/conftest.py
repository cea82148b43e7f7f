"""A real browser for pages: Chromium without a window, as Debian packs it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DRIVER = "chromedriver"


class Opened:
    """A page that is open."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self._messages: list[str] = []

    @property
    def console(self) -> list[str]:
        """Everything that the console has said since the page was opened: errors, refusals, what scripts print."""
        self._messages += [f"{entry['level']}: {entry['message']}" for entry in self.driver.get_log("browser")]
        return list(self._messages)

    @property
    def broken_images(self) -> list[str]:
        """The ``alt`` of every image that could not be loaded."""
        script = (
            "return Promise.all(Array.from(document.images, i => i.decode().then(() => null, () => i.alt || i.src)))"
        )
        return [name for name in self.driver.execute_script(script) if name is not None]

    def find(self, css: str) -> list[Any]:
        """Return all elements that match."""
        return list(self.driver.find_elements("css selector", css))

    def click(self, css: str) -> None:
        """Click the first element that matches, wherever on the page it is."""
        element = self.driver.find_element("css selector", css)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        element.click()

    def text(self, css: str) -> str:
        """Return what the first element that matches shows."""
        return str(self.driver.find_element("css selector", css).get_property("textContent"))

    def texts(self, css: str) -> list[str]:
        """Return what every element that matches shows."""
        return [str(element.get_property("textContent")) for element in self.find(css)]

    def run(self, script: str) -> Any:
        """Return what a script returns in the page."""
        return self.driver.execute_script(script)

    def photograph(self, path: Path, width: int = 1200) -> None:
        """Write the whole page as PNG, for eyes."""
        self.driver.set_window_size(width, 1000)
        height = self.run("return document.documentElement.scrollHeight")
        self.driver.set_window_size(width, min(height + 150, 16000))
        self.driver.save_screenshot(str(path))


class Browser:
    """Opens pages, one after the other."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def open(self, path: Path, width: int = 1200, height: int = 1000) -> Opened:
        """Open a file and wait until it is loaded."""
        self._driver.get("about:blank")
        self._driver.get_log("browser")  # what the page before has said
        self._driver.set_window_size(width, height)
        self._driver.get(path.resolve().as_uri())
        return Opened(self._driver)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; without it a test skips, unless ``ASDBENCH_REQUIRE_TOOLS`` is set, as it is in CI."""
    found, driver = next(filter(None, map(shutil.which, BROWSERS)), None), shutil.which(DRIVER)
    if found is None or driver is None or find_spec("selenium") is None:
        message = "no browser; apt-get install chromium chromium-driver, pip install selenium"
        if os.environ.get("ASDBENCH_REQUIRE_TOOLS"):
            pytest.fail(message)
        pytest.skip(message)
    from selenium import webdriver as selenium

    options = selenium.ChromeOptions()
    options.binary_location = found
    for argument in _arguments():
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = selenium.Chrome(options=options, service=selenium.ChromeService(executable_path=driver))
    started.set_script_timeout(60)
    try:
        yield Browser(started)
    finally:
        started.quit()


def _arguments() -> Iterator[str]:
    yield "--headless=new"
    yield "--disable-gpu"
    yield "--disable-dev-shm-usage"  # containers have little of it
    yield "--hide-scrollbars"
    yield "--autoplay-policy=no-user-gesture-required"
    if os.name == "posix" and os.geteuid() == 0:
        yield "--no-sandbox"
