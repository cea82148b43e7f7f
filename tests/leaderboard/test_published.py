"""The literature: every number has a source and a meaning, and no column mixes two."""

from __future__ import annotations

import csv
import io
import shutil
from collections import Counter
from pathlib import Path

import pytest

from asdbench.errors import DataError
from asdbench.leaderboard.literature import datasets_of, every_number, gains, is_gain, sources_of, tables_of
from asdbench.leaderboard.markdown import measured_page, published_page
from asdbench.leaderboard.page import page
from asdbench.leaderboard.published import Published, read_published
from asdbench.protocols.catalogue import PROTOCOLS
from asdbench.report.table import Table
from asdbench.report.writers import to_csv
from asdbench.resources import resource_folder


@pytest.fixture(scope="module")
def published() -> Published:
    return read_published()


def test_nothing_was_lost(published: Published) -> None:
    counts = Counter(number.dataset for number in published.numbers)
    assert counts == {
        "AVA-ActiveSpeaker": 413, "WASD": 92, "Columbia": 57, "Ego4D": 27, "MSDWild": 25, "UniTalk": 17, "ASW": 12,
        "Talkies": 12, "LASER-bench": 4, "none": 2,
    }  # fmt: skip
    assert sum(counts.values()) == 661
    assert Counter(number.confidence for number in published.numbers) == {"verified": 347, "secondary": 314}
    assert len(published.systems) == 34


def test_every_number_has_a_source_and_a_meaning(published: Published) -> None:
    for number in published.numbers:
        assert number.source
        assert number.where
        assert number.protocol in published.meanings
        assert (number.confidence == "verified") != bool(number.quoted_by)
    assert set(published.meanings) == {number.protocol for number in published.numbers}
    assert {meaning.here for meaning in published.meanings.values()} <= {"", *PROTOCOLS}


def test_shares_are_percentages(published: Published) -> None:
    for number in published.numbers:
        assert 0 < number.value <= 100


def test_a_protocol_belongs_to_one_data_set(published: Published) -> None:
    seen: dict[str, set[str]] = {}
    for number in published.numbers:
        seen.setdefault(number.protocol, set()).add(number.dataset)
    assert all(len(datasets) == 1 for datasets in seen.values())


def test_map_and_map50_of_ego4d_stand_apart(published: Published) -> None:
    found = {
        (number.system, number.source.partition(" ")[0]): (number.protocol, number.value)
        for number in published.numbers
        if number.system in ("SPELL", "STHG", "PAIR-Net") and number.protocol.startswith("ego4d-map")
    }
    assert found["SPELL", "PAIR-Net"] == ("ego4d-map50", 60.7)
    assert found["STHG", "PAIR-Net"] == ("ego4d-map50", 63.7)
    assert found["PAIR-Net", "PAIR-Net"] == ("ego4d-map-gt", 76.6)
    by_readme = {
        (number.system, number.protocol): number.value
        for number in published.numbers
        if number.source.startswith("GraVi-T")
    }
    assert by_readme["SPELL", "ego4d-map-gt"] == 71.3
    assert by_readme["STHG", "ego4d-map-gt"] == 75.7
    assert by_readme["STHG", "ego4d-map50"] == 63.7


def test_the_note_on_two_metrics_is_shown_everywhere(published: Published) -> None:
    note = next(note for note in published.notes if note.id == "pair-net-two-metrics")
    assert note.shown == "always"
    for text in (measured_page((), published), published_page(published), page((), published)):
        for words in ("Table 1 mixes mAP and mAP", "71.3", "75.7", "0.9 points, not 12.9"):
            assert words in text


def test_no_table_mixes_protocols_or_parts(published: Published) -> None:
    values = {key: {number.value for number in numbers} for key, numbers in published.columns.items()}
    shown = 0
    for dataset in datasets_of(published):
        for _, table in tables_of(published, dataset):
            numbers = _numbers(table)
            assert any(set(numbers) <= each for (name, _, _), each in values.items() if name == dataset), table.name
            assert sum(f"({protocol})" in table.caption for protocol in published.meanings) == 1
            shown += len(numbers)
        shown += len(list(gains(published, dataset)))
    assert shown == 661


def _numbers(table: Table) -> list[float]:
    """The published numbers of a table."""
    keys = [column.key for column in table.columns if column.kind == "count" and column.key != "parameters"]
    return [row[key] for row in table.rows for key in keys if row.get(key) is not None]


def test_the_csv_has_a_column_per_protocol(published: Published) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(every_number(published)))))
    assert len(rows) == 661
    for row, number in zip(rows, published.numbers, strict=True):
        filled = [name for name in published.meanings if row[name]]
        assert filled == [number.protocol]
        assert float(row[number.protocol]) == number.value


def test_differences_are_sentences(published: Published) -> None:
    said = [text for dataset in datasets_of(published) for text in gains(published, dataset)]
    assert len(said) == sum(is_gain(number.protocol) for number in published.numbers) == 8
    assert any(
        text.startswith("TS-TalkNet: mAP gain over TalkNet 1.6 points on AVA-ActiveSpeaker val") for text in said
    )


def test_every_source_is_listed(published: Published) -> None:
    text = published_page(published)
    for place, source in enumerate(sources_of(published).all, 1):
        assert f"- S{place}: " in text
        assert not source.url or f"<{source.url}>" in text


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("GraVi-T README (Intel Labs),", ","), "row 10"),
        ((",ava-map,92.3,", ",mine,92.3,"), "no protocol 'mine'"),
        ((",ava-map,92.3,", ",ava-map,best,"), "row 2"),
        (("https://github.com/TaoRuijie/TalkNet-ASD,", "javascript:alert(1),"), "row 2"),
        ((",verified,", ",seen,"), "row 2"),
        ((",verified,,", ",verified,somebody,"), "who quotes it"),
    ],
)
def test_what_cannot_stand_in_the_table(tmp_path: Path, change: tuple[str, str], named: str) -> None:
    folder = Path(shutil.copytree(resource_folder("baselines/published"), tmp_path / "copy"))
    text = (folder / "results.csv").read_text(encoding="utf-8")
    (folder / "results.csv").write_text(text.replace(*change, 1), encoding="utf-8")
    with pytest.raises(DataError, match=named):
        read_published(folder)
