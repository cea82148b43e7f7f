"""Further plans cost sound alone: faces are embedded once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from asdbench.adapters.calibration import Additive
from asdbench.engine.tracks import TrackEvaluator
from asdbench.perturb.plan import plan
from asdbench.perturb.repeats import with_repeats
from asdbench.suites import load_suite
from asdbench.types import Dataset, Float32Array, UInt8Array


class Counting(Additive):
    """Counts how often faces are embedded."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def embed_faces(self, faces: Sequence[UInt8Array]) -> Float32Array:
        self.seen += 1
        return super().embed_faces(faces)


def test_faces_are_embedded_once_whatever_the_number_of_plans(fixture_dataset: Dataset) -> None:
    suite, tracks = load_suite("unsync"), fixture_dataset.tracks
    track = max(tracks, key=lambda each: len(each.speaking_runs))
    first = plan(tracks, suite)
    found = {}
    for count in (1, 3):
        model = Counting()
        evaluator = TrackEvaluator(model, with_repeats(first, tracks, suite, None, count), tracks, "counting")
        found[count] = evaluator.evaluate(track).scores
        assert model.seen == 1
    assert set(found[3]) == {*found[1], *(f"{name}~{n}" for name in found[1] if name != "clean" for n in (2, 3))}
    for name, scores in found[1].items():
        np.testing.assert_array_equal(found[3][name], scores)
    assert not np.array_equal(found[3]["mismatch@1.00"], found[3]["mismatch@1.00~2"])
