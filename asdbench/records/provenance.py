"""Where numbers come from: versions, machine and code of a run."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import asdbench

_PACKAGES = ("numpy", "torch", "opencv-python-headless", "soundfile", "av", "pyarrow", "pandas")


def versions() -> dict[str, str]:
    """Return the versions of asdbench, Python and every package that can move a number."""
    own = {"asdbench": asdbench.__version__, "python": platform.python_version()}
    return own | {package: _version(package) for package in _PACKAGES}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # e.g. opencv under another distribution name
        return "not installed"


def machine() -> dict[str, str]:
    """Return what the platform is, without names of users, hosts or folders."""
    return {"system": platform.system(), "architecture": platform.machine()}


def git() -> dict[str, object] | None:
    """Return commit and cleanliness of the checkout that asdbench runs from, ``None`` for an installed package."""
    root = Path(asdbench.__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    try:
        commit = _git(root, "rev-parse", "HEAD").strip()
        return {"commit": commit, "modified": bool(_git(root, "status", "--porcelain").strip())}
    except (OSError, subprocess.SubprocessError):
        return None


def _git(root: Path, *arguments: str) -> str:
    result = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True, timeout=10)
    return result.stdout
