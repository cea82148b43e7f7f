"""A run folder never answers for another model, other media, or another process."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock

import asdbench
from asdbench.errors import DataError, NotComparableError, ResourceError, UsageError
from asdbench.types import Float32Array, Int16Array, UInt8Array


class Level:
    """Scores everything alike, as high as its weights say."""

    def __init__(self, level: float, fingerprint: str | None = None) -> None:
        self.level = level
        if fingerprint:
            self.fingerprint = fingerprint

    def score_track(self, audio: Int16Array, faces: Sequence[UInt8Array], fps: float) -> Float32Array:
        return np.full(len(faces), self.level, np.float32)


def run(model: object, data: Path, **settings: object) -> asdbench.Run:
    return asdbench.run(model, "clean", data, progress=False, **settings)  # type: ignore[arg-type]


def test_two_objects_of_one_class_are_two_models(fixture_root: Path, tmp_path: Path):
    runs = [run(Level(level), fixture_root, runs=tmp_path) for level in (1, 2)]
    assert [found.predictions()["score"].iloc[0] for found in runs] == [1, 2]


def test_a_fingerprint_lets_an_object_continue(fixture_root: Path, tmp_path: Path):
    paths = [run(Level(1, text), fixture_root, runs=tmp_path).path for text in ("a", "a", "b")]
    assert paths[0] == paths[1] != paths[2]


def test_a_loaded_model_can_be_run(fixture_root: Path, tmp_path: Path):
    loaded = asdbench.load_model("blind")
    assert run(loaded, fixture_root, runs=tmp_path).path == run("blind", fixture_root, runs=tmp_path).path


def test_an_object_takes_no_checkpoint(fixture_root: Path, tmp_path: Path):
    with pytest.raises(UsageError, match="leave both out"):
        run(Level(1), fixture_root, checkpoint=tmp_path / "a.model")


def test_a_version_must_be_a_number(fixture_root: Path):
    model = Level(1)
    model.version = "1.0"  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match=r"version = '1.0'; expected a whole number"):
        run(model, fixture_root)


def spoil(data: Path) -> None:
    wav = sorted((data / "clips_audios").rglob("*.wav"))[0]
    wav.write_bytes(wav.read_bytes() + b"\0\0")


def test_a_complete_run_does_not_answer_for_other_media(fixture_copy: Path, tmp_path: Path):
    run("blind", fixture_copy, out=tmp_path / "run")
    spoil(fixture_copy)
    with pytest.raises(NotComparableError, match=r"media of 1 tracks have changed .* choose another --out"):
        run("blind", fixture_copy, out=tmp_path / "run")


def test_an_unfinished_run_does_not_continue_with_other_media(
    fixture_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("asdbench.jobs.finish.write_report", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        run("blind", fixture_copy, out=tmp_path / "run")
    spoil(fixture_copy)
    with pytest.raises(NotComparableError, match="have changed"):
        run("blind", fixture_copy, out=tmp_path / "run")


def hold(path: str, held: object, done: object) -> None:
    with FileLock(path):
        held.set()  # type: ignore[attr-defined]
        done.wait(60)  # type: ignore[attr-defined]


def test_a_second_process_is_told(fixture_root: Path, tmp_path: Path):
    folder = tmp_path / "run"
    folder.mkdir()
    context = multiprocessing.get_context("spawn")
    held, done = context.Event(), context.Event()
    other = context.Process(target=hold, args=(str(folder / ".lock"), held, done))
    other.start()
    try:
        assert held.wait(60)
        with pytest.raises(ResourceError, match="another process is writing this run"):
            run("blind", fixture_root, out=folder)
        with pytest.raises(ResourceError, match="another process"):
            run("blind", fixture_root, out=folder)
    finally:
        done.set()
        other.join()
    assert run("blind", fixture_root, out=folder).record["state"] == "complete"
    assert not (folder / ".lock").exists()


def test_what_a_killed_first_write_leaves_is_no_foreign_folder(fixture_root: Path, tmp_path: Path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".run.json.tmp").write_text("{")
    assert run("blind", fixture_root, out=tmp_path / "run").record["state"] == "complete"


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_lost_numbers_are_computed_again(fixture_root: Path, tmp_path: Path, content: str | None):
    before = run("blind", fixture_root, out=tmp_path / "run").metrics
    file = tmp_path / "run" / "metrics.json"
    file.unlink() if content is None else file.write_text(content)
    with pytest.raises(DataError, match="run the same command again"):
        asdbench.open_run(tmp_path / "run")
    assert run("blind", fixture_root, out=tmp_path / "run").metrics == before == json.loads(file.read_text())


def test_a_limit_beyond_the_data_is_no_limit(fixture_root: Path, tmp_path: Path):
    whole = run("blind", fixture_root, runs=tmp_path)
    assert run("blind", fixture_root, runs=tmp_path, limit=999).path == whole.path
    assert whole.warnings == ()


def test_a_mended_donor_is_used_when_the_run_goes_on(
    fixture_copy: Path, fixture_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def go(name: str, **settings: object) -> asdbench.Run:
        return asdbench.run("additive", "unsync", fixture_copy, out=tmp_path / name, progress=False, **settings)

    whole = go("whole")
    plan = pd.read_parquet(tmp_path / "whole" / "plan.parquet").query("condition == 'mismatch@1.00' and changed")
    donor = json.loads(plan["edits"].iloc[0])[0]["donors"][0]
    wav = fixture_copy / "clips_audios/val" / donor["video_id"] / f"{donor['entity_id']}.wav"
    content = wav.read_bytes()
    wav.unlink()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("asdbench.jobs.finish.write_report", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        go("mended", on_error="skip")
    wav.write_bytes(content)
    mended = go("mended")
    assert mended.record["counts"]["incomplete_tracks"] == mended.record["counts"]["skipped_tracks"] == 0
    assert mended.metrics == whole.metrics


def test_a_broken_donor_costs_others_only_the_conditions_that_need_it(fixture_copy: Path, tmp_path: Path):
    whole = asdbench.run("additive", "unsync", fixture_copy, out=tmp_path / "whole", progress=False)
    plan = pd.read_parquet(tmp_path / "whole" / "plan.parquet").query("condition == 'mismatch@1.00' and changed")
    donor = json.loads(plan["edits"].iloc[0])[0]["donors"][0]
    (fixture_copy / "clips_audios/val" / donor["video_id"] / f"{donor['entity_id']}.wav").unlink()
    with pytest.raises(DataError, match="audio file is missing"):
        asdbench.run("additive", "unsync", fixture_copy, out=tmp_path / "stops", progress=False)
    run_ = asdbench.run("additive", "unsync", fixture_copy, out=tmp_path / "skips", on_error="skip", progress=False)

    counts = run_.record["counts"]
    assert counts["skipped_tracks"] == 1
    assert counts["incomplete_tracks"] >= 1
    listed = pd.read_csv(tmp_path / "skips" / "skipped.csv")
    assert listed["left_out"].value_counts().to_dict() == {"track": 1, "conditions": counts["incomplete_tracks"]}
    assert listed.query("left_out == 'conditions'")["reason"].str.contains("mismatch@1.00: donor").any()

    keys = ["video_id", "entity_id", "timestamp_ms"]
    for condition in ("clean", "misalign@1.00"):
        joined = run_.predictions(condition).merge(whole.predictions(condition), on=keys, suffixes=("", "_whole"))
        assert (joined["score"] == joined["score_whole"]).all()
    rows = run_.predictions("mismatch@1.00")
    lost = rows["score"].isna()
    assert lost.any()
    assert (rows.loc[lost, "label_after"] == -1).all()
    assert not rows.loc[lost, ["changed", "eligible"]].any().any()
    assert any("whose donor is broken" in warning for warning in run_.warnings)
    assert "whose donor is broken" in (tmp_path / "skips" / "report.md").read_text()
