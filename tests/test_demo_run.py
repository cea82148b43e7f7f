"""The demo with what is really shipped: data, checkpoints, their cards, and what the tool says about them.

Where nothing is shipped yet these tests skip, but not in CI.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import asdbench
from asdbench.checkpoints.cards import model_cards
from asdbench.checkpoints.identify import identify
from asdbench.checkpoints.shipped import checkpoint_path
from asdbench.config import DEMO_CHECKPOINTS, DEMO_DATA
from asdbench.report.contrast import Contrast

BASELINES = Path(__file__).resolve().parent.parent / "baselines"
WORDS = "Results on demo data show the mechanics and sanity-rank checkpoints; they stand for no benchmark."
FEW = 6
"""Tracks with frames of both kinds among them, for the quick tests."""

LEAST_AP = 0.95
MOST_AP_LOST = 0.03
LEAST_CONTRAST = 0.20
"""How much lower the retention of the second checkpoint is under another person's voice."""

pytestmark = pytest.mark.skipif(
    not (BASELINES / "demo" / DEMO_DATA).is_dir() and not os.environ.get("ASDBENCH_REQUIRE_SHARED"),
    reason="the demo data are not shipped yet",
)


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", DEMO_CHECKPOINTS)
def test_a_shipped_checkpoint_is_the_one_of_its_card(name: str):
    card = next(card for card in model_cards() if card.name == name)
    path = checkpoint_path(name)
    assert path == (BASELINES / str(card.file)).resolve()
    info = identify(path)
    assert (info.name, info.architecture, info.face_size) == (name, "light-asd", 56)
    assert (info.parameters, card.licence) == (card.parameters, "Apache-2.0")
    assert "56" in str(card.note)
    assert asdbench.load_model(checkpoint=name).name == name


def test_the_shipped_data_open_by_name_and_say_what_they_are_worth():
    dataset = asdbench.open_dataset(DEMO_DATA)
    assert dataset.name == DEMO_DATA
    assert len(dataset.tracks) == 72
    assert len({track.video_id for track in dataset.tracks}) == 35
    assert any(track.dubbed is not None for track in dataset.tracks)
    assert WORDS in dataset.notes


def test_a_run_that_names_nothing_works_in_an_empty_folder():
    run = asdbench.run(limit=FEW, progress=False)
    assert (run.model, run.record["data"]["name"]) == (DEMO_CHECKPOINTS[0], DEMO_DATA)
    assert WORDS in run.warnings
    assert WORDS in (run.path / "report.md").read_text().replace("\\", "")
    assert {"clean", "mismatch@1.00", "dubbed"} <= set(run.conditions)


def test_the_demo_works_in_an_empty_folder():
    found = asdbench.demo(limit=FEW, progress=False)
    assert found.models == DEMO_CHECKPOINTS
    assert WORDS in found.warnings
    assert WORDS in Path("runs/demo-unsync/contrast.md").read_text().replace("\\", "")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Contrast:
    return asdbench.demo(out=tmp_path_factory.mktemp("demo"), progress=False)


@pytest.mark.slow
def test_both_checkpoints_find_who_speaks(whole: Contrast):
    plain, sync = (whole.values("clean", "ava")[name] for name in DEMO_CHECKPOINTS)
    assert min(plain, sync) >= LEAST_AP
    assert plain - sync <= MOST_AP_LOST


@pytest.mark.slow
def test_the_demo_shows_a_contrast(whole: Contrast):
    voices, late = (
        [whole.values(name, "retention")[model] for model in DEMO_CHECKPOINTS]
        for name in ("mismatch@1.00", "misalign@1.00")
    )
    assert voices[0] - voices[1] >= LEAST_CONTRAST
    assert late[0] > late[1]
    assert f"{DEMO_CHECKPOINTS[1]} is misled less often than {DEMO_CHECKPOINTS[0]}" in whole.conclusion


@pytest.mark.slow
def test_dubbed_faces_are_a_condition_of_their_own(whole: Contrast):
    assert "dubbed" in whole.conditions
    assert set(whole.values("dubbed", "fa_changed")) == set(DEMO_CHECKPOINTS)
