from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.errors import DataError, UndefinedMetricError
from asdbench.metrics.bootstrap import Resampling, combine, replicate
from asdbench.metrics.intervals import interval
from asdbench.metrics.shapley import mean_value, reliance, rescaled_balanced_accuracy
from asdbench.metrics.suspects import robust_scale, tpr_gap
from asdbench.metrics.weighted import RankedRows

value = st.floats(-1, 1)


@given(value, value, value, value)
def test_the_two_values_sum_to_the_total(both, video, audio, neither):
    found = reliance(both, video, audio, neither)
    assert found.phi_audio + found.phi_video == pytest.approx(both - neither, abs=1e-12)
    assert found.total == both - neither


@given(value, value, value, value)
def test_sound_and_lips_are_treated_alike(both, video, audio, neither):
    found, swapped = reliance(both, video, audio, neither), reliance(both, audio, video, neither)
    assert found.phi_audio == pytest.approx(swapped.phi_video, abs=1e-12)
    assert found.interaction == pytest.approx(swapped.interaction, abs=1e-12)


@given(value, value)
def test_known_values_of_the_calibration_models(seen, chance):
    deaf = reliance(both=seen, video=seen, audio=chance, neither=chance)  # sound changes nothing
    assert (deaf.phi_audio, deaf.interaction) == (0, 0)
    assert deaf.phi_video == pytest.approx(seen - chance, abs=1e-15)
    blind = reliance(both=seen, video=chance, audio=seen, neither=chance)  # faces change nothing
    assert (blind.phi_video, blind.interaction) == (0, 0)


def test_a_model_that_needs_both_has_interaction():
    found = reliance(both=1.0, video=0.0, audio=0.0, neither=0.0)
    assert (found.phi_audio, found.phi_video, found.interaction) == (0.5, 0.5, 1.0)


def test_shares_are_unclipped_and_need_a_total():
    found = reliance(both=0.5, video=0.7, audio=-0.1, neither=0.0)
    audio, video = found.shares(0.3, 0.7)
    assert audio == pytest.approx(-0.3)
    assert audio + video == pytest.approx(1)
    for ends in ((-0.1, 0.7), (0.0, 0.7), (-0.7, 0.0)):
        with pytest.raises(UndefinedMetricError, match="includes 0"):
            found.shares(*ends)
    with pytest.raises(UndefinedMetricError, match="no interval"):
        found.shares(None, None)


def test_intervals_of_shapley_values_rest_on_the_same_resamples():
    """phi_A of a model whose sound does nothing is 0 in every resample, though each AP moves."""
    generator = np.random.default_rng(3)
    labels, units = generator.integers(0, 2, 600), np.repeat(np.arange(20), 30)
    seeing, guessing = labels + generator.normal(size=600), generator.normal(size=600)
    resampling = Resampling(20, count=100)
    full, nothing = (
        replicate(RankedRows(labels, score, units, 20).rescaled_ap, resampling) for score in (seeing, guessing)
    )
    phi_audio = combine(lambda av, v, a, e: ((av - v) + (a - e)) / 2, full, full, nothing, nothing)
    assert np.ptp(full.resampled) > 0.05
    assert (interval(phi_audio).low, interval(phi_audio).high) == (0, 0)


def test_values_must_be_finite():
    with pytest.raises(DataError, match=r"v\(A\) is nan"):
        reliance(1.0, 0.5, float("nan"), 0.0)
    with pytest.raises(DataError):
        mean_value([1.0, float("inf")])
    with pytest.raises(UndefinedMetricError, match="no plan"):
        mean_value([])
    assert mean_value([0.1] * 5) == 0.1
    assert rescaled_balanced_accuracy(0.5) == 0.0
    with pytest.raises(DataError, match="balanced accuracy"):
        rescaled_balanced_accuracy(1.1)


def test_three_dubbed_videos_of_thirty_stand_out():
    generator = np.random.default_rng(1)
    gaps = []
    for video in range(30):
        seen = generator.normal(2, 1, 150)
        heard = seen + generator.normal(0, 0.5, 150) - (3 if video in (4, 9, 20) else 0)
        gaps.append(tpr_gap(heard, seen, 0.5, 0.5))
    scale = robust_scale(gaps)
    order = np.argsort([scale.z(gap) for gap in gaps])
    assert sorted(order[:3]) == [4, 9, 20]
    assert scale.z(gaps[order[2]]) < -5 < scale.z(gaps[order[3]])


def test_suspects_without_a_value():
    with pytest.raises(UndefinedMetricError, match="99 positive rows are fewer than the 100"):
        tpr_gap([1.0] * 99, [1.0] * 99, 0.0, 0.0)
    with pytest.raises(UndefinedMetricError, match="at least 3"):
        robust_scale([0.1, 0.2])
    with pytest.raises(UndefinedMetricError, match="spread is 0"):
        robust_scale([0.1, 0.1, 0.1, 0.9])
    with pytest.raises(DataError, match="1 NaN"):
        robust_scale([0.1, np.nan, 0.2])
    with pytest.raises(DataError, match="threshold is NaN"):
        tpr_gap([1.0] * 100, [1.0] * 100, np.nan, 0.0)


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=30), st.floats(-5, 5))
def test_robust_z_does_not_move_with_the_scale(values, shift):
    try:
        scale = robust_scale(values)
    except UndefinedMetricError:
        return
    if scale.spread > 1e-3:
        moved = robust_scale(np.array(values) * 2 + shift)
        assert moved.z(values[0] * 2 + shift) == pytest.approx(scale.z(values[0]), rel=1e-6, abs=1e-6)
