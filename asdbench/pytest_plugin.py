"""The fixture ``asdbench_gate``: a checkpoint that got worse fails a test (docs/gates.md).

pytest loads this module in every session where asdbench is installed, so nothing heavy is imported before a test asks.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from asdbench.gate import Judgement, Rule, Rules
    from asdbench.report.run import Run


class InconclusiveGateWarning(UserWarning):
    """The data cannot tell whether a checkpoint got worse, and the gate is not strict."""


class Gate(Protocol):
    """What the fixture ``asdbench_gate`` gives."""

    def __call__(
        self,
        run: str | Path | Run,
        baseline: str | Path | Run | None = None,
        rules: Rules | str | Path | Iterable[str | Rule] | None = None,
        *,
        strict: bool | None = None,
        allow: Collection[str] = (),
    ) -> Judgement:
        """Fail the test where a run is worse than a baseline.

        Args:
            run: Run folder, or run, that is judged.
            baseline: What it must not be worse than; ``--asdbench-baseline`` or ``asdbench_baseline`` by default.
            rules: Rules, each text or read, one rule, or the path of a gate.toml; default rules without any.
            strict: Whether inconclusive fails; ``asdbench_strict`` by default.
            allow: What may differ all the same: ``custom``, ``dtype``, ``options``.

        Returns:
            What was found, where the test goes on.
        """


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option and the settings."""
    group = parser.getgroup("asdbench", "robustness of active speaker detectors")
    group.addoption("--asdbench-baseline", metavar="FOLDER", help="baseline of the fixture asdbench_gate")
    parser.addini("asdbench_baseline", "baseline of the fixture asdbench_gate, relative to this file")
    parser.addini("asdbench_strict", "whether asdbench_gate fails where data cannot tell", type="bool", default=False)


@pytest.fixture
def asdbench_gate(request: pytest.FixtureRequest) -> Gate:
    """A function that fails the test where a run is worse than a baseline: ``asdbench_gate(run, baseline, rules)``."""

    def call(run: Any, baseline: Any = None, rules: Any = None, *, strict: Any = None, allow: Any = ()) -> Judgement:
        __tracebackhide__ = True
        from asdbench.errors import AsdbenchError
        from asdbench.gate import gate
        from asdbench.gate.terminal import shown, to_text
        from asdbench.gate.words import sentence

        if isinstance(rules, str) and not rules.endswith(".toml"):
            rules = [rules]
        chosen = _baseline(request.config) if baseline is None else baseline
        demanded = bool(request.config.getini("asdbench_strict")) if strict is None else strict
        try:
            found = gate(run, chosen, rules, strict=demanded, allow=allow)
        except AsdbenchError as error:
            raise pytest.fail.Exception(f"asdbench gate: {error}", pytrace=False) from None
        if found.exit_code:
            # pytest shows the first line again in its short summary, so that is not one of the table.
            first = f"{shown(sentence(found))}\n\n" if found.rulings else ""
            pytest.fail(first + to_text(found), pytrace=False)
        if found.state == "inconclusive":
            warnings.warn(InconclusiveGateWarning(sentence(found)), stacklevel=2)
        return found

    return call


def _baseline(config: pytest.Config) -> Path:
    __tracebackhide__ = True
    given = config.getoption("--asdbench-baseline")
    if given:
        return Path(config.invocation_params.dir, given)
    named = config.getini("asdbench_baseline")
    if named:
        return Path(config.inipath.parent if config.inipath else config.rootpath, str(named))
    pytest.fail("asdbench gate: no baseline; pass one, or set --asdbench-baseline or asdbench_baseline.", pytrace=False)
