"""LoCoNet, TalkNCE and LASER as adapters: who is seen with whom, and what of it is computed."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from asdbench.adapters import MODELS, load_model
from asdbench.adapters.feature_cache import LONGEST, FeatureCache
from asdbench.adapters.identity import fingerprint_of
from asdbench.adapters.laser import LaserLoCoNet, LaserOptions
from asdbench.adapters.loconet import STANDING_IN, LoCoNetAdapter, LoCoNetOptions, TalkNCE, distinct_runs
from asdbench.adapters.torch_adapter import resized_crops
from asdbench.errors import CheckpointError, DataError, UsageError
from tests.loconet import FIXTURES, SAVED_WITH, arrays, seeded_network

SMALL = 32


def adapter(cls: type[LoCoNetAdapter] = LoCoNetAdapter, side: int = SMALL, **options: object) -> LoCoNetAdapter:
    """An adapter that sees faces small, so that the trunk costs little."""
    made = cls(seeded_network(cls.architecture), options=cls.Options(**options))
    made.needs = replace(made.needs, crop_size=side)
    return made


def with_empty_cache(scorer: LoCoNetAdapter) -> LoCoNetAdapter:
    """The same model as one that has seen nothing yet."""
    other = copy.copy(scorer)
    other.cache = FeatureCache()
    return other


def crops(frames: int, seed: int = 0, side: int = SMALL) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).integers(0, 256, (frames, side, side), dtype=np.uint8))


def sound(frames: int) -> np.ndarray:
    return np.random.default_rng(9).integers(-3000, 3000, 640 * frames).astype(np.int16)


@torch.inference_mode()
def plainly(network, speakers, context="official"):
    """The front end over all three speakers, every frame of it, absent frames black."""
    shown = [speakers[i] for i in STANDING_IN[len(speakers) - 1]]
    black = np.zeros((SMALL, SMALL), np.uint8)
    faces = np.stack([[black if crop is None else crop for crop in speaker] for speaker in shown])
    faces = torch.from_numpy(faces).float()
    if context == "independent":
        return torch.cat([network.embed_faces(speaker[None]) for speaker in faces])
    return network.embed_faces(faces.flatten(0, 1)[None]).view(*faces.shape[:2], -1)


def close(found, wanted, atol=1e-5):
    torch.testing.assert_close(found, wanted, rtol=0, atol=atol)


@pytest.mark.parametrize("fixture", FIXTURES)
@pytest.mark.parametrize("case", ["A", "B"])
def test_official_scores_from_the_raw_medium(shared, fixture, case):
    given_, wanted = arrays(shared, fixture, "inputs"), arrays(shared, fixture, "outputs")
    scorer = adapter(MODELS.load(fixture), side=112)
    if case == "A":
        faces, first, second = (list(speaker) for speaker in given_["A_visual"][0])
        assert not given_["A_visual"][0, 1, 10:15].any()
        first[10:15] = [None] * 5
        arguments = [[first, second]]
        landmarks = given_.get("A_landmarks", [None])[0]
    else:
        faces, arguments = list(given_["B_visual_target"]), []
        landmarks = given_.get("B_landmarks_target", np.empty(0))[None]
    named = {"landmarks": landmarks} if fixture == "laser-loconet" else {}
    found = scorer.score_track(given_[f"{case}_wave"], faces, 25, *arguments, **named)
    assert found.dtype == np.float32
    logits = wanted[f"{case}_logits_target"]
    np.testing.assert_allclose(found, logits[:, 1] - logits[:, 0], rtol=0, atol=1e-5)
    probability = 1 / (1 + np.exp(-found.astype(float)))
    np.testing.assert_allclose(probability, wanted[f"{case}_score"], rtol=0, atol=1e-5)


presence = st.lists(st.booleans(), min_size=9, max_size=9)


@settings(deadline=None, max_examples=8)
@given(
    frames=st.integers(1, 9),
    masks=st.lists(presence, max_size=2),
    context=st.sampled_from(["official", "independent"]),
    longest=st.sampled_from([3, 64]),
)
def test_what_is_computed_once_is_what_every_frame_would_give(frames, masks, context, longest):
    speakers = [crops(frames)]
    for seed, mask in enumerate(masks, 1):
        speakers.append([crop if seen else None for crop, seen in zip(crops(frames, seed), mask[:frames], strict=True)])
    scorer = adapter(context=context)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("asdbench.adapters.feature_cache.LONGEST", longest)
        found = scorer.embed_faces(speakers[0], speakers[1:])
    assert found.shape == (3, frames, 512)
    close(found, plainly(scorer.network, speakers, context))


@st.composite
def stacks(draw):
    """Targets with their neighbours, all taken from a few films, so that they show the same pictures now and then."""
    films = [crops(9, seed) for seed in range(3)]
    still = draw(st.booleans())

    def face(frames):
        film, start = draw(st.sampled_from(films)), draw(st.integers(0, 9 - frames))
        seen = film[start : start + frames]
        return [crop if draw(st.integers(0, 5)) else None for crop in ([seen[0]] * frames if still else seen)]

    def stack():
        frames = draw(st.integers(1, 9))
        start = draw(st.integers(0, 9 - frames))
        target = draw(st.sampled_from(films))[start : start + frames]
        return target, [face(frames) for _ in range(draw(st.integers(0, 2)))]

    return [stack() for _ in range(draw(st.integers(2, 3)))]


@settings(deadline=None, max_examples=6)
@given(
    tracks=stacks(),
    context=st.sampled_from(["official", "independent"]),
    limit=st.sampled_from([0, 20 * 512 * 4, 1 << 30]),
)
def test_what_is_kept_never_shows(tracks, context, limit):
    """Within rounding what the plain network gives, and to the bit what an adapter gives that has seen nothing yet."""
    scorer = adapter(context=context)
    scorer.cache = FeatureCache(limit)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("asdbench.adapters.feature_cache.SHORTEST", 2)  # of so few pictures, some are to cut
        patch.setattr("asdbench.adapters.feature_cache._ONE_IN", 3)
        for faces, around in tracks:
            found = scorer.embed_faces(faces, around)
            assert torch.equal(found, with_empty_cache(scorer).embed_faces(faces, around))
            close(found, plainly(scorer.network, [faces, *around], context))
            assert scorer.cache.size <= limit


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(0, 3))
def test_every_surrounding_is_computed_once(sequence, halo):
    runs, where = distinct_runs(np.array(sequence), halo)
    computed = [frame for start, stop in runs for frame in range(start, stop)]

    def surroundings(frame):
        return tuple(sequence[i] if 0 <= i < len(sequence) else None for i in range(frame - halo, frame + halo + 1))

    assert [surroundings(computed[place]) for place in where] == [surroundings(i) for i in range(len(sequence))]
    assert len(computed) == len({surroundings(i) for i in range(len(sequence))})


def test_a_face_that_stands_in_costs_next_to_nothing():
    scorer = adapter()
    scorer.embed_faces(crops(40))
    assert scorer.cache.computed == 40 + 2 + 2  # once, the start of a second and the end of a third
    scorer = with_empty_cache(scorer)
    scorer.embed_faces(crops(40), [[None] * 39 + crops(1)])
    assert scorer.cache.computed < 40 + 20


def test_a_face_that_was_seen_with_another_target_costs_its_borders():
    scorer, faces = adapter(), [crops(60, seed) for seed in range(3)]
    scorer.embed_faces(faces[0], faces[1:])
    assert scorer.cache.computed == 3 * 60
    found = [scorer.embed_faces(faces[i], [*faces[:i], *faces[i + 1 :]]) for i in (1, 2)]
    # Two frames at an end and four at a border: 1 0 2 ends as 0 1 2 did, and 2 0 1 has its border of 0 and 1.
    assert scorer.cache.computed == 3 * 60 + (2 + 4 + 4) + (2 + 4 + 2)
    for one, order in zip(found, ((1, 0, 2), (2, 0, 1)), strict=True):
        close(one, plainly(scorer.network, [faces[i] for i in order]))


def test_a_face_that_is_seen_for_longer_is_recognised():
    scorer, film = adapter(), crops(300)
    scorer.embed_faces(film, [crops(300, 1)])
    before = scorer.cache.computed
    scorer.embed_faces(crops(150, 2), [film[70:220]])
    assert scorer.cache.computed - before < 150 + 2 * LONGEST + 20


def test_without_leaking_a_whole_face_is_recognised():
    scorer, faces = adapter(context="independent"), [crops(20, seed) for seed in range(3)]
    scorer.embed_faces(faces[0], faces[1:])
    scorer.embed_faces(faces[2], faces[:2])
    assert (scorer.cache.computed, scorer.cache.found) == (60, 60)


def test_neighbours_leak_into_the_borders_alone_and_only_as_published():
    alone, other = crops(12), crops(12, seed=1)
    official, independent = adapter(), adapter(context="independent")
    leaking, clean = official.embed_faces(alone, [other]), independent.embed_faces(alone, [other])
    changed = (leaking - clean).abs().amax(dim=2) > 1e-4
    assert changed[0].nonzero().flatten().tolist() == [10, 11]
    assert changed[1].nonzero().flatten().tolist() == [0, 1, 10, 11]
    assert changed[2].nonzero().flatten().tolist() == [0, 1]
    close(clean[0], independent.embed_faces(alone)[0])
    close(clean[1], independent.embed_faces(other)[0])
    scores = [scorer.score_track(sound(12), alone, 25, [other]) for scorer in (official, independent)]
    assert np.abs(scores[0] - scores[1]).max() > 1e-4


def test_a_frame_without_a_face_is_black_before_normalisation():
    faces, other = crops(6), crops(6, seed=1)
    black = np.zeros((50, 40), np.uint8)
    scorer = adapter()
    absent = scorer.embed_faces(faces, [[None, None, *other[2:]]])
    close(absent, scorer.embed_faces(faces, [[black, black, *other[2:]]]))
    gray = np.full((50, 40), 106, np.uint8)  # black after normalisation
    assert (absent - scorer.embed_faces(faces, [[gray, gray, *other[2:]]])).abs().max() > 0.01


def test_neighbours_and_their_order_count():
    faces, first, second = crops(6), crops(6, seed=1), crops(6, seed=2)
    scorer = adapter()
    shown = [(), [first], [first, second], [second, first]]
    scores = [scorer.score_track(sound(6), faces, 25, context) for context in shown]
    assert [np.abs(scores[i] - scores[i + 1]).max() > 1e-4 for i in range(3)] == [True] * 3


@settings(deadline=None, max_examples=4)
@given(st.lists(st.integers(1, 7), min_size=2, max_size=3))
def test_scores_of_one_track_do_not_depend_on_what_was_scored_before(lengths):
    scorer = adapter()
    tracks = [(sound(n), crops(n, n), 25, [crops(n, n + 50)]) for n in lengths]
    ahead = [scorer.score_track(*track) for track in tracks]
    back = [scorer.score_track(*track) for track in reversed(tracks)][::-1]
    for one, other in zip(ahead, back, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_declared_needs_and_seed():
    assert LoCoNetAdapter.needs.context_speakers == 2
    assert (LoCoNetAdapter.needs.halo, LoCoNetAdapter.needs.crop_size) == (2, 112)
    assert adapter().needs.context_seed == 0
    assert adapter(context_seed=5).needs.context_seed == 5
    assert LoCoNetAdapter.needs.context_seed == 0


@pytest.mark.parametrize(
    ("context", "words"),
    [
        ([crops(3)] * 3, "3 neighbours were given; the model looks at 2"),
        ([crops(3), crops(2)], "neighbour 2 has 2 frames, the target 3"),
        ([[np.zeros((4, 4, 3), np.uint8)] * 3], "expected a gray uint8 picture"),
    ],
)
def test_context_that_does_not_fit(context, words):
    with pytest.raises(DataError, match=words):
        adapter().embed_faces(crops(3), context)


def lips(speakers: int, frames: int) -> np.ndarray:
    return np.random.default_rng(4).random((speakers, frames, 82, 2)).astype(np.float32)


@torch.inference_mode()
def test_laser_gives_every_crop_its_landmarks():
    scorer = adapter(LaserLoCoNet)
    faces, other = crops(5), [*crops(3, seed=1), None, None]
    landmarks = lips(2, 5)
    found = scorer.embed_faces(faces, [other], landmarks)
    points = torch.from_numpy(landmarks).clone()
    points[1, 3:] = -1  # whatever the file says of a face that is not there
    points = points[list(STANDING_IN[1])]
    black = [np.zeros((SMALL, SMALL), np.uint8)] * 2
    shown = resized_crops([*faces, *other[:3], *black, *other[:3], *black], SMALL)
    wanted = scorer.network.embed_faces(torch.from_numpy(shown)[None].float(), points.flatten(0, 1)[None])
    close(found, wanted.view(3, 5, -1))


def test_laser_tells_equal_faces_with_other_landmarks_apart():
    scorer, faces = adapter(LaserLoCoNet), crops(24)
    one, other = lips(1, 24), lips(1, 24)
    other[0, 20] = 0.5
    wanted = scorer.embed_faces(faces, (), one)
    found = scorer.embed_faces(faces, (), other)
    assert torch.equal(found, with_empty_cache(scorer).embed_faces(faces, (), other))
    assert (found - wanted).abs().max() > 1e-4
    before = scorer.cache.computed
    assert torch.equal(scorer.embed_faces(faces, (), one), wanted)
    assert scorer.cache.computed == before


def test_laser_without_landmarks_is_a_choice():
    with pytest.raises(UsageError, match="or choose --option landmarks=none"):
        adapter(LaserLoCoNet).embed_faces(crops(2))
    with pytest.raises(UsageError, match="which takes none"):
        adapter(LaserLoCoNet, landmarks="none").embed_faces(crops(2), landmarks=lips(1, 2))
    with pytest.raises(DataError, match=r"shape \(1, 3, 82, 2\); expected \(1, 2, 82, 2\)"):
        adapter(LaserLoCoNet).embed_faces(crops(2), landmarks=lips(1, 3))
    without = adapter(LaserLoCoNet, landmarks="none").score_track(sound(2), crops(2), 25)
    given_ = adapter(LaserLoCoNet).score_track(sound(2), crops(2), 25, landmarks=lips(1, 2))
    assert np.isfinite(without).all()
    assert np.abs(without - given_).max() > 1e-4
    assert LaserOptions().landmarks == ""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("loconet") / "best.model"
    torch.save({SAVED_WITH + key: value for key, value in seeded_network("loconet").state_dict().items()}, path)
    return path


def test_a_published_file_is_loaded_as_it_was_saved(checkpoint):
    found = load_model("auto", checkpoint)
    assert type(found.scorer) is LoCoNetAdapter
    assert (found.name, found.info.parameters, found.info.entries) == ("loconet.best", 34_332_875, 272)
    talknce = load_model("talknce", checkpoint, options={"context": "independent", "context_seed": "3"})
    assert type(talknce.scorer) is TalkNCE
    assert talknce.scorer.options == LoCoNetOptions(context="independent", context_seed=3)
    assert talknce.scorer.needs.context_seed == 3
    assert talknce.options == {"context": "independent", "context_seed": 3}
    state = talknce.scorer.network.state_dict()
    for key, value in seeded_network("loconet").state_dict().items():
        torch.testing.assert_close(state[key], value, rtol=0, atol=0)


def test_laser_wants_its_own_weights(checkpoint):
    with pytest.raises(CheckpointError, match="checkpoint of 'loconet', not of 'laser-loconet'"):
        load_model("laser-loconet", checkpoint)


def test_no_such_context(checkpoint):
    with pytest.raises(UsageError, match="context"):
        load_model("loconet", checkpoint, options={"context": "both"})


def test_the_content_of_the_landmark_file_is_part_of_lasers_identity(tmp_path):
    path = tmp_path / "lips.parquet"
    path.write_bytes(b"one")
    first = adapter(LaserLoCoNet, landmarks=str(path))
    path.write_bytes(b"two")
    second = adapter(LaserLoCoNet, landmarks=str(path))
    assert first.needs.landmarks == str(path)
    assert fingerprint_of(first) != fingerprint_of(second)
    assert fingerprint_of(adapter(LaserLoCoNet, landmarks="none")) is None
    with pytest.raises(DataError, match="no such file; expected a Parquet table"):
        adapter(LaserLoCoNet, landmarks=str(tmp_path / "absent.parquet"))
