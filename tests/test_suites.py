"""Suites: what is shipped, and what a file may not say."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from asdbench.errors import UnknownNameError, UsageError
from asdbench.perturb.catalogue import PERTURBATIONS
from asdbench.resources import resource_folder
from asdbench.suites import load_suite, suite_names

CLEAN = '[[condition]]\nname = "clean"\nrole = "reference"\n'
HEAD = 'name = "mine"\nversion = 3\nseed = 5\nsummary = "Mine."\n'
MINE = f"""{HEAD}
{CLEAN}
[[condition]]
name = "late"
perturbation = "misalign"
proportion = 0.5
labels = "negative"
options = {{ min_ms = 200 }}
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(MINE, encoding="utf-8")
    return path


def test_shipped_suites_load_and_name_known_perturbations() -> None:
    assert {"clean", "modality", "unsync"} <= set(suite_names())
    for name in suite_names():
        suite = load_suite(name)
        assert suite.name == name
        assert suite.summary.endswith(".")
        assert {c.perturbation for c in suite.conditions[1:]} <= set(PERTURBATIONS)


def test_unsync_has_its_ten_conditions_in_order() -> None:
    suite = load_suite("unsync")
    shares = ("0.25", "0.50", "0.75", "1.00")
    tests = [f"{kind}@{share}" for kind in ("mismatch", "misalign") for share in shares]
    assert [c.name for c in suite.conditions] == ["clean", "resplice@1.00", *tests]
    assert [c.proportion for c in suite.conditions[2:]] == [float(share) for share in shares] * 2
    assert [c.labels for c in suite.conditions] == ["keep", "keep", *["negative"] * 8]
    assert [c.role for c in suite.conditions] == ["reference", "control", *["test"] * 8]
    assert all(c.name.startswith(str(c.perturbation)) for c in suite.conditions[1:])
    assert (suite.label, suite.seed) == ("unsync@1", 20261120)


def test_modality_is_diagnostic_and_keeps_labels() -> None:
    conditions = load_suite("modality").conditions[1:]
    assert {c.role for c in conditions} == {"diagnostic"}
    assert {c.labels for c in conditions} == {"keep"}
    assert {c.name: dict(c.options) for c in conditions}["mismatch(track)"] == {"scope": "track"}


def test_user_file_by_path(mine: Path) -> None:
    for path in (mine, str(mine)):
        suite = load_suite(path)
        assert (suite.name, suite.version, suite.seed, suite.summary) == ("mine", 3, 5, "Mine.")
        late = suite.conditions[1]
        assert (late.perturbation, late.proportion, late.labels) == ("misalign", 0.5, "negative")
        assert (late.role, dict(late.options)) == ("test", {"min_ms": 200})


def test_hash_depends_on_content_alone(mine: Path) -> None:
    before = load_suite(mine).sha256
    mine.write_text("# a comment\n" + MINE, encoding="utf-8")
    other = mine.with_name("renamed.toml")
    shutil.copy(mine, other)
    assert load_suite(mine).sha256 == load_suite(other).sha256 == before


@pytest.mark.parametrize(
    ("old", "new"),
    [("0.5", "0.6"), ("= 3", "= 4"), ("= 5", "= 6"), ("200", "201"), ('"negative"', '"ignore"'), ("late", "later")],
)
def test_hash_changes_with_content(mine: Path, old: str, new: str) -> None:
    before = load_suite(mine).sha256
    assert MINE.count(old) == 1 or old in ("= 5", "= 3")
    mine.write_text(MINE.replace(old, new, 1), encoding="utf-8")
    assert load_suite(mine).sha256 != before


BAD = {
    "unknown key": (MINE.replace("proportion", "portion"), "portion"),
    "unknown key at the top": ("colour = 1\n" + MINE, "colour"),
    "proportion above 1": (MINE.replace("0.5", "1.5"), "proportion"),
    "proportion below 0": (MINE.replace("0.5", "-0.1"), "proportion"),
    "proportion not a number": (MINE.replace("0.5", "nan"), "proportion"),
    "proportion in words": (MINE.replace("0.5", '"half"'), "proportion"),
    "unknown label policy": (MINE.replace('"negative"', '"positive"'), "labels"),
    "name with a slash": (MINE.replace('"late"', '"../late"'), "name"),
    "version 0": (MINE.replace("= 3", "= 0"), "version"),
    "no seed": (MINE.replace("seed = 5\n", ""), "seed"),
    "duplicate names": (MINE + MINE[MINE.rindex("[[") :], "'late' stands there twice"),
    "no clean first": (MINE.replace(CLEAN, ""), "first condition must be the reference"),
    "clean is changed": (
        MINE.replace(CLEAN, CLEAN + 'perturbation = "silence"\n'),
        "first condition must be the reference",
    ),
    "clean is a test": (MINE.replace('"reference"', '"test"'), "first condition must be the reference"),
    "second reference": (MINE + 'role = "reference"\n', r'not a valid suite|"?late"?'),
    "no perturbation": (MINE.replace('perturbation = "misalign"\n', ""), "'late' needs a perturbation"),
    "no conditions": (HEAD + "condition = []\n", "condition"),
    "bad toml": (MINE + "= what\n", "not a valid suite"),
    "empty": ("", "not a valid suite"),
}


@pytest.mark.parametrize("fault", BAD)
def test_bad_files_are_refused_by_name(tmp_path: Path, fault: str) -> None:
    text, what = BAD[fault]
    path = tmp_path / "bad.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=what) as caught:
        load_suite(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe\x80")
    with pytest.raises(UsageError, match=r"bad\.toml: not a valid suite"):
        load_suite(tmp_path / "bad.toml")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.toml: the suite cannot be read"):
        load_suite(tmp_path / "nowhere.toml")


def test_version_may_be_insisted_on() -> None:
    assert load_suite("unsync@1") == load_suite("unsync")
    with pytest.raises(UsageError, match=r"no version 9 of the suite 'unsync'; this release holds unsync@1"):
        load_suite("unsync@9")


@pytest.mark.parametrize("name", ["unsyn", "unsyn@1"])
def test_unknown_name_has_a_hint(name: str) -> None:
    with pytest.raises(UnknownNameError, match=f"no suite '{name}'; did you mean unsync"):
        load_suite(name)


@pytest.mark.parametrize("name", ["", "../suites/unsync", "unsync/"])
def test_a_name_is_not_a_path(name: str) -> None:
    with pytest.raises(UnknownNameError):
        load_suite(name)


def test_file_names_are_suite_names() -> None:
    assert [path.stem for path in sorted(resource_folder("suites").glob("*.toml"))] == suite_names()
