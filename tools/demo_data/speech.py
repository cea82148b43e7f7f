"""Speech with exact phoneme times: libespeak-ng through ctypes.

espeak-ng is GPL-3, so it is used here, offline, and never by asdbench; only its sound and phoneme times are shipped.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import espeakng_loader
import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from tools.demo_data.sentences import LANGUAGES, Split, sentences

SAMPLE_RATE = 16_000
BRIDGED_GAP = 0.25
"""Pauses inside speech that are shorter than this, in seconds, count as speech."""

_FEMALE = (
    "f1", "f2", "f3", "f4", "f5", "Annie", "Alicia", "Andrea", "belinda", "anika", "linda", "steph", "aunty", "grandma",
    "shelby",
)  # fmt: skip
_MALE = (
    "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "Alex", "Andy", "Denis", "Diogo", "Gene", "Hugo", "Jacky", "Lee",
    "Marco", "Mario", "Michael", "Mike", "adam", "antonio", "benjamin", "boris", "caleb", "david", "ed", "edward",
    "grandpa", "john", "max", "miguel", "pablo", "paul", "pedro", "quincy", "rob", "robert", "sandro", "travis",
    "victor", "zac",
)  # fmt: skip


class Phoneme(NamedTuple):
    """One phoneme: its time in seconds and its IPA text with stress marks."""

    start: float
    end: float
    ipa: str


@dataclass(frozen=True)
class Voice:
    """One speaker's way of speaking, in espeak's units."""

    language: str
    variant: str
    rate: int
    pitch: int
    pitch_range: int


@dataclass(frozen=True)
class Utterance:
    """Sound at 16 kHz, float32 in [-1, 1], and its phonemes in seconds from its start."""

    text: str
    audio: NDArray[np.float32]
    phonemes: tuple[Phoneme, ...]


def pool(sex: str, split: Split) -> tuple[str, ...]:
    """Return the voice variants of a split; the other split has none of them."""
    variants = _FEMALE if sex == "female" else _MALE
    return variants[0 if split == "val" else 1 :: 2]


def draw_voice(rng: np.random.Generator, sex: str, split: Split) -> Voice:
    """Draw a voice; most speak English."""
    others = len(LANGUAGES) - 1
    language = LANGUAGES[rng.choice(others + 1, p=[0.7] + [0.3 / others] * others)]
    variants = pool(sex, split)
    pitch = np.clip((60 if sex == "female" else 42) + rng.normal(0, 10), 15, 85)
    variant = variants[rng.integers(len(variants))]
    return Voice(language, variant, int(rng.integers(130, 195)), int(pitch), int(rng.integers(35, 75)))


def draw_text(rng: np.random.Generator, language: str, split: Split, used: set[str]) -> str:
    """Draw a sentence that nobody has said yet (while there are any); every third is cut to its first words."""
    choices = sentences(language, split)
    fresh = [text for text in choices if text not in used] or choices
    text = fresh[rng.integers(len(fresh))]
    used.add(text)
    if rng.random() < 0.35:
        words = text.rstrip(".?!").split()
        return " ".join(words[: rng.integers(3, max(4, len(words)))]) + "."
    return text


def speaking_intervals(phonemes: tuple[Phoneme, ...]) -> list[tuple[float, float]]:
    """Join phonemes to intervals of speech, bridging gaps shorter than ``BRIDGED_GAP``."""
    joined: list[tuple[float, float]] = []
    for phoneme in phonemes:
        if not phoneme.ipa:
            continue
        if joined and phoneme.start - joined[-1][1] < BRIDGED_GAP:
            joined[-1] = (joined[-1][0], phoneme.end)
        else:
            joined.append((phoneme.start, phoneme.end))
    return joined


# ---- espeak-ng's C interface (speak_lib.h) --------------------------------------------------------------------------

_PHONEME_EVENT, _END_OF_EVENTS = 7, 0
_SYNCHRONOUS_OUTPUT, _PHONEME_EVENTS, _IPA = 2, 1, 2
_RATE, _PITCH, _RANGE = 1, 3, 4
_UTF8, _BY_CHARACTER = 1, 1


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int), ("unique_identifier", ctypes.c_uint), ("text_position", ctypes.c_int),
        ("length", ctypes.c_int), ("audio_position", ctypes.c_int), ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p), ("id", _Id),
    ]  # fmt: skip


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class _Espeak:
    """The library, of which a process can have one only."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        self.rate = self.library.espeak_Initialize(_SYNCHRONOUS_OUTPUT, 0, data, _PHONEME_EVENTS | _IPA)
        self.sound: list[NDArray[np.int16]] = []
        self.events: list[tuple[float, str]] = []
        self.callback = _Callback(self._receive)  # kept alive as long as the library may call it
        self.library.espeak_SetSynthCallback(self.callback)

    def _receive(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self.sound.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
        index = 0
        while events and events[index].type != _END_OF_EVENTS:
            if events[index].type == _PHONEME_EVENT:
                self.events.append(
                    (events[index].sample / self.rate, events[index].id.string.decode("utf-8", "ignore"))
                )
            index += 1
        return 0

    def say(self, text: str, voice: Voice) -> tuple[NDArray[np.int16], list[tuple[float, str]]]:
        self.sound, self.events = [], []
        # Breathy and rough voices draw from a generator that espeak-ng seeds by the time of day.
        self.library.espeak_ng_SetRandSeed(ctypes.c_long(1))
        if self.library.espeak_SetVoiceByName(f"{voice.language}+{voice.variant}".encode()) != 0:
            raise SystemExit(f"espeak-ng has no voice {voice.language}+{voice.variant}.")
        for parameter, value in ((_RATE, voice.rate), (_PITCH, voice.pitch), (_RANGE, voice.pitch_range)):
            self.library.espeak_SetParameter(parameter, value, 0)
        encoded = text.encode() + b"\0"
        self.library.espeak_Synth(encoded, len(encoded), 0, _BY_CHARACTER, 0, _UTF8, None, None)
        self.library.espeak_Synchronize()
        return np.concatenate(self.sound), self.events


@cache
def _espeak() -> _Espeak:
    return _Espeak()


def say(text: str, voice: Voice) -> Utterance:
    """Speak one sentence. An event marks where its phoneme starts; the next event ends it; empty IPA is a pause."""
    sound, events = _espeak().say(text, voice)
    audio = resample_poly(sound.astype(np.float32) / 32768, SAMPLE_RATE, _espeak().rate).astype(np.float32)
    ends = [start for start, _ in events[1:]] + [len(audio) / SAMPLE_RATE]
    phonemes = (Phoneme(start, end, ipa.strip()) for (start, ipa), end in zip(events, ends, strict=True) if end > start)
    return Utterance(text, audio, tuple(phonemes))
