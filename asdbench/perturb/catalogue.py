"""All perturbations by name; what a suite calls one, and what its options may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from asdbench.errors import UsageError
from asdbench.perturb.absence import ABSENCE
from asdbench.perturb.blur import BLUR
from asdbench.perturb.channel import CHANNEL
from asdbench.perturb.codecs import CODECS
from asdbench.perturb.exposure import EXPOSURE
from asdbench.perturb.frames import FRAMES
from asdbench.perturb.framing import FRAMING
from asdbench.perturb.image_codecs import IMAGE_CODECS
from asdbench.perturb.joint import JOINT
from asdbench.perturb.noise import NOISE
from asdbench.perturb.occlusion import OCCLUSION
from asdbench.perturb.published import PUBLISHED
from asdbench.perturb.recordings import RECORDINGS
from asdbench.perturb.replacement_audio import REPLACEMENT_AUDIO
from asdbench.perturb.replacement_faces import REPLACEMENT_FACES
from asdbench.perturb.resolution import RESOLUTION
from asdbench.perturb.synchrony import SYNCHRONY
from asdbench.perturb.targets import Perturbation, Scope
from asdbench.perturb.timing import TIMING
from asdbench.perturb.voices import VOICES
from asdbench.registry import unknown_name
from asdbench.types import Condition, Suite

_AUDIO = (
    *TIMING,
    *PUBLISHED,
    *REPLACEMENT_AUDIO,
    *VOICES,
    *NOISE,
    *RECORDINGS,
    *CHANNEL,
    *CODECS,
)

_VISUAL = (
    *FRAMES,
    *REPLACEMENT_FACES,
    *EXPOSURE,
    *BLUR,
    *RESOLUTION,
    *IMAGE_CODECS,
    *OCCLUSION,
    *FRAMING,
)

PERTURBATIONS = {each.name: each for each in (*SYNCHRONY, *_AUDIO, *ABSENCE, *_VISUAL, *JOINT)}
"""The current version of each perturbation, by name."""

_EARLIER: tuple[Perturbation, ...] = ()
"""Versions that older suites name and that this release still computes."""

_BY_LABEL = {each.label: each for each in (*_EARLIER, *PERTURBATIONS.values())}


def find_perturbation(name: str) -> Perturbation:
    """Return a perturbation by name, or by name and version (``mismatch@1``).

    Raises:
        UnknownNameError: No such perturbation, or not in this version.
    """
    found = PERTURBATIONS.get(name) or _BY_LABEL.get(name)
    if found is None:
        raise unknown_name("perturbation", name, [*PERTURBATIONS, *_BY_LABEL] if "@" in name else PERTURBATIONS)
    return found


def read_options(perturbation: Perturbation, options: Mapping[str, Any]) -> Any:
    """Return the options of a perturbation, checked, those of its parts too.

    Raises:
        UnknownNameError: A part is no known perturbation.
        UsageError: An option is unknown or out of range.
    """
    try:
        found = msgspec.convert(dict(options), perturbation.options)
    except msgspec.ValidationError as error:
        raise UsageError(f"options of {perturbation.name!r}: {error}.") from error
    for part in getattr(found, "parts", ()):
        read_options(find_perturbation(part.perturbation), part.options)
    return found


def read_condition(suite: Suite, condition: Condition) -> tuple[Perturbation, Any]:
    """Return the perturbation of a condition, and its options, checked.

    Raises:
        UnknownNameError: No such perturbation; the message names file and condition.
        UsageError: An option is unknown or out of range; likewise.
    """
    try:
        found = find_perturbation(condition.perturbation or "")
        return found, read_options(found, condition.options)
    except UsageError as error:
        raise type(error)(f"suite {suite.file or suite.label}, condition {condition.name!r}: {error}") from error


def scope_of(perturbation: Perturbation, options: Any) -> Scope:
    """Return whether runs or whole tracks are changed; faces of a ``scene`` belong to a whole track."""
    chosen = getattr(options, "scope", perturbation.scope)
    return "run" if chosen == "run" else "track"
