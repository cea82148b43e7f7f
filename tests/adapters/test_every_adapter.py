"""What holds for every model: a track's scores are its own, whatever was scored before, and inputs stay as they are."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from asdbench.adapters import MODELS
from asdbench.adapters.base import Adapter
from asdbench.adapters.calibration import Deaf
from asdbench.adapters.torch_adapter import TorchAdapter
from asdbench.errors import MissingDependencyError
from asdbench.networks import ARCHITECTURES
from asdbench.networks.seeded import seeded_state
from asdbench.types import LIP_POINTS
from tests.loconet import FIXTURES, seeded_network
from tests.pair_net import tiny_network

SIDE = 32
"""Side of the pictures that the networks see; at the usual one, the file would take minutes."""

LONGEST = 8

MORE_OPTIONS: list[tuple[str, dict[str, Any]]] = [
    ("light-asd", {"scoring": "demo"}),
    ("laser-loconet", {"landmarks": "none"}),
    ("pair-net", {"clip_seconds": 0.2}),  # several windows
]
CASES = [(name, tuple(options.items())) for name, options in [*((name, {}) for name in MODELS.names()), *MORE_OPTIONS]]


@dataclass(frozen=True)
class Track:
    audio: np.ndarray
    faces: list[np.ndarray]
    more: dict[str, Any]
    """Neighbours and landmarks, for models that look at them."""

    def scores(self, scorer: Adapter) -> np.ndarray:
        return scorer.score_track(self.audio, self.faces, 25.0, **self.more)


@cache
def network_of(architecture: str) -> torch.nn.Module:
    if architecture == "pair-net":
        return tiny_network()
    if architecture in FIXTURES.values():
        return seeded_network(architecture)
    network = ARCHITECTURES.load(architecture)()
    network.load_state_dict(seeded_state(network))
    return network.eval()


def unused(name: str, options: tuple[tuple[str, Any], ...]) -> Adapter:
    """A model that has scored nothing yet; the weights are shared, all else is its own."""
    cls = MODELS.load(name)
    chosen = cls.Options(**dict(options))
    if not issubclass(cls, TorchAdapter):
        try:
            return copy.deepcopy(cls(options=chosen))
        except MissingDependencyError as error:
            pytest.skip(str(error))
    network = network_of(FIXTURES.get(name, cls.architecture))
    made = cls(copy.deepcopy(network, {id(weight): weight for weight in network.parameters()}), options=chosen)
    if made.needs.crop_size:
        made.needs = replace(made.needs, crop_size=SIDE)
    return made


def track(scorer: Adapter, frames: int, rng: np.random.Generator) -> Track:
    def crops() -> list[np.ndarray]:
        return [rng.integers(0, 256, (20 + frames, 30 + frame), np.uint8) for frame in range(frames)]

    audio = rng.integers(-5000, 5000, 640 * (frames + 1)).astype(np.int16)  # one more, so that the demo scores each
    more: dict[str, Any] = {}
    if scorer.needs.context_speakers:
        present = rng.random((frames % (scorer.needs.context_speakers + 1), frames)) < 0.7
        more["context"] = [[face if seen else None for face, seen in zip(crops(), row, strict=True)] for row in present]
        if getattr(scorer.options, "landmarks", None) == "":
            more["landmarks"] = rng.random((1 + len(present), frames, LIP_POINTS, 2), np.float32)
    return Track(audio, crops(), more)


def check(used: Adapter, alone: Sequence[Adapter], tracks: Sequence[Track]) -> None:
    """Assert that ``used`` scores each track as an unused model does, after whichever others; that no input changes."""
    before = copy.deepcopy(tracks)
    wanted = [each.scores(scorer) for scorer, each in zip(alone, tracks, strict=True)]
    there = list(range(len(tracks)))
    for index in [*there, *there[-2::-1]]:
        found = tracks[index].scores(used)
        scale = np.maximum(1, np.abs(wanted[index]))
        np.testing.assert_allclose(found / scale, wanted[index] / scale, rtol=0, atol=1e-5)
    for now, then in zip(tracks, before, strict=True):
        np.testing.assert_equal((now.audio, now.faces, now.more), (then.audio, then.faces, then.more))


@pytest.mark.parametrize(("name", "options"), CASES)
@settings(deadline=None, max_examples=3)
@example(lengths=[LONGEST, 1, LONGEST], seed=0)  # what is kept by length would show
@given(
    lengths=st.lists(st.integers(1, LONGEST), min_size=2, max_size=2),
    seed=st.integers(0, 2**32 - 1),
)
def test_scores_of_a_track_are_its_own(name, options, lengths, seed):
    used, *alone = (unused(name, options) for _ in range(len(lengths) + 1))
    rng = np.random.default_rng(seed)
    check(used, alone, [track(used, frames, rng) for frames in lengths])


class Remembers(Deaf):
    """Adds what it saw last."""

    last = 0.0

    def embed_faces(self, faces):
        found = super().embed_faces(faces) + np.float32(self.last)
        self.last = float(faces[0].mean())
        return found


class Scribbles(Deaf):
    """Writes into its input, after which it scores the same again."""

    def embed_audio(self, audio, num_frames, fps):
        audio[0] = 7
        return super().embed_audio(audio, num_frames, fps)


@pytest.mark.parametrize("cls", [Deaf, Remembers, Scribbles])
def test_the_check_finds_what_it_looks_for(cls):
    rng = np.random.default_rng(1)
    tracks = [track(cls(), frames, rng) for frames in (3, 8)]
    if cls is Deaf:
        check(cls(), [cls(), cls()], tracks)
    else:
        with pytest.raises(AssertionError):
            check(cls(), [cls(), cls()], tracks)
