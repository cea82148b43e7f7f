"""Every kind of problem is made by damaging a good data set, and found; a run tells it, and scores no zeros."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import asdbench
from asdbench.data import open_dataset
from asdbench.data.check import Checked, check
from asdbench.data.check_files import file_digest
from asdbench.data.check_problems import KINDS
from asdbench.data.media import content_stamp, file_stamp
from asdbench.errors import DataError
from tests.data.damages import DAMAGES, GOOD, LAYOUT, edit_rows, folder, set_field
from tests.data.good import prepared, read_csv, write_good


@pytest.fixture(scope="module")
def good_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_good(tmp_path_factory.mktemp("good") / "good")


@pytest.fixture(scope="module")
def layout_root(good_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in the community layout."""
    out = tmp_path_factory.mktemp("layout") / "good"
    prepared(good_root, out)
    return out


@pytest.fixture
def good(good_root: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good_root, tmp_path / "good"))


@pytest.fixture
def layout(layout_root: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(layout_root, tmp_path / "layout"))


def checked(root: Path, **options: object) -> Checked:
    return check(root, "val", lambda: open_dataset(root), workers=1, progress=False, **options)  # type: ignore[arg-type]


# --- found -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [GOOD, LAYOUT])
def test_nothing_is_found_in_good_data(good_root: Path, layout_root: Path, kind: str) -> None:
    found = checked(good_root if kind == GOOD else layout_root)
    assert found.problems == ()
    assert (found.tracks, found.frames) == (4, 35 + 27 + 48 + 30)


@pytest.mark.parametrize("what", DAMAGES)
def test_damage_is_found(request: pytest.FixtureRequest, what: str) -> None:
    where, damage, kind, message, _ = DAMAGES[what]
    root: Path = request.getfixturevalue(where)
    damage(root)
    found = checked(root)
    told = [problem.message for problem in found.problems if problem.kind == kind]
    assert any(message in text for text in told), [tuple(map(str, (p.kind, p.message))) for p in found.problems]
    assert (found.errors > 0) == any(KINDS[each].severity == "error" for each in found.by_kind)


def test_every_kind_is_made_here() -> None:
    assert {kind for _, _, kind, _, _ in DAMAGES.values()} | {"broken media"} == set(KINDS)


@pytest.mark.parametrize("what", [what for what, damage in DAMAGES.items() if damage[4]])
def test_a_run_over_damage_names_it_or_counts_it(request: pytest.FixtureRequest, tmp_path: Path, what: str) -> None:
    """A run stops with a place, or leaves the track out and counts it; it never scores zeros in place of data."""
    where, damage, kind, _, _ = DAMAGES[what]
    root: Path = request.getfixturevalue(where)
    damage(root)
    with pytest.raises(DataError) as caught:
        asdbench.run("additive", "clean", root, out=tmp_path / "a", progress=False)
    assert str(root) in str(caught.value)
    if kind in ("refused", "unknown label", "duplicate row") or (kind == "out of range" and "layout" not in what):
        return  # the annotation cannot be used at all
    run = asdbench.run("additive", "clean", root, out=tmp_path / "b", on_error="skip", progress=False)
    assert run.record["counts"]["skipped_tracks"] >= 1
    assert len(read_csv(run.path / "skipped.csv")) == run.record["counts"]["skipped_tracks"]


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="no devices here")
def test_devices_are_not_read_to_an_end_that_they_may_not_have() -> None:
    device = Path("/dev/null")
    assert file_digest(device) is None
    assert content_stamp(device) == file_stamp(device)


def test_the_other_tracks_of_a_clip_are_still_read(good: Path) -> None:
    edit_rows("labels.csv", set_field(0, entity_box_x2="0.01"))(good)
    found = checked(good)
    assert [(problem.kind, problem.entity_id) for problem in found.problems] == [("no pixel", "one:a")]
    assert found.frames == 27 + 48 + 30


def test_problems_of_one_kind_and_track_are_counted(layout: Path) -> None:
    for path in sorted(folder(layout).iterdir())[:7]:
        path.write_text("x")
    (problem,) = checked(layout).problems
    assert (problem.kind, problem.count, problem.entity_id) == ("unreadable", 7, "one:a")
    assert "0.40.png" in problem.message


def test_processes_find_the_same(layout: Path) -> None:
    for what in ("a wav is missing", "black crops"):
        DAMAGES[what][1](layout)
    one = checked(layout)
    two = check(layout, "val", lambda: open_dataset(layout), workers=2, progress=False)
    assert one.problems == two.problems
    assert {problem.kind for problem in one.problems} == {"missing", "black"}


def test_limit_reads_fewer_tracks_but_all_tables(layout: Path) -> None:
    edit_rows("csv/val_orig.csv", set_field(-1, entity_box_x2="320"))(layout)
    found = checked(layout, limit=1)
    assert found.tracks == 1
    assert list(found.by_kind) == ["out of range"]


def test_lists_for_machines(layout: Path, tmp_path: Path) -> None:
    DAMAGES["a wav is missing"][1](layout)
    DAMAGES["black crops"][1](layout)
    found = checked(layout)
    content = json.loads(json.dumps(found.to_dict(examples=1)))
    assert [(kind["kind"], kind["severity"]) for kind in content["problems"]] == [
        ("missing", "error"),
        ("black", "warning"),
    ]
    assert (content["errors"], content["warnings"]) == (1, 1)
    found.write(tmp_path / "report.csv")
    rows = read_csv(tmp_path / "report.csv")
    assert [(row["severity"], row["kind"], row["entity_id"]) for row in rows] == [
        ("error", "missing", "one:a"), ("warning", "black", "one:a"),
    ]  # fmt: skip


def test_the_fixture_and_its_loader(fixture_root: Path) -> None:
    assert checked(fixture_root).errors == 0


def test_real_clips(shared: Path) -> None:
    """Three clips were composed with the voice of another, which is found."""
    found = checked(shared / "clips/ava_layout")
    assert found.errors == 0
    assert [problem.video_id for problem in found.by_kind["duplicate sound"]] == [
        "realclip_35",
        "realclip_36",
        "realclip_37",
    ]
