"""Runs side by side: the rows and columns of the table, the sentence, and what may not be compared."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from asdbench.errors import NotComparableError
from asdbench.report.contrast import contrast, write_contrast
from asdbench.report.run import Run
from tests.report.crafted import HOSTILE, MISSING, changed, diagnostic, ends, metrics, units, with_ends


def run(
    model: str, /, *conditions: dict[str, Any], notes: tuple[str, ...] = (), media: str = "m", **identity: Any
) -> Run:
    measured = metrics(*conditions)
    record = {
        "model": {"name": model},
        "data": {"name": "d", "notes": notes, "protocol": "ava", "media_digest": media},
        "suite": {
            "name": "s", "version": 1, "sha256": "0",
            "conditions": [
                {key: c[key] for key in ("name", "perturbation", "proportion", "labels", "role")}
                for c in measured["conditions"]
            ],
        },
        "identity": {
            "model": {"dtype": "float32"}, "data": {}, "suite": {}, "plan_sha256": "a", "limit": None, **identity,
        },
        "counts": {"tracks": 9, "skipped_tracks": 0, "incomplete_tracks": 0},
        "custom": False,
        "plan": {"conditions": {}},
    }  # fmt: skip
    return Run(Path(f"runs/{model}"), record, measured)


def voices(kept: Any, fa: Any = 0.6) -> dict[str, Any]:
    return changed("mismatch@1.00", kept=kept, fa=fa, ap=MISSING)


def pair(plain: Any, sync: Any) -> Any:
    return contrast([run("light-asd.demo", voices(plain, 0.85)), run("light-asd.demo-sync", voices(sync, 0.4))])


def test_four_columns_per_model_and_one_row_per_condition():
    table = pair(0.9, 0.5).table
    models = ("light-asd.demo", "light-asd.demo-sync")
    keys = [f"{model}.{key}" for key in ("ava", "fa_changed", "retention", "sync_auroc") for model in models]
    assert [column.key for column in table.columns] == ["condition", *keys]
    assert [column.header for column in table.columns][1:3] == ["demo AP %", "demo-sync AP %"]
    assert list(table.cells()) == [
        ["clean", "98.75", "98.75", *["–"] * 6],
        ["mismatch@1.00", "–", "–", "85.0", "40.0", "0.900", "0.500", "0.800", "0.800"],
    ]


def test_models_of_several_architectures_keep_their_whole_names():
    table = contrast([run("a.demo", voices(0.9)), run("b.demo", voices(0.9))]).table
    assert table.columns[1].header == "a.demo AP %"


def test_the_narrow_table_has_letters_and_says_what_they_mean():
    found = pair(0.9, 0.5)
    assert [column.header for column in found.narrow_table.columns][1:3] == ["A AP %", "B AP %"]
    assert found.narrow_table.caption.startswith("A: light-asd.demo, B: light-asd.demo-sync.")
    assert list(found.narrow_table.cells()) == list(found.table.cells())


@pytest.mark.parametrize(
    ("plain", "sync", "words"),
    [
        (0.9, 0.5, "light-asd.demo-sync is misled less often than light-asd.demo."),
        (0.5, 0.9, "light-asd.demo is misled less often than light-asd.demo-sync."),
        (0.5, 0.5625, "light-asd.demo is misled less often"),
        (0.5, 0.5, "they hardly differ."),
        (0.5, 0.53125, "they hardly differ."),
    ],
)
def test_the_sentence(plain: float, sync: float, words: str):
    conclusion = pair(plain, sync).conclusion
    assert "that carry somebody else's voice" in conclusion
    assert f"light-asd.demo on 85 % (retention {plain:.2f})" in conclusion
    assert f"light-asd.demo-sync on 40 % (retention {sync:.2f})" in conclusion
    assert words in conclusion


def compared(separable: bool, low: float, high: float) -> Any:
    """A comparison by which the second run has 0.4 less retention under every condition."""
    record = {"difference": -0.4, "interval": ends(low, high), "separable": separable}
    names = ("clean", "mismatch@1.00")
    conditions = [{"name": name, "figures": {"at": {"tpr:0.9": {"retention": record}}}} for name in names]
    return lambda first, second: {"headline": "tpr:0.9", "conditions": conditions}


def two(compare: Any) -> Any:
    return contrast([run("light-asd.demo", voices(0.9)), run("light-asd.demo-sync", voices(0.5))], compare)


def test_a_difference_is_called_one_where_its_interval_says_so():
    assert two(compared(True, -0.5, -0.3)).conclusion.endswith(
        "light-asd.demo-sync is misled less often than light-asd.demo (difference of retention 0.40, 95 % interval "
        "0.30 to 0.50)."
    )
    assert two(compared(False, -0.9, 0.1)).conclusion.endswith(
        "; the two are not separable (difference of retention 0.40, 95 % interval -0.10 to 0.90)."
    )


def test_the_table_says_which_differences_are_separable(tmp_path: Path):
    found = two(compared(True, -0.5, -0.3))
    row = dict(zip((column.key for column in found.table.shown), list(found.table.cells())[1], strict=True))
    assert (row["figure"], row["difference"], row["separable"]) == ("retention", "-0.400 [-0.50, -0.30]", "yes")
    assert [column.key for column in found.narrow_table.columns][-1] == "light-asd.demo-sync.sync_auroc"
    write_contrast(found, tmp_path)
    assert json.loads((tmp_path / "contrast.json").read_text())["comparison"]["headline"] == "tpr:0.9"


def test_the_figure_has_the_intervals_of_both(tmp_path: Path):
    kept = with_ends(voices(0.5), {"retention": ends(0.25, 1.5)})
    runs = [run("a", kept), run("b", kept)]
    runs = [Run(each.path, each.record, {**each.metrics, "units": units(33)}) for each in runs]
    write_contrast(contrast(runs, lambda first, second: None), tmp_path)
    words = " ".join("".join(ET.parse(tmp_path / "contrast.svg").getroot().itertext()).split())
    assert "33 sources; bars: 95 % intervals" in words


def test_without_enough_sources_the_sentence_says_so():
    runs = [Run(each.path, each.record, {**each.metrics, "units": units(3)}) for each in pair(0.9, 0.5).runs]
    assert contrast(runs).conclusion.endswith(
        "is misled less often than light-asd.demo. No intervals: an interval needs at least 5 units, and there are 3."
    )


def test_the_sentence_where_a_retention_is_undefined():
    assert pair(0.9, MISSING).conclusion.startswith("Too few speaking frames that carry somebody else's voice")


def test_the_sentence_without_foreign_voices():
    late = changed("misalign@1.00", kept=0.7, fa=0.6)
    found = contrast([run("a", late), run("b", changed("misalign@1.00", kept=0.2, fa=0.2))])
    assert "early or late" in found.conclusion
    assert "b is misled less often than a" in found.conclusion
    other = contrast([run("a", diagnostic("silence")), run("b", diagnostic("silence"))])
    assert other.conclusion == "AP on the clean data: 98.8 % for a, 98.8 % for b."


def test_three_models():
    found = contrast([run(name, voices(kept)) for name, kept in (("a", 0.9), ("b", 0.2), ("c", 0.5))])
    assert found.conclusion.endswith("b is misled least.")
    assert len(found.table.columns) == 13


def test_only_conditions_of_all_runs_are_shown():
    found = contrast([run("a", voices(0.9), diagnostic("silence")), run("b", voices(0.9))])
    assert found.conditions == ["clean", "mismatch@1.00"]


def test_warnings_of_all_models_are_said_once_and_others_name_theirs():
    found = contrast([run("a", notes=("no benchmark", "x")), run("b", notes=("no benchmark", "y"))])
    assert found.warnings == ("no benchmark", "a: x", "b: y")


@pytest.mark.parametrize("part", ["data", "suite", "plan_sha256", "limit"])
def test_runs_of_other_rows_are_refused(part: str):
    with pytest.raises(NotComparableError, match=f"differ in {part}"):
        contrast([run("a"), run("b", **{part: 5})])


def test_runs_on_other_media_or_in_other_numbers_are_refused():
    with pytest.raises(NotComparableError, match="differ in media; compare"):
        contrast([run("a"), run("b", media="other")])
    with pytest.raises(NotComparableError, match="differ in dtype; compare"):
        contrast([run("a"), run("b", model={"dtype": "float16"})])
    contrast([run("a"), run("b", model={"dtype": "float32", "adapter": "other"})])


def test_two_runs_of_one_model_are_refused():
    with pytest.raises(NotComparableError, match=r"the same model \(a\)"):
        contrast([run("a"), run("a")])


def test_what_is_written(tmp_path: Path):
    kept = {"light-asd.demo": 0.9, "light-asd.x": 0.5}
    found = contrast([run(name, voices(value), notes=("no benchmark",)) for name, value in kept.items()])
    write_contrast(found, tmp_path)
    page = (tmp_path / "contrast.md").read_text()
    assert [words for words in (found.conclusion, "- no benchmark", "contrast.png") if words not in page] == []
    assert json.loads((tmp_path / "contrast.json").read_text()) == json.loads(json.dumps(found.to_dict()))
    with (tmp_path / "contrast.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["condition"] for row in rows] == ["clean", "mismatch@1.00"]
    assert rows[1]["light-asd.x.retention"] == "0.5"
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(before) == {f"contrast.{extension}" for extension in ("md", "csv", "json", "png", "svg", "pdf")}
    write_contrast(found, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("conditions", [[], [diagnostic("silence", kept=MISSING)], [voices(MISSING)]])
def test_the_figure_without_a_retention_shows_ap(tmp_path: Path, conditions: list[Any]):
    write_contrast(contrast([run("a", *conditions), run("b", *conditions)]), tmp_path)
    assert ">AP by condition<" in (tmp_path / "contrast.svg").read_text()


def test_names_from_files_break_nothing(tmp_path: Path):
    names = [name for name in HOSTILE if name.isascii() and name.isprintable() and name]
    write_contrast(contrast([run(name, voices(0.5)) for name in names]), tmp_path)
    page = (tmp_path / "contrast.md").read_text()
    assert "<script>" not in page.replace("\\<", "")
    (header,) = [line for line in page.splitlines() if line.startswith("| condition")]
    assert header.replace("\\\\", "").replace("\\|", "").count("|") == 4 * len(names) + 2
