"""Tables: what stands in which cell."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from asdbench.report.paper import paper_table
from asdbench.report.tables import Column, Table, build_tables, format_value
from asdbench.report.terminal import print_table
from tests.report.crafted import HOSTILE, MISSING, THRESHOLDS, changed, diagnostic, metrics, summary, with_dubbed


def tables(*conditions: Any, plan: dict[str, Any] | None = None, **more: Any) -> dict[str, Table]:
    return {table.name: table for table in build_tables(metrics(*conditions, **more), plan or {})}


def cells(table: Table, row: int) -> dict[str, str]:
    keys = [column.key for column in table.shown]
    return dict(zip(keys, list(table.cells())[row], strict=True))


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (0.98754, "percent", "98.75"),
        (1.0, "percent", "100.00"),
        (0.98754, "share", "98.8"),
        (0.0, "share", "0.0"),
        (-0.012, "share", "-1.2"),
        (0.5, "ratio", "0.500"),
        (10.0, "ratio", "10.000"),
        (-1.25, "log-odds", "-1.250"),
        (1_234_567, "count", "1,234,567"),
        (0, "count", "0"),
        ("tpr:0.9", "text", "tpr:0.9"),
        ("", "text", ""),
        (None, "count", "–"),
        (None, "text", "–"),
        (MISSING, "percent", "–"),
    ],
)
def test_format(value: Any, kind: Any, text: str) -> None:
    assert format_value(value, kind) == text


def test_robustness_has_one_row_per_condition() -> None:
    table = tables(changed("mismatch@1.00", ap=MISSING), changed("resplice@1.00"))["robustness"]
    assert [row["condition"] for row in table.rows] == ["clean", "mismatch@1.00", "resplice@1.00"]
    assert cells(table, 0) == {
        "condition": "clean",
        "share_changed": "–",
        "ava": "98.75",
        "tpr": "90.0",
        "fpr": "5.0",
        **dict.fromkeys(("fa_changed", "tpr_same_rows", "retention", "sync_auroc", "sync_winrate"), "–"),
    }
    assert cells(table, 1) == {
        "condition": "mismatch@1.00",
        "share_changed": "50.0",
        "ava": "–",
        "tpr": "90.0",
        "fpr": "5.0",
        "fa_changed": "50.0",
        "tpr_same_rows": "90.0",
        "retention": "0.556",
        "sync_auroc": "0.800",
        "sync_winrate": "0.800",
    }


def test_the_caption_says_protocol_threshold_and_n() -> None:
    caption = tables()["robustness"].caption
    assert caption.startswith("Protocol ava, 12,345 rows, 4,000 of them speaking; threshold tpr:0.9 of the clean run.")


def test_robustness_speaks_at_the_headline_threshold() -> None:
    one = changed("mismatch@1.00")
    one["metrics"]["at"]["eer"] = one["metrics"]["at"]["eer"] | {"fa_changed": 0.1}
    assert cells(tables(one)["robustness"], 1)["fa_changed"] == "50.0"


def test_thresholds_have_one_row_per_threshold_and_condition() -> None:
    one = changed("mismatch@1.00")
    one["metrics"]["at"]["eer"] = one["metrics"]["at"]["eer"] | {"fa_changed": 0.1, "fa_changed_inner": 0.2}
    table = tables(one)["thresholds"]
    expected = [(name, condition) for name in THRESHOLDS for condition in ("clean", "mismatch@1.00")]
    assert [(row["threshold"], row["condition"]) for row in table.rows] == expected
    found = cells(table, 3)
    assert (found["threshold"], found["value"]) == ("eer", "0.250")
    assert (found["fa_changed"], found["fa_changed_inner"]) == ("10.0", "20.0")


def test_precision_shows_what_ties_can_do() -> None:
    table = tables(changed("mismatch@1.00", ava=0.5, ava_best=0.75, tied_share=0.333))["precision"]
    assert cells(table, 1) == {
        "condition": "mismatch@1.00",
        "ap": "98.75",
        "ava": "50.00",
        "ava_best": "75.00",
        "tied_share": "33.3",
        "ava_rescaled": "97.00",
        "ap_unchanged": "90.00",
    }
    assert cells(table, 0)["ap_unchanged"] == "–"


def test_shifts_only_with_shifted_sound() -> None:
    group = {"rows": 4321, "fa_changed": 0.25, "tpr_same_rows": 1.0, "retention": 0.25, "sync_auroc": 0.7}
    found = tables(changed("misalign@1.00", by_shift={"late": group, "early": group | {"rows": 0}}))
    assert [row["shift"] for row in found["shifts"].rows] == ["late", "early"]
    assert cells(found["shifts"], 0)["rows"] == "4,321"
    assert cells(found["shifts"], 0)["retention"] == "0.250"
    assert "shifts" not in tables(changed("mismatch@1.00"))


def test_modality_only_with_diagnostics() -> None:
    found = tables(changed("mismatch@1.00"), diagnostic("silence"))
    assert [row["condition"] for row in found["modality"].rows] == ["clean", "silence"]
    assert cells(found["modality"], 1)["ap_drop"] == "1.23"
    assert cells(found["modality"], 1)["ava_rescaled"] == "97.00"
    assert cells(found["modality"], 0)["ap_drop"] == "–"
    assert "modality" not in tables(changed("mismatch@1.00"), changed("resplice@1.00", role="control"))
    assert "modality" not in tables()


def test_changes_come_from_the_plan() -> None:
    plan = {
        "mismatch@1.00": summary(ineligible={"shorter than 0.4 s": 12, "no donor": 3}),
        "silence": summary(share=None),
    }
    table = tables(changed("mismatch@1.00"), diagnostic("silence"), diagnostic("other"), plan=plan)["changes"]
    assert [row["condition"] for row in table.rows] == ["mismatch@1.00", "silence"]
    assert cells(table, 0) == {
        "condition": "mismatch@1.00",
        "targets": "1,234",
        "changed": "500",
        "share_of_targets": "50.0",
        "share_of_frames": "50.0",
        "ineligible_runs": "12 shorter than 0.4 s; 3 no donor",
        "donors": "40",
        "most_uses_of_a_donor": "3",
    }
    assert (cells(table, 1)["ineligible_runs"], cells(table, 1)["share_of_frames"]) == ("none", "–")


def test_a_clean_run_has_only_what_it_can_have() -> None:
    assert {"robustness", "thresholds"} <= set(tables())
    assert not {"shifts", "modality", "changes"} & set(tables())


def everything(**more: Any) -> dict[str, Table]:
    one = changed("misalign@1.00", by_shift={"late": {"rows": 1}})
    return tables(one, diagnostic("silence"), plan={"misalign@1.00": summary()}, **more)


def test_skipped_tracks_are_mentioned_in_every_caption() -> None:
    found = everything(tracks=4_321, skipped=1_002)
    assert {"robustness", "thresholds", "shifts", "modality", "changes"} <= set(found)
    for table in found.values():
        assert table.caption.endswith(" 1,002 of 4,321 tracks were skipped and are missing here.")


def test_without_skipped_tracks_no_caption_speaks_of_them() -> None:
    assert not any("skipped" in table.caption for table in everything().values())


def crafted() -> Table:
    other = {"undefined": "only 0 of 9 rows."}
    rows = (
        {"name": "a", "x": MISSING, "y": MISSING},
        {"name": "b", "x": MISSING, "y": other},
        {"name": "c", "x": 0.123456789, "y": None},
        {"name": "b", "x": MISSING},
    )
    return Table(
        "t", "Caption.", (Column("name", "Name"), Column("x", "X %", "percent"), Column("y", "Y", "ratio")), rows
    )


def test_each_reason_stands_once_with_the_rows_it_concerns() -> None:
    assert crafted().reasons() == ["a, b: no positive rows remain", "b: only 0 of 9 rows"]


def test_the_frame_holds_raw_values() -> None:
    frame = crafted().to_frame()
    assert list(frame.columns) == ["name", "x", "y"]
    assert frame["name"].tolist() == ["a", "b", "c", "b"]
    assert frame["x"].isna().tolist() == [True, True, False, True]
    assert frame["x"][2] == 0.123456789
    assert frame["y"].isna().all()


def test_a_frame_without_rows_keeps_its_columns() -> None:
    assert list(Table("t", "C.", (Column("a", "A"),), ()).to_frame().columns) == ["a"]


def printed(table: Table) -> str:
    stream = io.StringIO()
    print_table(Console(file=stream, width=400, color_system=None), table)
    return stream.getvalue()


def test_the_terminal_shows_cells_caption_and_reasons() -> None:
    text = printed(crafted())
    for part in ("Name", "X %", "12.35", "Caption.", "– a, b: no positive rows remain", "– b: only 0 of 9 rows"):
        assert part in text


@pytest.mark.parametrize(
    "name", ["[bold]x[/bold]", "[/]", "[link=http://x]y", *(n for n in HOSTILE if n.isprintable())]
)
def test_the_terminal_takes_no_name_for_markup(name: str) -> None:
    table = Table("t", name, (Column("name", name), Column("x", "X", "count")), ({"name": name, "x": 1},))
    assert printed(table).count(name) >= 3


def test_the_terminal_obeys_no_name() -> None:
    name = "\x1b[2Jx\nnext\r\u202e"
    table = Table("t", name, (Column("name", name), Column("x", "X", "count")), ({"name": name, "x": 1},))
    text = printed(table)
    assert text.count(r"\x1b[2Jx\nnext\r\u202e") == 3
    assert not set("\x1b\r\u202e") & set(text)


def test_every_caption_says_what_is_missing() -> None:
    conditions = [changed(name) for name in ("mismatch@0.50", "mismatch@1.00", "resplice@1.00")]
    for condition in conditions:
        condition["rows"]["ineligible"] = 7
    for table in tables(*conditions, incomplete=2).values():
        assert " Not eligible for mismatch, resplice: 7 rows." in table.caption
        assert table.caption.endswith(" 2 tracks miss a condition whose donor is broken.")


def test_machines_get_every_column_and_people_those_that_say_something() -> None:
    table = tables()["robustness"]
    assert "retention" in table.to_frame().columns
    assert "retention" not in [column.key for column in table.shown]
    assert {len(row) for row in table.cells()} == {len(table.shown)}


def test_the_main_table_fits_80_columns() -> None:
    names = ("resplice@1.00", "mismatch@0.25")
    table = tables(*(changed(name) for name in names))["robustness"]
    console = Console(width=80, file=io.StringIO())
    print_table(console, table)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert max(map(len, lines)) <= 80
    shown = " ".join(lines[: len(lines) // 2]).split()
    assert {word for column in table.columns for word in column.header.split()} <= set(shown)
    assert "…" not in "".join(lines)


def dubbed_tables(*conditions: Any, **more: Any) -> dict[str, Table]:
    plan = dict.fromkeys(("mismatch@1.00", "misalign@1.00", "dubbed"), summary())
    return {table.name: table for table in build_tables(with_dubbed(*conditions, **more), plan)}


def test_dubbed_is_the_last_row() -> None:
    found = dubbed_tables(changed("mismatch@1.00"))
    table = found["robustness"]
    assert [row["condition"] for row in table.rows] == ["clean", "mismatch@1.00", "dubbed"]
    assert cells(table, 2) == {
        "condition": "dubbed",
        "share_changed": "–",
        "ava": "98.75",
        "tpr": "90.0",
        "fpr": "5.0",
        "fa_changed": "25.0",
        **dict.fromkeys(("tpr_same_rows", "retention", "sync_auroc", "sync_winrate"), "–"),
    }
    assert table.caption.startswith("Protocol ava, 12,345 rows, 4,000 of them speaking")
    assert [row["condition"] for row in found["thresholds"].rows].count("dubbed") == 3


NOTE = (
    " dubbed: all rows of clean and 800 rows of dubbed tracks, which count nowhere else, as negatives (base rate "
    "30.4 %, clean 32.4 %); fa_changed: of the 400 rows in which their lips articulate."
)


def test_the_captions_of_its_tables_say_how_many_rows_it_adds() -> None:
    found = dubbed_tables(changed("misalign@1.00", by_shift={"late": {"rows": 1}}), diagnostic("silence"))
    assert {name for name, table in found.items() if NOTE in table.caption} == {"robustness", "precision", "thresholds"}
    assert set(found) == {"robustness", "precision", "thresholds", "shifts", "modality", "changes"}
    assert not any("dubbed" in table.caption for table in everything().values())


def test_what_is_not_edited_is_no_change() -> None:
    table = dubbed_tables(changed("mismatch@1.00"))["changes"]
    assert [row["condition"] for row in table.rows] == ["mismatch@1.00"]


def test_without_dubbed_rows_the_captions_say_so() -> None:
    found = dubbed_tables(changed("mismatch@1.00"), fa=MISSING, rows=0)
    assert " dubbed: no dubbed track is among those scored." in found["robustness"].caption
    assert "base rate" not in found["robustness"].caption


def test_a_paper_gets_few_columns_and_what_the_run_was() -> None:
    record = {"suite": {"name": "unsync", "version": 1}, "data": {"name": "films"}}
    robustness = tables(changed("mismatch@1.00"))["robustness"]
    table = paper_table(robustness, "a model", record, metrics(changed("mismatch@1.00")))
    assert [column.key for column in table.columns] == ["condition", "ava", "fa_changed", "retention", "sync_auroc"]
    assert table.legend.startswith("a model on films, asdbench suite unsync@1. AP by the protocol ava;")
    assert table.rows == robustness.rows
