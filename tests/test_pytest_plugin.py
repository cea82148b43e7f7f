"""The fixture ``asdbench_gate``, in a pytest of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from asdbench import pytest_plugin
from tests.gate.judgements import JUDGEMENTS

pytest_plugins = ["pytester"]

HEAVY = ("torch", "pandas", "matplotlib", "numpy", "jinja2", "rich", "click", "sklearn", "cv2", "av")

SHOWN = "filterwarnings = default"
"""Else the inner session has the filters of the outer one."""

STAND_IN = """
import asdbench.gate
import pytest
from asdbench.errors import DataError
from tests.gate.judgements import JUDGEMENTS

@pytest.fixture(autouse=True)
def stand_in(monkeypatch):
    def gate(run, baseline, rules=None, *, strict=False, allow=()):
        if run == "broken":
            raise DataError("broken: not a finished run.")
        assert str(baseline).endswith("base"), baseline
        return JUDGEMENTS[f"{run}, strict" if strict else run][0]
    monkeypatch.setattr(asdbench.gate, "gate", gate)
"""


@pytest.fixture
def session(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project whose gate finds what the test asks for."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parent.parent))
    pytester.makeconftest(STAND_IN)
    pytester.makeini(f"[pytest]\n{SHOWN}\n")
    return pytester


def run(session: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    found = pytest.PytestPluginManager()
    found.load_setuptools_entrypoints("pytest11", "asdbench")
    # Where asdbench is not installed with its entry point, the plug-in is named.
    named = () if found.has_plugin("asdbench") else ("-p", "asdbench.pytest_plugin")
    return session.runpytest_inprocess(*named, "-p", "no:randomly", "-p", "no:xdist", *arguments)


def test_each_verdict(session: pytest.Pytester) -> None:
    session.makepyfile(
        """
        def test_pass(asdbench_gate):
            assert asdbench_gate("better", "base").state == "pass"

        def test_worse(asdbench_gate):
            asdbench_gate("worse beyond noise", "base", ["clean.ap:-0.5pt"])
            raise AssertionError("goes on")

        def test_other(asdbench_gate):
            asdbench_gate("not comparable", "base")

        def test_open(asdbench_gate):
            asdbench_gate("underpowered", "base")

        def test_strict(asdbench_gate):
            asdbench_gate("underpowered", "base", strict=True)

        def test_broken(asdbench_gate):
            asdbench_gate("broken", "base")
        """
    )
    result = run(session)
    result.assert_outcomes(passed=2, failed=4, warnings=1)
    text = result.stdout.str()
    assert "REGRESSION: new-model got worse under clean (ap 90.00 to 70.00 %)." in text
    assert re.search(r"REGRESSION +clean.ap +90.00 +70.00 +-20.00 \[-21.00, -19.00\]", text)
    assert "NOT COMPARABLE: new-model and the baseline cannot be compared: plan (abc and def); dtype" in text
    assert "InconclusiveGateWarning: INCONCLUSIVE: the data cannot tell" in text
    assert "a strict gate fails on that" in text
    assert "asdbench gate: broken: not a finished run." in text
    assert "FAILED test_each_verdict.py::test_worse - Failed: REGRESSION: new-model" in text
    assert "During handling" not in text
    assert "goes on" not in text
    assert "Traceback" not in text
    assert "pytest_plugin.py" not in text


@pytest.mark.parametrize(
    ("setting", "arguments", "outcome"),
    [
        ("", (), {"failed": 1}),
        (f"{SHOWN}\nasdbench_baseline = base", (), {"passed": 1, "warnings": 1}),
        (f"{SHOWN}\nasdbench_baseline = other", ("--asdbench-baseline", "base"), {"passed": 1, "warnings": 1}),
        ("asdbench_baseline = base\nasdbench_strict = true", (), {"failed": 1}),
        ("asdbench_baseline = base\nfilterwarnings = error", (), {"failed": 1}),
        (
            "asdbench_baseline = base\nfilterwarnings = error\n ignore::asdbench.pytest_plugin.InconclusiveGateWarning",
            (),
            {"passed": 1},
        ),
    ],
)
def test_settings(session: pytest.Pytester, setting: str, arguments: tuple[str, ...], outcome: dict[str, int]) -> None:
    session.makeini(f"[pytest]\n{setting}\n")
    session.makepyfile("def test_open(asdbench_gate):\n    asdbench_gate('underpowered')\n")
    result = run(session, *arguments)
    result.assert_outcomes(**outcome)
    if not setting:
        assert "asdbench gate: no baseline; pass one, or set" in result.stdout.str()


def test_a_relative_baseline_is_found_from_the_ini_file(session: pytest.Pytester) -> None:
    session.makeini("[pytest]\nasdbench_baseline = some/base\n")
    config = session.parseconfigure()
    assert pytest_plugin._baseline(config) == session.path / "some" / "base"


def test_nothing_heavy_is_imported_when_pytest_starts() -> None:
    code = (
        "import sys, pytest\n"
        f"before = set(sys.modules)\nimport asdbench.pytest_plugin\n"
        f"print(sorted(set({HEAVY!r}) & (set(sys.modules) - before)))\n"
        "print([name for name in sys.modules if name.startswith('asdbench') and name not in before])"
    )
    lines = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines == ["[]", "['asdbench', 'asdbench.pytest_plugin']"]


def test_the_stand_ins_are_those_of_the_outputs() -> None:
    assert {"better", "worse beyond noise", "not comparable", "underpowered", "underpowered, strict"} <= set(JUDGEMENTS)
