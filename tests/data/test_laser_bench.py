"""LASER-bench: two folders in AVA's layout, one chosen by option."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from asdbench.data import open_dataset
from asdbench.data.formats import recognise
from asdbench.errors import DataError, UsageError
from asdbench.types import Dataset
from tests.data.kin import load_all


@pytest.fixture
def bench(fixture_root: Path, tmp_path: Path) -> Path:
    for noise in ("noise_0", "noise_1"):
        shutil.copytree(fixture_root, tmp_path / noise)
        (tmp_path / noise / "csv/val_loader.csv").unlink()
    path = tmp_path / "noise_1/csv/val_orig.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line for line in lines if not line.startswith("aa,")), encoding="utf-8")
    return tmp_path


def test_the_two_sets(bench: Path, fixture_dataset: Dataset) -> None:
    assert recognise(bench) == "laser-bench"
    low, high = (open_dataset(bench, options={"noise": noise}) for noise in ("0", "1"))
    assert (low.name, high.name) == ("laser-bench-val-noise_0", "laser-bench-val-noise_1")
    assert {track.categories for track in low.tracks} == {("low noise",)}
    assert {track.categories for track in high.tracks} == {("high noise",)}
    assert len(low.tracks) == len(fixture_dataset.tracks) > len(high.tracks)
    assert open_dataset(bench).fingerprint == low.fingerprint != high.fingerprint
    load_all(low)
    assert open_dataset(bench / "noise_0", data_format="laser-bench").fingerprint == low.fingerprint


def test_no_such_noise(bench: Path) -> None:
    with pytest.raises(UsageError, match="noise=2 is none of 0, 1"):
        open_dataset(bench, options={"noise": "2"})


def test_zips_that_are_not_unpacked(bench: Path) -> None:
    shutil.make_archive(str(bench / "noise_0/clips_audios/val/aa"), "zip", bench / "noise_0/clips_audios/val/aa")
    open_dataset(bench)
    shutil.rmtree(bench / "noise_0/clips_audios/val/aa")
    with pytest.raises(DataError, match=r"aa\.zip: 1 zips there are not unpacked"):
        open_dataset(bench)
