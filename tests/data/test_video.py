"""The right picture, cut at the right place, at the right level; and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import asdbench.data.video
from asdbench.data.video import read_crops
from asdbench.errors import DataError
from asdbench.types import UInt8Array
from tests.data.films import HEIGHT, LOSSLESS, WIDTH, Film, Sound, number_of, numbered

WHOLE = (0.0, 0.0, 1.0, 1.0)


def crops_of(path: Path, times: Sequence[int], box: Sequence[float] = WHOLE) -> list[UInt8Array]:
    rows = [f"labels.csv, line {line}" for line in range(1, len(times) + 1)]
    return read_crops(path, times, np.tile(np.array(box, dtype=np.float64), (len(times), 1)), rows)


def numbers_of(path: Path, times: Sequence[int]) -> list[int]:
    return [number_of(crop) for crop in crops_of(path, times)]


# --- which picture -----------------------------------------------------------------------------------------------

KINDS: dict[str, tuple[str, Film]] = {
    "mp4": ("mp4", Film()),
    "mov": ("mov", Film()),
    "mkv": ("mkv", Film()),
    "mkv with another codec": ("mkv", Film(codec="ffv1")),
    "avi without B-frames": ("avi", Film(options={"bf": "0"})),
    "without B-frames": ("mp4", Film(options={"bf": "0"})),
    "many B-frames": ("mp4", Film(options={"bf": "5", "b-adapt": "0"})),
    "one key frame": ("mp4", Film(frames=100, options={"g": "250"})),
    "open groups of pictures": ("mp4", Film(frames=100, options={"g": "10", "x264-params": "open-gop=1"})),
    "29.97 fps": ("mp4", Film(frames=100, rate=Fraction(30_000, 1001))),
    "29.97 fps in ms": ("mkv", Film(frames=100, rate=Fraction(30_000, 1001))),
    "23.976 fps": ("mp4", Film(frames=100, rate=Fraction(24_000, 1001))),
    "12.5 fps": ("mp4", Film(rate=Fraction(25, 2))),
    "60 fps": ("mp4", Film(frames=100, rate=Fraction(60))),
    "starts late": ("mp4", Film(ticks=range(7, 57))),
    "starts late in ms": ("mkv", Film(ticks=range(7, 57))),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_time_finds_its_picture(tmp_path: Path, kind: str) -> None:
    suffix, film = KINDS[kind]
    path = film.write(tmp_path / f"a.{suffix}")
    ticks = film.ticks or range(film.frames)
    times = [round(1000 * tick / film.rate) for tick in ticks]
    assert numbers_of(path, times) == list(range(film.frames))
    for first, stop, step in ((0, 1, 1), (5, 30, 1), (13, 31, 3), (37, film.frames, 2), (film.frames - 1, None, 1)):
        assert numbers_of(path, times[first:stop:step]) == list(range(film.frames)[first:stop:step])


@pytest.mark.parametrize("kind", ["mp4", "many B-frames", "open groups of pictures"])
def test_the_films_have_pictures_out_of_order(tmp_path: Path, kind: str) -> None:
    suffix, film = KINDS[kind]
    with av.open(str(film.write(tmp_path / f"a.{suffix}"))) as container:
        shown = [packet.pts for packet in container.demux(video=0) if packet.pts is not None]
    assert shown != sorted(shown)


def test_times_with_two_decimals_as_in_ava(tmp_path: Path) -> None:
    path = Film(frames=100, rate=Fraction(30_000, 1001)).write(tmp_path / "a.mp4")
    times = [round(number * 1001 / 300) * 10 for number in range(40, 80)]
    assert numbers_of(path, times) == list(range(40, 80))


def test_the_earlier_of_two_pictures_that_are_as_near(tmp_path: Path) -> None:
    assert numbers_of(Film().write(tmp_path / "a.mp4"), [20, 60, 100]) == [0, 1, 2]


def test_pictures_at_uneven_times(tmp_path: Path) -> None:
    ticks = [0, 1, 2, 5, 6, 8, 9, 10, 12, 13]
    path = Film(frames=10, ticks=ticks).write(tmp_path / "a.mp4")
    assert numbers_of(path, [40 * tick for tick in ticks]) == list(range(10))
    with pytest.raises(DataError, match=r"labels\.csv, line 2: .* no picture at 0\.150 s \(the nearest is at 0\.200 s"):
        crops_of(path, [80, 150])


def test_only_what_is_near_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Film(frames=1000, luma=lambda number: numbered(number % 100)).write(tmp_path / "a.mp4")
    decoded = []
    time_of = asdbench.data.video._time
    monkeypatch.setattr(asdbench.data.video, "_time", lambda *args: decoded.append(1) or time_of(*args))
    assert numbers_of(path, [36_000, 36_040]) == [0, 1]
    assert 2 <= len(decoded) <= 2 + 25 + 12 + 1


def test_a_seek_that_goes_too_far_starts_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Film(frames=100, options={"g": "25"}).write(tmp_path / "a.mp4")
    seek = asdbench.data.video.seek_before
    monkeypatch.setattr(asdbench.data.video, "seek_before", lambda file, stream, time: seek(file, stream, time + 2))
    assert numbers_of(path, [1_400, 1_440]) == [35, 36]


def test_a_file_that_cannot_be_sought_is_read_from_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Film(frames=100).write(tmp_path / "a.mp4")
    monkeypatch.setattr(asdbench.data.video, "seek_before", lambda *_: False)
    assert numbers_of(path, [3_400, 3_440]) == [85, 86]


def test_damage_before_the_place_sought_is_told_from_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What looks like damage after a seek may be none: the pictures given so far are not given again."""
    path = Film(frames=100).write(tmp_path / "a.mp4")
    calls = []
    time_of = asdbench.data.video._time

    def fails_once(*arguments: object) -> Fraction:
        calls.append(1)
        if len(calls) == 30:
            raise DataError("damaged")
        return time_of(*arguments)

    monkeypatch.setattr(asdbench.data.video, "_time", fails_once)
    times = [picture.time for picture in asdbench.data.video._pictures(path, Fraction(2))]
    assert times == [Fraction(number, 25) for number in range(round(times[0] * 25), 100)]
    assert 0.5 < times[0] <= 1
    assert len(calls) == 130


def test_names_with_colons_and_percents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Film(frames=3).write(tmp_path / "http:a%d.mp4")
    monkeypatch.chdir(tmp_path)
    assert numbers_of(Path("http:a%d.mp4"), [0, 80]) == [0, 2]


# --- which part of it --------------------------------------------------------------------------------------------


def gradient(number: int) -> NDArray[np.uint8]:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    return (16 + (rows * 3 + columns + number) % 220).astype(np.uint8)


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        (WHOLE, (0, 48), (0, 64)),
        ((0.25, 0.5, 0.5, 0.75), (24, 36), (16, 32)),
        ((0.259, 0.514, 0.515, 0.77), (24, 36), (16, 32)),
        ((-0.3, -0.2, 0.5, 0.5), (0, 24), (0, 32)),
        ((0.75, 0.5, 1.4, 1.2), (24, 48), (48, 64)),
    ],
)
def test_boxes_are_cut_down_to_whole_pixels_within_the_picture(
    tmp_path: Path, box: Sequence[float], rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    path = Film(frames=4, luma=gradient, full_range=True, options=LOSSLESS).write(tmp_path / "a.mp4")
    for number, crop in zip((1, 3), crops_of(path, [40, 120], box), strict=True):
        np.testing.assert_array_equal(crop, gradient(number)[slice(*rows), slice(*columns)])
        assert crop.dtype == np.uint8
        assert crop.flags.owndata, "a view would keep the whole picture in memory"


def test_every_row_has_its_own_box(tmp_path: Path) -> None:
    path = Film(frames=2, luma=gradient, full_range=True, options=LOSSLESS).write(tmp_path / "a.mp4")
    boxes = np.array([(0, 0, 0.5, 1), (0.5, 0, 1, 0.5)], dtype=np.float64)
    first, second = read_crops(path, [0, 40], boxes, ["", ""])
    np.testing.assert_array_equal(first, gradient(0)[:, :32])
    np.testing.assert_array_equal(second, gradient(1)[:24, 32:])


def test_a_box_without_a_pixel(tmp_path: Path) -> None:
    path = Film(frames=4).write(tmp_path / "a.mp4")
    with pytest.raises(DataError, match=r"labels\.csv, line 1: the box holds no pixel of the 64 x 48 picture"):
        crops_of(path, [40], (0.5, 0.5, 0.51, 0.9))
    with pytest.raises(DataError, match="holds no pixel"):
        crops_of(path, [40], (0.5, 0.5, 0.9, 0.51))


# --- at which level ----------------------------------------------------------------------------------------------


def level(luma: int) -> Callable[[int], NDArray[np.uint8]]:
    return lambda number: np.full((HEIGHT, WIDTH), luma, dtype=np.uint8)


@pytest.mark.parametrize(
    ("luma", "gray"), [(0, 0), (16, 0), (17, 1), (20, 5), (60, 51), (126, 128), (235, 255), (255, 255)]
)
@pytest.mark.parametrize("pixels", ["yuv420p", "yuv444p"])
def test_limited_luma_is_expanded(tmp_path: Path, luma: int, gray: int, pixels: str) -> None:
    (crop,) = crops_of(Film(frames=1, luma=level(luma), format=pixels, options=LOSSLESS).write(tmp_path / "a.mp4"), [0])
    assert set(crop.ravel().tolist()) == {gray}


@pytest.mark.parametrize("luma", [0, 16, 126, 255])
def test_full_luma_stays(tmp_path: Path, luma: int) -> None:
    (crop,) = crops_of(
        Film(frames=1, luma=level(luma), full_range=True, options=LOSSLESS).write(tmp_path / "a.mp4"), [0]
    )
    assert set(crop.ravel().tolist()) == {luma}


@pytest.mark.parametrize(("codec", "pixels"), [("ffv1", "bgr0"), ("ffv1", "yuv420p10le"), ("ffv1", "yuv422p10le")])
@pytest.mark.parametrize("value", [0, 100, 255])
def test_other_formats_become_gray(tmp_path: Path, codec: str, pixels: str, value: int) -> None:
    (crop,) = crops_of(Film(frames=1, luma=level(value), codec=codec, format=pixels).write(tmp_path / "a.mkv"), [0])
    assert crop.shape == (HEIGHT, WIDTH)
    np.testing.assert_allclose(crop.astype(int), value, atol=2)


# --- what is refused ---------------------------------------------------------------------------------------------


def refused(path: Path, times: Sequence[int]) -> str:
    with pytest.raises(DataError) as caught:
        crops_of(path, times)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_labels_beyond_the_ends(tmp_path: Path) -> None:
    path = Film(ticks=range(5, 55)).write(tmp_path / "a.mp4")
    message = refused(path, [2_120, 2_160, 2_200])
    assert message.startswith("labels.csv, line 3: ")
    assert "no picture at 2.200 s (the nearest is at 2.160 s)" in message
    assert "no picture at 9.000 s" in refused(path, [9_000])
    assert "no picture at 0.160 s (the nearest is at 0.200 s)" in refused(path, [160, 200])


def test_more_rows_than_pictures(tmp_path: Path) -> None:
    path = Film().write(tmp_path / "a.mp4")
    assert refused(path, [400, 412, 440]).startswith("labels.csv, line 2: ")
    assert "shows the same picture at 0.412 s" in refused(path, [400, 412])


def noise(number: int) -> NDArray[np.uint8]:
    return np.random.default_rng(number).integers(16, 235, (HEIGHT, WIDTH), dtype=np.uint8)


def spoil(path: Path, place: float, length: int) -> None:
    """Overwrite bytes at a place between 0 and 1 of the pictures."""
    data = bytearray(path.read_bytes())
    start = data.find(b"mdat") + 4
    at = start + int((len(data) - start) * place)
    data[at : at + length] = b"\x5a" * length
    path.write_bytes(data)


def test_damaged_pictures(tmp_path: Path) -> None:
    path = Film(frames=100, luma=noise).write(tmp_path / "a.mp4")
    crops_of(path, [1_000, 3_000])
    spoil(path, 0.5, 8_000)
    assert "cannot be read" in refused(path, [1_000, 3_000])
    assert len(crops_of(path, [0, 400])) == 2, "what comes before is whole"


def test_damage_is_not_painted_over(tmp_path: Path) -> None:
    """Of single wrong bytes, those that lead to a wrong syntax are found; there is no checksum for the others."""
    whole = Film(frames=30, luma=noise).write(tmp_path / "a.mp4").read_bytes()
    found = 0
    for place in np.linspace(0.1, 0.9, 40):
        path = tmp_path / "b.mp4"
        path.write_bytes(whole)
        spoil(path, place, 1)
        try:
            crops_of(path, [0, 1_160])
        except DataError:
            found += 1
    assert found >= 5


@pytest.mark.parametrize("muxer", [{}, {"movflags": "faststart"}])
def test_a_file_that_was_cut_off(tmp_path: Path, muxer: dict[str, str]) -> None:
    path = Film(frames=100, muxer=muxer).write(tmp_path / "a.mp4")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 7 // 10])
    refused(path, range(0, 4_000, 40))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"<html>404</html>",
        b"ffconcat version 1.0\nfile 'whole.mp4'\n",
        b"#EXTM3U\n#EXTINF:1,\nwhole.mp4\n",
    ],
)
def test_what_is_no_video(tmp_path: Path, content: bytes) -> None:
    Film().write(tmp_path / "whole.mp4")
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    assert "the video cannot be read" in refused(path, [0])


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    assert "the file is missing, and there is no video" in refused(tmp_path / "a.mp4", [0])
    (tmp_path / "b.mp4").mkdir()
    assert "the file is missing, and there is no video" in refused(tmp_path / "b.mp4", [0])


def test_no_pictures_in_it(tmp_path: Path) -> None:
    sound = Sound(np.zeros(16_000, dtype=np.int16), codec="aac")
    assert "no video stream" in refused(Film(frames=0, sound=sound).write(tmp_path / "a.mp4"), [0])


def test_a_film_that_is_stored_turned(tmp_path: Path) -> None:
    path = Film().write(tmp_path / "a.mp4")
    data = bytearray(path.read_bytes())
    matrix = data.find(b"tkhd") + 4 + 40
    turned = (0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    data[matrix : matrix + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in turned)
    path.write_bytes(data)
    assert "stored turned by" in refused(path, [0])


def test_avi_with_pictures_out_of_order(tmp_path: Path) -> None:
    assert "does not say when pictures out of order" in refused(Film().write(tmp_path / "a.avi"), [0])
