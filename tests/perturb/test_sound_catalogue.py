"""What every perturbation of sound keeps to, whatever it does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import soundfile

from asdbench.engine.lender import TrackLender
from asdbench.perturb import catalogue
from asdbench.perturb.catalogue import find_perturbation
from asdbench.perturb.edits import edit_audio, split_media
from asdbench.perturb.plan import ConditionPlan
from asdbench.types import Int16Array, Track
from tests.perturb.made_up import made_track, planned, speech

OPTIONS: dict[str, dict[str, Any]] = {
    "mismatch": {},
    "misalign": {},
    "resplice": {"decoy": True},
    "shift": {"ms": 240},
    "reverse": {},
    "swap_halves": {},
    "repeat": {},
    "synctalknet_shift": {"piece_frames": 40},
    "synctalknet_flip": {"piece_frames": 40},
    "synctalknet_repeat": {"piece_frames": 40},
    "synctalknet_silence": {"piece_frames": 40},
    "synctalknet_swap": {"piece_frames": 40},
    "laser_shift": {"seconds": 0.5},
    "replace_audio": {"draw": 2},
    "babble": {"speakers": 3},
    "offscreen_speech": {},
    "white_noise": {},
    "pink_noise": {},
    "speech_noise": {},
    "noise_folder": {"folder": "noise"},
    "reverb": {},
    "clipping": {},
    "low_pass": {},
    "mp3": {},
    "opus": {},
    "silence": {},
}
SILENCEABLE = {"shift", "laser_shift", "white_noise", "reverb", "clipping", "low_pass", "mp3", "opus", "babble"}


@pytest.fixture(autouse=True)
def noise_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "noise").mkdir()
    soundfile.write(tmp_path / "noise" / "a.wav", speech(200_000, 77), 16_000)
    monkeypatch.chdir(tmp_path)


def tracks(count: int = 10, change: Callable[[int], dict[str, Any]] = lambda number: {}) -> list[Track]:
    return [made_track(f"v{i}", [(0, 30), (35, 75)], **change(i)) for i in range(count)]


def heard(all_tracks: list[Track], track: Track, condition: ConditionPlan) -> Int16Array:
    edits, _ = split_media(condition.edits(track.key))
    return edit_audio(track.media.audio(), edits, track.media, TrackLender(all_tracks))


def test_the_list_is_whole() -> None:
    assert {each.name for each in (*catalogue.SYNCHRONY, *catalogue._AUDIO)} | {"silence"} == set(OPTIONS)


@pytest.mark.parametrize("name", OPTIONS)
def test_changed_sound_is_sound_of_the_same_length(name: str) -> None:
    own = tracks()
    condition = planned(own, name, OPTIONS[name])
    for track in own[:3]:
        before = track.media.audio().copy()
        result = heard(own, track, condition)
        assert result.dtype == np.int16 and len(result) == len(before)
        assert (result != before).mean() > 0.3
        np.testing.assert_array_equal(track.media.audio(), before)
        np.testing.assert_array_equal(heard(own, track, condition), result)


@pytest.mark.parametrize("name", OPTIONS)
def test_wavs_that_are_a_little_short_or_long_work(name: str) -> None:
    own = tracks(change=lambda number: {"short_by": 1280 if number % 2 else 0, "margin": 0})
    longer = speech(47_360 + 1280, 5)
    own.append(made_track("long", [(0, 30), (35, 75)], sound=longer))
    condition = planned(own, name, OPTIONS[name])
    for track in own[:2] + own[-1:]:
        assert len(heard(own, track, condition)) == len(track.media.audio())


@pytest.mark.parametrize("name", OPTIONS)
def test_a_track_of_one_frame_is_planned(name: str) -> None:
    own = [*tracks(), made_track("tiny", [(0, 1)], 1, sound=np.zeros(0, dtype=np.int16))]
    condition = planned(own, name, OPTIONS[name])
    assert len(heard(own, own[-1], condition)) == 0


@pytest.mark.parametrize("name", sorted(SILENCEABLE))
def test_digital_silence_stays_silence(name: str) -> None:
    own = [*tracks(), made_track("silent", [(0, 75)], sound=np.zeros(47_360, dtype=np.int16))]
    assert np.abs(heard(own, own[-1], planned(own, name, OPTIONS[name]))).max() <= 1


@pytest.mark.parametrize("name", OPTIONS)
def test_proportions_nest_and_the_order_of_tracks_means_nothing(name: str) -> None:
    own = tracks(16)
    half, more = (planned(own, name, OPTIONS[name], proportion=p) for p in (0.4, 0.8))
    again = planned(own[::-1], name, OPTIONS[name], proportion=0.4)
    few, many = ([set(condition.edits(track.key)) for track in own] for condition in (half, more))
    assert all(some <= all_ for some, all_ in zip(few, many, strict=True))
    assert 0 < sum(map(len, few)) < sum(map(len, many))
    assert [half.edits(track.key) for track in own] == [again.edits(track.key) for track in own]


@pytest.mark.parametrize("name", OPTIONS)
def test_donors_are_of_another_source(name: str) -> None:
    own = tracks(12)
    condition = planned(own, name, OPTIONS[name])
    for track in own:
        for edit in condition.edits(track.key):
            assert all(donor.video_id != track.video_id for donor in getattr(edit, "donors", ()))


@pytest.mark.parametrize("name", OPTIONS)
def test_edits_are_plain_data_that_can_be_stored(name: str) -> None:
    own = tracks()
    for edit in planned(own, name, OPTIONS[name]).edits(own[0].key):
        text = msgspec.json.encode(edit)
        assert msgspec.json.decode(text, type=type(edit)) == edit
        assert b"label" not in text


@pytest.mark.parametrize("name", OPTIONS)
def test_only_exact_perturbations_name_no_library(name: str) -> None:
    own = tracks()
    edits = planned(own, name, OPTIONS[name]).edits(own[0].key)
    found = find_perturbation(name)
    assert edits and all(hasattr(edit, "made_with") == (not found.exact) for edit in edits)
    assert found.source and found.summary


# --- decoy -------------------------------------------------------------------------------------------------------


def test_decoys_cut_the_stretches_between_runs_too() -> None:
    own = [made_track("a", [(20, 40)], gap_after=60), *tracks(4)]
    plain, decoy = planned(own, "resplice"), planned(own, "resplice", {"decoy": True})
    spans = [(d.target.first, d.target.stop, d.target.run) for d in decoy.decisions[own[0].key]]
    assert spans == [(0, 20, -1), (20, 40, 0), (40, 60, -1), (60, 75, -1)]
    assert [d.outcome.reason for d in decoy.decisions[own[0].key]] == [None, None, None, "behind a gap in time"]
    (run,) = plain.edits(own[0].key)
    assert decoy.edits(own[0].key)[1] == run
    ids = [d.target.target_id for group in decoy.decisions.values() for d in group]
    assert len(set(ids)) == len(ids)
    assert decoy.rows(own[0]).changed[:60].all()


def test_plain_resplice_is_what_it_was() -> None:
    own = tracks(6)
    assert planned(own, "resplice").decisions == planned(own, "resplice", {"decoy": False}).decisions
    assert all(d.target.run >= 0 for group in planned(own, "resplice").decisions.values() for d in group)
