"""Loading models by name, checkpoint or class, and the two-stream adapters against the official scores."""

from __future__ import annotations

import csv
import subprocess
import sys
import wave
from importlib.util import find_spec

import cv2
import numpy as np
import pytest
import torch

from asdbench.adapters import MODELS, WEIGHTS_OF, load_model
from asdbench.adapters.base import Adapter
from asdbench.adapters.two_stream import TwoStreamAdapter
from asdbench.errors import CheckpointError, DataError, ResourceError, UnknownNameError, UsageError
from asdbench.networks import ARCHITECTURES
from asdbench.networks.seeded import seeded_state
from tests.pair_net import REASON, write_pair_net
from tests.standin import FACE_SIZE, write_safetensors

RNG = np.random.default_rng(7)
FACES = [RNG.integers(0, 256, (90 + i, 60 + 2 * i), dtype=np.uint8) for i in range(5)]
AUDIO = RNG.integers(-3000, 3000, 4 * 640).astype(np.int16)


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    names = [name for name in ARCHITECTURES.names() if name != "pair-net"]
    for name in names:
        torch.save(seeded_state(ARCHITECTURES.load(name)()), folder / f"my {name} v1.2.model")
    found = {name: folder / f"my {name} v1.2.model" for name in names}
    if find_spec("transformers"):  # at its usual sizes PAIR-Net has 633 million parameters
        found["pair-net"] = write_pair_net(folder / "my pair-net v1.2.safetensors")
    return found


@pytest.mark.parametrize("name", MODELS.names())
def test_every_model_scores_one_float32_per_frame(name, checkpoints):
    if name.startswith("pair-net"):
        pytest.importorskip("transformers", reason=REASON)
    options = {"landmarks": "none"} if name == "laser-loconet" else {}  # which no argument here gives
    model = load_model(name, checkpoints.get(WEIGHTS_OF.get(name, name)), options=options)
    assert isinstance(model.scorer, Adapter)
    assert (model.adapter, model.adapter_version) == (name, model.scorer.version)
    scores = model.scorer.score_track(AUDIO, FACES, 25)
    assert scores.shape == (5,)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(scores, model.scorer.score_track(AUDIO, FACES, 25))


@pytest.mark.parametrize("name", ["light-asd", "lr-asd"])
def test_two_stream_scores_are_the_log_odds_of_the_official_pipeline(name, checkpoints):
    scorer = load_model(name, checkpoints[name]).scorer
    network = ARCHITECTURES.load(name)().eval()
    network.load_state_dict(torch.load(checkpoints[name], weights_only=True))
    resized = np.stack([cv2.resize(face, (112, 112), interpolation=cv2.INTER_LINEAR) for face in FACES])
    from asdbench.features import mfcc_for_frames

    with torch.inference_mode():
        mfcc = torch.from_numpy(mfcc_for_frames(AUDIO, 5, 25))[None]
        probability = network(mfcc, torch.from_numpy(resized)[None].float())[0].double().softmax(1)[:, 1]
    np.testing.assert_allclose(
        scorer.score_track(AUDIO, FACES, 25), torch.logit(probability).numpy(), rtol=0, atol=1e-5
    )


def test_light_asd_gives_the_official_scores_on_a_real_clip(shared):
    clips = shared / "clips"
    video, entity = "realclip_29", "realclip_29_0000_0006:1"
    with (clips / "official_scores_light_asd.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["entity_id"] == entity]
    folder = clips / "ava_layout" / "clips_videos" / "val" / video / entity
    pictures = sorted(folder.glob("*.jpg"), key=lambda path: float(path.stem))
    faces = [cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2GRAY) for path in pictures]
    with wave.open(str(clips / "ava_layout" / "clips_audios" / "val" / video / f"{entity}.wav")) as wav:
        audio = np.frombuffer(wav.readframes(wav.getnframes()), np.int16)
    scorer = load_model("auto", shared / "weights" / "light-asd" / "pretrain_AVA_CVPR.model").scorer
    wanted = np.array([float(row["logit1_ava_weights"]) - float(row["logit0_ava_weights"]) for row in rows])
    assert len(wanted) == 47
    np.testing.assert_allclose(scorer.score_track(audio, faces, 25), wanted, rtol=0, atol=1e-4)


def test_published_weights_are_named_by_their_card_and_others_by_their_file(shared, checkpoints):
    known = load_model("auto", shared / "weights" / "lr-asd" / "pretrain_AVA.model")
    assert (known.name, known.adapter) == ("lr-asd.ava", "lr-asd")
    assert known.checkpoint_sha256 == known.info.sha256
    assert load_model("auto", checkpoints["light-asd"]).name == "light-asd.my-light-asd-v1-2"
    plain = load_model("deaf")
    assert (plain.name, plain.checkpoint, plain.checkpoint_sha256, plain.info) == ("deaf", None, None, None)


def test_the_wrong_architecture_is_named_with_the_right_one(checkpoints):
    with pytest.raises(CheckpointError, match="checkpoint of 'light-asd', not of 'lr-asd'"):
        load_model("lr-asd", checkpoints["light-asd"])


def test_a_checkpoint_of_no_known_architecture(tmp_path):
    torch.save({"w": torch.zeros(3)}, tmp_path / "a.model")
    with pytest.raises(CheckpointError, match="fits no known architecture"):
        load_model("auto", tmp_path / "a.model")
    with pytest.raises(CheckpointError, match="192 missing"):
        load_model("light-asd", tmp_path / "a.model")


@pytest.mark.parametrize(
    ("name", "checkpoint", "words"),
    [
        ("auto", None, "give --checkpoint"),
        ("light-asd", None, "give --checkpoint"),
        ("deaf", "some.model", "leave --checkpoint out"),
    ],
)
def test_a_checkpoint_too_few_or_too_many(name, checkpoint, words):
    with pytest.raises(UsageError, match=words):
        load_model(name, checkpoint)


def test_unknown_names_get_a_suggestion():
    with pytest.raises(UnknownNameError, match="did you mean light-asd"):
        load_model("light-ads")


OWN = """
import numpy as np

class Loud:
    name, version = "loud", 3

    def __init__(self, gain=1.0):
        self.gain = gain

    @classmethod
    def from_checkpoint(cls, path, device="cpu"):
        return cls(float(path.read_text()))

    def score_track(self, audio, faces, fps):
        return np.full(len(faces), self.gain, np.float32)

class Bare:
    def score_track(self, audio, faces, fps):
        return np.zeros(len(faces), np.float32)

class Broken(Bare):
    def __init__(self, required):
        pass

class NoScorer:
    pass
"""


@pytest.fixture
def own(tmp_path):
    (tmp_path / "own.py").write_text(OWN, encoding="utf-8")
    return tmp_path / "own.py"


def test_a_users_own_class(own, tmp_path):
    model = load_model(f"{own}:Loud")
    assert (model.name, model.adapter, model.adapter_version) == ("Loud", "loud", 3)
    (tmp_path / "gain.txt").write_text("2.5", encoding="utf-8")
    model = load_model(f"{own}:Loud", tmp_path / "gain.txt")
    assert model.name == "Loud.gain"
    assert len(model.checkpoint_sha256) == 64
    np.testing.assert_array_equal(model.scorer.score_track(AUDIO, FACES, 25), np.full(5, 2.5, np.float32))


def test_a_users_class_without_name_and_version(own):
    model = load_model(f"{own}:Bare")
    assert (model.name, model.adapter, model.adapter_version) == ("Bare", "Bare", 0)


@pytest.mark.parametrize(
    ("attribute", "words"),
    [("NoScorer", "no method score_track"), ("Broken", "could not be built: TypeError"), ("Nothing", "Nothing")],
)
def test_a_users_class_that_does_not_work(own, attribute, words):
    with pytest.raises(UsageError, match=words):
        load_model(f"{own}:{attribute}")


@pytest.mark.parametrize("name", ["light-asd", "lr-asd"])
@pytest.mark.parametrize("chunk", [1, 7, 20, 21])
def test_chunks_do_not_show(checkpoints, monkeypatch, name, chunk):
    faces = [RNG.integers(0, 256, (40, 40), dtype=np.uint8) for _ in range(21)]
    scorer = load_model(name, checkpoints[name]).scorer
    whole = scorer.embed_faces(faces)
    monkeypatch.setattr("asdbench.adapters.torch_adapter.CHUNK", chunk)
    torch.testing.assert_close(scorer.embed_faces(faces), whole, rtol=1e-5, atol=1e-5)


@pytest.fixture(scope="module")
def safe(tmp_path_factory):
    folder = tmp_path_factory.mktemp("safetensors")
    state = seeded_state(ARCHITECTURES.load("light-asd")())
    return {size: write_safetensors(folder / f"{size}.safetensors", state, size) for size in (None, 56, 112)}


@pytest.mark.parametrize("size", [None, 112])
def test_safetensors_give_the_same_scores(checkpoints, safe, size):
    model = load_model("auto", safe[size])
    wanted = load_model("auto", checkpoints["light-asd"]).scorer.score_track(AUDIO, FACES, 25)
    np.testing.assert_array_equal(model.scorer.score_track(AUDIO, FACES, 25), wanted)
    assert (model.adapter, model.info.face_size, model.scorer.needs.crop_size) == ("light-asd", size, 112)


def test_the_face_size_of_a_checkpoint_is_what_the_network_sees(safe, monkeypatch):
    scorer = load_model("light-asd", safe[56]).scorer
    assert scorer.needs.crop_size == 56
    assert type(scorer).needs.crop_size == 112
    seen = []
    monkeypatch.setattr(scorer.network, "embed_faces", lambda faces: seen.append(faces) or torch.zeros(1, 5, 128))
    scorer.embed_faces(FACES)
    wanted = np.stack([cv2.resize(face, (56, 56), interpolation=cv2.INTER_LINEAR) for face in FACES])
    np.testing.assert_array_equal(seen[0][0].numpy(), wanted)


def test_another_face_size_gives_other_scores(safe):
    small, usual = (load_model("auto", safe[size]).scorer.score_track(AUDIO, FACES, 25) for size in (56, 112))
    assert np.isfinite(small).all()
    assert not np.allclose(small, usual)


def test_a_shipped_checkpoint_is_loaded_by_its_name(standin):
    model = load_model(checkpoint="light-asd.demo")
    assert (model.name, model.scorer.needs.crop_size) == ("light-asd.demo", FACE_SIZE)
    assert model.checkpoint == standin.resolve() / "demo" / "light-asd.demo.safetensors"


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_a_device_that_is_not_there(checkpoints):
    with pytest.raises(ResourceError, match=r"this machine has 0 cuda device\(s\)"):
        load_model("light-asd", checkpoints["light-asd"], device="cuda")


@pytest.mark.parametrize(
    "face", [np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9), np.float32), np.zeros((0, 9), np.uint8)]
)
def test_crops_that_are_no_gray_pictures_are_refused(face, checkpoints):
    scorer = load_model("lr-asd", checkpoints["lr-asd"]).scorer
    assert isinstance(scorer, TwoStreamAdapter)
    with pytest.raises(DataError, match="crop of frame 1"):
        scorer.embed_faces([FACES[0], face])


def test_importing_the_package_imports_neither_torch_nor_opencv():
    code = "import sys, asdbench.adapters, asdbench.networks; print([m for m in ('torch', 'cv2') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
