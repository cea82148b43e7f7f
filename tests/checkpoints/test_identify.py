"""Checkpoints are recognised by content, published ones by their cards."""

from __future__ import annotations

import csv
import re

import pytest
import safetensors.torch
import torch

from asdbench.checkpoints.cards import NO_LICENCE, card_for, caution, model_cards, read_card
from asdbench.checkpoints.convert import SOURCE, convert
from asdbench.checkpoints.identify import identify, layout_of
from asdbench.errors import UsageError
from asdbench.networks import ARCHITECTURES
from asdbench.networks.seeded import seeded_state
from asdbench.registry import Registry

OFFICIAL = {
    "light-asd.ava": "light-asd/pretrain_AVA_CVPR.model",
    "light-asd.talkset": "light-asd/finetuning_TalkSet.model",
    "lr-asd.ava": "lr-asd/pretrain_AVA.model",
    "lr-asd.talkset": "lr-asd/finetuning_TalkSet.model",
}
COUNTS = {"light-asd": (192, 1_021_636), "lr-asd": (168, 837_156)}


@pytest.mark.parametrize("name", OFFICIAL)
def test_official_checkpoints_are_known_by_name(shared, name):
    info = identify(shared / "weights" / OFFICIAL[name])
    assert info.name == name
    assert info.architecture == name.partition(".")[0]
    assert (info.entries, info.parameters) == COUNTS[info.architecture]
    assert ("TalkSet" in info.trained_on) == name.endswith("talkset")
    assert info.published
    assert info.says_from is None


@pytest.mark.parametrize("name", OFFICIAL)
def test_what_was_converted_from_them_says_so_and_keeps_the_caution(shared, tmp_path, name):
    convert(shared / "weights" / OFFICIAL[name], tmp_path / "a.safetensors")
    info, card = identify(tmp_path / "a.safetensors"), next(card for card in model_cards() if card.name == name)
    assert (info.name, info.says_from, info.published) == (None, name, ()), "what the file says is no proof"
    assert (info.architecture, info.trained_on, info.note) == (card.architecture, card.trained_on, card.note)
    for protocol in ("ava", "wasd", "ego4d-ava"):
        assert bool(caution(info.trained_on, protocol)) == name.endswith("talkset")
    assert caution(info.trained_on, "columbia-f1") is None


@pytest.mark.parametrize(
    ("architecture", "source"),
    [
        ("light-asd", "sha256:" + "0" * 64),  # on no card
        ("lr-asd", "sha256:{}"),  # another layout than that of the card
        ("light-asd", "{}"),
        ("light-asd", "sha256:{}0"),
        ("light-asd", "sha256:{:.63}"),
    ],
)
def test_a_source_that_no_card_knows_or_that_cannot_be_is_not_believed(tmp_path, architecture, source):
    digest = next(card.sha256 for card in model_cards() if card.name == "light-asd.talkset")
    metadata = {SOURCE: f"{source.format(digest)}, converted by asdbench 1"}
    state = seeded_state(ARCHITECTURES.load(architecture)())
    safetensors.torch.save_file(state, tmp_path / "a.safetensors", metadata)
    info = identify(tmp_path / "a.safetensors")
    assert (info.architecture, info.says_from, info.trained_on) == (architecture, None, None)


@pytest.mark.parametrize("architecture", COUNTS)
def test_other_weights_of_a_known_architecture(tmp_path, architecture):
    path = tmp_path / "mine.model"
    state = seeded_state(ARCHITECTURES.load(architecture)())
    torch.save({f"module.{key}": tensor for key, tensor in state.items()}, path)
    info = identify(path)
    assert info.architecture == architecture
    assert (info.name, info.trained_on, info.published) == (None, None, ())
    assert (info.entries, info.parameters) == COUNTS[architecture]


def _drop(state):
    state.popitem()


def _add(state):
    state["extra"] = torch.zeros(1)


def _reshape(state):
    state["lossAV.FC.weight"] = torch.zeros(3, 128)


@pytest.mark.parametrize("change", [_drop, _add, _reshape])
def test_one_differing_entry_makes_another_architecture(tmp_path, change):
    state = seeded_state(ARCHITECTURES.load("lr-asd")())
    change(state)
    torch.save(state, tmp_path / "a.model")
    assert identify(tmp_path / "a.model").architecture is None


def test_unknown_checkpoints_still_count_their_parameters(tmp_path):
    batch_norm = torch.nn.BatchNorm1d(5)
    torch.save(batch_norm.state_dict(), tmp_path / "a.model")
    info = identify(tmp_path / "a.model")
    assert (info.architecture, info.entries, info.parameters) == (None, 5, 10)


@pytest.fixture
def twins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three more architectures: two are Light-ASD's network, one takes whatever has a ``lossV``."""
    targets = {"twin-a": "light_asd:LightASD", "light-asd": "light_asd:LightASD", "twin-b": "light_asd:LightASD"}
    known = {name: f"asdbench.networks.{target}" for name, target in targets.items()}
    known["any-size"] = "tests.checkpoints.test_identify:AnySize"
    monkeypatch.setattr("asdbench.checkpoints.identify.ARCHITECTURES", Registry("architecture", known))


class AnySize(torch.nn.Module):
    @classmethod
    def recognises(cls, shapes):
        return shapes.get("lossV.FC.weight", ())[:1] == (3,)


def test_networks_of_one_layout_are_all_named(tmp_path, twins):
    torch.save(seeded_state(ARCHITECTURES.load("light-asd")()), tmp_path / "a.model")
    info = identify(tmp_path / "a.model")
    assert (info.architecture, info.architectures) == ("twin-a", ("twin-a", "light-asd", "twin-b"))
    assert (
        info.note
        == "The file alone does not tell which of these it is: twin-a, light-asd, twin-b; the network is the same."
    )


def test_a_card_tells_which_of_them_it_is(shared, twins):
    info = identify(shared / "weights" / OFFICIAL["light-asd.ava"])
    assert (info.architecture, info.note) == ("light-asd", None)
    assert info.architectures == ("twin-a", "light-asd", "twin-b")


def test_a_class_that_takes_its_sizes_from_the_checkpoint_says_what_it_takes(tmp_path, twins):
    torch.save({"lossV.FC.weight": torch.zeros(3, 77), "x": torch.zeros(1)}, tmp_path / "a.model")
    info = identify(tmp_path / "a.model")
    assert (info.architecture, info.architectures, info.note) == ("any-size", ("any-size",), None)
    torch.save({"lossV.FC.weight": torch.zeros(2, 77)}, tmp_path / "b.model")
    assert identify(tmp_path / "b.model").architectures == ()


@pytest.mark.parametrize("architecture", ARCHITECTURES.names())
def test_layouts_are_those_of_the_real_module(architecture):
    if hasattr(ARCHITECTURES.load(architecture), "recognises"):
        pytest.skip("takes its sizes from the checkpoint")
    module = ARCHITECTURES.load(architecture)()
    assert layout_of(architecture) == {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}


def test_shipped_cards_are_complete():
    assert set(OFFICIAL) <= {card.name for card in model_cards()}
    hashes = [card.sha256 for card in model_cards() if card.sha256]
    assert len(set(hashes)) == len(hashes) >= len(OFFICIAL) + 2
    for card in model_cards():
        assert re.fullmatch(r"[0-9a-f]{64}", card.sha256 or "0" * 64)
        assert card.architecture == card.name.partition(".")[0]
        assert card.licence in ("MIT", "Apache-2.0", NO_LICENCE)
        assert card.needs
        assert all(0 < result.value <= 100 for result in card.published)


@pytest.mark.parametrize("architecture", ARCHITECTURES.names())
def test_cards_count_the_parameters_of_the_real_module(architecture):
    sizes = {card.parameters for card in model_cards() if card.architecture == architecture and card.parameters}
    if not sizes:
        pytest.skip("no size was published")
    with torch.device("meta"):
        module = ARCHITECTURES.load(architecture)()
    assert sizes == {sum(parameter.numel() for parameter in module.parameters())}


SYSTEMS = {"light-asd", "lr-asd", "talknet", "sync-talknet", "loconet", "talknce", "laser-loconet", "pair-net"}


def test_every_system_of_the_field_has_a_card():
    assert {card.architecture for card in model_cards()} == SYSTEMS


def test_published_numbers_are_those_of_their_sources(shared):
    """Each number of a card stands in the collection of published results, for that system."""
    names = {"talknet": "TalkNet", "sync-talknet": "Sync-TalkNet", "loconet": "LoCoNet", "talknce": "LoCoNet+TalkNCE"}
    names |= {"pair-net": "PAIR-Net", "light-asd": "LightASD", "lr-asd": "LR-ASD"}
    with (shared / "published" / "results.csv").open(encoding="utf-8", newline="") as file:
        known = {(row["system"], row["dataset"], row["value"]) for row in csv.DictReader(file)}
    for card in model_cards():
        for result in card.published:
            dataset = re.split(r"[ ,]", result.dataset)[0]
            values = {f"{result.value:{form}}" for form in ("g", ".1f", ".2f")}
            assert known & {(names[card.architecture], dataset, value) for value in values}, (card.name, str(result))


def test_numbers_of_unknown_rules_are_not_sold_as_those_of_ava():
    found = {card.name: {(result.protocol, result.value) for result in card.published} for card in model_cards()}
    assert found["pair-net.ego4d"] == {("unstated", 76.6)}
    assert found["sync-talknet.ava"] == {("unstated", 89.8)}
    assert ("ava", 68.4) in found["loconet.ego4d"]


def test_headline_numbers_of_the_cards():
    found = {
        card.name: {(result.protocol, result.metric): result.value for result in card.published}
        for card in model_cards()
    }
    average = ("columbia-f1", "F1, average over speakers")
    assert found["light-asd.ava"]["ava", "mAP"] == 94.06
    assert found["lr-asd.ava"]["ava", "mAP"] == 94.45
    assert [found[name][average] for name in OFFICIAL] == [81.1, 95.5, 86.1, 96.4]


def test_card_for_an_unknown_hash():
    assert card_for("0" * 64) is None


CARD = """name = "x.y"
architecture = "x"
sha256 = "00"
trained_on = "a"
licence = "MIT"
code = "https://example.org"
commit = "00"
weights = "w"
paper = "p"
parameters = 1
"""


def test_a_card_reads_back(tmp_path):
    (tmp_path / "x.y.toml").write_text(CARD, encoding="utf-8")
    assert read_card(tmp_path / "x.y.toml").weights == "w"


def test_a_card_of_a_shipped_file(tmp_path):
    text = CARD.replace('commit = "00"', 'note = "small"').replace("weights = ", "file = ")
    (tmp_path / "x.y.toml").write_text(text, encoding="utf-8")
    card = read_card(tmp_path / "x.y.toml")
    assert (card.file, card.note, card.commit, card.weights) == ("w", "small", None, None)


@pytest.mark.parametrize("weights", ['weights = "https://example.org/a"\n', ""])
def test_a_card_of_what_is_elsewhere_or_nowhere(tmp_path, weights):
    lines = [
        line
        for line in CARD.splitlines(keepends=True)
        if line.split()[0] not in ("commit", "weights", "sha256", "code")
    ]
    (tmp_path / "x.y.toml").write_text("".join(lines) + weights, encoding="utf-8")
    card = read_card(tmp_path / "x.y.toml")
    assert (card.sha256, card.code, card.commit) == (None, None, None)
    assert card.whereabouts() == (
        "download https://example.org/a and give its path" if weights else "its authors offer no file"
    )


def test_cards_are_sorted_by_name(standin):
    names = [card.name for card in model_cards()]
    assert names == sorted(names)
    assert names.index("light-asd.demo") < names.index("light-asd.demo-sync")


def test_a_shipped_checkpoint_is_known_by_its_card(standin):
    info = identify(standin / "demo" / "light-asd.demo-sync.safetensors")
    assert (info.name, info.face_size, info.note) == ("light-asd.demo-sync", 32, "Sees faces at 32 x 32 pixels.")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("x.y", CARD + "colour = 1\n", "colour"),
        ("x.y", CARD.replace('paper = "p"', ""), "paper"),
        ("x.y", CARD.replace("= 1", "= 'many'"), "parameters"),
        ("x.y", "name = ", "x.y.toml"),
        ("z", CARD, "calls itself 'x.y'"),
        ("x.y", CARD + 'file = "a"\n', "expected either `file` and `sha256`, or `code`, `commit` and a path"),
        ("x.y", CARD.replace('commit = "00"\n', ""), "expected either"),
        ("x.y", CARD.replace('weights = "w"\n', ""), "expected either"),
        ("x.y", CARD.replace('weights = "w"', 'file = "a"'), "expected either"),
        ("x.y", CARD.replace('weights = "w"', 'weights = "https://example.org/w"'), "expected either"),
        ("x.y", CARD.replace('code = "https://example.org"\n', ""), "expected either"),
        ("x.y", CARD.replace('commit = "00"\nweights = "w"', 'file = "a"').replace('sha256 = "00"\n', ""), "expected"),
    ],
)
def test_broken_cards_are_refused(tmp_path, name, text, words):
    (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=re.escape(words)):
        read_card(tmp_path / f"{name}.toml")
