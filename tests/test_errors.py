"""The tree of errors is the one that its docstring draws."""

from __future__ import annotations

import inspect
import re

import pytest

from asdbench import errors
from asdbench.errors import AsdbenchError

CLASSES = {
    name: member
    for name, member in vars(errors).items()
    if inspect.isclass(member) and issubclass(member, AsdbenchError)
}
LINE = re.compile(r"^ {4}(?P<branch>[ |`-]*)(?P<name>\w+Error) +(?P<exit>\d+|exit) +\S")


def drawn() -> dict[str, tuple[str, int]]:
    """Class -> (parent, exit code) as the docstring says."""
    found: dict[str, tuple[str, int]] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if match := LINE.match(line):
            depth = len(match["branch"]) // 4
            above = [*above[:depth], match["name"]]
            code = 1 if match["exit"] == "exit" else int(match["exit"])  # the root's line holds the heading
            found[match["name"]] = (above[depth - 1] if depth else "Exception", code)
    return found


def test_the_docstring_lists_every_class_and_no_other() -> None:
    assert set(drawn()) == set(CLASSES)


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_each_class_has_the_parent_and_the_exit_code_of_the_docstring(name: str) -> None:
    assert (CLASSES[name].__base__.__name__, CLASSES[name].exit_code) == drawn()[name]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("AsdbenchError", 1),
        ("UsageError", 2),
        ("UnknownNameError", 2),
        ("NotComparableError", 3),
        ("DataError", 5),
        ("CheckpointError", 6),
        ("ModelOutputError", 6),
        ("MissingDependencyError", 7),
        ("ResourceError", 8),
        ("AuditError", 1),
        ("UndefinedMetricError", 1),
    ],
)
def test_exit_codes_that_scripts_rely_on(name: str, code: int) -> None:
    assert CLASSES[name].exit_code == code


def test_reserved_codes_belong_to_no_error() -> None:
    assert not {0, 4, 130} & {kind.exit_code for kind in CLASSES.values()}
