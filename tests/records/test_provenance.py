"""Where numbers come from, and nothing about who computed them."""

from __future__ import annotations

import getpass
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pytest

import asdbench
from asdbench.records import provenance


def test_versions_name_everything_that_can_move_a_number() -> None:
    found = provenance.versions()
    assert found["asdbench"] == asdbench.__version__
    assert found["python"] == platform.python_version()
    assert found["numpy"] == np.__version__
    assert {"torch", "opencv-python-headless", "soundfile", "pyarrow", "pandas"} <= set(found)
    assert all(isinstance(value, str) and value for value in found.values())


def test_a_package_under_another_name_does_not_stop_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(package: str) -> str:
        if package == "opencv-python-headless":
            raise PackageNotFoundError(package)
        return version(package)

    monkeypatch.setattr(provenance, "version", lookup)
    found = provenance.versions()
    assert found["opencv-python-headless"] == "not installed"
    assert found["numpy"] == np.__version__


def test_machine_names_no_host_user_or_folder() -> None:
    found = provenance.machine()
    assert found == {"system": platform.system(), "architecture": platform.machine()}
    assert not {platform.node(), getpass.getuser(), str(Path.home())} & set(found.values())


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git checkout with one commit, as if asdbench ran from it."""
    (tmp_path / "asdbench").mkdir()
    module = tmp_path / "asdbench" / "__init__.py"
    module.write_text("", encoding="utf-8")
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True, capture_output=True)
    monkeypatch.setattr(asdbench, "__file__", str(module))
    return tmp_path


def test_git_tells_commit_and_changes(checkout: Path) -> None:
    clean = provenance.git()
    assert clean is not None
    assert re.fullmatch(r"[0-9a-f]{40,64}", str(clean["commit"]))
    assert clean["modified"] is False
    (checkout / "asdbench" / "__init__.py").write_text("changed = 1\n", encoding="utf-8")
    assert provenance.git() == clean | {"modified": True}


def test_an_installed_package_has_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asdbench, "__file__", str(tmp_path / "site-packages" / "asdbench" / "__init__.py"))
    assert provenance.git() is None


@pytest.mark.parametrize(
    "error",
    [FileNotFoundError("git"), subprocess.CalledProcessError(128, "git"), subprocess.TimeoutExpired("git", 10)],
)
def test_git_that_fails_does_not_stop_a_run(checkout: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(provenance.subprocess, "run", fail)
    assert provenance.git() is None
