from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import asdbench
from asdbench.errors import DataError, UnknownNameError, UsageError
from asdbench.types import Float32Array, Int16Array, UInt8Array

CHANGED = [f"{name}@{p}" for name in ("mismatch", "misalign") for p in ("0.25", "0.50", "0.75", "1.00")]


@pytest.fixture(scope="module")
def runs(fixture_root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], asdbench.Run]:
    """Every calibration model under both suites, through the whole pipeline."""
    folder = tmp_path_factory.mktemp("runs")
    return {
        (model, suite): asdbench.run(model, suite, fixture_root, runs=folder, progress=False)
        for model in ("constant", "deaf", "blind", "additive")
        for suite in ("unsync", "modality")
    }


def conditions(run: asdbench.Run) -> dict[str, dict]:
    return {condition["name"]: condition for condition in run.metrics["conditions"]}


def at_all_thresholds(metrics: dict, name: str) -> list:
    return [rates[name] for rates in metrics["at"].values()]


def test_constant_knows_nothing(runs):
    found = conditions(runs["constant", "unsync"])
    for condition in found.values():
        rows, metrics = condition["rows"], condition["metrics"]
        if rows["positive"]:
            base_rate = rows["positive"] / (rows["positive"] + rows["negative"])
            assert metrics["ava"] == pytest.approx(base_rate, rel=1e-15)
            assert metrics["tied_share"] == 1
            assert at_all_thresholds(metrics, "tpr") == at_all_thresholds(metrics, "fpr") == [1.0] * 3
    for name in CHANGED:
        metrics = found[name]["metrics"]
        assert metrics["sync_auroc"] == metrics["sync_winrate"] == 0.5
        assert at_all_thresholds(metrics, "fa_changed") == at_all_thresholds(metrics, "retention") == [1.0] * 3


def test_deaf_does_not_move_with_the_sound(runs):
    for name, condition in conditions(runs["deaf", "unsync"]).items():
        metrics = condition["metrics"]
        if name != "clean":
            assert metrics["sync_auroc"] == metrics["sync_winrate"] == 0.5
            assert at_all_thresholds(metrics, "retention") == [1.0] * 3
            assert at_all_thresholds(metrics, "fa_changed") == at_all_thresholds(metrics, "tpr_same_rows")
    modality = conditions(runs["deaf", "modality"])
    for name in ("silence", "mismatch(track)"):
        assert modality[name]["metrics"]["ap_drop"] == 0
        assert at_all_thresholds(modality[name]["metrics"], "tpr_drop") == [0.0] * 3
    assert modality["lip_mask"]["metrics"]["ap_drop"] != 0


def test_blind_does_not_move_with_the_face(runs):
    modality = conditions(runs["blind", "modality"])
    assert modality["lip_mask"]["metrics"]["ap_drop"] == 0
    assert modality["lip_mask"]["metrics"]["sync_auroc"] == 0.5
    silent = modality["silence"]
    assert silent["metrics"]["tied_share"] == 1
    assert silent["metrics"]["ava"] == silent["rows"]["positive"] / silent["rows"]["total"]


def test_additive_hears_and_sees_but_does_not_compare(runs):
    found = conditions(runs["additive", "unsync"])
    assert found["mismatch@1.00"]["metrics"]["at"]["tpr:0.9"]["retention"] > 0.9
    assert abs(found["resplice@1.00"]["metrics"]["ap_drop"]) < 0.02


def test_at_proportion_one_ap_is_undefined_and_says_why(runs):
    metrics = conditions(runs["additive", "unsync"])["mismatch@1.00"]["metrics"]
    assert "no positive rows remain" in metrics["ap"]["undefined"]
    assert "no positive rows remain" in metrics["at"]["tpr:0.9"]["tpr"]["undefined"]


def test_row_set_does_not_depend_on_the_proportion(runs):
    found = conditions(runs["additive", "unsync"])
    for name in ("mismatch", "misalign"):
        counted = {found[f"{name}@{p}"]["rows"]["ineligible"] for p in ("0.25", "0.50", "0.75", "1.00")}
        assert len(counted) == 1
        assert counted.pop() > 0


def test_tables_are_dataframes(runs):
    run = runs["additive", "unsync"]
    assert list(run.table["condition"]) == ["clean", "resplice@1.00", *CHANGED]
    assert pd.isna(run.table.set_index("condition").loc["mismatch@1.00", "ava"])
    assert set(run.tables) == {
        "robustness", "precision", "thresholds", "shifts", "changes", "audit", "cues", "voiced", "breakdowns",
        "suspects", "reliability", "sources",
    }  # fmt: skip
    assert set(runs["additive", "modality"].tables) >= {"modality"}
    assert "<table" in run._repr_html_()
    with pytest.raises(UnknownNameError, match="did you mean robustness"):
        run.frame("robustnes")
    with pytest.raises(UnknownNameError, match="no condition"):
        run.predictions("mismatch")


def test_predictions_hold_keys_labels_and_scores(runs, fixture_dataset):
    rows = runs["additive", "unsync"].predictions("mismatch@0.50")
    assert len(rows) == sum(map(len, fixture_dataset.tracks))
    assert rows.duplicated(["video_id", "entity_id", "timestamp_ms"]).sum() == 0
    keys = [tuple(key) for key in rows[["video_id", "entity_id", "timestamp_ms"]].itertuples(index=False)]
    assert keys == sorted(keys)
    assert set(rows["label_after"]) == {-1, 0, 1}
    assert (rows.loc[rows["changed"], "label_after"] == 0).all()
    assert (rows.loc[~rows["eligible"], "label_after"] == -1).all()


def test_a_run_can_be_opened_and_scored_again(runs):
    run = runs["additive", "unsync"]
    opened = asdbench.open_run(run.path)
    assert opened.metrics == run.metrics == asdbench.score(run.path).metrics
    assert opened.conclusion == run.conclusion
    with pytest.raises(DataError, match="not a run folder"):
        asdbench.open_run(run.path / "tables")


class Loud:
    """A user's own object: scores by loudness of the whole track."""

    def score_track(self, audio: Int16Array, faces: Sequence[UInt8Array], fps: float) -> Float32Array:
        return np.full(len(faces), np.abs(audio.astype(float)).mean() / 1000, np.float32)


def test_a_models_own_object_can_be_run(fixture_root: Path, tmp_path: Path):
    run = asdbench.run(Loud(), "clean", fixture_root, out=tmp_path / "run", progress=False)
    assert run.model == "Loud"
    assert run.record["config"]["data"]["source"] == "argument"
    with pytest.raises(UsageError, match="no method score_track"):
        asdbench.run(object(), "clean", fixture_root, progress=False)  # type: ignore[arg-type]


def test_nothing_given_is_the_demo(standin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    run = asdbench.run(suite="clean", progress=False)
    assert run.model == "light-asd.demo"
    assert run.record["config"]["checkpoint"] == {"value": "light-asd.demo", "source": "demo"}
    assert run.record["model"]["checkpoint_sha256"] == asdbench.load_model(checkpoint=run.model).checkpoint_sha256
    with pytest.raises(UsageError, match="no data set given"):
        asdbench.run(Loud(), "clean", progress=False)


def test_each_part_can_be_used_alone_in_three_lines(fixture_dataset):
    track = fixture_dataset.tracks[0]
    model = asdbench.load_model("additive").scorer
    scores = model.score_track(track.media.audio(), track.media.faces(), track.fps)
    assert scores.shape == (len(track),)

    from asdbench.perturb import misalign

    late = misalign(track.media.audio(), 8000, 16000, shift=3200)
    np.testing.assert_array_equal(late[9000:15000], track.media.audio()[5800:11800])

    from asdbench.metrics import average_precision

    assert 0 < average_precision(track.labels, scores) <= 1


def test_one_class_is_refused_before_any_inference(fixture_copy: Path, tmp_path: Path):
    annotation = fixture_copy / "csv" / "val_orig.csv"
    text = annotation.read_text().replace("SPEAKING_NOT_AUDIBLE", "NOT_SPEAKING")
    annotation.write_text(text.replace("SPEAKING_AUDIBLE", "NOT_SPEAKING"))
    with pytest.raises(DataError, match=r"0 of the [\d,]+ frames .* frames of both kinds"):
        asdbench.run("additive", "clean", fixture_copy, out=tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def test_public_names():
    assert set(asdbench.__all__) == {
        "Adapter", "Run", "__version__", "compare", "demo", "load_model", "load_suite", "open_dataset", "open_run",
        "run", "score", "train",
    }  # fmt: skip
    assert all(inspect.getdoc(getattr(asdbench, name)) for name in asdbench.__all__ if name != "__version__")
    assert set(asdbench.__all__) <= set(dir(asdbench))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = asdbench.nonsense
