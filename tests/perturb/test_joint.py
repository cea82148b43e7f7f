"""Several perturbations at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from asdbench.errors import UnknownNameError, UsageError
from asdbench.perturb import plan
from asdbench.perturb.absence import LipMaskEdit, SilenceEdit
from asdbench.perturb.catalogue import find_perturbation, read_options
from asdbench.perturb.edits import digest, edit_faces, split_media
from asdbench.perturb.plan import Plan
from asdbench.perturb.targets import NO_DONOR, Outcome
from asdbench.suites import load_suite
from asdbench.types import Condition, Dataset
from tests.perturb.seen import NOBODY, edit, outcome, pattern, track


def joint(*parts: tuple[str, dict[str, Any]], others: tuple[Any, ...] = (), length: int = 8) -> Outcome:
    listed = [{"perturbation": name, "options": options} for name, options in parts]
    return outcome("joint", track(length), others, parts=listed)


MASK, SILENCE, BLUR = ("lip_mask", {"fraction": 0.4}), ("silence", {}), ("motion_blur", {"severity": 5})


def test_every_part_is_there_in_the_order_given() -> None:
    target = track(8)
    made = joint(MASK, SILENCE, BLUR)
    assert made.edits == (
        LipMaskEdit(version=1, fraction=0.4),
        SilenceEdit(version=1),
        edit("motion_blur", target, severity=5),
    )
    assert (made.reason, made.shift_ms, made.ignored) == (None, None, (0, 0))


def test_order_matters_to_the_faces_and_to_the_digest() -> None:
    faces = [pattern(60, 60, number) for number in range(8)]
    there, back = (split_media(joint(*parts).edits)[1] for parts in ((MASK, BLUR), (BLUR, MASK)))
    assert digest(there) != digest(back)
    masked_last, blurred_last = edit_faces(faces, back, NOBODY), edit_faces(faces, there, NOBODY)
    assert not masked_last[0][36:].any()
    assert blurred_last[0][36:40].any()
    alone = edit_faces(edit_faces(faces, back[:1], NOBODY), back[1:], NOBODY)
    assert all(np.array_equal(a, b) for a, b in zip(masked_last, alone, strict=True))


def test_the_sound_of_a_joint_condition_is_that_of_its_part() -> None:
    # Equal digests let the engine take embeddings of the sound from the condition that has it alone.
    sounds, _ = split_media(joint(BLUR, SILENCE).edits)
    assert digest(sounds) == digest(outcome("silence", track(8)).edits)


def test_a_part_may_be_of_the_scene_and_another_not() -> None:
    made = joint(("lip_mask", {"scope": "scene"}), BLUR)
    assert [each.scene for each in split_media(made.edits)[1]] == [True, False]


def test_what_a_shift_ignores_is_ignored() -> None:
    alone = outcome("shift", track(60), ms=400)
    both = outcome(
        "joint", track(60), parts=[{"perturbation": "jpeg"}, {"perturbation": "shift", "options": {"ms": 400}}]
    )
    assert alone.shift_ms == 400
    assert alone.ignored[1] > alone.ignored[0]
    assert (both.ignored, both.shift_ms) == (alone.ignored, alone.shift_ms)
    assert both.edits[1:] == alone.edits


def test_ineligible_where_a_part_is() -> None:
    assert joint(BLUR, ("replace_faces", {})) == Outcome(reason=NO_DONOR)


def test_two_parts_that_change_the_sound_are_refused_by_name() -> None:
    with pytest.raises(UsageError, match=r"\['silence', 'shift'\] of 'joint' all change the sound"):
        joint(SILENCE, BLUR, ("shift", {"ms": 200}))


@pytest.mark.parametrize(
    "part", [("mismatch", {}), ("misalign", {}), ("joint", {"parts": [{"perturbation": "silence"}] * 2})]
)
def test_parts_that_do_not_change_whole_tracks_are_refused(part: tuple[str, dict[str, Any]]) -> None:
    with pytest.raises(UsageError, match=rf"'{part[0]}' cannot be a part of 'joint'"):
        joint(BLUR, part)


def test_parts_are_checked() -> None:
    with pytest.raises(UnknownNameError, match="did you mean lip_mask"):
        joint(("lip_musk", {}), BLUR)
    with pytest.raises(UsageError, match=r"options of 'lip_mask': .*fraction"):
        joint(("lip_mask", {"fraction": 3}), BLUR)
    with pytest.raises(UsageError, match="length >= 2"):
        joint(BLUR)
    with pytest.raises(UsageError, match="unknown field `sort`"):
        outcome("joint", track(8), parts=[{"sort": "jpeg"}, {"perturbation": "jpeg"}])


def resolved(dataset: Dataset, *parts: tuple[str, dict[str, Any]]) -> Plan:
    listed = [{"perturbation": name, "options": options} for name, options in parts]
    suite = load_suite("clean")
    condition = Condition("both", "joint", options={"parts": listed})
    return plan(dataset.tracks, replace(suite, conditions=(*suite.conditions, condition)))


def test_a_plan_says_condition_and_suite_of_a_bad_part(fixture_dataset: Dataset) -> None:
    with pytest.raises(UsageError, match=r"condition 'both'.*'mismatch' cannot be a part"):
        resolved(fixture_dataset, BLUR, ("mismatch", {}))


def test_plans_differ_where_parts_or_their_order_do(fixture_dataset: Dataset) -> None:
    plans = [resolved(fixture_dataset, *parts) for parts in ((MASK, BLUR), (BLUR, MASK), (MASK, BLUR, SILENCE))]
    assert len({each.sha256 for each in plans}) == 3
    assert plans[0].sha256 == resolved(fixture_dataset, MASK, BLUR).sha256
    assert all(len(plans[2]["both"].edits(each.key)) == 3 for each in fixture_dataset.tracks)


def test_options_are_plain_data() -> None:
    from asdbench.perturb.catalogue import find_perturbation

    found = find_perturbation("joint")
    options = read_options(found, {"parts": [{"perturbation": "jpeg"}, {"perturbation": "hand"}]})
    assert [part.options for part in options.parts] == [{}, {}]
    assert options.parts[0].options is not options.parts[1].options


def test_what_parts_cannot_do_together_is_told_with_the_condition(fixture_dataset: Dataset) -> None:
    parts = {"parts": [{"perturbation": "silence"}, {"perturbation": "white_noise"}]}
    suite = replace(
        load_suite("clean"), conditions=(Condition("clean", role="reference"), Condition("it", "joint", options=parts))
    )
    with pytest.raises(UsageError, match=r"condition 'it': the parts .* all change the sound"):
        plan(fixture_dataset.tracks, suite)


@pytest.mark.parametrize(
    ("part", "error"),
    [
        ({"perturbation": "nope"}, UnknownNameError),
        ({"perturbation": "babble", "options": {"severity": 9}}, UsageError),
    ],
)
def test_options_of_parts_are_checked_without_a_plan(part: dict[str, Any], error: type[UsageError]) -> None:
    with pytest.raises(error):
        read_options(find_perturbation("joint"), {"parts": [{"perturbation": "freeze"}, part]})
