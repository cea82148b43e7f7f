"""Half precision is asked for, moves scores a little, and is another run; memory that runs out is made do with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import asdbench
from asdbench.adapters.calibration import Additive
from asdbench.adapters.demo_scoring import ScoringOptions
from asdbench.adapters.light_asd import LightASD
from asdbench.adapters.torch_adapter import CHUNK, LEAST_CHUNK, Room, in_chunks
from asdbench.engine.how import How
from asdbench.engine.precision import encoded, require_precision
from asdbench.engine.tracks import TrackEvaluator
from asdbench.errors import ResourceError, UsageError
from asdbench.networks.light_asd import LightASD as LightASDNetwork
from asdbench.networks.seeded import seeded_state
from asdbench.perturb import plan
from asdbench.suites import load_suite
from asdbench.types import Dataset, Float32Array


def _light(options: ScoringOptions | None = None) -> LightASD:
    network = LightASDNetwork()
    network.load_state_dict(seeded_state(network))
    return LightASD(network, options=options)


def _scores(model: LightASD, dataset: Dataset, how: How) -> tuple[dict[str, Float32Array], dict[str, int]]:
    resolved = plan(dataset.tracks, load_suite("clean"))
    evaluator = TrackEvaluator(model, resolved, dataset.tracks, "test", how=how)
    return dict(evaluator.evaluate(min(dataset.tracks, key=len)).scores), evaluator.counts()


@pytest.mark.parametrize("options", [None, ScoringOptions(scoring="demo")])
def test_bf16_moves_scores_a_little(fixture_dataset: Dataset, options: ScoringOptions | None):
    exact, _ = _scores(_light(options), fixture_dataset, How())
    rough, _ = _scores(_light(options), fixture_dataset, How(dtype="bf16"))
    assert rough["clean"].dtype == np.float32
    moved = np.abs(rough["clean"] - exact["clean"]) / np.maximum(1, np.abs(exact["clean"]))
    assert 1e-6 < moved.max() < 0.05


def test_embeddings_are_float32():
    model = _light()
    faces = [np.full((20, 20), level, np.uint8) for level in range(8)]
    found = encoded(model, "bf16", lambda: model.embed_faces(faces))
    assert found.dtype == torch.float32
    assert not torch.equal(found, model.embed_faces(faces))


def test_what_cannot_be_had_is_refused():
    with pytest.raises(UsageError, match="models of encoders that torch computes"):
        require_precision(Additive(), "bf16", "cuda:0")
    with pytest.raises(UsageError, match="fp16 is for GPUs"):
        require_precision(_light(), "fp16", "cpu")
    require_precision(_light(), "fp16", "cuda:0")
    require_precision(Additive(), "fp32", "cpu")


def test_another_precision_is_another_run(fixture_root: Path, tmp_path: Path):
    torch.save(seeded_state(LightASDNetwork()), tmp_path / "seeded.model")

    def go(dtype: str) -> asdbench.Run:
        return asdbench.run(
            "light-asd", "clean", fixture_root, checkpoint=tmp_path / "seeded.model", runs=tmp_path / "runs",
            limit=2, resamples="off", dtype=dtype, progress=False,
        )  # fmt: skip

    one, two = go("fp32"), go("bf16")
    assert one.path != two.path
    assert [run.record["identity"]["model"]["dtype"] for run in (one, two)] == ["float32", "bfloat16"]


def _scarce(model: LightASD, most: int) -> list[int]:
    """Give a model's encoder memory for so many frames; return the list of how many it was asked for."""
    asked: list[int] = []
    embed = model.network.embed_faces

    def embed_faces(faces: torch.Tensor) -> torch.Tensor:
        asked.append(faces.shape[1])
        if faces.shape[1] > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        found: torch.Tensor = embed(faces)
        return found

    model.network.embed_faces = embed_faces  # type: ignore[method-assign]
    return asked


def test_less_is_taken_at_a_time_once_memory_has_run_out(fixture_dataset: Dataset):
    exact, counts = _scores(_light(), fixture_dataset, How())
    assert "out_of_memory" not in counts
    model = _light()
    length, halo = min(map(len, fixture_dataset.tracks)), model.needs.halo
    asked = _scarce(model, LEAST_CHUNK + 2 * halo)
    found, counts = _scores(model, fixture_dataset, How())
    bound = 1e-5 * np.maximum(1, np.abs(exact["clean"]))
    assert (np.abs(found["clean"] - exact["clean"]) <= bound).all()
    assert length > LEAST_CHUNK + 2 * halo
    assert asked[0] == length
    assert counts["out_of_memory"] == int(np.log2(CHUNK // LEAST_CHUNK))
    asked.clear()
    _scores(model, fixture_dataset, How())
    assert max(asked) <= LEAST_CHUNK + 2 * halo  # it is not tried again


def test_no_memory_at_all_is_an_error(fixture_dataset: Dataset):
    model = _light()
    _scarce(model, 3)
    with pytest.raises(ResourceError, match="ran out of memory on"):
        _scores(model, fixture_dataset, How())


def test_chunks_of_any_size_are_the_same():
    crops = torch.arange(100.0)[None, :, None]
    room = Room()
    while room.shrink():
        torch.testing.assert_close(in_chunks(crops, lambda seen: seen * 2, 3, room), crops * 2)
    assert room.frames == LEAST_CHUNK
