"""What ``asdbench perturb show`` writes, decoded again."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from asdbench.perturb.audit_measures import measured_lag
from asdbench.report.preview import SIDE, Preview, write_preview
from asdbench.types import Int16Array

FPS, FRAMES = 25.0, 60
SAMPLES = (FRAMES - 1) * 640


def tone(seed: int) -> Int16Array:
    """Noise under syllables of its own."""
    rng = np.random.default_rng(seed)
    loud = np.repeat(rng.random(SAMPLES // 800 + 1), 800)[:SAMPLES]
    smooth = np.convolve(rng.normal(size=SAMPLES), np.ones(8) / 8, mode="same")
    return np.rint(12_000 * loud * smooth).clip(-32768, 32767).astype(np.int16)


@pytest.fixture(scope="module")
def preview() -> Preview:
    faces = [np.full((40 + number % 3, 50), 4 * number, np.uint8) for number in range(FRAMES)]
    return Preview(
        name="video-track.1-it@0.50",
        title="video/track.1: it@0.50",
        notes="sound 200 ms late",
        fps=FPS,
        audio=tone(1),
        faces=faces,
        new_audio=tone(2),
        new_faces=[255 - face for face in faces],
        spans=((6_400, 19_200),),
        frames=((10, 30),),
    )


@pytest.fixture(scope="module")
def written(preview: Preview, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_preview(preview, tmp_path_factory.mktemp("shown"))


def decoded(path: Path, stream: int) -> Int16Array:
    with av.open(str(path)) as container:
        sound: Any = container.streams.audio[stream]
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
        pieces = [(frame.pts * frame.time_base, frame) for frame in container.decode(sound)]
        first = pieces[0][0]
        samples = [each.to_ndarray()[0] for _, frame in pieces for each in resampler.resample(frame)]
    return np.concatenate([np.zeros(round(first * 16_000), np.int16), *samples])


def test_names_hold_dots(written: tuple[Path, Path]) -> None:
    assert [path.name for path in written] == ["video-track.1-it@0.50.mp4", "video-track.1-it@0.50.png"]
    assert sorted(path.name for path in written[0].parent.iterdir()) == sorted(path.name for path in written)


def test_the_video_shows_each_frame_of_both_faces(preview: Preview, written: tuple[Path, Path]) -> None:
    with av.open(str(written[0])) as container:
        video = container.streams.video[0]
        assert video.codec_context.name == "h264"
        assert video.average_rate == Fraction(25)
        frames = [frame.to_ndarray(format="gray").astype(float) for frame in container.decode(video)]
    assert len(frames) == FRAMES
    for number, frame in enumerate(frames):
        left, right = frame[20 : SIDE - 20, 20 : SIDE - 20], frame[20 : SIDE - 20, -SIDE + 20 : -20]
        assert left.mean() == pytest.approx(4 * number, abs=4)
        assert right.mean() == pytest.approx(255 - 4 * number, abs=4)
        bar = frame[-4:, -SIDE + 20 : -20].mean()
        assert (bar < 40) == (10 <= number < 30)


@pytest.mark.parametrize(("stream", "title"), [(0, "changed"), (1, "own")])
def test_both_sounds_are_there_in_their_places(
    preview: Preview, written: tuple[Path, Path], stream: int, title: str
) -> None:
    wanted = preview.new_audio if title == "changed" else preview.audio
    found = decoded(written[0], stream)
    assert abs(len(found) - SAMPLES) < 2_100
    lag = measured_lag(found[8_000:24_000], wanted, 8_000, 3_000)
    assert lag is not None
    assert abs(lag[0]) <= 16
    assert lag[1] > 0.95
    with av.open(str(written[0])) as container:
        assert container.streams.audio[stream].codec_context.name == "aac"


def test_the_sheet_is_a_picture_with_the_span_marked(written: tuple[Path, Path]) -> None:
    import cv2

    sheet = cv2.imread(str(written[1]))
    assert sheet is not None
    assert sheet.shape[0] > 1000
    assert sheet.shape[1] > 1500
    orange = (abs(sheet.astype(int) - (0, 94, 213)) < 12).all(axis=2)  # #D55E00, blue first
    assert orange.sum() > 1000


def test_the_same_track_gives_the_same_sheet(preview: Preview, written: tuple[Path, Path], tmp_path: Path) -> None:
    assert write_preview(preview, tmp_path)[1].read_bytes() == written[1].read_bytes()


@pytest.mark.parametrize(
    "changes",
    [
        {"faces": [np.zeros((9, 7), np.uint8)], "new_faces": [np.ones((300, 301), np.uint8)], "frames": ((0, 1),)},
        {"audio": np.zeros(0, np.int16), "new_audio": np.zeros(0, np.int16), "spans": ()},
        {"audio": np.zeros(100, np.int16), "new_audio": np.zeros(100, np.int16), "spans": ((0, 100),)},
        {"fps": 29.97, "title": "a $title$ _with_ <signs>", "notes": ""},
    ],
    ids=["one frame", "no sound", "a little silence", "another rate"],
)
def test_odd_tracks_are_shown_too(preview: Preview, tmp_path: Path, changes: dict[str, Any]) -> None:
    video, sheet = write_preview(replace(preview, **changes), tmp_path)
    with av.open(str(video)) as container:
        count = sum(1 for _ in container.decode(container.streams.video[0]))
    assert count == len(changes.get("faces", preview.faces))
    assert sheet.stat().st_size > 10_000
