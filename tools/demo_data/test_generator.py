"""Tests of the generator without its assets: speech, scripts, mouths and sound. Run in the generator's environment:

python -m pytest tools/demo_data -p no:randomly
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tools.demo_data.export import write_video
from tools.demo_data.film import HEIGHT, Film, speaks
from tools.demo_data.mouth import RATE, SHAPES, frame_shapes, mouth_shapes, visemes
from tools.demo_data.script import FPS, SECONDS, Scene, write_scenes
from tools.demo_data.sentences import LANGUAGES, sentences
from tools.demo_data.sound import record
from tools.demo_data.speech import SAMPLE_RATE, Phoneme, Voice, pool, say, speaking_intervals


@pytest.fixture(scope="module")
def val() -> list[Scene]:
    return write_scenes(1, "val")


@pytest.fixture(scope="module")
def train() -> list[Scene]:
    return write_scenes(1, "train", 20)


def test_the_validation_cast_is_the_documented_one(val: list[Scene]):
    kinds = Counter(role.kind for scene in val for role in scene.roles)
    assert (len(val), sum(kinds.values())) == (35, 72)
    assert kinds["speaking"] == 29
    assert kinds["dubbed"] == 11
    assert {"off-screen", "silence", "chewing", "smiling"} <= set(kinds)
    worn = Counter("dubbed" in {role.kind for role in scene.roles} for scene in val if scene.shake > 0)
    assert worn == {False: 8, True: 2}


def test_training_has_no_dubs_and_shares_no_voice_and_no_sentence(val: list[Scene], train: list[Scene]):
    def spoken(scenes: list[Scene]) -> list:
        return [speech for scene in scenes for role in scene.roles for speech in (role.lips, role.heard) if speech]

    assert all(role.kind != "dubbed" for scene in train for role in scene.roles)
    assert not {s.voice.variant for s in spoken(val)} & {s.voice.variant for s in spoken(train)}
    assert not {t for s in spoken(val) for t in s.texts if len(t.split()) > 6} & {
        t for s in spoken(train) for t in s.texts if len(t.split()) > 6
    }
    for sex in ("female", "male"):
        assert not set(pool(sex, "val")) & set(pool(sex, "train"))
    for language in LANGUAGES:
        assert not set(sentences(language, "val")) & set(sentences(language, "train"))


def test_a_dubbed_face_is_not_heard_and_everybody_else_is(val: list[Scene]):
    for role in (role for scene in val for role in scene.roles):
        assert (role.lips is role.heard) == (role.kind != "dubbed")
        assert (role.lips is None) == (role.kind not in ("speaking", "dubbed"))
        if role.kind == "dubbed":
            assert role.lips.texts != role.heard.texts


def test_equal_frames_give_equal_bytes(tmp_path: Path):
    rng = np.random.default_rng(1)
    time, y, x = np.mgrid[:60, :HEIGHT, :352]
    waves = 128 + 60 * np.sin((x + 3 * time) / 9) * np.sin(y / (11 + 3 * np.sin(time / 5))) + rng.normal(0, 2, x.shape)
    film = Film(np.repeat(np.clip(waves, 0, 255).astype(np.uint8)[..., None], 3, axis=3), np.zeros((0, 60, 4)))
    written, kept = set(), []
    for _ in range(4):
        kept.append([rng.bytes(int(size)) for size in rng.integers(1_000, 400_000, 100)])  # other memory each time
        write_video(tmp_path / "a.mp4", film)
        written.add((tmp_path / "a.mp4").read_bytes())
    assert len(written) == 1


def test_silence_means_that_nobody_in_the_video_is_heard(val: list[Scene]):
    for scene in val:
        heard = any(role.heard for role in scene.roles)
        assert heard == ("silence" not in {role.kind for role in scene.roles})
        assert not (heard and "silence" in {role.kind for role in scene.roles})


def test_phonemes_cover_the_sound_and_the_labels(val: list[Scene]):
    role = next(role for scene in val for role in scene.roles if role.kind == "speaking")
    loud = np.abs(role.lips.audio) > 0.02
    spoken = np.zeros(len(loud), bool)
    for start, end in speaking_intervals(role.lips.phonemes):
        spoken[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)] = True
    assert (loud & spoken).sum() > 0.98 * loud.sum()
    frames = speaks(role)
    assert len(frames) == round(SECONDS * FPS)
    assert abs(frames.mean() - spoken.mean()) < 0.02


def test_gaps_are_bridged_up_to_a_quarter_second():
    phonemes = (Phoneme(0.0, 0.1, "a"), Phoneme(0.34, 0.5, "b"), Phoneme(0.76, 0.9, "a"), Phoneme(0.9, 1.0, ""))
    assert speaking_intervals(phonemes) == [(0.0, 0.5), (0.76, 0.9)]


def test_lips_meet_between_two_open_vowels():
    phonemes = [Phoneme(0.5, 0.7, "ˈɑː"), Phoneme(0.7, 0.74, "p"), Phoneme(0.74, 0.95, "ˈɑː")]
    sound = np.zeros(round(1.5 * SAMPLE_RATE), np.float32)
    sound[int(0.5 * SAMPLE_RATE) : int(0.95 * SAMPLE_RATE)] = 0.3
    shapes = mouth_shapes(phonemes, sound, 1.5, 1.0)
    jaw, press = shapes[:, SHAPES.index("jaw")], shapes[:, SHAPES.index("press")]
    closed, opened = round(0.705 * RATE), round(0.6 * RATE)
    assert jaw[closed] < 0.1 * jaw[opened]
    assert press[closed] > 0.3 > 10 * press[opened]
    assert np.abs(shapes[: round(0.3 * RATE)]).max() < 1e-6


def test_the_jaw_follows_loudness_and_the_mouth_stays_human():
    phonemes = [Phoneme(0.2, 0.5, "ɑ"), Phoneme(0.7, 1.0, "ɑ"), Phoneme(1.2, 1.4, "ˈuː"), Phoneme(1.4, 1.6, "ˈw")]
    sound = np.zeros(2 * SAMPLE_RATE, np.float32)
    sound[int(0.2 * SAMPLE_RATE) : int(0.5 * SAMPLE_RATE)] = 0.02
    sound[int(0.7 * SAMPLE_RATE) : int(1.6 * SAMPLE_RATE)] = 0.4
    shapes = mouth_shapes(phonemes, sound, 2.0, 0.9)
    jaw = shapes[:, SHAPES.index("jaw")]
    assert jaw[round(0.35 * RATE)] < 0.6 * jaw[round(0.85 * RATE)]
    assert jaw.max() <= 0.6
    assert (shapes[:, SHAPES.index("funnel")] + shapes[:, SHAPES.index("pucker")]).max() <= 1 + 1e-9
    assert frame_shapes(shapes, 50, 25).shape == (50, len(SHAPES))


def test_visemes_of_diphthongs_and_affricates():
    assert visemes("ˈaɪ") == ["A", "IH"]
    assert visemes("tʃ") == ["SH"]
    assert visemes("") == []


def test_equal_seeds_give_equal_speech_in_new_processes():
    # All voices, since some are random unless told otherwise. Within one process espeak-ng keeps some state from one
    # call to the next; a split is written by one process.
    code = (
        "import hashlib; from tools.demo_data.script import write_scenes\n"
        "print(hashlib.sha256(repr([(r.lips.phonemes, r.lips.audio.tobytes()) for s in write_scenes(1, 'val')"
        " for r in s.roles if r.lips]).encode()).hexdigest())"
    )
    digests = {subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(2)}
    assert len(digests) == 1


def test_only_noise_is_recorded_where_nobody_speaks():
    silent = record(np.random.default_rng(1), [], 2.0).astype(float)
    voice = say("My mother bought five purple apples.", Voice("en-us", "m3", 160, 50, 50)).audio
    spoken = record(np.random.default_rng(1), [np.resize(voice, 2 * SAMPLE_RATE)], 2.0).astype(float)
    assert silent.std() > 0
    assert spoken.std() > 4 * silent.std()
