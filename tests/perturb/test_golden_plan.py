"""The plan of a released suite on shipped data never changes."""

from __future__ import annotations

from asdbench.config import DEMO_DATA
from asdbench.data import open_dataset
from asdbench.perturb import plan
from asdbench.suites import load_suite
from tests.conftest import ROOT

UNSYNC_ON_DEMO_VAL = "efb4a0a07847f49d357c9eda01a947b5c356176d1ee00f910a48173ce386c7d6"


def test_unsync_on_the_demo_data_is_as_released() -> None:
    tracks = open_dataset(ROOT / "baselines" / "demo" / DEMO_DATA).tracks
    assert plan(tracks, load_suite("unsync@1")).sha256 == UNSYNC_ON_DEMO_VAL
