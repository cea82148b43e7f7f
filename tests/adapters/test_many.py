"""Faces of several tracks at a time give what those of each alone do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from asdbench.adapters import MODELS, load_model
from asdbench.adapters.calibration import Additive
from asdbench.adapters.light_asd import LightASD
from asdbench.adapters.torch_adapter import CHUNK, Room, TorchAdapter, end_to_end
from asdbench.errors import DataError, UsageError
from asdbench.networks import ARCHITECTURES
from asdbench.networks.apart import GAP, laid_out, taken_apart, with_gaps
from asdbench.networks.fast import is_optimised, optimised
from asdbench.networks.seeded import seeded_state
from asdbench.types import UInt8Array

NAMES = ["light-asd", "lr-asd", "talknet", "sync-talknet", "talknet-lip", "talknet-vad-lip"]
CASES: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in NAMES),
    ("light-asd", {"scoring": "demo"}),
    ("sync-talknet", {"chunking": "none"}),
]
SIDE = 32


def made(name: str, **options: Any) -> TorchAdapter[Any]:
    """A seeded model whose encoder is the plain one, as on a GPU."""
    cls = MODELS.load(name)
    network = ARCHITECTURES.load(cls.architecture)()
    network.load_state_dict(seeded_state(network))
    model: TorchAdapter[Any] = cls(network, options=cls.Options(**options))
    model.network.train().eval()
    assert not is_optimised(model.network)
    model.needs = replace(model.needs, crop_size=SIDE)
    return model


def faces(*lengths: int) -> list[list[UInt8Array]]:
    rng = np.random.default_rng(sum(lengths))
    return [[rng.integers(0, 256, (SIDE, SIDE), np.uint8) for _ in range(length)] for length in lengths]


def whole(embedding: Any) -> torch.Tensor:
    found = getattr(embedding, "whole", embedding)
    assert isinstance(found, torch.Tensor)
    return found


def check(model: TorchAdapter[Any], tracks: Sequence[Sequence[UInt8Array]]) -> None:
    many = model.embed_faces_many(tracks)
    assert len(many) == len(tracks)
    for found, track in zip(many, tracks, strict=True):
        alone = whole(model.embed_faces(track))
        assert whole(found).shape == alone.shape
        assert ((whole(found) - alone).abs() / alone.abs().clamp(min=1)).max() <= 1e-5


@pytest.mark.parametrize(("name", "options"), CASES)
@pytest.mark.parametrize("lengths", [(1, 1, 2), (7, 3, 7, 12), (5,)])
def test_several_tracks_are_as_each_alone(name: str, options: dict[str, Any], lengths: tuple[int, ...]):
    check(made(name, **options), faces(*lengths))


@pytest.mark.parametrize("name", ["light-asd", "sync-talknet"])
def test_so_are_those_that_alone_go_in_chunks(name: str):
    check(made(name), faces(CHUNK + 20, 3))


@pytest.mark.parametrize("name", NAMES)
def test_without_gaps_they_would_not_be(name: str, monkeypatch: pytest.MonkeyPatch):
    model = made(name)
    for module in ("light_asd", "lr_asd", "visual_resnet"):
        monkeypatch.setattr(f"asdbench.networks.{module}.with_gaps", lambda x, _: x)
    with pytest.raises(AssertionError):
        check(model, faces(9, 9))


def test_shipped_weights_agree_too():
    model = load_model(checkpoint="light-asd.demo", device="cpu").scorer
    assert isinstance(model, LightASD)
    model.network.train().eval()
    check(model, faces(11, 4, 30))


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("light-asd", "light-asd/pretrain_AVA_CVPR.model"),
        ("lr-asd", "lr-asd/pretrain_AVA.model"),
    ],
)
def test_published_weights_agree_too(shared: Any, name: str, file: str):
    model = load_model(name, shared / "weights" / file, "cpu").scorer
    assert isinstance(model, TorchAdapter)
    model.network.train().eval()
    check(model, faces(11, 4, 30))


def test_scores_agree():
    model = made("lr-asd")
    tracks = faces(9, 20, 4)
    rng = np.random.default_rng(0)
    for found, track in zip(model.embed_faces_many(tracks), tracks, strict=True):
        sound = model.embed_audio(rng.integers(-5000, 5000, 640 * len(track)).astype(np.int16), len(track), 25.0)
        one, two = model.score(sound, found), model.score(sound, model.embed_faces(track))
        assert (np.abs(one - two) <= 1e-5 * np.maximum(1, np.abs(two))).all()


def test_the_encoders_of_the_cpu_take_clips_one_by_one():
    model = made("light-asd")
    optimised(model.network)
    tracks = faces(3, 8)
    for found, track in zip(model.embed_faces_many(tracks), tracks, strict=True):
        assert torch.equal(found, model.embed_faces(track))


def test_errors_are_those_of_one_track():
    with pytest.raises(DataError, match="gray uint8 picture"):
        made("light-asd").embed_faces_many([*faces(3), [np.zeros((3, 3, 3), np.uint8)]])
    with pytest.raises(UsageError, match="knows positions"):
        made("sync-talknet", chunking="none").embed_faces_many(faces(3, 401))


def test_what_is_laid_out_comes_back():
    clips = [torch.arange(float(length) + 1)[:length, None] + 1 for length in (3, 1, 4)]
    row, gaps = laid_out(clips)
    assert row.shape == (1, 8 + 2 * GAP, 1)
    assert row[0, gaps].eq(0).all()
    assert row.ne(0).sum() == 8
    for found, clip in zip(taken_apart(row, [3, 1, 4]), clips, strict=True):
        assert torch.equal(found[0], clip)
    assert with_gaps(row[:, None] + 1, gaps)[0, 0, gaps].eq(0).all()


def test_half_as_much_is_tried_once_memory_has_run_out():
    room, asked = Room(), []

    def embed(row: torch.Tensor, gaps: torch.Tensor) -> torch.Tensor:
        asked.append(row.shape[1] - len(gaps))
        if asked[-1] > 6:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return row * 2

    def alone(row: torch.Tensor) -> torch.Tensor:
        asked.append(-row.shape[1])
        return row * 2

    clips = [torch.full((length, 1), float(length)) for length in (3, 3, 5, 4, 20, 1, 2)]
    found = end_to_end(clips, embed, alone, room)
    for clip, embedded in zip(clips, found, strict=True):
        assert torch.equal(embedded[0], clip * 2)
    assert asked == [38, 15, 6, -5, -4, -20, 3]
    assert (room.partings, room.together) == (2, 7)
    asked.clear()
    end_to_end(clips, embed, alone, room)
    assert max(asked) == 6  # what had no room is not tried again


class _OneAtATime(LightASD):
    """Written by somebody who knows nothing of many."""

    def embed_faces(self, faces: Sequence[UInt8Array]) -> Any:
        return super().embed_faces(faces) * 2


def test_who_takes_many():
    assert {name for name in MODELS.names() if MODELS.load(name).embeds_many()} == {
        *NAMES, "light-asd-video", "lr-asd-video", "talknet-audio", "talknet-video",
    }  # fmt: skip
    assert not _OneAtATime.embeds_many()
    assert not Additive.embeds_many()
    tracks = faces(2, 3)
    for found, track in zip(Additive().embed_faces_many(tracks), tracks, strict=True):
        np.testing.assert_array_equal(found, Additive().embed_faces(track))
