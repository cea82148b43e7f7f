"""docs/perturbations.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from asdbench.perturb import blur, exposure, frames, framing, image_codecs, occlusion, resolution
from asdbench.perturb.catalogue import PERTURBATIONS
from asdbench.perturb.image import IMAGENET_C
from tests.perturb.seen import CORRUPTIONS, MASKS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "perturbations.md").read_text(encoding="utf-8")

AMOUNTS = {
    "gaussian_noise": exposure.SIGMA,
    "exposure": exposure.DARK + exposure.BRIGHT,
    "motion_blur": blur.LENGTH,
    "defocus": blur.RADIUS,
    "low_resolution": resolution.PIXELS,
    "pixelate": resolution.BLOCKS,
    "jpeg": image_codecs.QUALITY,
    "h264": image_codecs.CRF,
    "occlusion": occlusion.OBJECT,
    "hand": occlusion.HAND,
    "crop_jitter": framing.JITTER,
    "off_centre": framing.SHIFT,
    "frame_drop": frames.DROPPED,
    "frame_rate": frames.HELD,
}


def row(name: str) -> list[str]:
    found = re.findall(rf"^\| {name}(?: \(C\))? \|.*\|$", PAGE, re.MULTILINE)
    assert len(found) == 1, f"{name} needs one row"
    return [cell.strip() for cell in found[0].strip("|").split("|")]


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_amounts_are_those_of_the_code(name: str) -> None:
    first, _, given, severities, exact = row(name)
    assert tuple(float(number) for number in re.findall(r"[\d.]+", severities)) == AMOUNTS[name]
    assert (exact == "yes") == PERTURBATIONS[name].exact
    assert first.endswith("(C)") == (PERTURBATIONS[name].source == IMAGENET_C)
    option = re.search(r"`(\w+)`", given)
    assert option is not None
    assert option.group(1) in PERTURBATIONS[name].options.__struct_fields__


@pytest.mark.parametrize("name", [*MASKS, "freeze", "replace_faces"])
def test_options_are_those_of_the_code(name: str) -> None:
    *_, options, exact = row(name)
    assert set(re.findall(r"`(\w+)`", options)) == set(PERTURBATIONS[name].options.__struct_fields__) - {"scope"}
    assert (exact == "yes") == PERTURBATIONS[name].exact
