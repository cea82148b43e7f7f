"""Compiled encoders give the same embeddings at any length; without a compiler everything goes on."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

import asdbench
from asdbench.adapters.calibration import Additive
from asdbench.adapters.compiled import compilable, compile_encoder
from asdbench.adapters.light_asd import LightASD
from asdbench.adapters.two_stream import TwoStreamAdapter
from asdbench.errors import UsageError
from asdbench.networks.fast import is_optimised
from asdbench.networks.light_asd import LightASD as LightASDNetwork
from asdbench.networks.seeded import seeded_state
from tests.adapters.test_many import faces, made, whole

needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")


@pytest.mark.slow
@needs_compiler
@pytest.mark.filterwarnings("default")  # torch warns in its own code
@pytest.mark.parametrize("name", ["light-asd", "talknet"])
def test_compiled_as_plain(name: str):
    plain, compiled = made(name), made(name)
    assert isinstance(compiled, TwoStreamAdapter)
    assert compile_encoder(compiled) == ""
    assert compiled.compiled
    torch._dynamo.utils.counters.clear()
    tracks = faces(2, 9, 31, 5)
    alone = [compiled.embed_faces(track) for track in tracks]
    compilations = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    assert compilations <= 1
    for found in (alone, compiled.embed_faces_many(tracks)):
        for one, track in zip(found, tracks, strict=True):
            wanted = whole(plain.embed_faces(track))
            assert ((one - wanted).abs() / wanted.abs().clamp(min=1)).max() <= 1e-5


def _broken(*_: Any, **__: Any) -> None:
    raise RuntimeError("no compiler found\nmore")


def test_without_a_compiler_scoring_goes_on(monkeypatch: pytest.MonkeyPatch):
    network = LightASDNetwork()
    network.load_state_dict(seeded_state(network))
    model = LightASD(network)
    track = faces(6)[0]
    wanted = model.embed_faces(track)
    with monkeypatch.context() as patch:
        patch.setattr(torch.nn.Module, "compile", lambda self, **_: setattr(self, "_compiled_call_impl", _broken))
        said = compile_encoder(model)
    assert said == "torch.compile is not possible here (RuntimeError: no compiler found), so the encoder runs without."
    assert model.compiled is False
    assert is_optimised(model.network)
    assert torch.equal(model.embed_faces(track), wanted)
    assert compile_encoder(model) == ""  # once is enough


def test_only_what_can_be_compiled_is():
    with pytest.raises(UsageError, match="--compile is for Light-ASD"):
        compilable(Additive())
    assert compilable(made("lr-asd")) is not None


def test_a_run_says_what_came_of_it(fixture_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    torch.save(seeded_state(LightASDNetwork()), tmp_path / "seeded.model")
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self, **_: setattr(self, "_compiled_call_impl", _broken))

    def go(**settings: Any) -> asdbench.Run:
        return asdbench.run(
            "light-asd", "clean", fixture_root, checkpoint=tmp_path / "seeded.model", runs=tmp_path / "runs",
            limit=1, resamples="off", audit="off", progress=False, **settings,
        )  # fmt: skip

    plain, compiled = go(), go(compile=True)
    assert plain.path != compiled.path
    assert "compile" not in plain.record["identity"]["model"]
    assert compiled.record["identity"]["model"]["compile"] is True
    assert compiled.record["engine"]["compiled"] == 0
