"""The page on models of one's own: what it shows works, and a plug-in that does not is named."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import asdbench
from asdbench.errors import ModelOutputError, UsageError
from tests.cli.conftest import Cli, cli  # noqa: F401 - the fixture

PAGE = Path(__file__).parent.parent / "docs" / "bring_your_own.md"
BLOCKS = dict(re.findall(r"```\w+\n# (\S+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
MODULES = [Path(name).stem for name in BLOCKS if name.endswith(".py")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, standin: Path) -> Iterator[Path]:
    """The files of the page, in the current folder, which is also on the path; ``demo-val`` is a small stand-in."""
    for name, text in BLOCKS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "weights.json").write_text('{"gain": 2.0}', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for module in MODULES:
        sys.modules.pop(module, None)


def clean_rows(run_folder: Path) -> pd.DataFrame:
    return pd.read_parquet(run_folder / "predictions" / "clean.parquet")


def test_the_page_has_the_blocks_that_are_tested_here():
    assert list(BLOCKS) == ["follows.py", "run_follows.py", "pyproject.toml", "follows_adapter.py", "test_follows.py"]
    lines = [line for line in BLOCKS["follows.py"].splitlines() if line.strip()]
    assert len(lines) <= 30


def test_the_short_example_on_the_command_line_and_in_python(cli: Cli, folder: Path):  # noqa: F811
    result = cli("run", "--suite", "clean", "--model", "follows.py:Follows", "--data", "demo-val", "--limit", 2)
    assert result.exit_code == 0, result.err
    (first,) = Path("runs").iterdir()
    assert first.name.startswith("Follows-clean-")
    record = json.loads((first / "run.json").read_text())
    assert (record["model"]["adapter"], record["model"]["adapter_version"]) == ("follows", 1)
    run = asdbench.run("follows.py:Follows", "clean", "demo-val", limit=2, progress=False)
    assert run.path.resolve() == first.resolve()
    own = importlib.import_module("follows").Follows()
    run = asdbench.run(own, "clean", "demo-val", limit=2, progress=False)
    assert run.path.resolve() != first.resolve()
    pd.testing.assert_frame_equal(clean_rows(run.path), clean_rows(first))


def test_the_script_of_the_page(folder: Path, capsys: pytest.CaptureFixture[str]):
    importlib.import_module("run_follows")
    assert "mismatch@1.00" in capsys.readouterr().out
    assert sorted(re.split("-[0-9a-f]{8}", path.name)[0] for path in Path("runs").iterdir()) == [
        "Follows-unsync-demo-val-val", "follows-unsync-demo-val-val",
    ]  # fmt: skip


@pytest.fixture
def installed(folder: Path) -> Path:
    """A package with the entry points of the page, as pip would leave it."""
    (entries,) = re.findall(r'\[project\.entry-points\."(.*)"\]\n(.*)', BLOCKS["pyproject.toml"], re.DOTALL)
    metadata = folder / "follows-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: follows\nVersion: 1.0\n")
    group, lines = entries
    (metadata / "entry_points.txt").write_text(f"[{group}]\n{lines.replace(chr(34), '')}broken = follows:Absent\n")
    return folder


def test_an_entry_point_makes_it_one_of_the_models(cli: Cli, installed: Path):  # noqa: F811
    listed = {row["name"]: row for row in cli("ls", "models", "--json").json}
    assert {"follows", "light-asd"} <= set(listed)
    result = cli("run", "--suite", "clean", "--model", "follows", "--data", "demo-val", "--limit", 2)
    assert result.exit_code == 0, result.err
    (run,) = Path("runs").iterdir()
    assert run.name.startswith("follows-clean-")
    result = cli("run", "--suite", "clean", "--model", "broken", "--data", "demo-val")
    assert result.exit_code == 2
    assert "the model 'broken' cannot be loaded: AttributeError" in result.err


def test_the_adapter_takes_weights_and_an_option(cli: Cli, folder: Path):  # noqa: F811
    arguments = ("run", "--suite", "clean", "--checkpoint", "weights.json", "--data", "demo-val", "--limit", 2)
    own = ("--model", "follows_adapter.py:FollowsAdapter")
    assert cli(*arguments, *own, "--option", "window_ms=500", "--out", "short").exit_code == 0
    assert cli(*arguments, *own, "--out", "long").exit_code == 0
    record = json.loads(Path("short/run.json").read_text())
    assert record["model"]["name"] == "FollowsAdapter.weights[window_ms=500.0]"
    assert json.loads(Path("long/run.json").read_text())["model"]["name"] == "FollowsAdapter.weights"
    short, long = clean_rows(Path("short")), clean_rows(Path("long"))
    assert not np.array_equal(short["score"], long["score"])
    whole = asdbench.run("follows:Follows", "clean", "demo-val", limit=2, progress=False)
    np.testing.assert_allclose(long["score"], 2 * clean_rows(whole.path)["score"], rtol=1e-6)
    wrong = cli(*arguments, *own, "--option", "window=500")
    assert (wrong.exit_code, "has no option 'window'; it has window_ms" in wrong.err) == (2, True)


def test_the_adapter_sees_the_faces_once_per_track(folder: Path):
    model = asdbench.load_model("follows_adapter:FollowsAdapter", "weights.json")
    calls = {"embed_faces": 0, "embed_audio": 0, "score": 0}

    def counted(name, method):
        def call(*given):
            calls[name] += 1
            return method(*given)

        return call

    for name in calls:
        setattr(model.scorer, name, counted(name, getattr(model.scorer, name)))
    asdbench.run(model, "unsync", "demo-val", limit=3, progress=False)
    assert calls["embed_faces"] == 3
    assert calls["score"] == calls["embed_audio"] > 3


def test_the_tests_of_the_page(folder: Path):
    for name, test in vars(importlib.import_module("test_follows")).items():
        if name == "test_it_scores_every_frame":
            test()
        elif name.startswith("test_"):
            test(folder)


BROKEN = {
    "import": "import no_such_package",
    "absent": "x = 1",
    "method": "class Model:\n    pass",
    "abstract": (
        "from asdbench import Adapter\n"
        "class Model(Adapter):\n"
        "    name = 'half'\n"
        "    def embed_audio(self, audio, num_frames, fps): return None\n"
        "    def embed_faces(self, faces): return None"
    ),
    "builds": "class Model:\n    def __init__(self): self.score_track = 1 / 0\n    def score_track(self, *given): pass",
    "version": "class Model:\n    version = '1.0'\n    def score_track(self, audio, faces, fps): return 0",
    "raises": "class Model:\n    def score_track(self, audio, faces, fps):\n        return faces[0].no_such_thing",
    "signature": "class Model:\n    def score_track(self, audio): return audio",
    "shape": "class Model:\n    def score_track(self, audio, faces, fps): return [[0, 1]] * len(faces)",
    "short": "class Model:\n    def score_track(self, audio, faces, fps): return [0] * (len(faces) - 1)",
    "nothing": "class Model:\n    def score_track(self, audio, faces, fps): pass",
    "text": "class Model:\n    def score_track(self, audio, faces, fps): return ['high'] * len(faces)",
    "nan": "class Model:\n    def score_track(self, audio, faces, fps): return [float('nan')] * len(faces)",
    "encoder": (
        "from asdbench import Adapter\n"
        "class Model(Adapter):\n"
        "    name = 'raises'\n"
        "    def embed_audio(self, audio, num_frames, fps): return None\n"
        "    def embed_faces(self, faces): raise ValueError('no mouth found')\n"
        "    def score(self, audio_embedding, face_embedding): return None"
    ),
}


@pytest.mark.parametrize(
    ("kind", "exit_code", "words"),
    [
        ("import", 2, "cannot be loaded: ModuleNotFoundError: No module named 'no_such_package'"),
        ("absent", 2, "cannot be loaded: AttributeError: .* 'Model'"),
        ("method", 2, "no method score_track"),
        ("abstract", 2, "could not be built: TypeError: .*score"),
        ("builds", 2, "could not be built: ZeroDivisionError"),
        ("version", 2, "version = '1.0'; expected a whole number"),
        ("raises", 6, r"failed in \S*own_raises.py, line 3: AttributeError: .*no_such_thing"),
        ("signature", 6, "failed in .*: TypeError: .*score_track"),
        ("shape", 6, r"returned the shape \(\d+, 2\); expected one score per frame"),
        ("short", 6, r"returned the shape \(\d+,\); expected one score per frame"),
        ("nothing", 6, "Model"),
        ("text", 6, "Model"),
        ("nan", 6, r"\d+ of \d+ scores that are NaN or infinite"),
        ("encoder", 6, r"failed in \S*own_encoder.py, line 5: ValueError: no mouth found"),
    ],
)
def test_a_model_that_does_not_work_is_named(cli: Cli, folder: Path, kind: str, exit_code: int, words: str):  # noqa: F811
    Path(f"own_{kind}.py").write_text(BROKEN[kind] + "\n", encoding="utf-8")
    model = f"own_{kind}.py:Model"
    result = cli("run", "--suite", "clean", "--model", model, "--data", "demo-val", "--limit", 2, "--quiet")
    assert result.exit_code == exit_code
    assert re.search(words, result.err)
    assert "Traceback" not in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert re.search(rf"own_{kind}\.py:Model|'Model'", result.err)
    if exit_code == 6:
        assert "on track" in result.err
    with pytest.raises(UsageError if exit_code == 2 else ModelOutputError, match=words):
        asdbench.run(model, "clean", "demo-val", limit=2, progress=False)


def test_a_file_finds_its_neighbours_on_the_python_path(folder: Path):
    code = "import asdbench; asdbench.load_model('sub/follows_adapter.py:FollowsAdapter', 'weights.json')"
    (folder / "sub").mkdir()
    for name in ("follows.py", "follows_adapter.py"):
        (folder / name).rename(folder / "sub" / name)
    root = str(PAGE.parent.parent)
    for path, found in ((root, False), (f"{root}:sub", True)):
        done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": path}, capture_output=True, check=False)
        assert (done.returncode == 0) == found
