"""Noise of a folder of recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from asdbench.engine.lender import TrackLender
from asdbench.errors import DataError, UsageError
from asdbench.perturb.audio import active_level
from asdbench.perturb.edits import edit_audio
from asdbench.perturb.plan import ConditionPlan
from asdbench.perturb.recordings import content, sound_files
from asdbench.types import Int16Array, Track
from tests.perturb.made_up import made_track, planned, reasons, speech


def noise(seconds: float, rate: int = 16_000, seed: int = 0) -> Int16Array:
    return np.random.default_rng(seed).integers(-3000, 3000, round(seconds * rate)).astype(np.int16)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Recordings as in MUSAN and DEMAND: subfolders, several rates, channels and formats."""
    root = tmp_path / "noise"
    (root / "free-sound").mkdir(parents=True)
    soundfile.write(root / "free-sound" / "a.wav", noise(9), 16_000)
    soundfile.write(root / "b.FLAC", noise(12, seed=1), 16_000, format="FLAC")
    stereo = np.stack([noise(10, 48_000, 2), noise(10, 48_000, 3)], axis=1)
    soundfile.write(root / "ch01.wav", stereo, 48_000)
    (root / "LICENSE").write_text("free")
    (root / "._a.wav").write_bytes(b"no sound")
    return root


def condition(tracks: list[Track], folder: Path, **options: object) -> ConditionPlan:
    return planned(tracks, "noise_folder", {"folder": str(folder), **options})


def changed(track: Track, plan: ConditionPlan) -> Int16Array:
    return edit_audio(track.media.audio(), plan.edits(track.key), track.media, TrackLender([track]))


def test_files_are_found_in_a_fixed_order(folder: Path) -> None:
    assert [(each.name, len(each)) for each in sound_files(folder)] == [
        ("b.FLAC", 192_000),
        ("ch01.wav", 158_400),
        ("free-sound/a.wav", 144_000),
    ]


def test_every_kind_of_file_is_heard_at_its_ratio(folder: Path) -> None:
    tracks = [made_track(f"v{i}", sound=speech(47_360, i, level=500)) for i in range(12)]
    plan = condition(tracks, folder, snr_db=3)
    used = set()
    for track in tracks:
        added = changed(track, plan).astype(float) - track.media.audio()
        assert 20 * np.log10(active_level(track.media.audio()) / active_level(added)) == pytest.approx(3, abs=0.1)
        used.add(Path(plan.edits(track.key)[0].recordings[0].path).name)
    assert used == {"a.wav", "b.FLAC", "ch01.wav"}


def test_what_is_added_is_the_span_of_the_file(folder: Path) -> None:
    (folder / "ch01.wav").unlink()
    (folder / "b.FLAC").unlink()
    track = made_track("a", sound=speech(47_360, level=500))
    plan = condition([track], folder)
    (recording,) = plan.edits(track.key)[0].recordings
    assert recording.start > 0 and recording.content == content(folder / "free-sound" / "a.wav")
    added = changed(track, plan).astype(float) - track.media.audio()
    assert np.corrcoef(added, noise(9)[recording.start :][: len(added)])[0, 1] > 0.999


def test_windows_differ_from_track_to_track(folder: Path) -> None:
    tracks = [made_track(f"v{i}") for i in range(20)]
    plan = condition(tracks, folder)
    assert len({plan.edits(track.key)[0].recordings[0].start for track in tracks}) == 20


def test_a_changed_file_changes_the_plan_and_a_moved_folder_does_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = made_track("a")
    monkeypatch.chdir(folder.parent)
    before = planned([track], "noise_folder", {"folder": "noise"})
    moved = folder.parent / "elsewhere"
    moved.mkdir()
    folder.rename(moved / "noise")
    monkeypatch.chdir(moved)
    assert planned([track], "noise_folder", {"folder": "noise"}).edits(track.key) == before.edits(track.key)
    for number, each in enumerate(sound_files(Path("noise"))):
        soundfile.write(each.path, noise(20, seed=7 + number), 16_000)
    assert planned([track], "noise_folder", {"folder": "noise"}).edits(track.key) != before.edits(track.key)


def test_short_files_follow_one_another(tmp_path: Path) -> None:
    for number in range(9):
        soundfile.write(tmp_path / f"{number}.wav", noise(1, seed=number), 16_000)
    track = made_track("a", sound=speech(47_360, level=500))
    plan = condition([track], tmp_path)
    recordings = plan.edits(track.key)[0].recordings
    assert len(recordings) == 4 == len({each.path for each in recordings})
    added = changed(track, plan).astype(float) - track.media.audio()
    assert np.abs(added[:47_040].reshape(-1, 320)).max(axis=1).min() > 0
    for each in recordings[2:]:
        Path(each.path).unlink()
    with pytest.raises(DataError, match="wav"):
        changed(track, plan)


def test_too_little_noise_is_ineligible(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(2), 16_000)
    assert reasons(condition([made_track("a")], tmp_path)) == ["the recordings of noise are together too short"]


def test_digital_silence_is_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(160_000, dtype=np.int16), 16_000)
    track = made_track("a")
    with pytest.raises(DataError, match=r"a\.wav: cannot be used as noise: the noise is digital silence"):
        changed(track, condition([track], tmp_path))


def test_no_folder_no_files(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"suite test@1, condition 'it'.*no such folder"):
        condition([made_track("a")], tmp_path / "no")
    with pytest.raises(UsageError, match="no WAV or FLAC file there"):
        condition([made_track("a")], tmp_path)
    with pytest.raises(UsageError, match="folder"):
        planned([made_track("a")], "noise_folder", {})


@pytest.mark.parametrize("what", ["file", "folder"])
def test_links_that_leave_the_folder_are_refused(folder: Path, what: str) -> None:
    outside = folder.parent / "outside"
    outside.mkdir()
    soundfile.write(outside / "x.wav", noise(20), 16_000)
    (folder / "link.wav").symlink_to(outside / "x.wav" if what == "file" else outside)
    with pytest.raises(UsageError, match=r"link\.wav: a link that leads out of the folder"):
        sound_files(folder)


def test_links_within_the_folder_are_fine(folder: Path) -> None:
    (folder / "again.flac").symlink_to("b.FLAC")
    assert len(sound_files(folder)) == 4


@pytest.mark.parametrize("data", [b"", b"RIFF\0\0\0\0WAVE", b"not a sound file at all"])
def test_broken_files_are_named(folder: Path, data: bytes) -> None:
    (folder / "bad.wav").write_bytes(data)
    with pytest.raises(DataError, match=r"bad\.wav: not a readable sound file"):
        sound_files(folder)


def test_a_file_without_samples_is_named(folder: Path) -> None:
    soundfile.write(folder / "empty.wav", np.zeros(0, dtype=np.int16), 16_000)
    with pytest.raises(DataError, match=r"empty\.wav: a sound file without sound"):
        sound_files(folder)


def test_edits_that_resample_name_the_library_and_others_do_not(folder: Path) -> None:
    tracks = [made_track(f"v{i}") for i in range(12)]
    plan = condition(tracks, folder)
    edits = [edit for track in tracks for edit in plan.edits(track.key)]
    resampled = [any("ch01" in each.path for each in edit.recordings) for edit in edits]
    assert True in resampled and False in resampled
    assert [hasattr(edit, "made_with") for edit in edits] == resampled
