"""Recipes: what is shipped can be trained, what a file may say, and what identifies it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from asdbench.errors import UnknownNameError, UsageError
from asdbench.resources import resource_folder
from asdbench.training.augment import check_augment
from asdbench.training.beginning import begin
from asdbench.training.freezing import freeze
from asdbench.training.objectives import OBJECTIVES, objective_for
from asdbench.training.recipe import Recipe
from asdbench.training.recipes import chain, load_recipe, recipe_hash, recipe_names

FULL = {"light-asd", "lr-asd", "talknet", "sync-talknet", "talknce", "pair-net", "vad", "lip", "vad-lip"}
DEMO = [name for name in recipe_names() if name.endswith(".demo")]

MINE = """
name = "mine"
version = 1
summary = "For tests."
source = "none"
epochs = 2
model = { architecture = "talknet" }
clips = { batch_frames = 64 }
optimizer = { rate = 1e-3 }
"""

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str = MINE, name: str = "mine") -> str:
        path = tmp_path / f"{name}.toml"
        path.write_text(text)
        return str(path)

    return write


def test_what_the_papers_train_is_there_in_both_sizes() -> None:
    assert set(recipe_names()) >= FULL
    assert {name.removesuffix(".demo") for name in DEMO} >= FULL - {"lr-asd"}


@pytest.mark.parametrize("name", recipe_names())
def test_a_shipped_recipe_is_named_as_its_file_and_says_where_it_comes_from(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.summary.endswith(".")
    assert recipe.source
    assert recipe.model.architecture in OBJECTIVES.names()
    check_augment(recipe, OBJECTIVES.load(recipe.model.architecture).sound)


@pytest.fixture(autouse=True, scope="module")
def nothing_is_computed() -> Iterator[None]:
    """Shapes are enough here: full networks without their numbers are built at once."""
    with torch.device("meta"):
        yield


@pytest.mark.parametrize("name", recipe_names())
def test_a_shipped_recipe_builds_its_network_and_fits_what_it_starts_from(name: str) -> None:
    if name.startswith("pair-net"):
        pytest.importorskip("transformers")
    recipe = load_recipe(name)
    objective = objective_for(recipe)
    freeze(objective.network, recipe.frozen)
    for start in recipe.start:
        theirs = objective_for(load_recipe(start.recipe)).state()
        initial = {
            here + key.removeprefix(there): value
            for there, here in start.parts.items()
            for key, value in theirs.items()
            if key.startswith(there)
        }
        begin(objective, initial)
        # A front end that nobody trained would be frozen as it fell out of the generator.
        frozen = {key for key in objective.state() if key.startswith(recipe.frozen or ("-",))}
        assert frozen <= initial.keys()


def test_the_recipes_of_a_claim_differ_in_what_the_claim_is_about_alone() -> None:
    def without(name: str, *keys: str) -> dict[str, object]:
        recipe: dict[str, object] = msgspec.to_builtins(load_recipe(name))
        return {key: value for key, value in recipe.items() if key not in {"name", "summary", "source", *keys}}

    sync = without("sync-talknet.demo", "model")
    assert without("sync-talknet-no-positions.demo", "model") == sync
    assert without("sync-talknet-no-negatives.demo", "loss") == without("sync-talknet.demo", "loss")
    for name in ("sync-talknet.demo", "sync-talknet-no-positions.demo", "talknce.demo"):
        assert without(name, "loss", "model") == without("talknet.demo", "loss", "model"), name
    assert load_recipe("sync-talknet-no-positions.demo").model == load_recipe("talknet.demo").model
    assert without("pair-net-plain.demo", "loss") == without("pair-net.demo", "loss")
    assert load_recipe("pair-net-plain.demo").loss.alpha == "off"
    assert load_recipe("pair-net.demo").loss.alpha != "off"


def test_full_recipes_have_the_papers_values() -> None:
    light, talknet, sync, nce, pair = map(load_recipe, ("light-asd", "talknet", "sync-talknet", "talknce", "pair-net"))
    assert (light.epochs, light.clips.batch_frames, light.optimizer.rate) == (30, 2000, 1e-3)
    assert (light.loss.visual, light.loss.temperature) == (0.5, "light-asd")
    assert (talknet.epochs, talknet.clips.batch_frames, talknet.optimizer.rate) == (25, 2500, 1e-4)
    assert (sync.loss.other_voices, sync.loss.beta, sync.clips.longest) == (1, 1.0, 250)
    assert (nce.loss.audio, nce.loss.visual, nce.loss.nce, nce.loss.nce_temperature) == (0.4, 0.4, 0.3, 0.07)
    assert (pair.epochs, pair.clips.batch_frames, pair.optimizer.rate, len(pair.frozen)) == (4, 1500, 5e-5, 13)
    assert {each.optimizer.decay for each in (light, talknet, sync, nce, pair)} == {0.95}


def test_a_chain_begins_with_what_starts_from_nothing() -> None:
    names = [each.name for each in chain(load_recipe("vad-lip.demo"))]
    assert len(names) == len(set(names))
    assert "vad-lip.demo" not in names
    for place, name in enumerate(names):
        assert {start.recipe for start in load_recipe(name).start} <= set(names[:place])
    assert set(names) >= {"vad.demo", "lip.demo", "lip-front.demo"}


def test_a_base_is_merged_key_by_key_and_its_arrays_are_replaced(write: Write) -> None:
    front = MINE.replace("1e-3 }", "1e-3, clip = 5.0 }")
    write(f'{front}frozen = ["a.", "b."]\naugment = {{ voice_snr = [0, 1] }}\n', "front")
    own = 'base = "front.toml"\nname = "own"\nversion = 3\nsummary = "x"\nfrozen = ["c."]\n[optimizer]\nrate = 2e-3\n'
    found = load_recipe(write(own, "own"))
    assert (found.name, found.version, found.source, found.epochs) == ("own", 3, "none", 2)
    assert (found.optimizer.rate, found.optimizer.clip) == (2e-3, 5.0)
    assert (found.frozen, found.augment.voice_snr) == (("c.",), (0.0, 1.0))


def test_a_base_may_be_a_shipped_recipe(write: Write) -> None:
    found = load_recipe(write('base = "sync-talknet.demo"\nname = "own"\nversion = 1\nsummary = "x"\n'))
    assert recipe_hash(found) != recipe_hash(load_recipe("sync-talknet.demo"))
    assert found.loss == load_recipe("sync-talknet.demo").loss


@pytest.mark.parametrize("key", ["name", "version", "summary"])
def test_what_tells_recipes_apart_is_not_inherited(write: Write, key: str) -> None:
    lines = {"name": 'name = "own"', "version": "version = 1", "summary": 'summary = "x"'}
    del lines[key]
    with pytest.raises(UsageError, match=rf"mine\.toml: has no {key} of its own"):
        load_recipe(write("\n".join(['base = "talknet"', *lines.values()])))


def test_a_recipe_may_start_from_a_file_beside_it(write: Write, tmp_path: Path) -> None:
    write(name="front")
    path = write(MINE.replace("mine", "own") + '[[start]]\nrecipe = "front.toml"\nparts = { "" = "" }\n', "own")
    found = load_recipe(path)
    assert found.start[0].recipe == str(tmp_path / "front.toml")
    assert [each.name for each in chain(found)] == ["mine"]
    # Where files lie moves no weight.
    (tmp_path / "elsewhere").mkdir()
    for name in ("front", "own"):
        (tmp_path / f"{name}.toml").rename(tmp_path / "elsewhere" / f"{name}.toml")
    assert recipe_hash(load_recipe(tmp_path / "elsewhere" / "own.toml")) == recipe_hash(found)


START = '[[start]]\nrecipe = "{}"\nparts = {{ "" = "" }}\n'


def test_circles_are_refused(write: Write) -> None:
    write(MINE + START.format("b.toml"), "a")
    write(MINE + START.format("a.toml"), "b")
    with pytest.raises(UsageError, match=r"starts from itself \(.*a\.toml -> .*b\.toml -> .*a\.toml\)"):
        load_recipe(write(MINE + START.format("a.toml"), "c"))
    base = 'base = "{}.toml"\nname = "x"\nversion = 1\nsummary = "x"\n'
    write(base.format("d"), "e")
    with pytest.raises(UsageError, match=r"is its own base \(d\.toml -> e\.toml -> d\.toml\)"):
        load_recipe(write(base.format("e"), "d"))


def test_changes_are_toml_and_may_leave_quotes_out() -> None:
    changes = ("optimizer.rate=1e-4", "epochs = 3", "loss.temperature=1", "frozen=['model.']", "model.sizes.stem=8")
    found = load_recipe("light-asd", changes)
    assert (found.optimizer.rate, found.epochs, found.loss.temperature) == (1e-4, 3, "1")
    assert (found.frozen, found.model.sizes) == (("model.",), {"stem": 8})
    assert load_recipe("pair-net", ("loss.alpha=off",)).loss.alpha == "off"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("optimizer.rate", "--set optimizer.rate: expected KEY=VALUE"),
        ("optimizer..rate=1", "expected KEY=VALUE"),
        ("optimizer.rat=1", "--set optimizer.rat=1: there is no key 'optimizer.rat'; did you mean optimizer.rate"),
        ("rate=1", "there is no key 'rate'"),
        ("optimizer.rate=fast", "--set optimizer.rate=fast: not a valid recipe (Expected `float`, got `str`"),
        ("optimizer.rate=-1", "not a valid recipe (Expected `float` > 0.0 - at `$.optimizer.rate`)"),
        ("optimizer.rate=inf", "optimizer.rate = inf; expected a finite number"),
        ("augment.voice_snr=[nan, 1]", "augment.voice_snr = nan; expected a finite number"),
        ("name=other", "--set name=other: name says which recipe it is; write a recipe of your own"),
        ("base=lip", "base says which recipe it is"),
    ],
)
def test_wrong_changes_are_named(change: str, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        load_recipe("talknet", (change,))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MINE + "[los]\nnce = 1\n", "mine.toml: there is no key 'los'; did you mean loss"),
        (MINE + "[loss]\nnoe = 1\n", "mine.toml: there is no key 'loss.noe'; did you mean loss.nce"),
        (MINE + '[[start]]\nrecipee = "lip"\n', "there is no key 'start.recipee'; did you mean start.recipe"),
        (MINE + START.format("lipp"), "there is no recipe 'lipp'; did you mean lip"),
        (MINE + 'bas = "lip"\n', "there is no key 'bas'; did you mean base"),
        (MINE.replace('"mine"', '"Mine/x"'), "mine.toml: not a valid recipe (Expected `str` matching"),
        (MINE.replace("epochs = 2", "epochs = -1"), "Expected `int` >= 0 - at `$.epochs`"),
        (MINE.replace("epochs = 2", ""), "Object missing required field `epochs`"),
        (MINE + "base = 1\n", "base = 1; expected the name of a recipe"),
        (
            "base = 'talknett'\nname = 'x'\nversion = 1\nsummary = 'x'",
            "there is no recipe 'talknett'; did you mean talknet",
        ),
        ("epochs =", "mine.toml: not a valid recipe"),
    ],
)
def test_wrong_files_are_named(write: Write, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        load_recipe(write(text))


@pytest.mark.parametrize("name", ["../recipes/talknet", "/etc/passwd", "", "talknet.tml", "../../parity"])
def test_names_are_names_and_no_paths(name: str) -> None:
    with pytest.raises(UnknownNameError, match="there is no recipe"):
        load_recipe(name)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the recipe cannot be read"):
        load_recipe(tmp_path / "nowhere.toml")


def values(part: msgspec.Struct, above: str = "") -> list[str]:
    """The dotted names of all values of a recipe."""
    found = []
    for name in part.__struct_fields__:
        value = getattr(part, name)
        found += values(value, f"{above}{name}.") if isinstance(value, msgspec.Struct) else [f"{above}{name}"]
    return found


OTHER = {
    "name": "other", "model.architecture": "lr-asd", "model.sizes": {"stem": 8}, "start": (), "frozen": ("x.",),
    "loss.temperature": "light-asd", "loss.alpha": "linear", "clips.labels": "audible", "optimizer.kind": "adam",
    "optimizer.schedule": "step", "precision": "bf16-mixed", "keep": False, "epochs": 7, "summary": "x", "source": "x",
}  # fmt: skip


def another(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [another(each) for each in value]
    return value + 1 if isinstance(value, int) else value / 2 + 0.1


@pytest.mark.parametrize("key", values(load_recipe("talknet.demo")))
def test_the_hash_changes_with_each_value_that_moves_a_weight(key: str) -> None:
    recipe = load_recipe("talknet.demo")
    held = msgspec.to_builtins(recipe)
    *tables, last = key.split(".")
    table = held
    for name in tables:
        table = table[name]
    table[last] = OTHER[key] if key in OTHER else another(table[last])
    changed = msgspec.convert(held, Recipe)
    assert changed != recipe
    assert (recipe_hash(changed) == recipe_hash(recipe)) == (key in ("summary", "source"))


def test_the_hash_does_not_change_with_how_things_are_written(write: Write) -> None:
    plain = recipe_hash(load_recipe(write()))
    spelled = MINE.replace("1e-3", "0.001, decay = 0.95") + "keep = false\n[augment]\nvoice_snr = [-5, 5]\n"
    assert recipe_hash(load_recipe(write(spelled))) == plain


def test_recipes_are_shipped_with_the_baselines() -> None:
    # The wheel takes the whole folder along (pyproject.toml), and .ci/run lists them from it.
    assert {path.stem for path in (resource_folder("baselines") / "recipes").glob("*.toml")} == set(recipe_names())
