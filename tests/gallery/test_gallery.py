"""A gallery of a real run: what it shows, what its clips hold, where it may lie."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from asdbench.data import open_dataset
from asdbench.errors import DataError, NotComparableError, UnknownNameError, UsageError
from asdbench.gallery import gallery
from asdbench.gallery.drawing import LEFT, RIGHT
from asdbench.gallery.source import open_source
from asdbench.perturb.audit_measures import measured_lag
from asdbench.perturb.edits import edit_audio, edit_faces, split_media
from asdbench.report.run import Run
from asdbench.types import Int16Array, TrackKey
from tests.gallery.conftest import Shown
from tests.gallery.made import HOSTILE, make_run

EVERY = [("clean", "false alarm"), ("clean", "miss"), ("mismatch@1.00", "fooled"), ("lip_mask", "miss")]


def decoded(path: Path) -> tuple[list[float], list[np.ndarray[Any, Any]], Int16Array]:
    """Return times and pictures of a clip, and its sound at 16 kHz."""
    with av.open(str(path)) as container:
        assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac"]
        frames = [(float(frame.time or 0), frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
        pieces = list(container.decode(audio=0))
        first = round(float(pieces[0].time or 0) * 16_000)
        sound = np.concatenate([each.to_ndarray()[0] for piece in pieces for each in resampler.resample(piece)])
    return [time for time, _ in frames], [picture for _, picture in frames], np.pad(sound, (first, 0))


def test_it_shows_the_worst_runs_of_a_changed_condition(shown: Shown) -> None:
    rows = shown.run.predictions("mismatch@1.00")
    threshold = shown.record["threshold"]["value"]
    judged = rows[rows.changed & (rows.label_after == 0) & (rows.label == 1)]
    means = judged.astype({"score": float}).groupby(["video_id", "entity_id", "run"]).score.mean()
    fooled = means[means >= threshold].sort_values(ascending=False)
    group = shown.group("mismatch@1.00", "fooled")
    assert (group["wrong"], group["judged"]) == (len(fooled), len(means))
    assert len(group["errors"]) == 2
    worst = group["errors"][0]
    assert (worst["video"], worst["track"]) == fooled.index[0][:2]
    assert worst["score"] == pytest.approx(fooled.iloc[0])
    assert group["errors"][1]["video"] != worst["video"]
    assert group["errors"][1]["score"] == pytest.approx(
        fooled[fooled.index.get_level_values(0) != worst["video"]].iloc[0]
    )


@pytest.mark.parametrize(("condition", "kind"), EVERY)
def test_the_mean_score_is_that_of_the_named_seconds(shown: Shown, condition: str, kind: str) -> None:
    rows = shown.run.predictions(condition)
    errors = shown.group(condition, kind)["errors"]
    assert errors
    for error in errors:
        first, last = (round(1000 * each) for each in error["judged_seconds"])
        inside = (rows.entity_id == error["track"]) & rows.timestamp_ms.between(first, last)
        scores = rows[inside & (rows.label_after >= 0)].score.astype(float)
        assert error["score"] == pytest.approx(scores.mean())
        assert error["above"] == pytest.approx((scores >= shown.record["threshold"]["value"]).mean())


def test_clips_hold_the_sound_that_was_heard(shown: Shown) -> None:
    source = open_source(shown.run)
    for error in shown.group("mismatch@1.00", "fooled")["errors"]:
        track = source.tracks[TrackKey(error["video"], error["track"])]
        own = track.media.audio()
        edits, _ = split_media(source.changes("mismatch@1.00").edits(track.key))
        heard = {"clean": own, "changed": edit_audio(own, edits, track.media, source.lender)}
        assert [clip["name"] for clip in error["clips"]] == ["changed", "clean"]
        start = round(16 * (1000 * error["seconds"][0] - int(track.timestamps_ms[0])))
        for clip in error["clips"]:
            times, _, sound = decoded(shown.gallery.path / clip["file"])
            assert times[0] == 0
            assert times[-1] + 1 / track.fps == pytest.approx(error["duration"], abs=0.02)
            assert len(sound) / 16_000 == pytest.approx(error["duration"], abs=0.16)
            wanted, other = (
                heard[clip["name"]][start:],
                heard["clean" if clip["name"] == "changed" else "changed"][start:],
            )
            size = min(len(sound), len(wanted)) - 6_000
            found = measured_lag(sound[3_000 : 3_000 + size], wanted, 3_000, 3_000)
            assert found is not None
            assert abs(found[0]) <= 16
            assert found[1] > 0.95
            same = np.corrcoef(sound[3_000 : 3_000 + size], other[3_000 : 3_000 + size])[0, 1]
            assert same < 0.9


def test_clips_show_the_faces_that_were_seen(shown: Shown) -> None:
    source = open_source(shown.run)
    error = shown.group("lip_mask", "miss")["errors"][0]
    track = source.tracks[TrackKey(error["video"], error["track"])]
    _, edits = split_media(source.changes("lip_mask").edits(track.key))
    faces = track.media.faces()
    seen = {"clean": faces, "changed": edit_faces(faces, edits, source.lender, track.face_in_crop)}
    first = int(np.flatnonzero(track.timestamps_ms == round(1000 * error["seconds"][0]))[0])
    for clip in error["clips"]:
        times, pictures, _ = decoded(shown.gallery.path / clip["file"])
        shown_ms = track.timestamps_ms[first : first + len(times)] - track.timestamps_ms[first]
        np.testing.assert_allclose(times, shown_ms / 1000, atol=0.002)
        for place in (0, len(times) // 2, len(times) - 1):
            face = seen[clip["name"]][first + place]
            lower = pictures[place][-40:].mean(), face[-len(face) // 6 :].mean()
            assert lower[0] == pytest.approx(lower[1], abs=8)


def test_nothing_is_named_after_an_id(shown: Shown) -> None:
    names = {str(path.relative_to(shown.gallery.path)) for path in shown.gallery.path.rglob("*") if path.is_file()}
    fixed = {"gallery.html", "gallery.json", "DO_NOT_PUBLISH.txt", ".gitignore"}
    assert fixed <= names
    assert all(re.fullmatch(r"(clips/\d+-(clean|changed)\.mp4|figures/\d+\.svg)", name) for name in names - fixed)
    errors = [error for part in shown.record["conditions"] for group in part["groups"] for error in group["errors"]]
    listed = {clip["file"] for error in errors for clip in error["clips"]} | {error["figure"] for error in errors}
    assert names - fixed == listed
    assert (shown.gallery.errors, shown.gallery.clips) == (len(errors), sum(len(error["clips"]) for error in errors))


def test_hostile_names_are_text(shown: Shown) -> None:
    page = shown.gallery.page.read_text(encoding="utf-8")
    assert HOSTILE in json.dumps(shown.record, ensure_ascii=False)
    assert HOSTILE not in page
    assert HOSTILE.replace("<", "&lt;").replace(">", "&gt;") in page


def test_the_page_forbids_everything_else_and_says_what_it_is(shown: Shown) -> None:
    page = shown.gallery.page.read_text(encoding="utf-8")
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert "unsafe" not in page
    assert "http" not in re.sub(r"http-equiv", "", page)
    assert page.count("Do not publish.") >= 2
    assert "Do not publish" in (shown.gallery.path / "DO_NOT_PUBLISH.txt").read_text(encoding="utf-8")
    assert (shown.gallery.path / ".gitignore").read_text(encoding="utf-8") == "*\n"
    with av.open(str(next((shown.gallery.path / "clips").iterdir()))) as container:
        assert "Do not publish" in container.metadata["comment"]
    assert f'data-left="{LEFT}" data-right="{RIGHT}"' in page


def test_one_condition_stands_for_its_family(shown: Shown) -> None:
    names = [part["name"] for part in shown.record["conditions"]]
    assert names == ["clean", "mismatch@1.00", "white_noise@s5", "lip_mask", "near"]
    assert shown.record["conditions"][1]["others"] == ["mismatch@0.50"]
    assert shown.record["conditions"][-1]["groups"] == []


def test_it_lies_beside_the_run_and_leaves_that_as_it_is(shown: Shown) -> None:
    assert shown.gallery.path.parent == shown.run.path.resolve().parent
    assert shown.gallery.path.name == "run.gallery-do-not-publish"
    assert not [path for path in shown.run.path.rglob("*") if path.suffix == ".mp4" or "gallery" in path.name]


def test_a_second_one_takes_the_place_of_the_first(shown: Shown, tmp_path: Path) -> None:
    folder = tmp_path / "seen"
    first = gallery(shown.run, folder, count=2, conditions=["mismatch@1.00"])
    (folder / "clips" / "mine.txt").write_text("kept")
    second = gallery(shown.run, folder, count=1, conditions=["mismatch@0.50"])
    assert first.clips > second.clips == 2
    assert sorted(path.name for path in (folder / "clips").iterdir()) == [
        "001-changed.mp4",
        "001-clean.mp4",
        "mine.txt",
    ]
    assert [path.name for path in (folder / "figures").iterdir()] == ["001.svg"]


def test_folders_that_hold_something_else_are_refused(shown: Shown, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lies in the run folder"):
        gallery(shown.run, shown.run.path / "gallery")
    with pytest.raises(UsageError, match="lies in the run folder"):
        gallery(shown.run, shown.run.path)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds something that is no gallery"):
        gallery(shown.run, tmp_path)
    with pytest.raises(UsageError, match="not a folder"):
        gallery(shown.run, tmp_path / "notes.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_nothing_is_written_for_a_request_that_cannot_be_met(shown: Shown, fixture_root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(NotComparableError, match="scored on other data than these"):
        gallery(shown.run, out, data=fixture_root)  # the video has another name there
    with pytest.raises(DataError, match="--data FOLDER"):
        gallery(shown.run, out, data=tmp_path / "nowhere")
    with pytest.raises(UnknownNameError, match="mismatch"):
        gallery(shown.run, out, conditions=["mismatch"])
    with pytest.raises(UsageError, match="1 to 100"):
        gallery(shown.run, out, count=0)
    assert not out.exists()


def test_a_plan_that_cannot_be_made_again_is_refused(shown: Shown, tmp_path: Path) -> None:
    record = json.loads(json.dumps(shown.run.record))
    record["suite"]["seed"] += 1
    with pytest.raises(NotComparableError, match="plan made again from its suite is another"):
        gallery(Run(shown.run.path, record, shown.run.metrics), tmp_path / "out")


def test_a_run_of_given_predictions_needs_the_data_named(shown: Shown, tmp_path: Path) -> None:
    config = {"set": {"value": "a set", "source": "argument"}}
    given = replace(shown.run, record={**shown.run.record, "config": config})
    with pytest.raises(UsageError, match="scored from given predictions"):
        gallery(given, tmp_path / "out")
    written = gallery(given, tmp_path / "out", data=shown.data, count=1, conditions=["mismatch@1.00"])
    assert written.clips == 2


def test_data_may_have_moved_and_the_suite_be_gone(fixture_root: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(fixture_root, tmp_path / "data"))
    run = make_run(data, tmp_path, short=True, limit=8, seed=5, plan_seeds=2)
    (tmp_path / "own.toml").unlink()
    data.rename(tmp_path / "moved")
    with pytest.raises(DataError, match="say where it is with --data FOLDER"):
        gallery(run, conditions=["mismatch@1.00"])
    written = gallery(run, data=tmp_path / "moved", count=1, conditions=["mismatch@1.00", "clean"])
    record = json.loads((written.path / "gallery.json").read_text(encoding="utf-8"))
    shown = {error["track"] for part in record["conditions"] for g in part["groups"] for error in g["errors"]}
    assert shown <= {track.entity_id for track in open_dataset(tmp_path / "moved").tracks[:8]}
    assert written.clips >= 2


def test_the_shipped_data_with_dubbed_tracks(tmp_path: Path) -> None:
    run = make_run("demo-val", tmp_path, short=True, limit=6)
    written = gallery(run, count=1, conditions=["clean", "dubbed", "mismatch@1.00"])
    record = json.loads((written.path / "gallery.json").read_text(encoding="utf-8"))
    dubbed = record["conditions"][-1]["groups"][0]
    rows = run.predictions("dubbed")
    means = (
        rows[rows.changed & (rows.label_after == 0)].astype({"score": float}).groupby(["entity_id", "run"]).score.mean()
    )
    assert dubbed["judged"] == len(means)
    over = means[means >= record["threshold"]["value"]]
    assert dubbed["wrong"] == len(over)
    for error in dubbed["errors"]:
        assert error["score"] == error["clean"] == pytest.approx(over.max())
        assert [clip["name"] for clip in error["clips"]] == ["clean"]
