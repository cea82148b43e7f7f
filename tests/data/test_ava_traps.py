"""Data that look whole and would give wrong numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asdbench.data import DATA_FORMATS, open_dataset
from asdbench.data.media import read_wav
from asdbench.errors import DataError, UsageError
from asdbench.types import Dataset, Track

ANNOTATION, LOADER = Path("csv/val_orig.csv"), Path("csv/val_loader.csv")


def rewrite_times(root: Path, entity: str, change: object) -> None:
    lines = (root / ANNOTATION).read_text().splitlines()
    for number, line in enumerate(lines):
        fields = line.split(",")
        if fields[7] == entity:
            fields[1] = change(float(fields[1]))  # type: ignore[operator]
            lines[number] = ",".join(fields)
    (root / ANNOTATION).write_text("\n".join(lines) + "\n")


def track_of(dataset: Dataset, entity: str) -> Track:
    return next(track for track in dataset.tracks if track.entity_id == entity)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_every_sample_format_is_read_at_its_level(tmp_path: Path, subtype: str) -> None:
    wave = 0.3 * np.sin(np.arange(16_000) / 20)
    soundfile.write(tmp_path / "a.wav", wave, 16_000, subtype=subtype)
    np.testing.assert_allclose(read_wav(tmp_path / "a.wav"), wave * 32768, atol=1.01)


def test_float_wavs_beyond_full_scale_are_clipped(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.array([-2.0, 0.0, 2.0]), 16_000, subtype="FLOAT")
    assert read_wav(tmp_path / "a.wav").tolist() == [-32768, 0, 32767]


def test_gaps_in_time_are_noted(fixture_copy: Path, fixture_dataset: Dataset) -> None:
    entity = fixture_dataset.tracks[0].entity_id
    middle = float(np.median(fixture_dataset.tracks[0].timestamps_ms)) / 1000
    rewrite_times(fixture_copy, entity, lambda t: f"{t if t < middle else t + 3:.2f}")
    dataset = open_dataset(fixture_copy)
    assert any("1 tracks have gaps in time" in note for note in dataset.notes)
    track = track_of(dataset, entity)
    assert 0 < track.gapless < len(track)
    assert fixture_dataset.tracks[0].gapless == len(track)
    assert fixture_dataset.notes == ()


def test_a_loader_frame_rate_that_the_times_contradict(fixture_copy: Path) -> None:
    text = (fixture_copy / LOADER).read_text()
    (fixture_copy / LOADER).write_text(text.replace("\t25.0\t", "\t50.0\t", 1))
    with pytest.raises(DataError, match=r"50 frames per second .* rows .* are 40 ms apart"):
        open_dataset(fixture_copy)


def test_frame_rates_are_measured_over_all_tracks_of_a_video(fixture_copy: Path, fixture_dataset: Dataset) -> None:
    (fixture_copy / LOADER).unlink()
    for measured, known in zip(open_dataset(fixture_copy).tracks, fixture_dataset.tracks, strict=True):
        assert measured.fps == pytest.approx(known.fps, rel=0.002)


def test_films_that_cannot_be_used_are_noted_and_left_alone(fixture_copy: Path, fixture_dataset: Dataset) -> None:
    films = fixture_copy / "orig_audios" / "trainval"
    films.mkdir(parents=True)
    short, broken = sorted({track.video_id for track in fixture_dataset.tracks})[:2]
    soundfile.write(films / f"{short}.wav", np.zeros(800, np.int16), 16_000)
    (films / f"{broken}.wav").write_bytes(b"RIFF")
    dataset = open_dataset(fixture_copy)
    assert {track.audio_margin for track in dataset.tracks} == {(0, 0)}
    assert any("1 films are unreadable" in note and broken in note for note in dataset.notes)
    assert any("1 films are shorter than the annotation" in note and short in note for note in dataset.notes)
    np.testing.assert_array_equal(dataset.tracks[0].media.audio_window(0, 800), dataset.tracks[0].media.audio()[:800])


def test_times_with_three_decimals_find_crops_with_two(fixture_copy: Path, fixture_dataset: Dataset) -> None:
    track = next(track for track in fixture_dataset.tracks if track.fps == 30)
    exact = iter(round(i / 30, 3) for i in range(len(track)))
    start = int(track.timestamps_ms[0]) / 1000
    rewrite_times(fixture_copy, track.entity_id, lambda _: f"{start + next(exact):.3f}")
    found = track_of(open_dataset(fixture_copy), track.entity_id)
    assert (found.timestamps_ms != track.timestamps_ms).any()
    for one, other in zip(found.media.faces(), track.media.faces(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_two_crops_for_one_time(fixture_copy: Path) -> None:
    track = open_dataset(fixture_copy).tracks[0]
    crop = sorted((fixture_copy / "clips_videos/val" / track.video_id / track.entity_id).iterdir())[0]
    crop.with_name(f"{float(crop.stem):.3f}.jpg").write_bytes(crop.read_bytes())
    with pytest.raises(DataError, match="second crop for the same time"):
        track.media.faces()


def test_stamps_change_with_the_files_and_never_raise(fixture_copy: Path) -> None:
    track = open_dataset(fixture_copy).tracks[0]
    wav = fixture_copy / "clips_audios/val" / track.video_id / f"{track.entity_id}.wav"
    before = track.media.stamp()
    assert track.media.stamp() == before
    wav.write_bytes(wav.read_bytes() + b"\0\0")
    changed = track.media.stamp()
    wav.unlink()
    assert len({before, changed, track.media.stamp()}) == 3


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda tracks: tracks[::-1], DataError, "must be sorted"),
        (lambda tracks: (tracks[0], *tracks), DataError, "each there once"),
        (lambda tracks: (), DataError, "no track"),
        (lambda tracks: (replace(tracks[0], labels=tracks[0].labels[1:]),), DataError, "one label"),
        (lambda tracks: (replace(tracks[0], labels=tracks[0].labels + 1),), DataError, "one label"),
        (lambda tracks: (replace(tracks[0], timestamps_ms=tracks[0].timestamps_ms[::-1]),), DataError, "increase"),
        (lambda tracks: (replace(tracks[0], media=object()),), UsageError, "have no audio, audio_window, faces, stamp"),
        (lambda tracks: 1 / 0, UsageError, "failed on .*: ZeroDivisionError"),
    ],
)
def test_what_a_users_reader_returns_is_checked(
    fixture_root: Path, fixture_dataset: Dataset, monkeypatch: pytest.MonkeyPatch, change, error, words: str
) -> None:
    def reader(root: Path, split: str, name: str | None) -> Dataset:
        return replace(fixture_dataset, tracks=change(fixture_dataset.tracks))

    monkeypatch.setattr(DATA_FORMATS, "load", lambda name: reader)
    with pytest.raises(error, match=words):
        open_dataset(fixture_root, data_format="theirs")
