"""What sound and faces contribute, of models whose answer is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdbench.analysis.reliance import section
from asdbench.analysis.rows import RunRows
from asdbench.analysis.run import run_metrics
from asdbench.metrics import average_precision_tie_safe, rescaled_ap
from asdbench.records.predictions import Predictions
from asdbench.types import IGNORE, Condition, Float32Array
from tests.analysis.rows import CLEAN, clean_rows

DRAWS = 2
AUDIO = [f"replace_audio#{draw + 1}" for draw in range(DRAWS)]
BOTH = [f"replace_both#{draw + 1}" for draw in range(DRAWS)]


def run_of(clean: Predictions, scores: Mapping[str, Float32Array], resamples: int = 100, **kept: Any) -> RunRows:
    """A run whose conditions replace everything and leave these scores; ``kept`` overrides their columns."""
    conditions = {"clean": CLEAN}
    conditions |= {name: Condition(name, name.partition("#")[0], 1.0, "keep", "diagnostic") for name in scores}
    every = np.ones(len(clean), dtype=np.bool_)
    loaded = {name: replace(clean, score=score, **{"changed": every, **kept}) for name, score in scores.items()}
    return RunRows(conditions, ({"clean": clean} | loaded).__getitem__, resamples=resamples)


def noise(seed: int, rows: Predictions) -> Float32Array:
    return np.random.default_rng(seed).normal(size=len(rows)).astype(np.float32)


def coalitions(clean: Predictions, audio: Any, faces: Any, both: Any) -> dict[str, Float32Array]:
    """Scores without the sound, without the faces, without both; each called with a number that tells draws apart."""
    found = {name: audio(number) for number, name in enumerate(AUDIO)}
    found["replace_faces"] = faces(90)
    return found | {name: both(number + 10) for number, name in enumerate(BOTH)}


def found_in(rows: RunRows) -> dict[str, Any]:
    points = run_metrics(replace(rows, resamples=0))["conditions"]
    found = section(rows, points)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def clean() -> Predictions:
    return clean_rows(8)


def deaf(clean: Predictions) -> dict[str, Float32Array]:
    """Whatever is heard, scores are those of the faces, and other faces are as good as noise."""
    other = noise(3, clean)
    return coalitions(clean, lambda _: clean.score, lambda _: other, lambda _: other)


def test_a_deaf_model_owes_exactly_nothing_to_the_sound(clean: Predictions) -> None:
    for figure in found_in(run_of(clean, deaf(clean)))["replaced"]["figures"].values():
        assert (figure["values"]["phi_audio"], figure["values"]["interaction"]) == (0, 0)
        assert (figure["intervals"]["phi_audio"]["low"], figure["intervals"]["phi_audio"]["high"]) == (0, 0)
        assert figure["values"]["phi_video"] == figure["values"]["total"] > 0.5
        assert figure["values"]["share_audio"] == 0
        assert figure["values"]["share_video"] == 1


def test_a_blind_model_owes_exactly_nothing_to_the_faces(clean: Predictions) -> None:
    others = [noise(7 + draw, clean) for draw in range(DRAWS)]
    scores = coalitions(clean, lambda draw: others[draw], lambda _: clean.score, lambda draw: others[draw - 10])
    for figure in found_in(run_of(clean, scores))["replaced"]["figures"].values():
        assert (figure["values"]["phi_video"], figure["values"]["interaction"]) == (0, 0)
        assert figure["values"]["phi_audio"] > 0.5


def test_a_model_that_knows_nothing_has_nothing_to_share(clean: Predictions) -> None:
    flat = np.zeros(len(clean), np.float32)
    rows = run_of(replace(clean, score=flat), coalitions(clean, *[lambda _: flat] * 3))
    for figure in found_in(rows)["replaced"]["figures"].values():
        assert figure["values"]["phi_audio"] == figure["values"]["phi_video"] == figure["values"]["total"] == 0
        assert "includes 0" in figure["values"]["share_audio"]["undefined"]


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_values_are_means_over_draws_and_add_up(seed: int) -> None:
    clean = clean_rows(3, 30, (5, 20), seed)
    scores = coalitions(
        clean, lambda draw: clean.score + noise(seed + draw, clean), lambda draw: noise(seed + draw, clean),
        lambda draw: noise(seed + draw, clean),
    )  # fmt: skip
    found = found_in(run_of(clean, scores, resamples=0))["replaced"]["figures"]["ava_rescaled"]
    assert found["intervals"] == {}
    values = found["values"]
    each = [
        rescaled_ap(average_precision_tie_safe(clean.label, scores[name]), float(clean.label.mean())) for name in AUDIO
    ]
    assert values["video"] == pytest.approx(np.mean(each), abs=1e-12)
    assert values["phi_audio"] + values["phi_video"] == pytest.approx(values["both"] - values["neither"], abs=1e-12)
    assert "no interval" in values["share_audio"]["undefined"]


def test_zeros_are_a_second_table_of_their_own_name(clean: Predictions) -> None:
    scores = {name: noise(number, clean) for number, name in enumerate(("silence", "face_mask", "silence+face_mask"))}
    found = found_in(run_of(clean, scores))
    assert "replaced" not in found
    assert found["zeroed"]["conditions"]["neither"] == ["silence+face_mask"]
    assert found["zeroed"]["figures"]["ava_rescaled"]["values"]["both"] > 0.5


def test_what_could_not_be_replaced_is_said(clean: Predictions) -> None:
    some = np.ones(len(clean), dtype=np.bool_)
    some[:60] = False
    assert found_in(run_of(clean, deaf(clean), changed=some))["replaced"]["unchanged"] == 60
    nothing = found_in(run_of(clean, deaf(clean), changed=np.zeros(len(clean), dtype=np.bool_)))
    for figure in nothing["replaced"]["figures"].values():
        assert figure["values"]["phi_audio"] == {"undefined": "replace_audio#1 could change no row."}


def test_a_coalition_without_value_has_none(clean: Predictions) -> None:
    silent = np.where(clean.label == 1, IGNORE, 0).astype(np.int8)
    figure = found_in(run_of(clean, deaf(clean), label_after=silent))["replaced"]["figures"]["ava_rescaled"]
    assert figure["values"]["total"]["undefined"].startswith("replace_audio#1: no positive rows")


def test_a_run_without_the_conditions_has_no_section(clean: Predictions) -> None:
    scores = deaf(clean)
    del scores["replace_faces"]
    rows = run_of(clean, scores)
    assert section(rows, run_metrics(rows)["conditions"]) is None


def test_synchrony_reliance_is_what_another_voice_takes_away(clean: Predictions) -> None:
    speaking = np.flatnonzero(clean.label == 1)
    lost = clean.score.copy()
    lost[speaking[::2]] = -9
    label_after = np.where(clean.label == 1, 0, clean.label).astype(np.int8)
    mismatch = replace(clean, score=lost, changed=clean.label == 1, label_after=label_after)
    conditions = {"clean": CLEAN, "mismatch@1.00": Condition("mismatch@1.00", "mismatch", 1.0, "negative")}
    rows = RunRows(conditions, {"clean": clean, "mismatch@1.00": mismatch}.__getitem__, resamples=100)
    metrics = run_metrics(rows)
    kept = metrics["conditions"][1]["metrics"]["at"]["tpr:0.9"]["retention"]
    found = metrics["reliance"]["synchrony"]
    assert found["value"] == 1 - kept
    assert found["value"] == pytest.approx(0.5, abs=0.1)
    ends = metrics["conditions"][1]["intervals"]["at"]["tpr:0.9"]["retention"]
    assert found["interval"]["low"] == pytest.approx(1 - ends["high"], abs=1e-12)
