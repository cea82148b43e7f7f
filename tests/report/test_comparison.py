"""Two runs compared: table, sentence, files, and what may not be compared."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from asdbench.analysis.rows import RunRows
from asdbench.errors import NotComparableError
from asdbench.records.folder import RunFolder
from asdbench.records.predictions import predictions_path, write_predictions
from asdbench.report.comparison import Comparison, compare, write_comparison
from asdbench.report.run import Run, open_run
from tests.analysis.test_comparison import CONDITIONS, scored
from tests.report.crafted import HOSTILE


def folder(path: Path, model: str, rows: RunRows) -> Run:
    """A run folder of given rows."""
    record = {
        "state": "complete",
        "fingerprint": model,
        "model": {"name": model},
        "data": {"name": "made", "notes": (), "protocol": "ava", "media_digest": "m"},
        "suite": {
            "name": "s", "version": 1, "sha256": "0",
            "conditions": [
                {key: getattr(c, key) for key in ("name", "perturbation", "proportion", "labels", "role")}
                for c in CONDITIONS.values()
            ],
        },
        "identity": {
            "model": {"dtype": "float32"}, "data": {"fingerprint": "f"}, "suite": {}, "plan_sha256": "p", "limit": None,
        },
        "counts": {"tracks": 9, "skipped_tracks": 0, "incomplete_tracks": 0},
        "config": {"resamples": {"value": 100, "source": "flag"}},
        "custom": False,
        "plan": {"conditions": {}},
    }  # fmt: skip
    path.mkdir()
    for name in CONDITIONS:
        write_predictions(predictions_path(path, name), rows.read(name))
    RunFolder(path).write_record(record)
    metrics = Run(path, record, {}).recomputed().metrics
    (path / "metrics.json").write_text(json.dumps(metrics))
    return open_run(path)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """A model that notices little, and one that notices much but is worse on clean data."""
    root = tmp_path_factory.mktemp("compared")
    return folder(root / "a", "plain", scored(0.9, 2.5)), folder(root / "b", "sync", scored(0.1, 1.0, seed=2))


@pytest.fixture(scope="module")
def found(runs: tuple[Run, Run]) -> Comparison:
    return compare(runs[0].path, runs[1])


def test_the_table_has_the_differences_that_matter(found: Comparison) -> None:
    rows = {(row["condition"], row["figure"]): row for row in found.table.rows}
    assert rows["clean", "AP"]["verdict"] == "worse"
    retention = rows["mismatch@1.00", "retention"]
    assert retention["verdict"] == "better"
    assert retention["low"] < retention["new"] - retention["old"] < retention["high"] < 0
    assert retention["sources"] == "25-0-0"
    # No better direction, so no verdict; but the data can tell the two apart.
    assert rows["silence", "retention"]["verdict"] == "differs"
    assert rows["silence", "retention"]["sources"] is None
    assert ("noise_3", "fa_changed") not in rows
    assert ("mismatch@1.00", "AP") not in rows  # undefined in both


def test_the_sentence_counts_verdicts(found: Comparison) -> None:
    verdicts = [row["verdict"] for row in found.table.rows]
    better, worse, same = (verdicts.count(word) for word in ("better", "worse", "not separable"))
    assert found.conclusion.startswith("sync compared with plain: clean AP -")
    assert "(worse); retention under mismatch@1.00 -" in found.conclusion
    counted = [f"{count} {word}" for count, word in ((better, "better"), (worse, "worse"), (same, "not separable"))]
    said = ", ".join(text for text in counted if not text.startswith("0 "))
    assert found.conclusion.endswith(f"of {better + worse + same} figures {said} (95 % intervals).")


def test_a_run_and_itself(runs: tuple[Run, Run]) -> None:
    same = compare(runs[0], runs[0])
    assert same.names == ("a", "a")
    assert {row["difference"] for row in same.table.rows if not isinstance(row["difference"], dict)} == {0.0}
    assert set(same.counts) == {"not separable"}
    assert "clean AP +0.0 points [+0.0, +0.0] (not separable)" in same.conclusion


def test_files_are_equal_when_numbers_are(found: Comparison, tmp_path: Path) -> None:
    for name in ("once", "again"):
        write_comparison(found, tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "once").iterdir())
    written = ("csv", "html", "json", "md", "pdf", "png", "svg", "tex")
    assert files == [f"comparison.{extension}" for extension in written]
    for name in files:
        assert (tmp_path / "once" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    with (tmp_path / "once" / "comparison.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["difference"]) == found.table.rows[0]["difference"]
    content = json.loads((tmp_path / "once" / "comparison.json").read_text())
    assert content["old"]["model"]["name"] == "plain"
    assert content["conditions"][1]["figures"]["at"]["eer"]["retention"]["verdict"] == "better"


def test_a_long_table_is_cut_in_the_terminal_alone(found: Comparison) -> None:
    many = [
        {**found.found["conditions"][0], "name": f"c{number}", "perturbation": None, "role": "test"}
        for number in range(30)
    ]
    long = replace(found, found={**found.found, "conditions": [found.found["conditions"][0], *many]})
    assert len(long.table.rows) == 93
    assert all(row["verdict"] in ("better", "worse", "differs") for row in long.shown.rows)
    assert f"{93 - len(long.shown.rows)} more rows" in long.shown.caption
    assert found.shown is found.table


def test_few_sources_give_no_verdict(tmp_path: Path) -> None:
    rows = [scored(share, sources=3) for share in (0.9, 0.1)]
    found = compare(*(folder(tmp_path / name, name, each) for name, each in zip("ab", rows, strict=True)))
    assert not found.counts
    assert found.conclusion.endswith("no verdict, since an interval needs at least 5 sources, and there are 3.")
    assert found.table.note.startswith("No intervals: an interval needs")
    write_comparison(found, tmp_path)
    assert "no intervals" in (tmp_path / "comparison.svg").read_text()


@pytest.mark.parametrize(
    ("identity", "named"),
    [
        ({"plan_sha256": "q"}, r"differ in plan \(p and q\)"),
        ({"data": {"fingerprint": "g"}}, r"differ in data \(f and g\)"),
        ({"limit": 3}, r"differ in limit \(all tracks and 3\)"),
        ({"model": {"dtype": "float16"}}, "differ in dtype"),
    ],
)
def test_what_differs_by_more_than_the_model(runs: tuple[Run, Run], identity: dict[str, Any], named: str) -> None:
    with pytest.raises(NotComparableError, match=named):
        compare(runs[0], identified(runs[1], identity))


def test_other_plans_beside_the_first_make_no_difference(runs: tuple[Run, Run], found: Comparison) -> None:
    assert compare(runs[0], identified(runs[1], {"plan_seeds": 5})).found == found.found


def identified(run: Run, identity: dict[str, Any]) -> Run:
    """A run of another identity."""
    return Run(run.path, {**run.record, "identity": {**run.record["identity"], **identity}}, run.metrics)


@pytest.mark.parametrize("name", HOSTILE[:6])
def test_names_of_models_cannot_break_the_page(found: Comparison, tmp_path: Path, name: str) -> None:
    run = Run(found.old.path, {**found.old.record, "model": {"name": name}}, found.old.metrics)
    write_comparison(replace(found, old=run), tmp_path)
    page = (tmp_path / "comparison.md").read_text()
    assert "<script>" not in page
    assert page.splitlines()[0].startswith("# sync compared with ")
