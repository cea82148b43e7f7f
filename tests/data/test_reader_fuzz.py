"""Readers take whatever anyone wrote: they read it, or say in one error of asdbench what is wrong. Never a traceback.

The readers are called as they are, without `asdbench.data.open_dataset`, which would turn any failure into an error.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from asdbench.data import _check
from asdbench.data.asw import open_asw
from asdbench.data.ava import open_ava
from asdbench.data.columbia import open_columbia
from asdbench.data.folder import open_folder
from asdbench.data.laser_bench import open_laser_bench
from asdbench.data.layout import CommunityLayout, TrackRows
from asdbench.data.talkies import open_talkies
from asdbench.data.unitalk import open_unitalk
from asdbench.data.wasd import open_wasd
from asdbench.errors import AsdbenchError, DataError
from asdbench.types import Dataset
from tests.data.films import Film
from tests.data.test_ava_columns import told

Reader = Callable[[Path], Dataset]
UNTIMED = settings(max_examples=60, suppress_health_check=list(HealthCheck))

VALUES = (
    b"", b"0", b"1", b"0.300001", b"-1", b"nan", b"inf", b"1e400", b"0x1p3", b"9" * 400, b"SPEAKING_AUDIBLE", b"..",
    b'"', b"\xff", b"\xef\xbb\xbf", b"\n", b"\r\n", b"\t", b",", b",,,,", b"[", b"]", b"{", b"}", b":", b"null",
    b"a/b", b"\0", b"true", b"NaN", b"[1]", b"[[0]]", b"\xe2\x80\xa8", b"#", b" ", b"|", b"\x1a",
)  # fmt: skip


@st.composite
def mutations(draw: st.DrawFn, content: bytes) -> bytes:
    """A valid file with a few places replaced, cut out, repeated or torn off."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        stop = min(start + draw(st.integers(0, 40)), len(content))
        piece = draw(st.sampled_from(VALUES) | st.binary(max_size=8))
        changed = (content[:start] + piece + content[stop:], content[:start], content + content[start:stop])
        content = draw(st.sampled_from(changed))
    return content


def fields(content: bytes, separator: bytes) -> st.SearchStrategy[bytes]:
    """A valid table with one field replaced."""
    rows = [line.split(separator) for line in content.splitlines()]
    places = [(row, column) for row in range(min(len(rows), 4)) for column in range(len(rows[row]))]

    def replaced(place: tuple[int, int], value: bytes) -> bytes:
        row, column = place
        line = separator.join([*rows[row][:column], value, *rows[row][column + 1 :]])
        return b"\n".join(line if i == row else separator.join(each) for i, each in enumerate(rows))

    return st.builds(replaced, st.sampled_from(places), st.sampled_from(VALUES))


def survives(reader: Reader, root: Path) -> None:
    try:
        dataset = reader(root)
    except AsdbenchError as error:
        assert "\n" not in str(error).replace("\\n", ""), "one sentence"
        return
    if not dataset.tracks:  # which `open_dataset` refuses
        return
    _check(dataset)
    with suppress(DataError):
        dataset.tracks[0].media.audio()
    with suppress(DataError):
        dataset.tracks[0].media.faces()
    dataset.tracks[0].media.stamp()


ROOTS: dict[str, Callable[[Path, Path, Dataset], None]] = {}


def told_root(root: Path, fixture_root: Path, dataset: Dataset) -> None:
    shutil.copytree(fixture_root, root)
    shutil.rmtree(root / "csv")
    rows = [TrackRows(track, track.labels) for track in told(dataset)]
    CommunityLayout(root, "val").write_tables(rows)


def official_root(root: Path, fixture_root: Path, _: Dataset) -> None:
    (root / "csv/val").mkdir(parents=True)
    lines = (fixture_root / "csv/val_orig.csv").read_text(encoding="utf-8").splitlines()[1:]
    short = [",".join(line.split(",")[:8]) for line in lines if line.startswith("aa,")]
    (root / "csv/val/aa.csv").write_text("\n".join(short), encoding="utf-8")
    Film(frames=10).write(root / "videos/aa.mp4")


def wasd_root(root: Path, fixture_root: Path, _: Dataset) -> None:
    shutil.copytree(fixture_root, root)
    (root / "dataset_division.txt").write_text("# OC\naa\n# React\nCfilm\n", encoding="utf-8")
    (root / "sub_categories").mkdir()
    (root / "sub_categories/test_noise.csv").write_text("aa\n", encoding="utf-8")
    (root / "noise_0").symlink_to(root, target_is_directory=True)


def asw_root(root: Path, _: Path, __: Dataset) -> None:
    (root / "json").mkdir(parents=True)
    (root / "split").mkdir()
    (root / "split/valset.list").write_text("v.json\n", encoding="utf-8")
    samples = [
        {"time": round(0.2 * i, 1), "bbox": [0.1, 0.1, 0.9, 0.9], "label": i % 2, "eval": i % 2} for i in range(4)
    ]
    (root / "json/v.json").write_text(json.dumps({"track_000000": samples}), encoding="utf-8")
    Film(frames=20).write(root / "videos/v.mp4")


def columbia_root(root: Path, _: Path, __: Dataset) -> None:
    (root / "col_labels").mkdir(parents=True)
    (root / "col_labels/bell.txt").write_text("0\t8\t6\t16\t1\n1\t8\t6\t16\t0\n2\t8\t6\t16\t0\n", encoding="utf-8")
    Film(frames=10).write(root / "col.mp4")


def folder_root(root: Path, fixture_root: Path, dataset: Dataset) -> None:
    official_root(root, fixture_root, dataset)
    (root / "csv/val/aa.csv").rename(root / "labels.csv")
    entity = next(track.entity_id for track in dataset.tracks if track.video_id == "aa")
    (root / "tracks.csv").write_text(
        f"video_id,entity_id,source_id,kind,categories,frame_width,frame_height\naa,{entity},s,plain,x|y,64,48\n",
        encoding="utf-8",
    )
    (root / "dataset.toml").write_text('name = "mine"\nversion = "1"\nnotes = ["n"]\n', encoding="utf-8")


CASES: dict[str, tuple[Callable[[Path, Path, Dataset], None], Reader, str, bytes]] = {
    "ava orig": (told_root, open_ava, "csv/val_orig.csv", b","),
    "ava loader": (told_root, open_ava, "csv/val_loader.csv", b"\t"),
    "ava tracks": (told_root, open_ava, "csv/val_tracks.csv", b","),
    "ava dropping": (told_root, partial(open_ava, inaudible="drop"), "csv/val_orig.csv", b","),
    "ava official": (official_root, open_ava, "csv/val/aa.csv", b","),
    "ava square": (official_root, partial(open_ava, crop="square"), "csv/val/aa.csv", b","),
    "wasd": (wasd_root, open_wasd, "csv/val_orig.csv", b","),
    "wasd division": (wasd_root, open_wasd, "dataset_division.txt", b" "),
    "unitalk lists": (wasd_root, open_unitalk, "sub_categories/test_noise.csv", b","),
    "talkies": (wasd_root, open_talkies, "csv/val_orig.csv", b","),
    "laser-bench": (wasd_root, open_laser_bench, "csv/val_orig.csv", b","),
    "asw": (asw_root, open_asw, "json/v.json", b","),
    "asw list": (asw_root, open_asw, "split/valset.list", b","),
    "columbia": (columbia_root, open_columbia, "col_labels/bell.txt", b"\t"),
    "folder": (folder_root, open_folder, "labels.csv", b","),
    "folder tracks": (folder_root, open_folder, "tracks.csv", b","),
    "folder description": (folder_root, open_folder, "dataset.toml", b"="),
}


@pytest.fixture(scope="module", params=CASES)
def case(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    fixture_root: Path,
    fixture_dataset: Dataset,
) -> tuple[Path, Reader, Path, bytes, bytes]:
    """A valid data set, its reader, the file to be spoiled, its content and what separates its fields."""
    build, reader, name, separator = CASES[request.param]
    root = tmp_path_factory.mktemp("fuzz") / "data"
    build(root, fixture_root, fixture_dataset)
    content = (root / name).read_bytes()
    assert reader(root).tracks, "the case must start from a valid file"
    return root, reader, root / name, content, separator


def test_mutated_files(case: tuple[Path, Reader, Path, bytes, bytes]) -> None:
    root, reader, path, content, separator = case

    @UNTIMED
    @given(spoiled=mutations(content) | fields(content, separator))
    def spoil(spoiled: bytes) -> None:
        path.write_bytes(spoiled)
        survives(reader, root)

    spoil()


def test_random_bytes(case: tuple[Path, Reader, Path, bytes, bytes]) -> None:
    root, reader, path, content, _ = case

    @UNTIMED
    @given(spoiled=st.binary() | st.text().map(lambda text: text.encode(errors="surrogatepass")))
    @example(spoiled=b"")
    @example(spoiled=content[: len(content) // 2])
    @example(spoiled=b"[" * 100_000)
    @example(spoiled=content.replace(b"\n", b"\r"))
    @example(spoiled=content.replace(b"\n", b"\n\n"))
    @example(spoiled=b"\xef\xbb\xbf" + content)
    @example(spoiled=content.decode().encode("utf-16"))
    def spoil(spoiled: bytes) -> None:
        path.write_bytes(spoiled)
        survives(reader, root)

    spoil()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["time", "bbox"]),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(
            st.sampled_from(["t", "time", "bbox", "label", "eval"]) | st.text(max_size=5), inner, max_size=5
        )
    ),
    max_leaves=12,
)
sides = st.lists(st.floats() | st.integers(-3, 3), min_size=3, max_size=5)
samples = st.fixed_dictionaries(
    {"time": st.floats() | st.integers(-1, 50), "bbox": sides, "label": st.integers(-1, 2), "eval": st.integers(0, 1)}
)


@UNTIMED
@given(content=json_values | st.dictionaries(st.text(max_size=3), st.lists(samples, max_size=4), max_size=3))
def test_any_json_for_asw(tmp_path_factory: pytest.TempPathFactory, content: object) -> None:
    root = tmp_path_factory.mktemp("asw")
    (root / "json").mkdir()
    (root / "json/v.json").write_text(json.dumps(content), encoding="utf-8", errors="surrogatepass")
    survives(partial(open_asw, split="all", missing="keep"), root)
