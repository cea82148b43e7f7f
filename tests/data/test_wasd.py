"""WASD: categories by source, mixed frame rates, rows without crops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asdbench.data import open_dataset
from asdbench.data.formats import recognise
from asdbench.data.wasd import read_division
from asdbench.errors import DataError, UsageError
from asdbench.types import Dataset
from tests.data.kin import categories_of, load_all, rename_videos, videos_of

SOURCES = ("AAaa-00001_", "BBbb_00002-", "CCcc0000003")
DIVISION = """# Interview
AAaa-00001_
# Debate
BBbb_00002-
# Podcast
DDdd0000004
# React
BBbb_00002-
# Police
CCcc0000003
CCcc0000003
"""


@pytest.fixture
def wasd(fixture_copy: Path, fixture_dataset: Dataset) -> Path:
    videos = videos_of(fixture_dataset)
    pieces = [f"{SOURCES[i % 3]}_{30 * i}-{30 * i + 30}" for i in range(len(videos) - 1)]
    rename_videos(fixture_copy, dict(zip(videos, [*pieces, "EEee0000005_0-30"], strict=True)))
    text = DIVISION.replace("DDdd0000004", "DDdd0000004   ")  # as the published file has them
    (fixture_copy / "dataset_division.txt").write_text(text, encoding="utf-8")
    return fixture_copy


def test_categories_and_sources(wasd: Path) -> None:
    assert recognise(wasd) == "wasd"
    dataset = open_dataset(wasd)
    assert dataset.format == "wasd"
    by_source = {track.source_id: track.categories for track in dataset.tracks}
    assert by_source == {
        "AAaa-00001_": ("OC", "easy"),
        "BBbb_00002-": ("HVN", "SI", "easy", "hard"),  # listed under two headings, one easy, one hard
        "CCcc0000003": ("SS", "hard"),
        "EEee0000005": (),
    }
    assert {track.fps for track in dataset.tracks} == {25.0, 30.0}
    load_all(dataset)


def test_the_names_of_the_paper_are_headings_too(wasd: Path) -> None:
    known = categories_of(open_dataset(wasd))
    path = wasd / "dataset_division.txt"
    text = path.read_text(encoding="utf-8")
    for long, short in (("Interview", "OC"), ("Debate", "SI"), ("Podcast", "FO"), ("React", "HVN"), ("Police", "SS")):
        text = text.replace(long, short)
    (wasd / "mine.txt").write_text(text, encoding="utf-8")
    path.unlink()
    assert set(categories_of(open_dataset(wasd, data_format="wasd")).values()) == {()}
    given = open_dataset(wasd, data_format="wasd", options={"division": str(wasd / "mine.txt")})
    assert categories_of(given) == known


@pytest.mark.parametrize("case", ["case_01_five_categories", "case_02_shipped_headings", "case_05_source_listed_twice"])
def test_golden_divisions(shared: Path, case: str) -> None:
    division = read_division(shared / "protocols/golden/wasd" / case / "dataset_division.txt")
    assert {"OC", "SI", "FO", "HVN", "SS"} >= set(division) >= {"OC", "SI"}
    assert all(len(each) == 11 for ids in division.values() for each in ids)


def test_without_division_there_is_a_note(wasd: Path) -> None:
    (wasd / "dataset_division.txt").unlink()
    assert any("no dataset_division.txt" in note for note in open_dataset(wasd, data_format="wasd").notes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# Interviews\nAAaa-00001_\n", r"line 1: the heading 'Interviews' is none of Interview or OC"),
        ("\nAAaa-00001_\n", r"line 2: 'AAaa-00001_' stands under no heading"),
        (b"# OC\n\xff\xfe", "not a readable list"),
    ],
)
def test_broken_divisions(wasd: Path, text: str | bytes, words: str) -> None:
    path = wasd / "dataset_division.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=rf"dataset_division\.txt.*{words}"):
        open_dataset(wasd)


def remove_inaudible_crops(root: Path, dataset: Dataset) -> tuple[str, int]:
    """Remove the crops of the rows labelled 2, as WASD's extraction leaves them out; label the first row so as well."""
    path = root / "csv/val_orig.csv"
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    rows = [line.split(",") for line in lines]
    speaking = next(track for track in dataset.tracks if not track.labels[0])
    for row in rows:
        first = row[7] == speaking.entity_id and float(row[1]) * 1000 <= speaking.timestamps_ms[4]
        row[6] = "SPEAKING_NOT_AUDIBLE" if first else row[6]
    path.write_text("\n".join([header, *(",".join(row) for row in rows)]), encoding="utf-8")
    gone = [row for row in rows if row[6] == "SPEAKING_NOT_AUDIBLE"]
    for video, time, *_, entity, _, _ in gone:
        (root / "clips_videos/val" / video / entity / f"{time}.jpg").unlink()
    return speaking.entity_id, len(gone)


def test_rows_without_crops_are_left_out_where_asked(wasd: Path) -> None:
    whole = open_dataset(wasd)
    entity, gone = remove_inaudible_crops(wasd, whole)
    kept = next(track for track in open_dataset(wasd).tracks if track.entity_id == entity)
    with pytest.raises(DataError, match=r"face crop is missing.*--data-option inaudible=drop"):
        kept.media.faces()
    dataset = open_dataset(wasd, options={"inaudible": "drop"})
    assert f"{gone} rows labelled SPEAKING_NOT_AUDIBLE are left out" in dataset.notes
    assert sum(map(len, dataset.tracks)) == sum(map(len, whole.tracks)) - gone
    load_all(dataset)
    before, after = (next(t for t in each.tracks if t.entity_id == entity) for each in (whole, dataset))
    skipped = before.sample_at(int(after.timestamps_ms[0]))
    assert skipped > 0
    np.testing.assert_array_equal(after.media.audio(), before.media.audio()[skipped:])  # the wav still starts earlier
    np.testing.assert_array_equal(after.media.audio_window(-160, 0), before.media.audio()[skipped - 160 : skipped])


def test_an_unknown_way_with_inaudible_rows(wasd: Path) -> None:
    with pytest.raises(UsageError, match="inaudible=maybe is none of keep, drop"):
        open_dataset(wasd, options={"inaudible": "maybe"})
