"""What the audit expects of each perturbation: its name and options, and the spans of the plan, to checks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from asdbench.perturb.audit_applied import Applied, Check, Measure
from asdbench.perturb.audit_faces import FACES, same_shapes
from asdbench.perturb.audit_sound import SOUND
from asdbench.perturb.catalogue import find_perturbation, read_options

_JOINT = "joint"


def checks_of(name: str, options: Any) -> Iterator[tuple[Check, Any]]:
    """Yield the checks of a perturbation, each with the options that it is given.

    Those that hold for all perturbations of a medium come first, then its own, of ``joint`` those of all its parts that
    another part cannot disturb.

    Args:
        name: Name of the perturbation, perhaps with a version.
        options: Its options.
    """
    base = name.partition("@")[0]
    parts = [(base, options)]
    if base == _JOINT:
        found = [(find_perturbation(part.perturbation), part.options) for part in options.parts]
        parts = [(each.name, read_options(each, chosen)) for each, chosen in found]
    known = all(part in SOUND or part in FACES for part, _ in parts)
    # Of a perturbation that the tables do not know, only what holds for all is checked.
    sounds = not known or any(part in SOUND for part, _ in parts)
    sights = [part for part, _ in parts if part in FACES]
    yield (_sound_outside if sounds else _sound_kept), options
    yield (_as_many_faces if sights or not known else _faces_kept), options
    for part, chosen in parts:
        # One change of the faces upon another: what each did can no longer be told apart.
        for check in (*SOUND.get(part, ()), *(FACES.get(part, ()) if len(sights) == 1 else ())):
            yield check, chosen


def _sound_kept(applied: Applied, options: Any) -> Iterator[Measure]:
    same = np.array_equal(applied.audio, applied.new_audio) and applied.new_audio.dtype == np.int16
    yield Measure("sound changed", "tracks", float(not same), 0, 0)


def _faces_kept(applied: Applied, options: Any) -> Iterator[Measure]:
    pairs = zip(applied.faces, applied.new_faces, strict=False)
    differing = sum(not np.array_equal(a, b) for a, b in pairs) + abs(len(applied.faces) - len(applied.new_faces))
    yield Measure("faces changed", "crops", differing, 0, 0)


def _as_many_faces(applied: Applied, options: Any) -> Iterator[Measure]:
    odd = sum(face.dtype != np.uint8 or face.ndim != 2 for face in applied.new_faces)
    yield Measure("crops missing or odd", "crops", odd + abs(len(applied.faces) - len(applied.new_faces)), 0, 0)


def _sound_outside(applied: Applied, options: Any) -> Iterator[Measure]:
    difference = len(applied.new_audio) - len(applied.audio)
    yield Measure("length", "samples more", difference, 0, 0)
    if difference:
        return
    outside = np.ones(len(applied.audio), np.bool_)
    for start, stop in applied.spans:
        outside[start:stop] = False
    leaked = int(np.count_nonzero((applied.audio != applied.new_audio) & outside))
    yield Measure("sound changed outside", "samples", leaked, 0, 0)


FIRST = (_sound_kept, _as_many_faces, _faces_kept, _sound_outside, same_shapes)
"""Checks without which the others make no sense."""
