"""Models score what was written as they score on the fly, and predictions come back as the same numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import asdbench
from asdbench.adapters import LoadedModel, load_model
from asdbench.api import score_predictions
from asdbench.data import open_dataset
from asdbench.engine.lender import TrackLender
from asdbench.engine.tracks import TrackEvaluator
from asdbench.materialize import MaterializedSet, materialize
from asdbench.perturb.edits import edit_audio, edit_faces, split_media
from asdbench.perturb.plan import plan
from asdbench.records.predictions import file_stem
from asdbench.report.run import Run
from asdbench.suites import load_suite

TOLERANCE = 1e-5


def assert_same_scores(model: LoadedModel, suite: str, data: str | Path, made: MaterializedSet, limit: int) -> None:
    """Score every track on the fly, and every folder of a set as if it were a data set of its own."""
    dataset, clean = open_dataset(data), load_suite("clean")
    on_the_fly = TrackEvaluator(model.scorer, plan(dataset.tracks, load_suite(suite)), dataset.tracks, model.name)
    here = {track.key: on_the_fly.evaluate(track).scores for track in dataset.tracks[:limit]}
    for condition in made.conditions:
        written = open_dataset(made.path / condition)
        assert [track.key for track in written.tracks] == list(here)
        evaluator = TrackEvaluator(model.scorer, plan(written.tracks, clean), written.tracks, model.name)
        for track in written.tracks:
            expected, found = here[track.key][condition], evaluator.evaluate(track).scores["clean"]
            wrong = np.abs(found - expected) > TOLERANCE * np.maximum(1, np.abs(expected))
            assert not wrong.any(), f"{condition}, {track.key}: {wrong.sum()} of {len(wrong)} scores differ"


# The second track speaks, which matters to unsync alone; modality has many conditions.
@pytest.mark.parametrize(("suite", "limit"), [("unsync", 2), ("modality", 1)])
def test_the_demo_model_on_the_demo_data(suite: str, limit: int, tmp_path: Path):
    model = load_model("light-asd", "light-asd.demo", "cpu", {})
    made = materialize("demo-val", suite, out=tmp_path / "set", limit=limit, workers=1)
    assert_same_scores(model, suite, "demo-val", made, limit)


@pytest.mark.slow
@pytest.mark.parametrize(("suite", "limit"), [("unsync", 6), ("modality", 2)])
def test_the_official_model_on_real_clips(suite: str, limit: int, shared: Path, tmp_path: Path):
    data = shared / "clips" / "ava_layout"
    model = load_model("light-asd", next((shared / "weights" / "light-asd").glob("*AVA*")), "cpu", {})
    made = materialize(data, suite, out=tmp_path / "set", limit=limit, workers=1)
    assert_same_scores(model, suite, data, made, limit)


@pytest.mark.slow
@pytest.mark.parametrize("suite", ["unsync", "modality"])
def test_the_media_of_real_clips_are_the_edited_ones(suite: str, shared: Path, tmp_path: Path):
    dataset = open_dataset(shared / "clips" / "ava_layout")
    resolved, lender = plan(dataset.tracks, load_suite(suite)), TrackLender(dataset.tracks)
    made = materialize(shared / "clips" / "ava_layout", suite, out=tmp_path / "set", workers=1)
    assert list(made.conditions) == [each.condition.name for each in resolved.conditions]
    for each in resolved.conditions:
        written = open_dataset(made.path / each.condition.name)
        for track, there in zip(dataset.tracks, written.tracks, strict=True):
            audio, faces = split_media(each.edits(track.key))
            expected = edit_audio(track.media.audio(), audio, track.media, lender)
            np.testing.assert_array_equal(there.media.audio(), expected)
            crops = edit_faces(track.media.faces(), faces, lender, track.face_in_crop)
            for found, crop in zip(there.media.faces(), crops, strict=True):
                np.testing.assert_array_equal(found, crop)


def export(run: Run, folder: Path, header: bool, probabilities: bool = False) -> Path:
    """Write the predictions of a run as other code would, in no particular order."""
    folder.mkdir()
    names = "video_id,frame_timestamp,entity_box_x1,entity_box_y1,entity_box_x2,entity_box_y2,label,entity_id,score"
    for condition in run.conditions:
        rows = run.read(condition)
        values = rows.score.astype(np.float64)
        values = 1 / (1 + np.exp(-values)) if probabilities else values
        lines = [
            f"{rows.video_id[i]},{rows.timestamp_ms[i] / 1000:.2f},0,0,1,1,SPEAKING_AUDIBLE,{rows.entity_id[i]},"
            f"{values[i]:.17g}\n"
            for i in np.random.default_rng(0).permutation(len(rows))
        ]
        (folder / f"{file_stem(condition)}.csv").write_text(f"{names}\n" * header + "".join(lines))
    return folder


@pytest.fixture(scope="session")
def scored(fixture_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The model without weights, on the fly on the generated data."""
    return asdbench.run(
        "additive", "unsync", fixture_root, progress=False, out=tmp_path_factory.mktemp("scored") / "run"
    )


@pytest.mark.parametrize("header", [True, False])
def test_predictions_come_back_as_the_same_numbers(
    header: bool, scored: Run, unsync_set: MaterializedSet, tmp_path: Path
):
    given = export(scored, tmp_path / "pred", header)
    back = score_predictions(unsync_set.path, given, scores="logit", name="mine", out=tmp_path / "run")
    predictions = [f"predictions/{file_stem(c)}.parquet" for c in scored.conditions]
    for name in ("metrics.json", "plan.parquet", "rows.parquet", *predictions):
        assert (back.path / name).read_bytes() == (scored.path / name).read_bytes(), name
    assert back.record["activity"] == scored.record["activity"]
    assert {"voiced", "activity", "lips"} <= set(back.read("clean").optional)
    assert (back.path / "report.md").is_file()
    assert (back.path / "tables" / "robustness.csv").read_bytes() == (
        scored.path / "tables" / "robustness.csv"
    ).read_bytes()
    assert back.model == "mine"
    for part in ("data", "suite", "plan_sha256", "limit"):
        assert back.record["identity"][part] == scored.record["identity"][part]


def test_the_predictions_of_a_run_folder(scored: Run, unsync_set: MaterializedSet, tmp_path: Path):
    back = score_predictions(unsync_set.path, scored.path, scores="logit", out=tmp_path / "run")
    assert (back.path / "metrics.json").read_bytes() == (scored.path / "metrics.json").read_bytes()


def test_probabilities_come_back_as_log_odds(scored: Run, unsync_set: MaterializedSet, tmp_path: Path):
    given = export(scored, tmp_path / "pred", header=True, probabilities=True)
    back = score_predictions(unsync_set.path, given, scores="probability", out=tmp_path / "run")
    for condition in scored.conditions:
        np.testing.assert_allclose(back.read(condition).score, scored.read(condition).score, rtol=1e-4, atol=1e-5)
    assert back.record["model"]["clipped_probabilities"] == 0


def test_clipped_probabilities_are_counted_and_said(unsync_set: MaterializedSet, tmp_path: Path):
    rows = unsync_set.rows("clean")
    lines = [
        f"{rows.video_id[i]},{rows.timestamp_ms[i] / 1000:.2f},0,0,1,1,X,{rows.entity_id[i]},{[1, 0, 0.5][i % 3]}\n"
        for i in range(len(rows))
    ]
    (tmp_path / "clean.csv").write_text("".join(lines))
    back = score_predictions(unsync_set.path, tmp_path / "clean.csv", scores="probability", out=tmp_path / "run")
    clipped = sum(i % 3 < 2 for i in range(len(rows)))
    assert back.record["model"]["clipped_probabilities"] == clipped
    assert any(f"{clipped:,} of {len(rows):,} probabilities" in warning for warning in back.warnings)
    assert set(np.unique(back.read("clean").score)) == {-30.0, 0.0, 30.0}


def test_conditions_without_predictions_are_left_out_and_said(scored: Run, unsync_set: MaterializedSet, tmp_path: Path):
    given = export(scored, tmp_path / "pred", header=True)
    for path in given.glob("misalign*"):
        path.unlink()
    said: list[str] = []
    back = score_predictions(unsync_set.path, given, scores="logit", out=tmp_path / "run", notify=said.append)
    assert not [name for name in back.conditions if name.startswith("misalign")]
    assert "mismatch@1.00" in back.conditions
    assert "misalign@0.25" in said[0]
    assert any("misalign@0.25" in warning for warning in back.warnings)
    whole = {each["name"]: each for each in scored.metrics["conditions"]}
    assert all(whole[each["name"]] == each for each in back.metrics["conditions"])


def test_other_predictions_are_another_run(scored: Run, unsync_set: MaterializedSet, tmp_path: Path):
    given = export(scored, tmp_path / "pred", header=True)
    first = score_predictions(unsync_set.path, given, scores="logit", runs=tmp_path / "runs")
    again = score_predictions(unsync_set.path, given, scores="logit", runs=tmp_path / "runs")
    assert again.path == first.path
    text = (given / "clean.csv").read_text().splitlines()
    text[1] = text[1].rpartition(",")[0] + ",0.125"
    (given / "clean.csv").write_text("\n".join(text))
    assert score_predictions(unsync_set.path, given, scores="logit", runs=tmp_path / "runs").path != first.path


def test_given_predictions_can_be_compared_with_a_run(scored: Run, unsync_set: MaterializedSet, tmp_path: Path):
    from asdbench.report.contrast import contrast

    back = score_predictions(unsync_set.path, scored.path, scores="logit", name="mine", out=tmp_path / "run")
    assert contrast([scored, back]).models == ("additive", "mine")


def test_a_track_that_a_broken_donor_left_out_needs_no_prediction(fixture_copy: Path, tmp_path: Path):
    dataset = open_dataset(fixture_copy)
    broken = dataset.tracks[0]
    (fixture_copy / "clips_audios" / "val" / broken.video_id / f"{broken.entity_id}.wav").write_bytes(b"RIFF")
    on_the_fly = asdbench.run("additive", "unsync", fixture_copy, on_error="skip", progress=False, out=tmp_path / "run")
    made = materialize(fixture_copy, "unsync", out=tmp_path / "set", workers=1, on_error="skip")
    assert made.manifest["counts"]["incomplete_tracks"] > 0, "no track had this donor, so nothing is tested"
    back = score_predictions(made.path, on_the_fly.path, scores="logit", out=tmp_path / "back")
    assert (back.path / "metrics.json").read_bytes() == (on_the_fly.path / "metrics.json").read_bytes()


def test_dubbed_predictions_may_be_those_of_the_clean_condition(tmp_path: Path):
    dubbed = next(i for i, track in enumerate(open_dataset("demo-val").tracks) if track.dubbed is not None)
    on_the_fly = asdbench.run("additive", "clean", "demo-val", limit=dubbed + 1, progress=False, out=tmp_path / "run")
    made = materialize("demo-val", "clean", out=tmp_path / "set", workers=1, limit=dubbed + 1)
    given = export(on_the_fly, tmp_path / "pred", header=True)
    (given / "dubbed.csv").unlink()
    back = score_predictions(made.path, given, scores="logit", out=tmp_path / "back")
    assert (back.path / "metrics.json").read_bytes() == (on_the_fly.path / "metrics.json").read_bytes()
    assert any("serve for dubbed too" in warning for warning in back.warnings)
