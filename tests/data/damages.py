"""Ways to damage a good data set, each with what `asdbench data verify` says of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import soundfile

from tests.data.films import Sound
from tests.data.good import LEFT, film, read_csv, rows_of, textured, voice, write_csv
from tests.data.test_video import spoil

Damage = Callable[[Path], object]


def edit_rows(name: str, change: Callable[[list[dict[str, str]]], object]) -> Damage:
    def damage(root: Path) -> None:
        rows = read_csv(root / name)
        change(rows)
        write_csv(root / name, rows)

    return damage


def set_field(row: int, **fields: str) -> Callable[[list[dict[str, str]]], object]:
    return lambda rows: rows[row].update(fields)


def redraw(change: Callable[[int, np.ndarray], np.ndarray]) -> Damage:
    """Change the crops of one track."""

    def damage(root: Path) -> None:
        for number, path in enumerate(sorted(folder(root).iterdir())):
            cv2.imwrite(str(path), change(number, cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)))

    return damage


def folder(root: Path) -> Path:
    return root / "clips_videos/val/one/one:a"


def wav(root: Path) -> Path:
    return root / "clips_audios/val/one/one:a.wav"


def resound(change: Callable[[np.ndarray], np.ndarray]) -> Damage:
    def damage(root: Path) -> None:
        samples, rate = soundfile.read(wav(root), dtype="int16")
        soundfile.write(wav(root), change(samples), rate)

    return damage


def cut_off(path: Callable[[Path], Path], share: float = 0.6) -> Damage:
    def damage(root: Path) -> None:
        data = path(root).read_bytes()
        path(root).write_bytes(data[: int(len(data) * share)])

    return damage


def write_film(seed: int, sound: Sound | None) -> Damage:
    return lambda root: film(seed, sound=sound).write(root / "videos/two.mkv")


def faststart(root: Path) -> None:
    """A video that promises more than it holds."""
    film(1, muxer={"movflags": "faststart"}).write(root / "videos/one.mp4")
    cut_off(lambda root: root / "videos/one.mp4", 0.5)(root)


def speech(level: int) -> Callable[[np.ndarray], np.ndarray]:
    """Put the labelled speech of the track at a level."""

    def change(samples: np.ndarray) -> np.ndarray:
        quiet = samples.copy()
        quiet[5 * 640 : 30 * 640] = quiet[5 * 640 : 30 * 640] // 9_000 * level
        return quiet

    return change


def same_faces(root: Path) -> None:
    """The crops of one track under the id of another."""
    other = root / "clips_videos/val/dub/dub:a"
    for mine, theirs in zip(sorted(folder(root).iterdir()), sorted(other.iterdir()), strict=False):
        shutil.copy(mine, theirs)
    rows = [
        row
        for row in read_csv(root / "csv/val_orig.csv")
        if row["entity_id"] != "one:a" or row["frame_timestamp"] < "1.60"
    ]
    (root / "csv/val_loader.csv").unlink()
    write_csv(root / "csv/val_orig.csv", rows)
    for path in sorted(folder(root).iterdir())[30:]:
        path.unlink()


def same_video(root: Path) -> None:
    shutil.copy(root / "videos/one.mp4", root / "videos/again.mp4")
    soundfile.write(root / "audio/again.flac", voice(7), 16_000)
    rows = read_csv(root / "labels.csv")
    faces = rows_of([("again", "again:a", 0, LEFT, "+" * 30)])
    write_csv(root / "labels.csv", [*rows, *faces])


def same_sound(root: Path) -> None:
    shutil.copy(root / "clips_audios/val/dub/dub:a.wav", root / "keep.wav")
    samples, rate = soundfile.read(wav(root), dtype="int16")
    soundfile.write(root / "clips_audios/val/dub/dub:a.wav", samples, rate)


def loader_labels(root: Path) -> None:
    path = root / "csv/val_loader.csv"
    path.write_text(path.read_text().replace("[0, 0, 0, 0, 0, 1, 1, 1", "[0, 0, 0, 0, 0, 0, 0, 1", 1))


def loader_rate(root: Path) -> None:
    path = root / "csv/val_loader.csv"
    path.write_text(path.read_text().replace("\t25.0\t", "\t2500.0\t", 1))


def late_sound(milliseconds: int) -> Damage:
    return write_film(2, Sound(voice(2), codec="flac", start=milliseconds * 16))


def wide_boxes(root: Path) -> None:
    edit_rows("labels.csv", set_field(3, entity_box_x2="320"))(root)


def jpg(root: Path) -> None:
    face = cv2.imread(str(folder(root) / "0.80.png"))
    (folder(root) / "0.80.png").unlink()
    data = cv2.imencode(".jpg", face)[1].tobytes()
    (folder(root) / "0.80.jpg").write_bytes(data[: len(data) // 2])


def one_frame(root: Path) -> None:
    rows = read_csv(root / "csv/val_orig.csv")
    extra = {**rows[0], "entity_id": "one:single", "video_id": "one", "frame_timestamp": "0.00"}
    write_csv(root / "csv/val_orig.csv", [*rows, extra])
    with (root / "csv/val_loader.csv").open("a") as file:
        file.write("one:single\t1\t25.0\t[0]\t9\n")


GOOD, LAYOUT = "good", "layout"
# Of which data set, how, the kind that is found, what its message says, and whether a run refuses it.
DAMAGES: dict[str, tuple[str, Damage, str, str, bool]] = {
    "a crop is missing": (
        LAYOUT,
        lambda root: (folder(root) / "0.80.png").unlink(),
        "missing",
        "0.80.jpg: the face crop is missing",
        True,
    ),
    "a wav is missing": (
        LAYOUT,
        lambda root: wav(root).unlink(),
        "missing",
        "one:a.wav: the audio file is missing",
        True,
    ),
    "a folder of crops is missing": (
        LAYOUT,
        lambda root: shutil.rmtree(folder(root)),
        "missing",
        "one:a: the folder of face crops",
        True,
    ),
    "a video is missing": (
        GOOD,
        lambda root: (root / "videos/one.mp4").unlink(),
        "missing",
        "one.mp4: the file is missing",
        True,
    ),
    "a video is too short": (
        GOOD,
        edit_rows("labels.csv", set_field(-1, frame_timestamp="3.200")),
        "missing",
        "line 141: ",
        True,
    ),
    "a wav is cut off": (LAYOUT, cut_off(wav), "truncated", "one:a.wav: truncated", True),
    "a jpg is cut off": (LAYOUT, jpg, "truncated", "0.80.jpg: truncated JPEG", True),
    "a video promises more": (GOOD, faststart, "truncated", "one.mp4: pictures until ", True),
    "a crop is no image": (
        LAYOUT,
        lambda root: (folder(root) / "0.80.png").write_text("x"),
        "unreadable",
        "0.80.png: not a readable image",
        True,
    ),
    "a wav is no wav": (
        LAYOUT,
        lambda root: wav(root).write_text("x"),
        "unreadable",
        "one:a.wav: not a readable wav",
        True,
    ),
    "a wav is stereo": (
        LAYOUT,
        lambda root: soundfile.write(wav(root), np.zeros((9_000, 2), np.int16), 16_000),
        "unreadable",
        "2 channel(s) at 16000 Hz",
        True,
    ),
    "a video is damaged": (
        GOOD,
        lambda root: spoil(root / "videos/one.mp4", 0.4, 60_000),
        "unreadable",
        "one.mp4: the video cannot be read",
        True,
    ),
    "no sound in a video": (GOOD, write_film(2, None), "unreadable", "two.mkv: no audio stream", True),
    "an unknown label": (
        GOOD,
        edit_rows("labels.csv", set_field(4, label="SPEAKING")),
        "unknown label",
        "labels.csv, line 6: the label 'SPEAKING'",
        True,
    ),
    "an unknown label in the layout": (
        LAYOUT,
        edit_rows("csv/val_orig.csv", set_field(4, label="1")),
        "unknown label",
        "val_orig.csv, line 6: the label '1'",
        True,
    ),
    "loader labels": (
        LAYOUT,
        loader_labels,
        "contradicting label",
        "val_loader.csv, line 2: 2 of 35 labels differ",
        False,
    ),
    "loader rate": (
        LAYOUT,
        loader_rate,
        "out of range",
        "val_loader.csv, line 1: a frame rate of 2500 is not credible",
        True,
    ),
    "a box in pixels": (GOOD, wide_boxes, "out of range", "labels.csv, line 5: the entity_box_x2 '320'", True),
    "a box turned round": (
        GOOD,
        edit_rows("labels.csv", set_field(3, entity_box_x2="-0.5")),
        "out of range",
        "is not larger than entity_box_x1",
        True,
    ),
    "a box in pixels in the layout": (
        LAYOUT,
        edit_rows("csv/val_orig.csv", set_field(3, entity_box_x2="320")),
        "out of range",
        "val_orig.csv, line 5: the entity_box_x2 '320'",
        False,
    ),
    "a time that is none": (
        GOOD,
        edit_rows("labels.csv", set_field(3, frame_timestamp="-1")),
        "out of range",
        "labels.csv, line 5: the frame_timestamp '-1'",
        True,
    ),
    "a row twice": (
        GOOD,
        edit_rows("labels.csv", lambda rows: rows.append(dict(rows[2]))),
        "duplicate row",
        "labels.csv, line 142: the frame_timestamp '0.480'",
        True,
    ),
    "a box without a pixel": (
        GOOD,
        edit_rows("labels.csv", set_field(0, entity_box_x2="0.01")),
        "no pixel",
        "line 2: the box holds no pixel",
        True,
    ),
    "sound that ends early": (
        LAYOUT,
        resound(lambda samples: samples[: 20 * 640]),
        "short audio",
        "one:a.wav: 0.80 s of audio for 35 labelled frames",
        True,
    ),
    "sound of a file that ends early": (
        GOOD,
        lambda root: soundfile.write(root / "audio/one.flac", voice(1)[:16_000], 16_000),
        "short audio",
        "the track needs sound from 0.400",
        True,
    ),
    "a gap in the sound": (
        GOOD,
        write_film(2, Sound(voice(2), codec="flac", gap=(20 * 640, 4_000))),
        "sound gap",
        "two.mkv: the sound jumps",
        True,
    ),
    "silence for speech": (
        LAYOUT,
        resound(speech(0)),
        "silent speech",
        "from 0.60 to 1.60 s, digital silence there",
        False,
    ),
    "faint speech": (LAYOUT, resound(speech(1)), "faint speech", "at -9", False),
    "silence throughout": (
        LAYOUT,
        lambda root: soundfile.write(root / "clips_audios/val/dub/dub:a.wav", np.zeros(29 * 640, np.int16), 16_000),
        "silent",
        "dub:a.wav: digital silence throughout",
        False,
    ),
    "a little too short": (
        LAYOUT,
        resound(lambda samples: samples[:-1_000]),
        "audio length",
        "one:a.wav: 62 ms less than",
        False,
    ),
    "far too long": (
        LAYOUT,
        resound(lambda samples: np.concatenate([samples, samples])),
        "audio length",
        "ms more than its labels span",
        False,
    ),
    "cut at another time": (
        LAYOUT,
        resound(lambda samples: np.concatenate([samples[3_200:], samples[:3_200]])),
        "audio offset",
        "one.wav has there, but 200 ms earlier",
        False,
    ),
    "another recording": (
        LAYOUT,
        resound(lambda samples: voice(99, len(samples))),
        "audio offset",
        "one:a.wav: not what ",
        False,
    ),
    "sound that starts late": (
        GOOD,
        late_sound(60),
        "out of sync",
        "two.mkv: pictures start at 0.000 s, its sound at 0.060 s",
        False,
    ),
    "sound that ends late": (
        GOOD,
        lambda root: soundfile.write(root / "audio/one.flac", voice(1, 4 * 16_000), 16_000),
        "out of sync",
        "pictures end at 2.80 s, ",
        False,
    ),
    "a short film": (
        LAYOUT,
        lambda root: soundfile.write(root / "orig_audios/trainval/one.wav", voice(1, 9_000), 16_000),
        "film not used",
        "one.wav: 0.56 s, shorter than",
        False,
    ),
    "a film that is none": (
        LAYOUT,
        lambda root: (root / "orig_audios/trainval/one.wav").write_text("x"),
        "film not used",
        "one.wav: not a readable wav",
        False,
    ),
    "black crops": (
        LAYOUT,
        redraw(lambda number, face: face * (number > 3)),
        "black",
        "one:a.wav: 4 of 35 crops are black",
        False,
    ),
    "crops of one level": (
        LAYOUT,
        redraw(lambda number, face: np.full_like(face, 90 + number)),
        "constant",
        "35 of 35 crops are of one level",
        False,
    ),
    "the same crop all the time": (
        LAYOUT,
        redraw(lambda number, face: textured(0)),
        "constant",
        "the same crop 35 times",
        False,
    ),
    "crops nobody asked for": (
        LAYOUT,
        lambda root: shutil.copy(folder(root) / "0.80.png", folder(root) / "9.99.png"),
        "extra crops",
        "9.99.png: no row",
        False,
    ),
    "the same faces": (LAYOUT, same_faces, "duplicate faces", "the same crops as the face 'dub:a'", False),
    "the same sound": (LAYOUT, same_sound, "duplicate sound", "the same sound as the face 'dub:a'", False),
    "the same video": (GOOD, same_video, "duplicate video", "the same content as", False),
    "a gap in time": (
        GOOD,
        edit_rows("labels.csv", lambda rows: rows.__delitem__(slice(10, 14))),
        "gap in time",
        "nothing between 0.760 and 0.960 s",
        False,
    ),
    "one frame": (LAYOUT, one_frame, "one frame", "one frame at 0.000 s", True),
    "no table": (
        GOOD,
        lambda root: (root / "labels.csv").write_text("a,b\n1,2\n"),
        "refused",
        "2 fields and no header",
        True,
    ),
    "two videos of one name": (
        GOOD,
        lambda root: shutil.copy(root / "videos/one.mp4", root / "videos/one.mov"),
        "refused",
        "a second file for the same video",
        True,
    ),
}
