"""Which file is whose."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdbench.errors import DataError, UsageError
from asdbench.predictions.files import find_files

CONDITIONS = ["clean", "mismatch@0.50", "mismatch(track)"]


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    "names",
    [
        ["clean.csv", "mismatch@0.50.csv", "mismatch%28track%29.csv"],
        ["clean.parquet", "mismatch@0.50.csv", "mismatch(track).csv"],
        ["clean/val_res.csv", "mismatch@0.50/scores.csv", "mismatch(track)/val_res.csv", "mismatch(track)/log.csv"],
        ["run.json", "predictions/clean.parquet", "predictions/mismatch@0.50.parquet",
         "predictions/mismatch%28track%29.parquet"],
    ],
)  # fmt: skip
def test_the_forms_of_a_folder(names: list[str], tmp_path: Path):
    found = find_files(touch(tmp_path, *names), CONDITIONS)
    wanted = [name for name in names if name not in ("run.json", "mismatch(track)/log.csv")]
    assert list(found) == CONDITIONS
    assert [path.relative_to(tmp_path).as_posix() for path in found.values()] == wanted


def test_what_is_not_there_is_left_out(tmp_path: Path):
    assert list(find_files(touch(tmp_path, "clean.csv", "README.md", ".hidden.csv"), CONDITIONS)) == ["clean"]


def test_a_file_is_that_of_the_clean_condition(tmp_path: Path):
    path = touch(tmp_path, "val_res.csv") / "val_res.csv"
    assert find_files(path, CONDITIONS) == {"clean": path}


@pytest.mark.parametrize("name", ["mismatch@0.50.csv", "other"])
def test_the_clean_condition_is_required(name: str, tmp_path: Path):
    given = touch(tmp_path, "mismatch@0.50.csv") / name
    with pytest.raises(DataError, match=r"'clean'|no such file"):
        find_files(given, CONDITIONS)
    with pytest.raises(DataError, match=r"thresholds are frozen; expected clean\.csv"):
        find_files(tmp_path, CONDITIONS)


def test_a_file_for_no_condition_is_refused(tmp_path: Path):
    with pytest.raises(
        UsageError, match=r"mismatch@0\.5\.csv: belongs to no condition, which are clean, mismatch@0\.50"
    ):
        find_files(touch(tmp_path, "clean.csv", "mismatch@0.5.csv"), CONDITIONS)


@pytest.mark.parametrize("second", ["clean.parquet", "clean/val_res.csv"])
def test_two_files_for_one_condition_are_refused(second: str, tmp_path: Path):
    with pytest.raises(UsageError, match="both for the condition 'clean'"):
        find_files(touch(tmp_path, "clean.csv", second), CONDITIONS)


def test_a_single_file_that_is_named_like_a_condition_is_not_taken_for_the_clean_one(tmp_path: Path):
    path = tmp_path / "mismatch@0.5.csv"
    path.touch()
    with pytest.raises(UsageError, match=r"mismatch@0\.5\.csv: belongs to no condition, which are clean"):
        find_files(path, CONDITIONS)


def test_two_files_in_the_folder_of_a_condition_are_refused(tmp_path: Path):
    with pytest.raises(UsageError, match=r"a\.csv and b\.csv are both for"):
        find_files(touch(tmp_path, "clean/a.csv", "clean/b.csv"), CONDITIONS)
