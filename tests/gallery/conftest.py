"""One run and its gallery, shared by all tests."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from asdbench.gallery import Gallery, gallery
from asdbench.report.run import Run
from tests.gallery.made import HOSTILE, make_run, rename_video


@dataclass(frozen=True)
class Shown:
    """A run, its gallery and what that records."""

    run: Run
    gallery: Gallery
    data: Path

    @property
    def record(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.gallery.path / "gallery.json").read_text(encoding="utf-8"))
        return found

    def group(self, condition: str, kind: str) -> dict[str, Any]:
        section = next(each for each in self.record["conditions"] if each["name"] == condition)
        return next(each for each in section["groups"] if each["kind"] == kind)


@pytest.fixture(scope="session")
def shown(fixture_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    folder = tmp_path_factory.mktemp("gallery")
    data = Path(shutil.copytree(fixture_root, folder / "data"))
    rename_video(data, "E5mTqLw", HOSTILE)
    run = make_run(data, folder)
    return Shown(run, gallery(run, count=2), data)
