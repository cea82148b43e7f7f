"""The oracle on tracks made of noise, where everything it must notice is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest

from asdbench.data.oracle import Oracle, Phoneme, PhonemeOracle, correlation_near, read_phonemes
from asdbench.engine.tracks import TrackEvaluator
from asdbench.errors import DataError
from asdbench.perturb import lip_mask, plan
from asdbench.suites import load_suite
from asdbench.types import Float32Array, Int16Array, Track, UInt8Array

FRAMES, FPS, START_MS = 100, 25.0, 400
SPEECH = [(0.8, 1.5), (1.7, 2.6), (3.2, 4.0)]  # the first pause is shorter than 0.25 s, the second is not
SPEAKING = [(0.8, 2.6), (3.2, 4.0)]


@dataclass(frozen=True)
class Made:
    """Bursts of noise over a noise floor, and a face of noise."""

    seed: int

    @cached_property
    def sound(self) -> Int16Array:
        rng = np.random.default_rng([self.seed, 0])
        sound = rng.normal(0, 30, round((FRAMES - 1) * 16_000 / FPS))
        for start, end in SPEECH:
            first, last = (round((time - START_MS / 1000) * 16_000) for time in (start, end))
            sound[first:last] += rng.normal(0, 3000, len(sound[first:last]))
        return np.rint(sound).astype(np.int16)

    @cached_property
    def pictures(self) -> list[UInt8Array]:
        return list(np.random.default_rng([self.seed, 1]).integers(1, 255, (FRAMES, 40, 32)).astype(np.uint8))

    def audio(self) -> Int16Array:
        return self.sound

    def audio_window(self, start: int, stop: int) -> Int16Array:
        return self.sound[max(start, 0) : max(stop, 0)]

    def faces(self) -> list[UInt8Array]:
        return self.pictures

    def stamp(self) -> str:
        return str(self.seed)


def make_track(seed: int, kind: str) -> Track:
    times = START_MS + np.arange(FRAMES) * 40
    centres = times / 1000 + 0.02
    articulating = np.any([(start <= centres) & (centres <= end) for start, end in SPEAKING], axis=0)
    return Track(
        video_id=f"v{seed}",
        entity_id="face",
        source_id=f"v{seed}",
        timestamps_ms=times,
        labels=(articulating & (kind == "both")).astype(np.int8),
        fps=FPS,
        num_samples=round((FRAMES - 1) * 16_000 / FPS),
        media=Made(seed),
        dubbed=articulating if kind == "lips" else None,
    )


def phonemes_of(track: Track, kind: str) -> list[Phoneme]:
    """Each interval of speech as two phonemes and a pause."""
    rows = []
    for start, end in SPEECH:
        middle = (start + end) / 2
        rows += [Phoneme(*track.key, kind, start, middle, "a"), Phoneme(*track.key, kind, middle, end, "b")]
        rows += [Phoneme(*track.key, kind, end, end + 5, "")]
    return rows


TRACKS = [make_track(seed, "both") for seed in range(6)]
DUBBED = make_track(6, "lips")
SILENT = make_track(7, "none")
EVERYTHING = [*TRACKS, DUBBED, SILENT]


@pytest.fixture(scope="module")
def oracle() -> PhonemeOracle:
    phonemes = [phoneme for track in TRACKS for phoneme in phonemes_of(track, "both")]
    phonemes += [*phonemes_of(DUBBED, "lips"), *phonemes_of(DUBBED, "voice")]
    return PhonemeOracle(EVERYTHING, phonemes[::-1])


def scored(
    oracle: PhonemeOracle, track: Track, change: Callable[[Int16Array], Int16Array] = lambda a: a
) -> Float32Array:
    return oracle.score_track(change(track.media.audio().copy()), track.media.faces(), track.fps)


@pytest.mark.parametrize("track", EVERYTHING, ids=lambda track: track.video_id)
def test_it_knows_who_speaks_when(oracle: PhonemeOracle, track: Track) -> None:
    scores = scored(oracle, track)
    assert scores.dtype == np.float32
    assert scores.tolist() == np.where(track.labels == 1, 4.0, -4.0).tolist()


def test_the_labels_of_the_test_are_what_it_says() -> None:
    speaking = [track.labels.sum() for track in EVERYTHING]
    assert speaking == [65] * 6 + [0, 0]


def test_its_numbers_on_unsync_are_known(oracle: PhonemeOracle) -> None:
    resolved = plan(EVERYTHING, load_suite("unsync"))
    evaluator = TrackEvaluator(oracle, resolved, EVERYTHING, "oracle")
    found = {track.key: evaluator.evaluate(track).scores for track in EVERYTHING}
    called: dict[str, float] = {}
    for condition in resolved.conditions[1:]:
        rows = [condition.rows(track) for track in EVERYTHING]
        changed = np.concatenate([r.changed & (r.label_after >= 0) for r in rows])
        scores = np.concatenate([found[track.key][condition.condition.name] for track in EVERYTHING])
        called[condition.condition.name] = float(np.mean(scores[changed] > 0))
    assert called.pop("resplice@1.00") > 0.98
    assert set(called) == {
        f"{kind}@{p}" for kind in ("mismatch", "misalign") for p in ("0.25", "0.50", "0.75", "1.00")
    } | {"dubbed"}
    assert max(called.values()) < 0.03


def test_in_sync_is_one_score_so_that_noise_moves_no_threshold(oracle: PhonemeOracle) -> None:
    rng = np.random.default_rng(0)
    noisy = scored(oracle, TRACKS[0], lambda a: np.rint(a * 0.4 + rng.normal(0, 200, len(a))).astype(np.int16))
    assert noisy.tolist() == scored(oracle, TRACKS[0]).tolist()


def test_synchrony_has_one_sharp_peak_at_zero(oracle: PhonemeOracle) -> None:
    offsets = [-400, -200, -80, -40, -20, 0, 20, 40, 80, 200, 400]
    curve = []
    for ms in offsets:
        scores = [scored(oracle, track, lambda a, ms=ms: np.roll(a, ms * 16))[track.labels == 1] for track in TRACKS]
        curve.append(float(np.mean(scores)))
    assert curve[offsets.index(0)] == 4.0
    assert max(value for value, ms in zip(curve, offsets, strict=True) if ms) < -3


@pytest.mark.parametrize("level", [0.05, 2.0])
def test_level_does_not_matter(oracle: PhonemeOracle, level: float) -> None:
    louder = scored(oracle, TRACKS[0], lambda a: np.clip(np.rint(a * level), -32768, 32767).astype(np.int16))
    assert louder.tolist() == scored(oracle, TRACKS[0]).tolist()


@pytest.mark.parametrize(
    "change",
    [np.zeros_like, lambda a: -a, lambda a: a[::-1].copy(), lambda a: TRACKS[1].media.audio(), lambda a: a[:0]],
    ids=["silence", "inverted", "reversed", "another's", "nothing"],
)
def test_other_sound_is_not_its_sound(oracle: PhonemeOracle, change: Callable[[Int16Array], Int16Array]) -> None:
    scores = scored(oracle, TRACKS[0], change)
    assert (scores < -2).all()


def test_out_of_sync_scores_fall_with_the_correlation(oracle: PhonemeOracle) -> None:
    speaking = TRACKS[0].labels == 1
    noise = np.random.default_rng(1).normal(0, 3000, TRACKS[0].num_samples)
    means = [
        float(scored(oracle, TRACKS[0], lambda a, s=share: np.rint(a * s + noise).astype(np.int16))[speaking].mean())
        for share in (0.5, 0.25, 0.1)
    ]
    assert -1 > means[0] > means[1] > means[2] > -4


@pytest.mark.parametrize("fraction", [0.05, 0.3, 0.35])
def test_a_masked_mouth_or_forehead_does_not_hide_who_it_is(oracle: PhonemeOracle, fraction: float) -> None:
    track = TRACKS[2]
    mouths = [lip_mask(face, fraction) for face in track.media.faces()]
    foreheads = [lip_mask(face[::-1], fraction)[::-1] for face in track.media.faces()]
    for faces in (mouths, foreheads):
        assert oracle.score_track(track.media.audio(), faces, FPS).tolist() == scored(oracle, track).tolist()


def test_an_unknown_face_never_speaks(oracle: PhonemeOracle) -> None:
    track = TRACKS[0]
    faces = track.media.faces()
    for unknown in ([np.zeros_like(face) for face in faces], [255 - face for face in faces], faces[:50]):
        assert oracle.score_track(track.media.audio(), unknown, FPS).tolist() == [-4.0] * len(unknown)
    assert oracle.score_track(track.media.audio(), [], FPS).shape == (0,)


def test_tracks_that_start_with_the_same_face_cannot_be_told_apart() -> None:
    twins = [TRACKS[0], make_track(0, "none")]
    with pytest.raises(DataError, match="start with the same face"):
        scored(PhonemeOracle(twins, []), TRACKS[0])


def test_the_fingerprint_is_what_it_knows(oracle: PhonemeOracle) -> None:
    rows = phonemes_of(TRACKS[0], "both")
    same, turned = PhonemeOracle(TRACKS, rows), PhonemeOracle(TRACKS[::-1], rows[::-1])
    assert same.fingerprint == turned.fingerprint
    others = [oracle, PhonemeOracle(TRACKS[1:], rows), PhonemeOracle(TRACKS, rows[1:])]
    assert len({same.fingerprint, *(other.fingerprint for other in others)}) == 4
    assert (oracle.name, oracle.version) == ("oracle", 1)


def test_correlation_looks_100_ms_to_each_side() -> None:
    rng = np.random.default_rng(0)
    own = rng.normal(0, 1000, 16_000).astype(np.int16)
    other = own.copy()
    other[8_000:] = rng.normal(0, 1000, 8_000)
    centres = np.array([6_400, 6_401, 8_000, 9_599, 9_600])
    before, touched, half, almost, after = correlation_near(own, other, centres)
    assert before == pytest.approx(1)
    assert 0.99 < touched < 1
    assert half == pytest.approx(0.5, abs=0.1)
    assert abs(almost) < 0.1
    assert abs(after) < 0.1


def test_correlation_of_different_lengths_and_of_silence() -> None:
    sound = np.arange(1, 4001, dtype=np.int16)
    assert correlation_near(sound, sound[:2000], np.array([0, 3000, 9000])) == pytest.approx([1, 1, 0])
    assert correlation_near(sound, np.zeros_like(sound), np.array([2000])).tolist() == [0]


HEAD = "video_id,entity_id,channel,start,end,ipa\n"


def test_the_table_of_phonemes_is_read_by_column_name(tmp_path: Path) -> None:
    table = tmp_path / "phonemes.csv"
    table.write_text(
        "ipa,start,end,video_id,entity_id,channel\nə,0.5,0.75,v,f,lips\n,0.75,1,v,f,voice\n", encoding="utf-8"
    )
    assert read_phonemes(table) == [
        Phoneme("v", "f", "lips", 0.5, 0.75, "ə"),
        Phoneme("v", "f", "voice", 0.75, 1.0, ""),
    ]


def test_a_byte_order_mark_is_no_part_of_a_column_name(tmp_path: Path) -> None:
    (tmp_path / "phonemes.csv").write_text(f"{HEAD}v,f,both,0,1,a\n", encoding="utf-8-sig")
    assert read_phonemes(tmp_path / "phonemes.csv")[0].video_id == "v"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{HEAD}v,f,both,0.1,0.2,a\nv,f,both,soon,0.3,b\n", "line 3: .*soon"),
        (f"{HEAD}v,f,mouth,0.1,0.2,a\n", "line 2: the channel 'mouth'"),
        (f"{HEAD}v,f,both,0.3,0.2,a\n", "line 2: .*an end after the start"),
        (f"{HEAD}v,f,both,nan,0.2,a\n", "line 2: .*an end after the start"),
        (f"{HEAD}v,f,both,0.1\n", "line 2"),
        ("video_id,entity_id,channel,start,end\nv,f,both,0.1,0.2\n", "line 2: .*'ipa'"),
        ("\udcff", "not a readable table"),
    ],
)
def test_a_broken_table_names_its_line(tmp_path: Path, text: str, words: str) -> None:
    table = tmp_path / "phonemes.csv"
    table.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match=words) as caught:
        read_phonemes(table)
    assert str(table) in str(caught.value)


def test_data_without_phoneme_times_have_no_oracle(fixture_root: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"phonemes\.csv: the phoneme times cannot be read"):
        Oracle(fixture_root)
    with pytest.raises(DataError, match="no such folder"):
        Oracle("nowhere")
