"""TalkNets of any size, and its two streams as networks of their own."""

from __future__ import annotations

import pytest
import torch

from asdbench.errors import UsageError
from asdbench.networks import ARCHITECTURES
from asdbench.networks.seeded import seeded_state
from asdbench.networks.talknet import Sized, TalkNet, TalkNetSizes
from asdbench.networks.talknet_streams import LIPS, VOICE, TalkNetLip, TalkNetVAD, TalkNetVadLip

NAMES = ["talknet", "sync-talknet", "talknet-vad", "talknet-lip", "talknet-vad-lip"]
SMALL = TalkNetSizes(stem=4, depth=(1, 2, 1, 3))
STEM_WEIGHT = "visualFrontend.frontend3D.0.weight"


def seeded(cls: type[Sized], sizes: TalkNetSizes = SMALL) -> Sized:
    network = cls(sizes)
    network.load_state_dict(seeded_state(network))
    return network.eval()


def shapes_of(name: str, sizes: TalkNetSizes | None) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        network = ARCHITECTURES.load(name)(sizes)
    return {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}


def clip(frames: int, side: int = 24) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(frames)
    mfcc = torch.randn(1, 4 * frames, 13, generator=generator)
    return mfcc, torch.randint(0, 256, (1, frames, side, side), generator=generator).float()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sizes", [None, SMALL, TalkNetSizes(1, (1, 1, 1, 1)), TalkNetSizes(9, (64, 1, 2, 1))])
def test_each_is_recognised_in_any_size_and_for_no_other(name: str, sizes: TalkNetSizes | None):
    shapes = shapes_of(name, sizes)
    assert [each for each in NAMES if ARCHITECTURES.load(each).recognises(shapes)] == [name]
    built = ARCHITECTURES.load(name).built_for(shapes)
    assert {key: tuple(tensor.shape) for key, tensor in built.state_dict().items()} == shapes
    assert not any(parameter.is_meta for parameter in built.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_what_differs_in_one_entry_is_another_network(name: str):
    shapes, network = shapes_of(name, SMALL), ARCHITECTURES.load(name)
    assert network.recognises(shapes)
    for key in list(shapes)[::17]:
        assert not network.recognises({other: shape for other, shape in shapes.items() if other != key})
        assert not network.recognises({**shapes, key: (*shapes[key], 1)})
    assert not network.recognises({**shapes, "surprise": (1,)})
    assert not network.recognises({})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stem", [10**9, 513, 512, 0, -1])
def test_a_stem_that_others_do_not_follow_costs_nothing(name: str, stem: int):
    network = ARCHITECTURES.load(name)
    shapes = {**shapes_of(name, SMALL), network.VISUAL + STEM_WEIGHT: (stem, 0, 5, 7, 7)}
    assert not network.recognises(shapes)
    assert all(tensor.is_meta for tensor in network.built_for(shapes).parameters())


@pytest.mark.parametrize("name", ["talknet", "talknet-vad", "talknet-vad-lip"])
@pytest.mark.parametrize("index", ["63", "64", "999", "123456789012", "-1", "٣"])
def test_a_block_that_others_do_not_follow_costs_nothing(name: str, index: str):
    network = ARCHITECTURES.load(name)
    shapes = {**shapes_of(name, SMALL), f"{network.AUDIO}audioEncoder.layer2.{index}.conv1.weight": (32, 32, 3, 3)}
    assert not network.recognises(shapes)
    assert all(tensor.is_meta for tensor in network.built_for(shapes).parameters())
    assert max(TalkNetSizes.of(shapes, network.AUDIO, network.VISUAL).depth) <= 64


def test_sizes_that_nothing_tells_are_the_published_ones():
    assert TalkNetSizes.of({}) == TalkNetSizes.of({"model." + STEM_WEIGHT: ()}) == TalkNetSizes(64, (3, 4, 6, 3))


@pytest.mark.parametrize(
    ("stem", "depth"), [(0, (1, 1, 1, 1)), (513, (1, 1, 1, 1)), (8, (1, 1, 1)), (8, (1, 1, 0, 1)), (8, (1, 1, 65, 1))]
)
def test_sizes_that_cannot_be_are_refused(stem: int, depth: tuple[int, ...]):
    with pytest.raises(UsageError, match="expected a stem of 1 to 512 channels and four stages of 1 to 64 blocks"):
        TalkNetSizes(stem, depth)


def test_the_streams_compute_what_talknet_does_before_its_attention():
    parent, mfcc, faces = seeded(TalkNet), *clip(7)
    state = {key.removeprefix("model."): value for key, value in parent.state_dict().items()}
    voice, lips, both = TalkNetVAD(SMALL), TalkNetLip(SMALL), TalkNetVadLip(SMALL)
    for network in (voice, lips):
        network.load_state_dict({key: state[key] for key in network.state_dict()})
    parts = {VOICE: voice.state_dict(), LIPS: lips.state_dict()}
    both.load_state_dict({prefix + key: value for prefix, part in parts.items() for key, value in part.items()})
    with torch.inference_mode():
        heard, seen = parent.embed_audio(mfcc), parent.refine_faces(parent.embed_faces(faces))
        wanted = parent.lossA(heard), parent.lossV(seen)
        assert torch.equal(voice.eval()(mfcc), wanted[0])
        assert torch.equal(lips.eval()(faces), wanted[1])
        logits = both.eval()(mfcc, faces)
    assert torch.equal(logits.voice, wanted[0])
    assert torch.equal(logits.lips, wanted[1])
    assert wanted[0].shape == wanted[1].shape == (1, 7, 2)


def test_face_embeddings_reach_two_frames():
    network, (_, faces) = seeded(TalkNetLip), clip(9)
    with torch.inference_mode():
        before = network.embed_faces(faces)
        faces[0, 4] = 255 - faces[0, 4]
        moved = (network.embed_faces(faces) - before).abs().amax(dim=2)[0] > 0
    assert before.shape == (1, 9, 32)
    assert moved.nonzero().flatten().tolist() == [2, 3, 4, 5, 6]


def test_both_heads_together_reach_every_parameter_but_the_unused_shortcut():
    network = TalkNetVadLip(SMALL).train()
    sum(each.square().sum() for each in network(*clip(4))).backward()
    without = {name for name, parameter in network.named_parameters() if parameter.grad is None}
    assert without == {"lip.visualFrontend.resnet.layer1.downsample.weight"}
