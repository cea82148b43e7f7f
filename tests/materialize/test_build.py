"""What lies in a materialised set."""

from __future__ import annotations

import csv
import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import soundfile

from asdbench.data import open_dataset
from asdbench.data.media import read_gray, read_wav
from asdbench.errors import DataError, NotComparableError, ResourceError, UnknownNameError, UsageError
from asdbench.materialize import MaterializedSet, materialize, open_set
from asdbench.perturb.edits import digest, edit_audio, edit_faces, split_media
from asdbench.perturb.plan import plan
from asdbench.records.facts import read_facts
from asdbench.suites import load_suite
from asdbench.types import Dataset, Track
from tests.lenders import LendingTracks
from tests.materialize.trees import tree

MASKED = """name = "masked"
version = 1
seed = 7
summary = "Lips masked, and another recording's sound."

[[condition]]
name = "clean"
role = "reference"

[[condition]]
name = "lip_mask"
perturbation = "lip_mask"
role = "diagnostic"

[[condition]]
name = "misalign(all)"
perturbation = "misalign"
labels = "negative"
"""


@pytest.fixture
def masked(tmp_path: Path) -> Path:
    path = tmp_path / "masked.toml"
    path.write_text(MASKED)
    return path


def listing(made: MaterializedSet) -> list[dict[str, str]]:
    with (made.path / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def crops(folder: Path, track: Track) -> list[Path]:
    faces = folder / "clips_videos" / "val" / track.video_id / track.entity_id
    return sorted(faces.iterdir(), key=lambda path: float(path.stem))


def test_every_medium_is_the_one_that_a_run_would_score(unsync_set: MaterializedSet, fixture_dataset: Dataset):
    suite = load_suite("unsync")
    resolved, lender = plan(fixture_dataset.tracks, suite), LendingTracks(fixture_dataset.tracks)
    changed = 0
    for each in resolved.conditions:
        there = {track.key: track for track in open_dataset(unsync_set.path / each.condition.name).tracks}
        assert list(there) == [track.key for track in fixture_dataset.tracks]
        for track in fixture_dataset.tracks:
            audio, faces = split_media(each.edits(track.key))
            expected = edit_audio(track.media.audio(), audio, track.media, lender)
            np.testing.assert_array_equal(there[track.key].media.audio(), expected)
            assert not faces
            changed += bool(audio)
    assert changed > 50


def test_what_is_unchanged_is_the_file_of_the_data_set(unsync_set: MaterializedSet, fixture_root: Path):
    source = {path.relative_to(fixture_root): path.read_bytes() for path in fixture_root.rglob("*.jpg")}
    wavs = {path.relative_to(fixture_root): path.read_bytes() for path in fixture_root.rglob("clips_audios/**/*.wav")}
    for condition in unsync_set.conditions:
        folder = unsync_set.path / condition
        assert {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.jpg")} == source
        assert not list(folder.rglob("*.png"))
    assert {path: (unsync_set.path / "clean" / path).read_bytes() for path in wavs} == wavs
    origins = {line["path"]: line["origin"] for line in listing(unsync_set)}
    assert {origins[f"clean/{path.as_posix()}"] for path in [*source, *wavs]} == {"copied"}


def test_nothing_is_encoded_that_is_only_copied(fixture_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def encoded(*_: object) -> None:
        raise RuntimeError("encoded")

    monkeypatch.setattr("asdbench.materialize.source.encode_face", encoded)
    materialize(fixture_root, "clean", out=tmp_path / "set", workers=1)
    with pytest.raises(RuntimeError, match="encoded"):
        materialize(fixture_root, "modality", out=tmp_path / "faces", workers=1, conditions=["lip_mask"])


def test_a_crop_that_is_only_copied_may_be_broken(fixture_copy: Path, tmp_path: Path):
    broken = min(fixture_copy.rglob("*.jpg"))
    broken.write_bytes(b"no picture")
    made = materialize(fixture_copy, "clean", out=tmp_path / "set", workers=1)
    assert (made.path / "clean" / broken.relative_to(fixture_copy)).read_bytes() == b"no picture"
    rows, facts = made.rows("clean"), read_facts(made.path)
    assert rows.lips is not None
    assert facts is not None
    unknown = rows.entity_id == broken.parent.name
    assert np.array_equal(np.isnan(rows.lips), unknown)
    assert np.array_equal(np.isnan(facts.sharpness), unknown)


def test_changed_faces_are_png_and_exact(fixture_root: Path, fixture_dataset: Dataset, masked: Path, tmp_path: Path):
    made = materialize(fixture_root, masked, out=tmp_path / "set", workers=1)
    edits = plan(fixture_dataset.tracks, load_suite(masked))["lip_mask"]
    for track in fixture_dataset.tracks:
        _, faces = split_media(edits.edits(track.key))
        expected = edit_faces(track.media.faces(), faces, LendingTracks(fixture_dataset.tracks))
        files = crops(made.path / "lip_mask", track)
        assert {path.suffix for path in files} == {".png"}
        for path, face in zip(files, expected, strict=True):
            np.testing.assert_array_equal(read_gray(path), face)
            np.testing.assert_array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), face)
        wav = f"clips_audios/val/{track.video_id}/{track.entity_id}.wav"
        assert (made.path / "lip_mask" / wav).read_bytes() == (fixture_root / wav).read_bytes()
    assert made.manifest["files"]["lossy"] == 0


def test_faces_that_an_edit_left_alone_keep_their_files_beside_png(
    fixture_root: Path, fixture_dataset: Dataset, masked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from asdbench.perturb.absence import LipMaskEdit

    whole = LipMaskEdit.apply

    def half(self: LipMaskEdit, faces: Sequence[np.ndarray], *others: object) -> list[np.ndarray]:
        changed = whole(self, faces, *others)  # type: ignore[arg-type]
        return [new if i % 2 else old for i, (old, new) in enumerate(zip(faces, changed, strict=True))]

    monkeypatch.setattr(LipMaskEdit, "apply", half)
    made = materialize(fixture_root, masked, out=tmp_path / "set", workers=1)
    for track, read in zip(fixture_dataset.tracks, open_dataset(made.path / "lip_mask").tracks, strict=True):
        files = crops(made.path / "lip_mask", track)
        assert [path.suffix for path in files] == [".jpg" if i % 2 == 0 else ".png" for i in range(len(track))]
        np.testing.assert_array_equal(read.media.faces()[0], track.media.faces()[0])
        assert not np.array_equal(read.media.faces()[1], track.media.faces()[1])


def test_jpg_is_offered_and_marked_lossy(fixture_root: Path, masked: Path, tmp_path: Path):
    made = materialize(fixture_root, masked, out=tmp_path / "set", workers=1, faces="jpg")
    assert not list(made.path.rglob("*.png"))
    frames = made.manifest["counts"]["frames"]
    assert made.manifest["files"]["lossy"] == frames
    lossy = [line["path"] for line in listing(made) if line["origin"] == "lossy"]
    assert len(lossy) == frames
    assert all(path.startswith("lip_mask/clips_videos/") for path in lossy)


def test_every_file_is_listed_with_its_hash(unsync_set: MaterializedSet):
    files = {path: data for path, data in tree(unsync_set.path).items() if not path.startswith("manifest.")}
    lines = listing(unsync_set)
    assert {line["path"]: (int(line["bytes"]), line["sha256"]) for line in lines} == {
        path: (len(data), hashlib.sha256(data).hexdigest()) for path, data in files.items()
    }
    assert len(lines) == len(files) == unsync_set.manifest["files"]["files"]
    content = (unsync_set.path / "manifest.csv").read_bytes()
    assert unsync_set.manifest["files"]["listing_sha256"] == hashlib.sha256(content).hexdigest()


def test_the_manifest_says_what_it_was_made_of(unsync_set: MaterializedSet, fixture_dataset: Dataset):
    manifest, suite = unsync_set.manifest, load_suite("unsync")
    assert manifest["identity"]["plan_sha256"] == plan(fixture_dataset.tracks, suite).sha256
    assert manifest["suite"]["sha256"] == suite.sha256
    assert manifest["data"]["fingerprint"] == fixture_dataset.fingerprint
    assert manifest["custom"] is False
    assert manifest["versions"]["asdbench"]
    assert {"av", "opencv-python-headless", "soundfile"} <= set(manifest["versions"])
    assert manifest["counts"]["tracks"] == len(fixture_dataset.tracks)


def test_labels_are_those_of_the_policy(unsync_set: MaterializedSet, fixture_dataset: Dataset):
    resolved = plan(fixture_dataset.tracks, load_suite("unsync"))
    ignored = 0
    for each in resolved.conditions:
        orig = pd.read_csv(unsync_set.path / each.condition.name / "csv" / "val_orig.csv", dtype=str)
        expected = np.concatenate([each.rows(track).label_after for track in fixture_dataset.tracks])
        assert ((orig["label"] == "SPEAKING_AUDIBLE") == (expected == 1)).all()
        assert (orig.loc[expected != 1, "label"] == "NOT_SPEAKING").all()
        counted = orig["counted"] == "1" if "counted" in orig else np.ones(len(orig), bool)
        assert (counted == (expected != -1)).all()
        ignored += int((expected == -1).sum())
        rows = unsync_set.rows(each.condition.name)
        np.testing.assert_array_equal(rows.label_after, expected)
        assert np.isnan(rows.score).all()
    assert ignored > 0, "the suite ignores nothing here, so nothing is tested"


def test_rows_need_neither_data_nor_scores(unsync_set: MaterializedSet):
    table = pd.read_parquet(unsync_set.path / "rows" / "misalign@1.00.parquet")
    assert "score" not in table
    assert {"video_id", "entity_id", "source_id", "timestamp_ms", "label", "label_after", "changed", "run"} <= set(
        table
    )


def test_the_loader_file_has_the_order_of_the_annotation(unsync_set: MaterializedSet):
    for condition in unsync_set.conditions:
        tables = unsync_set.path / condition / "csv"
        orig = pd.read_csv(tables / "val_orig.csv", dtype=str)
        loader = [line.split("\t") for line in (tables / "val_loader.csv").read_text().splitlines()]
        assert [line[0] for line in loader] == list(orig["entity_id"].unique())
        labels = [int(each) for line in loader for each in line[3].strip("[]").split(", ")]
        assert labels == (orig["label"] == "SPEAKING_AUDIBLE").astype(int).tolist()


def test_a_source_with_films_says_that_they_are_no_part_of_the_set(fixture_copy: Path, tmp_path: Path):
    films = fixture_copy / "orig_audios" / "trainval"
    films.mkdir(parents=True, exist_ok=True)
    for track in open_dataset(fixture_copy).tracks:
        length = int(track.timestamps_ms[-1]) * 16 + 32_000
        soundfile.write(films / f"{track.video_id}.wav", np.zeros(length, np.int16), 16_000, subtype="PCM_16")
    assert any(track.audio_margin != (0, 0) for track in open_dataset(fixture_copy).tracks)
    made = materialize(fixture_copy, "clean", out=tmp_path / "set", workers=1)
    there = open_dataset(made.path / "clean")
    assert all(track.audio_margin == (0, 0) for track in there.tracks)


def test_float_wavs_are_copied_and_changed_ones_are_int16(fixture_copy: Path, masked: Path, tmp_path: Path):
    track = open_dataset(fixture_copy).tracks[0]
    wav = fixture_copy / "clips_audios" / "val" / track.video_id / f"{track.entity_id}.wav"
    samples = read_wav(wav)
    soundfile.write(wav, samples.astype(np.float64) / 32768, 16_000, subtype="FLOAT")
    made = materialize(fixture_copy, masked, out=tmp_path / "set", workers=1)
    relative = wav.relative_to(fixture_copy)
    assert (made.path / "clean" / relative).read_bytes() == wav.read_bytes()
    assert soundfile.info(made.path / "misalign(all)" / relative).subtype == "PCM_16"


def test_only_the_conditions_asked_for_and_the_clean_one(fixture_root: Path, tmp_path: Path, fixture_dataset: Dataset):
    made = materialize(fixture_root, "unsync", out=tmp_path / "set", workers=1, conditions=["misalign@0.50"], limit=3)
    assert list(made.conditions) == ["clean", "misalign@0.50"]
    assert sorted(p.name for p in made.path.iterdir() if p.is_dir()) == ["clean", "misalign@0.50", "rows"]
    # The plan is that of the whole suite on the whole data set.
    assert made.manifest["plan"]["sha256"] == plan(fixture_dataset.tracks, load_suite("unsync")).sha256
    assert made.manifest["counts"]["tracks"] == 3
    assert len(open_dataset(made.path / "clean").tracks) == 3


def test_limit_changes_nothing_for_the_rest(fixture_root: Path, unsync_set: MaterializedSet, tmp_path: Path):
    made = materialize(fixture_root, "unsync", out=tmp_path / "set", workers=1, limit=5)
    whole = tree(unsync_set.path)
    media = {path: data for path, data in tree(made.path).items() if "/clips_" in path}
    assert media
    assert all(whole[path] == data for path, data in media.items())


def test_dubbed_tracks(fixture_root: Path, fixture_dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    silent = [track.key for track in fixture_dataset.tracks if not track.labels.any()]
    mask = {key: np.arange(len(track)) > 20 for track in fixture_dataset.tracks if (key := track.key) in silent}
    tracks = tuple(
        replace(track, dubbed=mask[track.key]) if track.key in silent else track for track in fixture_dataset.tracks
    )
    dataset = replace(fixture_dataset, tracks=tracks)
    monkeypatch.setattr("asdbench.materialize.build.open_dataset", lambda *_, **__: dataset)
    made = materialize(fixture_root, "clean", out=tmp_path / "set", workers=1)
    assert list(made.conditions) == ["clean", "dubbed"]
    assert made.unchanged("dubbed")
    clean, dubbed = (pd.read_csv(made.path / name / "csv" / "val_orig.csv") for name in ("clean", "dubbed"))
    is_dubbed = clean["entity_id"].isin([entity for _, entity in silent])
    assert (clean["counted"] == ~is_dubbed).all()
    assert (dubbed.loc[is_dubbed, "label"].isin(["SPEAKING_NOT_AUDIBLE", "NOT_SPEAKING"])).all()
    assert "counted" not in dubbed, "every frame counts there"
    read = {track.key: track for track in open_dataset(made.path / "dubbed").tracks}
    for track in tracks:
        there = read[track.key].dubbed
        assert (there is None) == (track.dubbed is None)
        if track.dubbed is not None:
            np.testing.assert_array_equal(there, track.dubbed)


def test_frames_that_enter_no_metric_are_not_counted(
    fixture_root: Path, fixture_dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    tracks = tuple(replace(track, scored=np.arange(len(track)) % 3 > 0) for track in fixture_dataset.tracks)
    dataset = replace(fixture_dataset, tracks=tracks)
    monkeypatch.setattr("asdbench.materialize.build.open_dataset", lambda *_, **__: dataset)
    made = materialize(fixture_root, "clean", out=tmp_path / "set", workers=1)
    for track, there in zip(tracks, open_dataset(made.path / "clean").tracks, strict=True):
        np.testing.assert_array_equal(there.scored, track.scored)


def test_another_seed_makes_a_custom_set(fixture_root: Path, tmp_path: Path):
    made = materialize(fixture_root, "unsync", out=tmp_path / "set", workers=1, seed=5, limit=2)
    assert made.manifest["custom"] is True
    assert made.manifest["suite"]["seed"] == 5


def test_what_is_wrong_is_said(fixture_root: Path, tmp_path: Path):
    with pytest.raises(UnknownNameError, match=r"mismatch@0\.5"):
        materialize(fixture_root, "unsync", out=tmp_path / "set", conditions=["mismatch@0.5"])
    with pytest.raises(UsageError, match="workers"):
        materialize(fixture_root, "unsync", out=tmp_path / "set", workers=0)
    with pytest.raises(DataError, match="not a materialised set"):
        open_set(tmp_path)
    assert not (tmp_path / "set").exists()


def test_a_condition_cannot_take_the_place_of_the_rows(fixture_root: Path, tmp_path: Path):
    suite = tmp_path / "own.toml"
    suite.write_text(MASKED.replace('"lip_mask"\nperturbation', '"Rows"\nperturbation'))
    with pytest.raises(UsageError, match="'Rows'"):
        materialize(fixture_root, suite, out=tmp_path / "set", workers=1)


def test_another_folder_is_refused_with_the_fields_that_differ(fixture_root: Path, tmp_path: Path):
    materialize(fixture_root, "clean", out=tmp_path / "set", workers=1, limit=2)
    with pytest.raises(
        NotComparableError, match=r"holds another set.*faces \(png there, jpg now\).*limit \(2 there, 3"
    ):
        materialize(fixture_root, "clean", out=tmp_path / "set", workers=1, limit=3, faces="jpg")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("dear")
    with pytest.raises(UsageError, match="not a materialised set"):
        materialize(fixture_root, "clean", out=tmp_path / "other", workers=1)
    assert tree(tmp_path / "other") == {"thesis.tex": b"dear"}


def test_a_complete_set_is_opened(fixture_root: Path, tmp_path: Path):
    materialize(fixture_root, "clean", out=tmp_path / "set", workers=1, limit=2)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "set").rglob("*")}
    said: list[str] = []
    materialize(fixture_root, "clean", out=tmp_path / "set", workers=1, limit=2, notify=said.append)
    assert any("complete" in each for each in said)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "set").rglob("*")} == before


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b'{"schema": 1, "state": "complete"}', b'{"schema": 9}'])
def test_a_damaged_manifest_is_refused(content: bytes, fixture_root: Path, tmp_path: Path):
    materialize(fixture_root, "clean", out=tmp_path / "set", workers=1, limit=2)
    (tmp_path / "set" / "manifest.json").write_bytes(content)
    with pytest.raises(DataError, match=r"manifest\.json"):
        open_set(tmp_path / "set")


def test_links_share_their_bytes(fixture_root: Path, masked: Path, tmp_path: Path):
    source = Path(shutil.copytree(fixture_root, tmp_path / "source"))
    made = materialize(source, masked, out=tmp_path / "linked", workers=1, link=True)
    copied = materialize(source, masked, out=tmp_path / "copied", workers=1)
    media = {path: data for path, data in tree(copied.path).items() if "/clips_" in path}
    assert {path: data for path, data in tree(made.path).items() if "/clips_" in path} == media
    jpg = next(source.rglob("*.jpg"))
    assert (made.path / "clean" / jpg.relative_to(source)).samefile(jpg)
    assert not (copied.path / "clean" / jpg.relative_to(source)).samefile(jpg)
    changed = {path.name: path for path in (made.path / "lip_mask").rglob("*.png")}
    assert all(path.stat().st_nlink == 1 for path in changed.values())


def test_what_was_cut_out_of_a_video_is_linked_between_conditions(tmp_path: Path):
    made = materialize("demo-val", "unsync", out=tmp_path / "set", workers=1, limit=1, link=True)
    faces = [sorted((made.path / condition).rglob("*.png"))[0] for condition in made.conditions]
    assert all(face.samefile(faces[0]) for face in faces)
    assert made.manifest["files"]["copied"] == 0


def test_links_that_cannot_be_made(fixture_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def across(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", across)
    with pytest.raises(UsageError, match=r"Invalid cross-device link.*leave out --link"):
        materialize(fixture_root, "clean", out=tmp_path / "set", workers=1, link=True)


def test_a_broken_track_stops_or_is_skipped(fixture_copy: Path, tmp_path: Path):
    tracks = open_dataset(fixture_copy).tracks
    broken = tracks[3]
    crop = crops(fixture_copy, broken)[7]
    crop.write_bytes(crop.read_bytes()[:200])
    with pytest.raises(DataError, match=r"truncated JPEG.*--on-error skip"):
        materialize(fixture_copy, "clean", out=tmp_path / "stopped", workers=1)
    made = materialize(fixture_copy, "clean", out=tmp_path / "set", workers=1, on_error="skip")
    assert made.manifest["counts"] == {
        "tracks": len(tracks), "skipped_tracks": 1, "incomplete_tracks": 0,
        "frames": sum(map(len, tracks)) - len(broken), "skipped_frames": len(broken),
    }  # fmt: skip
    skipped = pd.read_csv(made.path / "skipped.csv")
    assert list(skipped["entity_id"]) == [broken.entity_id]
    assert "truncated JPEG" in skipped["reason"][0]
    assert [track.key for track in open_dataset(made.path / "clean").tracks] == [
        track.key for track in tracks if track.key != broken.key
    ]
    assert broken.entity_id not in set(made.rows("clean").entity_id)
    assert not [path for path in made.path.rglob("*") if broken.entity_id in path.name]


def test_a_broken_donor_costs_others_only_the_conditions_that_need_it(fixture_copy: Path, tmp_path: Path):
    dataset = open_dataset(fixture_copy)
    resolved = plan(dataset.tracks, load_suite("unsync"))["mismatch@1.00"]
    broken = next(d.key for t in dataset.tracks for e in resolved.edits(t.key) for d in e.donors)  # type: ignore[union-attr]
    (fixture_copy / "clips_audios" / "val" / broken.video_id / f"{broken.entity_id}.wav").write_bytes(b"RIFF")
    made = materialize(fixture_copy, "unsync", out=tmp_path / "set", workers=1, on_error="skip")
    left_out = made.left_out("mismatch@1.00")
    assert left_out
    assert made.manifest["counts"]["incomplete_tracks"] >= len(left_out)
    there = {track.key for track in open_dataset(made.path / "mismatch@1.00").tracks}
    assert not there & set(map(tuple, left_out))  # type: ignore[arg-type]
    rows = made.rows("mismatch@1.00")
    gone = np.isin(rows.entity_id, [entity for _, entity in left_out])
    assert len(rows) == len(made.rows("clean"))
    assert (rows.label_after[gone] == -1).all()
    assert not rows.changed[gone].any()
    assert "donor" in (made.path / "skipped.csv").read_text()


def test_unsafe_ids_of_a_users_reader(
    fixture_root: Path, fixture_dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    tracks = (replace(fixture_dataset.tracks[0], video_id="../../evil"), *fixture_dataset.tracks[1:])
    dataset = replace(fixture_dataset, tracks=tracks)
    monkeypatch.setattr("asdbench.materialize.build.open_dataset", lambda *_, **__: dataset)
    with pytest.raises(DataError, match=r"'\.\./\.\./evil'"):
        materialize(fixture_root, "clean", out=tmp_path / "a" / "b" / "set", workers=1)
    assert not list(tmp_path.rglob("evil"))


def test_a_full_disk_leaves_nothing_half_written(
    fixture_root: Path, unsync_set: MaterializedSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write, left = Path.write_bytes, [300]

    def full(self: Path, data: bytes) -> int:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        return write(self, data)

    for room in (300, 1000, 5000):
        left[0] = room
        with monkeypatch.context() as patch:
            patch.setattr(Path, "write_bytes", full)
            with pytest.raises(ResourceError, match=r"No space left on device.*run the same command again"):
                materialize(fixture_root, "unsync", out=tmp_path / "set", workers=1)
        assert not list((tmp_path / "set").rglob("*.tmp"))
    materialize(fixture_root, "unsync", out=tmp_path / "set", workers=1)
    assert tree(tmp_path / "set") == tree(unsync_set.path)


def test_edits_that_change_nothing_copy(unsync_set: MaterializedSet, fixture_dataset: Dataset, fixture_root: Path):
    resolved = plan(fixture_dataset.tracks, load_suite("unsync"))["mismatch@0.25"]
    untouched = [track for track in fixture_dataset.tracks if not digest(resolved.edits(track.key))]
    assert untouched
    for track in untouched:
        wav = f"clips_audios/val/{track.video_id}/{track.entity_id}.wav"
        assert (unsync_set.path / "mismatch@0.25" / wav).read_bytes() == (fixture_root / wav).read_bytes()
