"""Smaller TalkNets from their checkpoints, its streams as models, and the product of the two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from asdbench.adapters import MODELS, WEIGHTS_OF, load_model
from asdbench.adapters.product import log_odds_of_all, log_probability
from asdbench.adapters.talknet_streams import TalkNetLip, TalkNetVAD, TalkNetVadLip
from asdbench.adapters.torch_adapter import TorchAdapter
from asdbench.errors import CheckpointError
from asdbench.features import mfcc_for_frames
from asdbench.networks import ARCHITECTURES
from asdbench.networks.seeded import seeded_state
from asdbench.networks.talknet import TalkNetSizes
from asdbench.networks.talknet_streams import TalkNetVadLip as Network
from tests.standin import write_safetensors

NAMES = ["talknet", "sync-talknet", "talknet-vad", "talknet-lip", "talknet-vad-lip"]
HEADS = ["talknet-audio", "talknet-video"]
SIZES = TalkNetSizes(stem=4, depth=(1, 2, 1, 1))
SIDE, FPS, FRAMES = 24, 25, 9
RNG = np.random.default_rng(5)
FACES = [RNG.integers(0, 256, (40 + i, 30 + i), dtype=np.uint8) for i in range(FRAMES)]
SOUND = RNG.integers(-3000, 3000, 640 * FRAMES).astype(np.int16)


def seeded(name: str) -> Any:
    network = ARCHITECTURES.load(name)(SIZES)
    own = network.state_dict()
    state = {key: own[key] if key.endswith(".pe") else value for key, value in seeded_state(network).items()}
    network.load_state_dict(state)
    return network.eval()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("small")
    return {name: write_safetensors(folder / f"{name}.safetensors", seeded(name).state_dict(), SIDE) for name in NAMES}


def seen() -> torch.Tensor:
    crops = [cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR) for face in FACES]
    return torch.from_numpy(np.stack(crops))[None].float()


def heard(samples: int = len(SOUND)) -> torch.Tensor:
    return torch.from_numpy(mfcc_for_frames(SOUND[:samples], FRAMES, FPS))[None]


def directly(name: str) -> np.ndarray:
    """What the network says, asked without any adapter."""
    network = seeded(WEIGHTS_OF.get(name, name))
    sound = heard(640 * (FRAMES - 1)) if name == "sync-talknet" else heard()  # a chunk ends at its last frame
    with torch.inference_mode():
        if name in HEADS:
            logits = network.heads(network.embed_audio(sound), network.embed_faces(seen()))
            logits = logits.audio if name == "talknet-audio" else logits.visual
        elif name == "talknet-vad":
            logits = network(sound)
        elif name == "talknet-lip":
            logits = network(seen())
        else:
            logits = network(sound, seen())
    if name == "talknet-vad-lip":
        voice, lips = (each[0].double().softmax(1)[:, 1] for each in logits)
        return torch.logit(voice * lips).numpy()
    return (logits[0, :, 1] - logits[0, :, 0]).numpy()


def close(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 * max(1, float(np.abs(wanted).max())))


@pytest.mark.parametrize("name", [*NAMES, *HEADS])
def test_a_small_checkpoint_scores_as_its_network_does(files: dict[str, Path], name: str):
    path = files[WEIGHTS_OF.get(name, name)]
    model = load_model(name if name in HEADS else "auto", path)
    assert (model.adapter, model.info.architectures) == (name, (WEIGHTS_OF.get(name, name),))
    assert model.info.face_size == SIDE
    assert model.scorer.needs.crop_size == (None if name == "talknet-vad" else SIDE)
    scores = model.scorer.score_track(SOUND, FACES, FPS)
    assert scores.dtype == np.float32
    close(scores, directly(name))
    assert np.ptp(scores) > 1e-3, "a constant would agree with anything"


@pytest.mark.parametrize("name", ["talknet", "sync-talknet", "talknet-lip", "talknet-vad-lip"])
@pytest.mark.parametrize("chunk", [1, 4, 8])
def test_chunks_of_the_visual_encoder_do_not_show(
    files: dict[str, Path], name: str, chunk: int, monkeypatch: pytest.MonkeyPatch
):
    scorer = load_model("auto", files[name]).scorer
    whole = scorer.embed_faces(FACES)
    assert whole.shape == (1, FRAMES, 8 * SIZES.stem)
    monkeypatch.setattr("asdbench.adapters.torch_adapter.CHUNK", chunk)
    torch.testing.assert_close(scorer.embed_faces(FACES), whole, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["talknet", "sync-talknet", "talknet-lip", "talknet-vad-lip"])
def test_tracks_embedded_together_are_as_each_alone(files: dict[str, Path], name: str):
    scorer = load_model("auto", files[name]).scorer
    assert type(scorer).embeds_many()
    scorer.network.train().eval()  # the plain encoder, as on a GPU
    for found, track in zip(scorer.embed_faces_many([FACES, FACES[:3]]), (FACES, FACES[:3]), strict=True):
        torch.testing.assert_close(found, scorer.embed_faces(track), rtol=1e-5, atol=1e-5)


def other(kind: str) -> tuple[np.ndarray, list[np.ndarray]]:
    if kind == "sound":
        return SOUND[::-1].copy(), FACES
    return SOUND, [255 - face[::-1] for face in FACES]


@pytest.mark.parametrize(
    ("name", "moved_by"),
    [("talknet-vad", {"sound"}), ("talknet-lip", {"faces"}), ("talknet-vad-lip", {"sound", "faces"})],
)
def test_each_looks_and_listens_as_it_says(files: dict[str, Path], name: str, moved_by: set[str]):
    scorer = load_model(name, files[name]).scorer
    scores = scorer.score_track(SOUND, FACES, FPS)
    for kind in ("sound", "faces"):
        changed = scorer.score_track(*other(kind), FPS)
        if kind in moved_by:
            assert np.abs(changed - scores).max() > 1e-3
        else:
            np.testing.assert_array_equal(changed, scores)


def test_the_product_is_that_of_its_parts(files: dict[str, Path]):
    network = seeded("talknet-vad-lip")
    both, voice, lips = TalkNetVadLip(network), TalkNetVAD(network.vad), TalkNetLip(network.lip)
    for model in (both, lips):
        model.needs = load_model("auto", files["talknet-vad-lip"]).scorer.needs
    alone = [model.score_track(SOUND, FACES, FPS).astype(np.float64) for model in (voice, lips)]
    wanted = np.prod([1 / (1 + np.exp(-each)) for each in alone], axis=0)
    close(1 / (1 + np.exp(-both.score_track(SOUND, FACES, FPS).astype(np.float64))), wanted)
    np.testing.assert_array_equal(both.score_faces(both.embed_faces(FACES)), lips.score_track(SOUND, FACES, FPS))


@pytest.mark.parametrize("sure", [(1e30, 1e30), (-1e30, 5.0), (88.0, -104.0), (0.0, 1e30), (-1e30, -1e30)])
def test_the_product_of_certainties_is_bounded(sure: tuple[float, float]):
    network = Network(SIZES)
    for part, log_odds in zip((network.vad.lossA, network.lip.lossV), sure, strict=True):
        part.FC.weight.data.zero_()
        part.FC.bias.data = torch.tensor([-log_odds / 2, log_odds / 2])
    scores = TalkNetVadLip(network).score_track(SOUND, FACES, FPS)
    np.testing.assert_allclose(scores, np.clip(min(sure), -30, 29.934), atol=1e-3)


def test_the_product_in_numbers():
    half = log_probability(np.zeros(1))
    np.testing.assert_allclose(half, np.log(0.5))
    np.testing.assert_allclose(log_odds_of_all(half, half), np.log(1 / 3), rtol=1e-6)
    np.testing.assert_allclose(log_odds_of_all(half, np.array([-np.inf])), -30)
    np.testing.assert_allclose(log_odds_of_all(np.zeros(1), np.zeros(1)), 29.934, atol=1e-3)


def _huge_stem(state: dict[str, torch.Tensor], key: str) -> None:
    state[key] = torch.zeros(10**9, 0, 5, 7, 7)


def _wide_stem(state: dict[str, torch.Tensor], key: str) -> None:
    state[key] = torch.zeros(512, 0, 5, 7, 7)


def _no_stem(state: dict[str, torch.Tensor], key: str) -> None:
    state[key] = torch.zeros(0, 1, 5, 7, 7)


def _missing(state: dict[str, torch.Tensor], key: str) -> None:
    del state[key]


@pytest.mark.parametrize("name", ["talknet", "sync-talknet", "talknet-lip", "talknet-vad-lip"])
@pytest.mark.parametrize("change", [_huge_stem, _wide_stem, _no_stem, _missing])
def test_a_file_that_claims_another_size_is_refused(tmp_path: Path, name: str, change: Any):
    state = seeded(name).state_dict()
    change(state, next(key for key in state if key.endswith("visualFrontend.frontend3D.0.weight")))
    path = write_safetensors(tmp_path / "a.safetensors", state, SIDE)
    with pytest.raises(CheckpointError, match="fits no known architecture"):
        load_model("auto", path)
    with pytest.raises(CheckpointError, match="missing" if change is _missing else "wrong shape"):
        load_model(name, path)


def test_a_deeper_file_that_lacks_its_blocks_is_refused(tmp_path: Path):
    state = seeded("talknet-vad").state_dict()
    state["audioEncoder.layer1.63.conv1.weight"] = torch.zeros(16, 16, 3, 3)
    path = write_safetensors(tmp_path / "a.safetensors", state)
    with pytest.raises(CheckpointError, match="fits no known architecture"):
        load_model("auto", path)
    with pytest.raises(CheckpointError, match=r"missing \(audioEncoder\.layer1\.1\."):
        load_model("talknet-vad", path)


def test_weights_of_whole_numbers_are_refused(tmp_path: Path):
    state = seeded("talknet-vad").state_dict()
    state["lossA.FC.weight"] = state["lossA.FC.weight"].to(torch.int64)
    with pytest.raises(CheckpointError, match="wrong shape or type"):
        load_model("auto", write_safetensors(tmp_path / "a.safetensors", state))


def test_one_stream_is_no_other(files: dict[str, Path]):
    with pytest.raises(CheckpointError, match="checkpoint of 'talknet-vad', not of 'talknet-lip'"):
        load_model("talknet-lip", files["talknet-vad"])
    assert issubclass(MODELS.load("talknet-vad"), TorchAdapter)
