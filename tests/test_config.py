"""Settings: which source wins, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from asdbench.config import (
    DEFAULT_FILE,
    DEMO_DATA,
    Settings,
    completed,
    demo_config,
    require_use,
    resample_count,
    resolve,
)
from asdbench.errors import UnknownNameError, UsageError
from asdbench.metrics.bootstrap import RESAMPLES

OTHER = {
    "suite": "clean",
    "model": "light-asd",
    "checkpoint": "a.model",
    "option": ["x=1", "y=2"],
    "data": "AVA",
    "format": "ava",
    "data_option": ["u=v"],
    "split": "test",
    "device": "cpu",
    "out": "here",
    "runs": "all",
    "limit": 5,
    "seed": 7,
    "on_error": "skip",
    "audit": 9,
    "resamples": 500,
    "plan_seeds": 3,
    "engine": "ray",
    "ray_address": "auto",
    "workers": 4,
    "gpus_per_worker": 0.5,
    "cache": "kept",
    "cache_limit": "1GB",
    "reuse": False,
    "loaders": 2,
    "dtype": "bf16",
    "batch_frames": 512,
    "compile": True,
}
"""For every setting another value than its default."""


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No file and no variable of whoever runs the tests has a say."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.__struct_fields__:
        monkeypatch.delenv(f"ASDBENCH_{name.upper()}", raising=False)
    return tmp_path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mine.toml"


def write(file: Path, **values: Any) -> Path:
    lines = [f"{key} = {msgspec.json.encode(value).decode()}" for key, value in values.items()]
    file.write_text("\n".join(["[run]", *lines, ""]), encoding="utf-8")
    return file


def test_every_setting_is_tried_here() -> None:
    assert set(OTHER) == set(Settings.__struct_fields__)
    assert all(getattr(Settings(), key) != value for key, value in OTHER.items())


def test_defaults() -> None:
    config = resolve({})
    assert config.settings == Settings()
    assert config.sources == dict.fromkeys(Settings.__struct_fields__, "default")
    assert (config.settings.suite, config.settings.on_error, config.settings.limit) == ("unsync", "stop", None)


@pytest.mark.parametrize(("key", "value"), OTHER.items())
def test_each_setting_from_the_file(file: Path, key: str, value: Any) -> None:
    config = resolve({}, write(file, **{key: value}))
    assert getattr(config.settings, key) == value
    assert config.sources == dict.fromkeys(Settings.__struct_fields__, "default") | {key: str(file)}


@pytest.mark.parametrize(("key", "value"), OTHER.items())
def test_each_setting_from_a_variable(monkeypatch: pytest.MonkeyPatch, key: str, value: Any) -> None:
    text = ",".join(value) if isinstance(value, list) else str(value)  # "5" becomes 5
    monkeypatch.setenv(f"ASDBENCH_{key.upper()}", text)
    config = resolve({})
    assert getattr(config.settings, key) == value
    assert type(getattr(config.settings, key)) is type(value)
    assert config.sources[key] == f"ASDBENCH_{key.upper()}"


@pytest.mark.parametrize(("key", "value"), OTHER.items())
def test_each_setting_from_a_flag(key: str, value: Any) -> None:
    config = resolve({key: value})
    assert getattr(config.settings, key) == value
    assert config.sources[key] == "flag"


@pytest.mark.parametrize(
    ("layers", "limit", "source"),
    [
        ("file", 1, "mine.toml"),
        ("env", 2, "ASDBENCH_LIMIT"),
        ("flag", 3, "argument"),
        ("file env", 2, "ASDBENCH_LIMIT"),
        ("file flag", 3, "argument"),
        ("env flag", 3, "argument"),
        ("file env flag", 3, "argument"),
    ],
)
def test_precedence(monkeypatch: pytest.MonkeyPatch, file: Path, layers: str, limit: int, source: str) -> None:
    if "file" in layers:
        write(file, limit=1)
    else:
        write(file)
    if "env" in layers:
        monkeypatch.setenv("ASDBENCH_LIMIT", "2")
    config = resolve({"limit": 3 if "flag" in layers else None}, file, "argument")
    assert config.settings.limit == limit
    assert Path(config.sources["limit"]).name == source


def test_sources_mix(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setenv("ASDBENCH_DATA", "env")
    config = resolve({"model": "lr-asd"}, write(file, suite="clean", data="file", model="light-asd"))
    found = {key: (getattr(config.settings, key), config.sources[key]) for key in ("suite", "data", "model", "seed")}
    assert found == {
        "suite": ("clean", str(file)),
        "data": ("env", "ASDBENCH_DATA"),
        "model": ("lr-asd", "flag"),
        "seed": (None, "default"),
    }


def test_flags_that_were_not_given_change_nothing(file: Path) -> None:
    config = resolve(dict.fromkeys(OTHER), write(file, **OTHER))
    assert msgspec.to_builtins(config.settings) == OTHER
    assert set(config.sources.values()) == {str(file)}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"workers": 2}, "--workers is for the engine ray; add --engine ray"),
        ({"gpus_per_worker": 1.0}, "--gpus-per-worker is for the engine ray"),
        ({"cache_limit": "1GB"}, "--cache-limit is for a cache; add --cache FOLDER"),
        ({"cache": "kept", "reuse": False}, "leave one out"),
    ],
)
def test_flags_without_effect_are_refused(file: Path, flags: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        require_use(resolve(flags))
    if "reuse" not in flags:  # a file may hold what only some of its users need
        require_use(resolve({}, write(file, **flags)))


def test_a_falsy_flag_is_given() -> None:
    config = resolve({"seed": 0})
    assert (config.settings.seed, config.sources["seed"]) == (0, "flag")


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASDBENCH_LIMIT", "")
    assert resolve({}).sources["limit"] == "default"


def test_text_that_looks_like_a_number_stays_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASDBENCH_DATA", "5")
    assert resolve({}).settings.data == "5"


def test_the_file_of_the_current_folder_is_read(empty_folder: Path) -> None:
    write(empty_folder / DEFAULT_FILE, suite="modality")
    config = resolve({})
    assert (config.settings.suite, config.sources["suite"]) == ("modality", "asdbench.toml")


def test_a_named_file_replaces_that_of_the_current_folder(empty_folder: Path, file: Path) -> None:
    write(empty_folder / DEFAULT_FILE, suite="modality", limit=2)
    settings = resolve({}, write(file, suite="clean")).settings
    assert (settings.suite, settings.limit) == ("clean", None)


@pytest.mark.parametrize("key", ["data", "checkpoint", "out", "runs", "suite"])
def test_paths_become_text(key: str) -> None:
    path = Path("folder") / "däta set"
    assert getattr(resolve({key: path}).settings, key) == str(path)


def test_record_has_value_and_source_of_every_setting(file: Path) -> None:
    record = resolve({"limit": 4}, write(file, data="AVA")).record()
    assert list(record) == list(Settings.__struct_fields__)
    assert record["limit"] == {"value": 4, "source": "flag"}
    assert record["data"] == {"value": "AVA", "source": str(file)}
    assert record["seed"] == {"value": None, "source": "default"}
    assert msgspec.json.decode(msgspec.json.encode(record)) == record


def test_an_unknown_key_is_named_with_the_nearest_one(file: Path) -> None:
    with pytest.raises(UnknownNameError) as caught:
        resolve({}, write(file, sutie="clean"))
    assert str(caught.value).startswith(f"there is no setting in {file} 'sutie'; did you mean suite")


WRONG = [
    ("limit", "many"),
    ("limit", 5.5),
    ("limit", True),
    ("limit", [1]),
    ("seed", "x"),
    ("suite", 5),
    ("model", ["a"]),
    ("on_error", "ignore"),
    ("resamples", 99),
    ("resamples", "none"),
]


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_a_value_of_the_wrong_kind_is_named_with_its_file(file: Path, key: str, value: Any) -> None:
    with pytest.raises(UsageError) as caught:
        resolve({}, write(file, **{key: value}))
    assert str(caught.value).startswith(f"{key} = {value!r} ({file}): ")


def test_a_value_of_the_wrong_kind_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASDBENCH_LIMIT", "five")
    with pytest.raises(UsageError, match=r"^limit = 'five' \(ASDBENCH_LIMIT\): "):
        resolve({})


def test_a_wrong_value_that_is_overruled_does_no_harm(file: Path) -> None:
    assert resolve({"limit": 2}, write(file, limit="many")).settings.limit == 2


def test_resamples_are_a_number_or_off() -> None:
    assert Settings().resamples == RESAMPLES
    assert (resample_count(100), resample_count("off")) == (100, 0)
    with pytest.raises(UsageError, match=r"^resamples = 99 \(argument\): "):
        resample_count(99)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_without_tracks_is_refused(limit: int) -> None:
    with pytest.raises(UsageError, match=rf"^limit = {limit} \(flag\): expected at least 1 track"):
        resolve({"limit": limit})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[run\n", "not a valid configuration"),
        (b"[run]\nlimit = \n", "not a valid configuration"),
        (b"[run]\nlimit = 1\nlimit = 2\n", "not a valid configuration"),
        (b'[run]\ndata = "\xff"\n', "not a valid configuration"),
        (b'suite = "clean"\n', r"expected one table \[run\], found suite"),
        (b"[run]\n[gate]\n", r"expected one table \[run\], found run, gate"),
        (b"run = 5\n", r"expected one table \[run\]"),
        (b"[[run]]\nlimit = 1\n", r"expected one table \[run\]"),
    ],
)
def test_a_file_that_is_no_configuration(file: Path, content: bytes, message: str) -> None:
    file.write_bytes(content)
    with pytest.raises(UsageError, match=message) as caught:
        resolve({}, file)
    assert str(caught.value).startswith(f"{file}: ")


def test_an_empty_file_says_nothing(file: Path) -> None:
    file.write_bytes(b"")
    assert resolve({}, file).settings == Settings()


@pytest.mark.parametrize("make", [lambda path: None, Path.mkdir], ids=["missing", "folder"])
def test_a_file_that_cannot_be_read(file: Path, make: Any) -> None:
    make(file)
    with pytest.raises(UsageError, match="the configuration cannot be read") as caught:
        resolve({}, file)
    assert str(file) in str(caught.value)


def needs_weights(name: str) -> bool:
    return name in ("auto", "light-asd")


def test_nothing_named_is_the_demo() -> None:
    config = completed(resolve({"suite": "clean", "limit": 3}), own_model=False, needs_weights=needs_weights)
    assert (config.settings.checkpoint, config.settings.data) == ("light-asd.demo", "demo-val")
    assert (config.settings.suite, config.settings.limit, config.settings.model) == ("clean", 3, "auto")
    assert (config.sources["checkpoint"], config.sources["data"], config.sources["suite"]) == ("demo", "demo", "flag")


@pytest.mark.parametrize("source", ["flag", "variable", "file"])
@pytest.mark.parametrize(
    ("named", "words"),
    [
        ({"data": "AVA"}, ["data are given (AVA)", "--checkpoint FILE", "light-asd.demo", "--model NAME"]),
        ({"data": "AVA", "model": "auto"}, ["data are given (AVA)", "--checkpoint FILE"]),
        ({"model": "light-asd"}, ["no data", "add --data FOLDER, or --data demo-val", "and --checkpoint FILE"]),
        ({"model": "auto"}, ["no data", "add --data FOLDER, or --data demo-val", "and --checkpoint FILE"]),
        ({"model": "deaf"}, ["no data", "add --data FOLDER, or --data demo-val"]),
        ({"checkpoint": "a.model"}, ["no data", "add --data FOLDER, or --data demo-val"]),
        ({"checkpoint": "a.model", "model": "light-asd"}, ["no data", "add --data FOLDER, or --data demo-val"]),
    ],
)
def test_only_some_named_is_refused_and_the_rest_named(
    monkeypatch: pytest.MonkeyPatch, empty_folder: Path, source: str, named: dict[str, str], words: list[str]
) -> None:
    if source == "variable":
        for key, value in named.items():
            monkeypatch.setenv(f"ASDBENCH_{key.upper()}", value)
    if source == "file":
        write(empty_folder / DEFAULT_FILE, **named)
    with pytest.raises(UsageError) as caught:
        completed(resolve(named if source == "flag" else {}), own_model=False, needs_weights=needs_weights)
    message = str(caught.value)
    assert [word for word in words if word not in message] == []
    assert ("--checkpoint" in message) == any("--checkpoint" in word for word in words)


@pytest.mark.parametrize(
    "named",
    [
        {"data": "AVA", "checkpoint": "a.model"},
        {"data": "AVA", "model": "deaf"},
        {"data": DEMO_DATA, "model": "deaf"},
        {"data": "AVA", "model": "light-asd"},  # that its weights are missing is for the model to say
    ],
)
def test_what_names_enough_stays_as_it_is(named: dict[str, str]) -> None:
    config = resolve(named)
    assert completed(config, own_model=False, needs_weights=needs_weights) is config


def test_an_own_object_needs_data_alone() -> None:
    config = resolve({"data": "AVA"})
    assert completed(config, own_model=True, needs_weights=needs_weights) is config
    with pytest.raises(UsageError, match="no data set given") as caught:
        completed(resolve({}), own_model=True, needs_weights=needs_weights)
    assert "--checkpoint" not in str(caught.value)


def test_nothing_but_arguments_has_a_say_in_the_demo(monkeypatch: pytest.MonkeyPatch, empty_folder: Path) -> None:
    write(empty_folder / DEFAULT_FILE, model="deaf", limit=2, data="AVA")
    monkeypatch.setenv("ASDBENCH_SUITE", "clean")
    config = demo_config("light-asd.demo-sync", {"runs": "here", "limit": None}, "argument")
    assert config.settings == Settings(checkpoint="light-asd.demo-sync", data="demo-val", runs="here")
    assert (config.sources["checkpoint"], config.sources["runs"]) == ("demo", "argument")
    with pytest.raises(UsageError, match="expected at least 1 track"):
        demo_config("light-asd.demo", {"limit": 0})
