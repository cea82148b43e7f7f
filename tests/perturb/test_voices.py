"""Other people's speech over the track's own."""

from __future__ import annotations

import numpy as np
import pytest

from asdbench.errors import DataError, UsageError
from asdbench.perturb.audio import active_level
from asdbench.perturb.edits import Donor
from asdbench.perturb.targets import NO_DONOR
from asdbench.perturb.voices import VoicesEdit, babble
from asdbench.types import TrackKey
from tests.lenders import Lending
from tests.perturb.made_up import crowd, heard, made_track, planned, reasons, speech


def test_talkers_are_equally_loud() -> None:
    own = speech(32_000, 1, level=500)
    loud, soft = speech(32_000, 2, level=4000), speech(32_000, 3, level=400)
    added = babble(own, [[loud], [soft]], 0).astype(float) - own
    # Two voices that have nothing to do with each other: each is in the sum with a weight of its own.
    weights, *_ = np.linalg.lstsq(np.stack([loud, soft], 1).astype(float), added, rcond=None)
    assert weights[0] * active_level(loud) == pytest.approx(weights[1] * active_level(soft), rel=0.01)


@pytest.mark.parametrize("snr", [10.0, 0.0, -10.0])
def test_the_ratio_of_the_sum_is_as_asked(snr: float) -> None:
    own = speech(32_000, 1, level=400)
    result = babble(own, [[speech(32_000, seed)] for seed in (2, 3, 4)], snr)
    assert 20 * np.log10(active_level(own) / active_level(result.astype(float) - own)) == pytest.approx(snr, abs=0.1)


def test_a_talker_that_is_too_short_is_refused() -> None:
    with pytest.raises(UsageError, match="a talker has 100 samples for 200"):
        babble(speech(200), [[speech(100)]], 0)


@pytest.mark.parametrize(("name", "options", "count"), [("babble", {}, 5), ("offscreen_speech", {}, 1)])
def test_talkers_are_tracks_of_other_sources_and_differ(name: str, options: dict[str, int], count: int) -> None:
    tracks = [made_track(f"v{i}", [(0, 75)], source=f"s{i // 3}") for i in range(30)]
    condition = planned(tracks, name, options)
    for track in tracks:
        (edit,) = condition.edits(track.key)
        assert len(edit.talkers) == count
        names = [{donor.video_id for donor in talker} for talker in edit.talkers]
        assert len(set.union(*names)) == sum(map(len, names))
        assert not {f"v{i}" for i in range(30) if f"s{i // 3}" == track.source_id} & set.union(*names)


def test_talkers_differ_from_track_to_track_and_do_not_depend_on_order() -> None:
    tracks = crowd(20)
    condition, again = planned(tracks, "babble"), planned(tracks[::-1], "babble")
    assert len({condition.edits(track.key) for track in tracks}) == 20
    assert all(condition.edits(track.key) == again.edits(track.key) for track in tracks)
    assert 5 < condition.summary()["donors"] <= 40


def test_a_run_is_heard_once_where_tracks_are_few() -> None:
    tracks = [made_track(name, [(0, 40), (45, 90), (95, 140), (145, 200)], 200) for name in "ab"]
    talkers = planned(tracks, "babble", {"speakers": 2}).edits(tracks[0].key)
    assert not talkers  # 180 frames of speech are no two talkers for 200
    short = made_track("c", [(0, 30)], 30)
    (edit,) = planned([short, *tracks[:1]], "babble", {"speakers": 3}).edits(short.key)
    assert len(set(edit.donors)) == len(edit.donors) == 3


def test_severities_share_their_talkers() -> None:
    tracks = crowd(12)
    edits = [planned(tracks, "babble", {"severity": severity}).edits(tracks[0].key)[0] for severity in (1, 5)]
    assert edits[0].talkers == edits[1].talkers and edits[0].snr_db == 10 and edits[1].snr_db == -10


def test_speech_alone_is_lent_and_covers_the_track() -> None:
    tracks = [made_track("long", [(0, 200)], 200), *(made_track(f"v{i}", [(20, 60)]) for i in range(40))]
    condition = planned(tracks, "babble")
    (edit,) = condition.edits(tracks[0].key)
    assert all(donor.video_id == "long" or (donor.start, donor.stop) == (12_800, 38_400) for donor in edit.donors)
    assert min(map(len, edit.talkers)) > 1
    changed = heard(tracks, tracks[0], condition).astype(float) - tracks[0].media.audio()
    assert np.abs(changed[: 99 * 1280].reshape(-1, 1280)).max(axis=1).min() > 0


@pytest.mark.parametrize(
    ("name", "others", "reason"),
    [
        ("babble", 0, NO_DONOR),
        ("babble", 3, "not enough speech of other sources"),
        ("offscreen_speech", 0, NO_DONOR),
        ("offscreen_speech", 3, None),
    ],
)
def test_without_enough_talkers_a_track_is_ineligible(name: str, others: int, reason: str | None) -> None:
    track = made_track("a", [(0, 75)], 75)
    tracks = [track, made_track("b", [(0, 75)], source="a")]
    tracks += [made_track(f"v{i}", [(0, 80)], 80, source=f"s{i}") for i in range(others)]
    assert planned(tracks, name).decisions[track.key][0].outcome.reason == reason
    assert reasons(planned(tracks[:1], name)) == [NO_DONOR]


@pytest.mark.parametrize(("stop", "sound"), [(50, speech(50)), (3200, np.zeros(3200, dtype=np.int16))])
def test_broken_talkers_are_named(stop: int, sound: np.ndarray) -> None:
    edit = VoicesEdit(version=1, talkers=((Donor("v", "e:1", 0, stop),),), snr_db=0)
    with pytest.raises(DataError, match="v/e:1 cannot lend"):
        edit.apply(speech(3200), made_track("a").media, Lending({TrackKey("v", "e:1"): sound}))


@pytest.mark.parametrize("options", [{"speakers": 0}, {"speakers": 51}, {"severity": 9}])
def test_bad_options(options: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="babble"):
        planned(crowd(2), "babble", options)
