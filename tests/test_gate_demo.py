"""The demo of docs/gates.md, line by line: a damaged checkpoint fails the gate, the same checkpoint passes."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = (ROOT / "docs" / "gates.md").read_text(encoding="utf-8")
SMALL = {"ASDBENCH_LIMIT": "16", "ASDBENCH_AUDIT": "off", "ASDBENCH_RESAMPLES": "off", "ASDBENCH_CACHE": "cache"}
"""Some of the tracks show the damage; the cache spares the same checkpoint its second look at the faces."""


def block(language: str) -> str:
    """Return the first block of the page in a language."""
    found = re.search(rf"```{language}\n(.*?)```", DOCS, flags=re.DOTALL)
    assert found is not None
    return found[1]


def commands() -> list[tuple[list[str], int]]:
    """Return the command lines of the demo, each with the exit code that the page promises."""
    lines = [line.partition("#") for line in block("console").splitlines() if line]
    codes = [re.fullmatch(r"\s*exit code (\d)", comment) for _, _, comment in lines]
    return [(shlex.split(line), int(code[1]) if code else 0) for (line, _, _), code in zip(lines, codes, strict=True)]


@pytest.mark.slow
def test_the_damaged_checkpoint_fails_and_the_same_one_passes(tmp_path: Path) -> None:
    (tmp_path / "gate-suite.toml").write_text(block("toml"))
    (tmp_path / "tools").symlink_to(ROOT / "tools")
    programs = {
        "python": [sys.executable],
        "asdbench": [sys.executable, "-c", "from asdbench.cli.main import main; main()"],
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ASDBENCH_", "GITHUB_"))}
    environment |= {**SMALL, "PYTHONPATH": str(ROOT)}
    said = []
    for (program, *arguments), code in commands():
        found = subprocess.run(
            [*programs[program], *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert found.returncode == code, found.stderr + found.stdout
        said.append(found.stdout)
    assert len(said) == 7
    assert "PASS: light-asd.demo is not worse than the baseline by more than the margin" in said[3]
    assert re.search(r"^REGRESSION: light-asd\.damaged got worse under clean \(.*tpr 9", said[-1], flags=re.M)
    fingerprints = [json.loads((tmp_path / "runs" / name / "run.json").read_text()) for name in ("good", "again")]
    assert fingerprints[0]["fingerprint"] == fingerprints[1]["fingerprint"]  # two runs, one checkpoint


def test_the_page_shows_a_failing_gate() -> None:
    assert [code for _, code in commands()] == [0, 0, 0, 0, 0, 0, 1]
    assert "\nREGRESSION: light-asd.damaged got worse under clean (" in block("text")
