"""Write a split in asdbench's ``folder`` format: videos, sound, and three tables."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

from tools.demo_data.film import Film, speaks
from tools.demo_data.script import FPS, SECONDS, Role, Scene
from tools.demo_data.sentences import Split
from tools.demo_data.sound import record
from tools.demo_data.speech import SAMPLE_RATE, Phoneme

VERSION = 1
"""Of the generator: a change that alters what it writes bumps it; a shipped split is never altered in place."""

WORTH = "Results on demo data show the mechanics and sanity-rank checkpoints; they stand for no benchmark."
FOR_TRAINING = (
    "The demo recipes train on these tracks: what is measured here says nothing of faces and voices that are new."
)
_LABELS = (
    "video_id", "frame_timestamp", "entity_box_x1", "entity_box_y1", "entity_box_x2", "entity_box_y2", "label",
    "entity_id",
)  # fmt: skip
_TRACKS = ("video_id", "entity_id", "source_id", "person_id", "sentence_id", "kind", "egocentric")
_PHONEMES = ("video_id", "entity_id", "channel", "start", "end", "ipa")


def write_video(path: Path, film: Film) -> None:
    """Encode H.264 so that equal frames give equal bytes, which x264's macroblock tree and its threads do not."""
    with av.open(path, "w") as container:
        options = {"crf": "26", "preset": "slow", "g": "50", "threads": "1", "x264-params": "mbtree=0"}
        stream = container.add_stream("libx264", rate=FPS, options=options)
        stream.height, stream.width = film.frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for picture in film.frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())


def write_sound(path: Path, scene: Scene, rng: np.random.Generator) -> None:
    """Write what is heard in a scene as FLAC, 16 kHz mono."""
    voices = [role.heard.audio for role in scene.roles if role.heard]
    soundfile.write(path, record(rng, voices, SECONDS), SAMPLE_RATE, subtype="PCM_16")


def write_tables(
    folder: Path, scenes: Sequence[Scene], films: Sequence[tuple[tuple[int, int], NDArray[np.float64]]]
) -> None:
    """Write labels.csv, tracks.csv and phonemes.csv.

    Args:
        folder: Of the split.
        scenes: All scenes.
        films: For each scene the size of its pictures (height, width) and its boxes ``[faces, T, 4]`` in pixels.
    """
    _write(
        folder / "labels.csv", _LABELS, (row for pair in zip(scenes, films, strict=True) for row in _label_rows(*pair))
    )
    _write(folder / "tracks.csv", _TRACKS, (_track_row(scene, role) for scene in scenes for role in scene.roles))
    _write(folder / "phonemes.csv", _PHONEMES, (row for scene in scenes for row in _phoneme_rows(scene)))


def write_about(folder: Path, split: Split, seed: int) -> None:
    """Write dataset.toml: the name of the split, and what its numbers are worth."""
    notes = (WORTH, FOR_TRAINING) if split == "train" else (WORTH,)
    listed = ", ".join(f'"{note}"' for note in notes)
    (folder / "dataset.toml").write_text(f'name = "demo-{split}"\nversion = "{VERSION}.{seed}"\nnotes = [{listed}]\n')


def write_checksums(folder: Path) -> str:
    """Write SHA256SUMS over all other files and return its own sha256: the identity of the split."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    lines = (
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n" for path in files
    )
    text = "".join(lines)
    (folder / "SHA256SUMS").write_text(text)
    return hashlib.sha256(text.encode()).hexdigest()


def _label_rows(scene: Scene, film: tuple[tuple[int, int], NDArray[np.float64]]) -> Iterator[tuple[object, ...]]:
    (height, width), boxes = film
    for role, track in zip(scene.roles, boxes / (width, height, width, height), strict=True):
        spoken = speaks(role)
        audible = "SPEAKING_NOT_AUDIBLE" if role.kind == "dubbed" else "SPEAKING_AUDIBLE"
        for frame in range(round(role.enters * FPS), len(spoken)):
            box = (f"{value:.4f}" for value in track[frame])
            label = audible if spoken[frame] else "NOT_SPEAKING"
            yield (scene.video_id, f"{frame / FPS:.2f}", *box, label, role.entity_id)


def _track_row(scene: Scene, role: Role) -> tuple[object, ...]:
    said = "+".join(hashlib.sha256(text.encode()).hexdigest()[:8] for text in role.lips.texts) if role.lips else ""
    person = f"person-{role.entity_id}"
    return (scene.video_id, role.entity_id, scene.video_id, person, said, role.kind, int(scene.shake > 0))


def _phoneme_rows(scene: Scene) -> Iterator[tuple[object, ...]]:
    for role in scene.roles:
        channels = {"both": role.lips} if role.lips is role.heard else {"lips": role.lips, "voice": role.heard}
        for channel, speech in channels.items():
            for phoneme in _spoken(speech.phonemes if speech else ()):
                yield (
                    scene.video_id,
                    role.entity_id,
                    channel,
                    f"{phoneme.start:.4f}",
                    f"{phoneme.end:.4f}",
                    phoneme.ipa,
                )


def _spoken(phonemes: Iterable[Phoneme]) -> Iterator[Phoneme]:
    return (phoneme for phoneme in phonemes if phoneme.ipa)


def _write(path: Path, header: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
