"""What happens in each video: who is seen, who speaks when, and whose voice is heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tools.demo_data.motion import Activity
from tools.demo_data.sentences import Split
from tools.demo_data.speech import SAMPLE_RATE, Phoneme, Voice, draw_text, draw_voice, say

Kind = Literal["speaking", "dubbed", "off-screen", "silence", "chewing", "smiling"]
_Cast = tuple[list[str], list[Activity]]  # the roles that speak, and what the other faces do

SECONDS = 8.0
FPS = 25
_LATEST_ENTRY = 0.8  # s; a track starts within this of the start of its video
_EGOCENTRIC_SHARE = 0.3

# The validation cast of 72 tracks in 35 videos; other sizes keep its proportions.
_MONOLOGUES, _DIALOGUES, _DUBBED_PAIRS, _DUBBED_SINGLES, _QUIET = 21, 4, 4, 3, 3
_OTHERS: dict[Activity, int] = {"idle": 18, "chew": 7, "smile": 7}
_VIDEOS = _MONOLOGUES + _DIALOGUES + _DUBBED_PAIRS + _DUBBED_SINGLES + _QUIET


@dataclass(frozen=True)
class Speech:
    """What one voice says during a video: dry sound at 16 kHz as long as the video, and phonemes in video time."""

    voice: Voice
    texts: tuple[str, ...]
    audio: NDArray[np.float32]
    phonemes: tuple[Phoneme, ...]


@dataclass(frozen=True)
class Role:
    """One face of a video.

    Attributes:
        entity_id: Its face track.
        kind: What a reader of the tables calls it.
        sex: Of face and voice.
        activity: What the face does besides speaking.
        lips: What its lips say.
        heard: What is heard as its voice: the same as ``lips``, or for a dubbed face another's.
        enters: When its track starts, in seconds.
    """

    entity_id: str
    kind: Kind
    sex: str
    activity: Activity
    lips: Speech | None
    heard: Speech | None
    enters: float


@dataclass(frozen=True)
class Scene:
    """One video; ``shake`` is 0 for a still camera, else up to 1 for one that is worn."""

    video_id: str
    roles: tuple[Role, ...]
    shake: float


def write_scenes(seed: int, split: Split, videos: int | None = None) -> list[Scene]:
    """Write the scenes of one split.

    Args:
        seed: Equal seeds give equal scenes.
        split: The training split shares no identity, voice or sentence with the validation split, and has no dubs.
        videos: How many; 35 by default.
    """
    rng = np.random.default_rng([seed, int(split == "train")])
    casts = _casts(rng, split, videos or _VIDEOS)
    worn = _worn(rng, casts)
    used: set[str] = set()
    return [
        _scene(rng, split, f"{split}-{index:03d}", cast, float(rng.uniform(0.3, 1.0)) if worn[index] else 0.0, used)
        for index, cast in enumerate(casts)
    ]


def _worn(rng: np.random.Generator, casts: Sequence[_Cast]) -> NDArray[np.bool_]:
    """Choose the videos whose camera is worn: the same share of those with dubs and of the others, ``[videos]``."""
    worn = np.zeros(len(casts), bool)
    dubbed = np.array(["dubbed" in talkers for talkers, _ in casts])
    for group in (dubbed, ~dubbed):
        places = rng.permutation(np.flatnonzero(group))
        worn[places[: round(_EGOCENTRIC_SHARE * len(places))]] = True
    return worn


def _casts(rng: np.random.Generator, split: Split, videos: int) -> list[_Cast]:
    """Cast each video."""
    scale = videos / _VIDEOS
    talks = [["speaking"]] * round(_MONOLOGUES * scale) + [["speaking", "speaking"]] * round(_DIALOGUES * scale)
    if split == "val":
        talks += [["dubbed", "dubbed"]] * round(_DUBBED_PAIRS * scale) + [["dubbed"]] * round(_DUBBED_SINGLES * scale)
    quiet = max(1, round(_QUIET * scale))
    talks = talks[: videos - quiet] or [["speaking"]]
    talks += [["speaking"]] * (videos - quiet - len(talks))
    pool: list[Activity] = [name for name, count in _OTHERS.items() for _ in range(round(count * scale))]
    others = [pool[i] for i in rng.permutation(len(pool))]
    casts: list[_Cast] = [([], _taken(others, 3)) for _ in range(quiet)]
    pairs = [talk for talk in talks if len(talk) == 2]
    singles = [talks[i] for i in rng.permutation(len(talks)) if len(talks[i]) == 1]
    casts += [(talk, _taken(others, int(talk == ["speaking", "speaking"]))) for talk in pairs]
    casts += [(talk, _taken(others, 1)) for talk in singles]
    return [casts[i] for i in rng.permutation(len(casts))]


def _taken(pool: list[Activity], count: int) -> list[Activity]:
    taken = pool[:count]
    del pool[:count]
    return taken


def _scene(
    rng: np.random.Generator,
    split: Split,
    video_id: str,
    cast: _Cast,
    shake: float,
    used: set[str],
) -> Scene:
    talkers, others = cast
    sexes = [str(rng.choice(["female", "male"])) for _ in range(len(talkers) + len(others))]
    turns = _turns(rng, len(talkers))
    roles = []
    for place, (kind, sex) in enumerate(zip(talkers, sexes, strict=False)):
        lips = _speech(rng, draw_voice(rng, sex, split), split, turns[place], used)
        heard = lips
        if kind == "dubbed":
            heard = _speech(rng, draw_voice(rng, sex, split), split, turns[place], used)
        roles.append(("dubbed" if kind == "dubbed" else "speaking", sex, "idle", lips, heard))
    for activity, sex in zip(others, sexes[len(talkers) :], strict=True):
        silent = "off-screen" if talkers else "silence"
        roles.append(({"chew": "chewing", "smile": "smiling"}.get(activity, silent), sex, activity, None, None))
    seats = [roles[i] for i in rng.permutation(len(roles))]
    enters = np.round(rng.uniform(0, _LATEST_ENTRY, len(seats)) * FPS) / FPS
    return Scene(
        video_id,
        tuple(Role(f"{video_id}:{seat}", *role, float(enters[seat])) for seat, role in enumerate(seats)),  # type: ignore[arg-type]
        shake,
    )


def _turns(rng: np.random.Generator, talkers: int) -> list[list[tuple[float, float]]]:
    """Return for each talker the intervals in which to speak: the whole video, or turns."""
    if talkers < 2:
        return [[(float(rng.uniform(0, 0.8)), SECONDS - 0.1)]] * talkers
    edges = [float(rng.uniform(0, 0.5))]
    while edges[-1] < SECONDS - 0.8:
        edges.append(min(edges[-1] + float(rng.uniform(1.8, 3.4)), SECONDS - 0.1))
    spans = [(start, end - 0.1) for start, end in pairwise(edges)]
    return [spans[place::talkers] for place in range(talkers)]


def _speech(
    rng: np.random.Generator, voice: Voice, split: Split, turns: Sequence[tuple[float, float]], used: set[str]
) -> Speech:
    audio = np.zeros(round(SECONDS * SAMPLE_RATE), np.float32)
    phonemes: list[Phoneme] = []
    texts = []
    for start, end in turns:
        now = start
        while now < end - 0.5:
            utterance = say(draw_text(rng, voice.language, split, used), voice)
            texts.append(utterance.text)
            stop = _last_pause_before(utterance.phonemes, end - now)
            first = round(now * SAMPLE_RATE)
            sound = utterance.audio[: round(stop * SAMPLE_RATE)]
            audio[first : first + len(sound)] += sound[: len(audio) - first]
            phonemes += [Phoneme(now + p.start, now + p.end, p.ipa) for p in utterance.phonemes if p.end <= stop]
            now += stop + float(rng.uniform(0.05, 0.25) if rng.random() < 0.6 else rng.uniform(0.5, 1.6))
    return Speech(voice, tuple(texts), audio, tuple(phonemes))


def _last_pause_before(phonemes: Sequence[Phoneme], limit: float) -> float:
    """Return the end of the last phoneme that ends in time; a speaker who is interrupted stops between phonemes."""
    ends = [phoneme.end for phoneme in phonemes if phoneme.end <= limit]
    return ends[-1] if ends else limit
