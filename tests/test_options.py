"""Choices that a model offers: from the command line, a file, a variable or Python, into its name and identity."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

import asdbench
from asdbench.adapters import load_model
from asdbench.adapters.base import AdapterOptions
from asdbench.config import named_values, resolve
from asdbench.errors import UsageError
from tests.cli.conftest import Cli, cli  # noqa: F401

OWN = """
from typing import Literal
import msgspec, numpy as np

class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sign: int = 1
    mode: Literal["loud", "quiet"] = "loud"

class Own:
    Options = Options

    def __init__(self, options=None):
        self.options = options or Options()

    def score_track(self, audio, faces, fps):
        return np.arange(len(faces), dtype=np.float32) * self.options.sign
"""


@pytest.fixture
def own(tmp_path: Path) -> str:
    (tmp_path / "own.py").write_text(OWN, encoding="utf-8")
    return f"{tmp_path / 'own.py'}:Own"


def test_options_are_converted_and_named_as_far_as_they_differ(own: str):
    model = load_model(own, options={"sign": "-1", "mode": "loud"})
    assert (model.scorer.options.sign, model.name, model.options) == (-1, "Own[sign=-1]", {"sign": -1})
    np.testing.assert_array_equal(model.scorer.score_track(np.zeros(9), [None] * 3, 25), [0, -1, -2])
    assert load_model(own, options={"sign": 1}).name == load_model(own).name == "Own"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sine": "1"}, "has no option 'sine'; it has sign, mode."),
        ({"sign": "x"}, "are not valid: Expected `int`, got `str` - at `sign`; mode is loud or quiet."),
        ({"mode": "silent"}, "are not valid: Invalid enum value 'silent' - at `mode`; mode is loud or quiet."),
    ],
)
def test_wrong_options_are_refused(own: str, given: dict[str, str], message: str):
    with pytest.raises(UsageError, match=message):
        load_model(own, options=given)


def test_a_model_without_options_says_so():
    with pytest.raises(UsageError, match="the model 'additive' has no option 'sign'; it has none at all"):
        load_model("additive", options={"sign": "1"})


@pytest.mark.parametrize("given", [("sign",), ("=1",), ("sign=1", "sign=2"), ("",)])
def test_an_option_that_is_none(given: tuple[str, ...]):
    with pytest.raises(UsageError, match="expected name=value, each name once"):
        named_values(given)


def test_a_value_may_hold_a_sign_of_equality():
    assert named_values(("file = a=b",)) == {"file": "a=b"}


def test_every_way_of_giving_options(cli: Cli, own: str, monkeypatch: pytest.MonkeyPatch):  # noqa: F811
    common = ("run", "--model", own, "--data", "demo-val", "--suite", "clean", "--limit", 3, "--json", "--quiet")
    flag = cli(*common, "--option", "sign=-1", "--option", "mode=quiet").json
    Path("a.toml").write_text('[run]\noption = ["sign=-1", "mode=quiet"]\n')
    file = cli(*common, "--config", "a.toml").json
    monkeypatch.setenv("ASDBENCH_OPTION", "sign=-1,mode=quiet")
    variable = cli(*common).json
    monkeypatch.delenv("ASDBENCH_OPTION")
    argument = asdbench.run(
        own, "clean", "demo-val", options={"sign": -1, "mode": "quiet"}, limit=3, progress=False
    ).to_dict()
    assert flag["model"]["name"] == "Own[sign=-1][mode=quiet]"
    # One run, found again by each of them, and told apart from the one without options.
    assert flag["run"] == file["run"] == variable["run"] == argument["run"]
    plain = cli(*common).json
    assert plain["run"] != flag["run"]
    assert json.loads(Path(plain["run"], "run.json").read_text())["identity"]["model"].get("options") is None


def test_a_value_in_a_variable_may_hold_a_comma(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ASDBENCH_OPTION", "landmarks=/data/a,b.parquet,context_seed=3")
    assert named_values(resolve({}).settings.option) == {"landmarks": "/data/a,b.parquet", "context_seed": "3"}


def test_an_option_without_default_is_named_when_it_is_given(tmp_path: Path):
    (tmp_path / "own.py").write_text(OWN.replace("sign: int = 1", "sign: int"), encoding="utf-8")
    model = load_model(f"{tmp_path / 'own.py'}:Own", options={"sign": "1"})
    assert model.name == "Own[sign=1]"


def test_options_alone_tell_two_runs_apart(cli: Cli, own: str):  # noqa: F811
    common = ("run", "--model", own, "--data", "demo-val", "--suite", "clean", "--limit", 3, "--out", "here", "--quiet")
    assert cli(*common).exit_code == 0
    result = cli(*common, "--option", "sign=-1")
    assert result.exit_code == 3
    assert "options" in result.err


def test_an_object_has_its_options_already():
    class Own:
        def score_track(self, audio, faces, fps):
            return np.zeros(len(faces), np.float32)

    with pytest.raises(UsageError, match="leave both out"):
        asdbench.run(Own(), "clean", "demo-val", options={"sign": 1})


def test_every_builtin_adapter_lists_its_options_with_defaults():
    from asdbench.adapters import MODELS

    for name in MODELS.names():
        options = MODELS.load(name).Options
        assert issubclass(options, AdapterOptions)
        assert msgspec.structs.asdict(options()).keys() == set(options.__struct_fields__)
