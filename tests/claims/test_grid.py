"""Grids: what a file may say, and what the shipped one says."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdbench.claims.claim import MIN_SEEDS
from asdbench.claims.findings import quantities
from asdbench.claims.grid import grid_names, load_grid
from asdbench.errors import UnknownNameError, UsageError
from asdbench.resources import resource_folder
from asdbench.suites import load_suite
from asdbench.training.recipes import load_recipe

SHIPPED = (resource_folder("baselines/claims") / "demo.toml").read_text(encoding="utf-8")

FROZEN = {"demo@1": "d7d8d47c0148ebdb17b8ce3abaea982b9148e94a54ed621923a02f418e9f05c0"}
"""Claims, thresholds, requirements and seeds of each release: a change needs a new version."""


def test_nobody_moves_a_threshold_without_bumping_the_version() -> None:
    assert {load_grid(name).label: load_grid(name).sha256 for name in grid_names()} == FROZEN


def test_the_shipped_grid_names_what_is_there() -> None:
    for name in grid_names():
        grid = load_grid(name)
        assert len(grid.seeds) >= MIN_SEEDS
        conditions = {each.name for each in load_suite(grid.suite).conditions}
        assert {each.condition for each in quantities(grid) if each.condition} <= conditions
        for recipe in grid.recipes:
            assert load_recipe(recipe).name == recipe


def test_the_shipped_grid_is_what_the_issue_asks_for() -> None:
    bounds = {claim.id: (claim.kind, claim.share, claim.bound.words) for claim in load_grid("demo").claims}
    assert bounds == {
        **dict.fromkeys(("a1", "a2", "a3", "a4"), ("level", None, "≥ 0.7")),
        **dict.fromkeys(("b1", "b2"), ("drop", None, "≥ 0.1")),
        "c1": ("part", 0.5, "< 0"),
        "c2": ("part", 0.2, "< 0"),
        "d": ("rise", None, "> 0"),
        "e1": ("drop", None, "> 0"),
        "e2": ("rise", None, "≥ -0.01"),
        "f": ("rise", None, "≥ -0.03"),
    }


def test_some_claims_need_some_recipes() -> None:
    grid = load_grid("demo")
    assert grid.only(["d"]).recipes == ("talknet.demo", "talknce.demo")
    assert [claim.id for claim in grid.only(["b", "e1"]).claims] == ["b1", "b2", "e1"]
    assert grid.only(["e1"]).choices == {}
    assert grid.only(["f"]).recipes == ("talknet.demo", "lip.demo", "vad-lip.demo")
    with pytest.raises(UnknownNameError, match="claim"):
        grid.only(["z"])


def changed(old: str, new: str) -> str:
    assert old in SHIPPED
    return SHIPPED.replace(old, new, 1)


BAD = {
    "unknown key": (changed("minutes = 8", "minuets = 8"), "minuets"),
    "plural": (changed("[[claim]]", "[[claims]]"), "claims"),
    "two bounds": (changed("{ at_least = 0.7 }", "{ at_least = 0.7, below = 1 }"), "bound is one of"),
    "no bound": (changed("{ at_least = 0.7 }", "{}"), "bound is one of"),
    "not a number": (changed("{ at_least = 0.7 }", "{ at_least = nan }"), "bound"),
    "no such figure": (changed('"mismatch@1.00.retention"\nbound', '"mismatch@1.00.recall"\nbound'), "is no figure"),
    "level against": (changed('kind = "level"\n', 'kind = "level"\nagainst = "x"\n'), "'level' has no against"),
    "drop alone": (changed('kind = "drop"\narm = "sync-talknet.demo"\nagainst = "talknet.demo"\n',
                           'kind = "drop"\narm = "sync-talknet.demo"\n'), "'drop' needs against"),
    "part of everything": (changed("share = 0.5", "share = 1.5"), "share"),
    "against itself": (changed('arm = "sync-talknet.demo"\nagainst = "talknet.demo"',
                               'arm = "talknet.demo"\nagainst = "talknet.demo"'), "different recipes"),
    "an arm that is not trained": (changed('"talknet.demo", "light', '"light'), "none of recipes"),
    "a claim twice": (changed('id = "a2"', 'id = "a1"'), "claim a1 stands there twice"),
    "a seed twice": (changed("[1, 2, 3, 4, 5]", "[1, 2, 2]"), "seed 2 stands there twice"),
    "no seeds": (changed("[1, 2, 3, 4, 5]", "[]"), "seeds"),
    "an empty range": (changed("low = 0.6", "low = 0.95"), "low = 0.95 lies above high"),
    "not TOML": ("= what", "not a valid grid"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BAD)
def test_bad_files_are_refused_by_name(tmp_path: Path, fault: str) -> None:
    text, said = BAD[fault]
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said) as caught:
        load_grid(path)
    assert str(path) in str(caught.value)


def test_an_unknown_grid() -> None:
    with pytest.raises(UnknownNameError, match="demo"):
        load_grid("dmeo")
