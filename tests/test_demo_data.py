"""The calibration models on the demo data: what they must get is known beforehand (docs/method.md, section 6)."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from typing import Any

import numpy as np
import pytest

import asdbench
from asdbench.data import SHIPPED_DATA, shared_videos, shipped_data
from asdbench.data.oracle import Oracle
from asdbench.resources import resource_folder
from asdbench.types import Dataset
from tools.measure_visemes import lip_opening, openings

CHANGED = [f"{kind}@{share}" for kind in ("mismatch", "misalign") for share in ("0.25", "0.50", "0.75", "1.00")]
MODELS = {"oracle": "asdbench.data.oracle:Oracle", "constant": "constant", "deaf": "deaf", "blind": "blind"}


@pytest.fixture(scope="module")
def demo() -> Dataset:
    return asdbench.open_dataset("demo-val")


@pytest.fixture(scope="module")
def unsync(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Model -> condition -> its part of metrics.json."""
    folder = tmp_path_factory.mktemp("runs")
    runs = {
        name: asdbench.run(model, "unsync", "demo-val", runs=folder, progress=False)
        for name, model in MODELS.items()
        if name != "blind"
    }
    return {name: {c["name"]: c for c in run.metrics["conditions"]} for name, run in runs.items()}


def at_all_thresholds(condition: dict[str, Any], name: str) -> list[Any]:
    return [rates[name] for rates in condition["metrics"]["at"].values()]


def test_the_oracle_knows_who_speaks(unsync: dict[str, dict[str, Any]]) -> None:
    clean = unsync["oracle"]["clean"]
    assert clean["metrics"]["ava"] > 0.99
    assert min(at_all_thresholds(clean, "tpr")) > 0.99
    assert max(at_all_thresholds(clean, "fpr")) < 0.01


@pytest.mark.parametrize("condition", [*CHANGED, "dubbed"])
def test_the_oracle_is_not_deceived(unsync: dict[str, dict[str, Any]], condition: str) -> None:
    found = unsync["oracle"][condition]
    assert found["rows"]["changed"] > 100
    assert max(at_all_thresholds(found, "fa_changed")) < 0.03
    assert max(at_all_thresholds(found, "fa_changed_inner")) < 0.02
    if condition != "dubbed":
        assert max(at_all_thresholds(found, "retention")) < 0.03
        assert found["metrics"]["sync_auroc"] > 0.97


def test_the_control_does_not_deceive_the_oracle_either(unsync: dict[str, dict[str, Any]]) -> None:
    control = unsync["oracle"]["resplice@1.00"]
    assert min(at_all_thresholds(control, "retention")) > 0.98
    assert abs(control["metrics"]["ap_drop"]) < 0.01
    assert abs(control["metrics"]["sync_auroc"] - 0.5) < 0.01


def test_the_oracles_synchrony_has_one_sharp_peak_at_zero(demo: Dataset) -> None:
    oracle = Oracle()
    offsets = [-1000, -600, -400, -200, -120, -80, -40, 0, 40, 80, 120, 200, 400, 600, 1000]
    speaking = [track for track in demo.tracks if track.labels.any()][:6]
    totals = np.zeros(len(offsets))
    for track in speaking:
        audio, faces = track.media.audio(), track.media.faces()
        padded = np.pad(audio, 16_000)
        for position, ms in enumerate(offsets):
            late = padded[16_000 - ms * 16 :][: len(audio)]
            totals[position] += oracle.score_track(late, faces, track.fps)[track.labels == 1].sum()
    curve = totals / sum(int(track.labels.sum()) for track in speaking)
    peak = offsets.index(0)
    assert curve[peak] > 3.9
    assert np.delete(curve, peak).max() < 0
    assert np.delete(curve, [peak - 1, peak, peak + 1]).max() < -2


def test_the_deaf_hear_no_change(unsync: dict[str, dict[str, Any]]) -> None:
    for name in ("resplice@1.00", *CHANGED):
        found = unsync["deaf"][name]
        assert found["metrics"]["sync_auroc"] == found["metrics"]["sync_winrate"] == 0.5
        assert at_all_thresholds(found, "retention") == [1.0] * 3
    # Lips that articulate are all that they see: a dubbed face speaks as often as a speaking one, more or less.
    assert at_all_thresholds(unsync["deaf"]["dubbed"], "fa_changed")[0] > 0.5


def test_the_constant_is_at_the_base_rate(unsync: dict[str, dict[str, Any]]) -> None:
    found = unsync["constant"]
    for name in ("clean", "resplice@1.00", "mismatch@0.50", "dubbed"):
        rows = found[name]["rows"]
        base_rate = rows["positive"] / (rows["positive"] + rows["negative"])
        assert found[name]["metrics"]["ava"] == pytest.approx(base_rate, rel=1e-12)
    assert found["dubbed"]["rows"]["negative"] == found["clean"]["rows"]["negative"] + found["clean"]["rows"]["ignored"]
    assert found["mismatch@1.00"]["metrics"]["sync_auroc"] == 0.5
    assert at_all_thresholds(found["dubbed"], "fa_changed") == [1.0] * 3


def test_the_blind_see_no_mask(tmp_path_factory: pytest.TempPathFactory) -> None:
    run = asdbench.run("blind", "modality", "demo-val", runs=tmp_path_factory.mktemp("runs"), progress=False)
    found = {c["name"]: c for c in run.metrics["conditions"]}
    for name in ("lip_mask", "upper_mask", "face_mask", "freeze", "replace_faces"):
        assert found[name]["metrics"]["ap_drop"] == 0, name
        assert found[name]["metrics"]["sync_auroc"] == 0.5, name
        assert at_all_thresholds(found[name], "tpr_drop") == [0.0] * 3, name
    silent = found["silence"]
    counted = silent["rows"]["positive"] + silent["rows"]["negative"]
    assert silent["metrics"]["ava"] == pytest.approx(silent["rows"]["positive"] / counted, rel=1e-12)


def test_a_masked_mouth_leaves_the_oracle_as_it_is(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("runs")
    run = asdbench.run(MODELS["oracle"], "modality", "demo-val", runs=folder, progress=False)
    found = {c["name"]: c for c in run.metrics["conditions"]}
    assert found["lip_mask"]["metrics"]["ap_drop"] == 0
    assert found["mismatch(track)"]["metrics"]["at"]["fixed:0.5"]["tpr"] < 0.03
    assert found["silence"]["metrics"]["at"]["fixed:0.5"]["tpr"] == 0


@pytest.mark.parametrize("name", SHIPPED_DATA)
def test_the_shipped_files_are_those_of_the_checksums(name: str) -> None:
    folder = shipped_data(name)
    sums = dict(reversed(line.split("  ")) for line in (folder / "SHA256SUMS").read_text().splitlines())
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    assert sums.keys() == files.keys() - {"SHA256SUMS"}
    for file, digest in sums.items():
        assert hashlib.sha256(files[file].read_bytes()).hexdigest() == digest, file


def test_what_is_trained_on_is_not_measured_on(demo: Dataset) -> None:
    training = asdbench.open_dataset("demo-train")
    assert (training.name, len(training.tracks)) == ("demo-train", 117)
    assert not shared_videos(training, demo)
    assert shared_videos(training, training) == sorted({track.video_id for track in training.tracks})
    sentences = [
        {part for track in each.tracks for part in (track.sentence_id or "").split("+")} for each in (training, demo)
    ]
    assert sentences[0] & sentences[1] == {""}
    # A run on it says so wherever its numbers are shown.
    assert any("train on these tracks" in note for note in training.notes)
    assert not any("train on these tracks" in note for note in demo.notes)


def test_nobody_dubs_what_is_trained_on() -> None:
    training = asdbench.open_dataset("demo-train")
    assert all(track.dubbed is None for track in training.tracks)
    assert 0.35 < sum(int(t.labels.sum()) for t in training.tracks) / sum(map(len, training.tracks)) < 0.45


def test_the_mix_is_the_documented_one(demo: Dataset) -> None:
    folder = resource_folder("baselines") / "demo" / "demo-val"
    with (folder / "tracks.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    kinds = Counter(row["kind"] for row in rows)
    assert len(demo.tracks) == len(rows) == 72
    assert 0.38 <= kinds["speaking"] / 72 <= 0.42
    assert 0.14 <= kinds["dubbed"] / 72 <= 0.16
    assert min(kinds[kind] for kind in ("off-screen", "silence", "chewing", "smiling")) >= 5
    assert 0.2 <= sum(row["egocentric"] == "1" for row in rows) / 72 <= 0.4
    assert len({row["person_id"] for row in rows}) == 72
    seconds = [len(track) / track.fps for track in demo.tracks]
    assert 6 <= min(seconds) <= max(seconds) <= 8
    assert {track.video_id for track in demo.tracks if track.dubbed is not None} == {
        row["video_id"] for row in rows if row["kind"] == "dubbed"
    }


def test_lips_meet_on_p_b_m_and_open_on_vowels() -> None:
    found = openings(resource_folder("baselines") / "demo" / "demo-val")
    assert min(len(found.closed), len(found.open)) > 50
    assert found.ratio < 0.20
    assert found.open.mean() > 0.005


def test_the_lip_opening_is_the_dark_blob_between_the_lips() -> None:
    face = np.full((112, 112), 150, np.uint8)
    assert lip_opening(face) == 0
    face[88:90, 40:70] = 30  # a lip line
    assert lip_opening(face) == 0
    face[84:94, 40:70] = 30  # an open mouth
    assert lip_opening(face) == pytest.approx(300 / 112**2, rel=0.1)
