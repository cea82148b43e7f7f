"""What a suite may call a perturbation, and its options."""

from __future__ import annotations

import msgspec
import pytest

from asdbench.errors import UnknownNameError, UsageError
from asdbench.perturb.catalogue import PERTURBATIONS, find_perturbation, read_options, scope_of


def test_names_and_versions_find_the_same() -> None:
    for name, perturbation in PERTURBATIONS.items():
        assert perturbation.name == name
        assert find_perturbation(name) is find_perturbation(f"{name}@{perturbation.version}") is perturbation


def test_a_version_that_does_not_exist_names_those_that_do() -> None:
    with pytest.raises(UnknownNameError, match=r"'mismatch@99'; did you mean .*mismatch@1"):
        find_perturbation("mismatch@99")


def test_an_unknown_name_suggests_names_without_versions() -> None:
    with pytest.raises(UnknownNameError, match=r"'mismatsch'; did you mean mismatch\?"):
        find_perturbation("mismatsch")


def test_options_are_checked() -> None:
    with pytest.raises(UsageError, match=r"^options of 'lip_mask': .*fraction"):
        read_options(find_perturbation("lip_mask"), {"fraction": 2.0})


def test_faces_of_a_scene_belong_to_a_whole_track() -> None:
    masked = find_perturbation("lip_mask")
    assert scope_of(masked, read_options(masked, {"scope": "scene"})) == "track"
    swapped = find_perturbation("mismatch")
    assert scope_of(swapped, read_options(swapped, {})) == "run"
    assert scope_of(swapped, read_options(swapped, {"scope": "track"})) == "track"


def test_everything_in_the_catalogue_says_what_it_is_and_where_it_comes_from() -> None:
    for each in PERTURBATIONS.values():
        assert each.summary
        assert each.source
        assert issubclass(each.options, msgspec.Struct)
        assert each.options.__struct_config__.forbid_unknown_fields, f"{each.name} would ignore a misspelt option"
