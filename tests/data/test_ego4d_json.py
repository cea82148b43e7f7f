"""The annotation of Ego4D comes from anyone: what is read, what is refused, and in which words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asdbench.data import open_dataset
from asdbench.data.ego4d_json import read_clips
from asdbench.errors import AsdbenchError, DataError
from tests.data.ego4d_films import annotation, box, person, track, write_annotation

FACE = (40.0, 30.0, 50.0, 60.0)


def content() -> dict[str, Any]:
    """Return a correct annotation: two videos, three clips, one person and track each."""

    def persons() -> list[dict[str, Any]]:
        return [person("1", [(1, 2)], [track("track_0", [box(frame, FACE) for frame in range(4)])])]

    return annotation({"v1": {"c1": persons(), "c2": persons()}, "v2": {"c3": persons()}})


def clip(of: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = of["videos"][0]["clips"][1]
    return found


def first_box(of: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = clip(of)["persons"][0]["tracking_paths"][0]["track"][2]
    return found


def test_clips_come_with_the_video_they_are_cut_from(tmp_path: Path) -> None:
    path = write_annotation(tmp_path / "av_val.json", content())
    assert [(source, clip.clip_uid) for source, clip in read_clips(path)] == [("v1", "c1"), ("v1", "c2"), ("v2", "c3")]


def test_the_parent_video_falls_back_to_that_of_the_clip_and_to_the_clip(tmp_path: Path) -> None:
    data = content()
    del data["videos"][0]["video_uid"], data["videos"][1]["video_uid"], data["videos"][1]["clips"][0]["video_uid"]
    path = write_annotation(tmp_path / "av_val.json", data)
    assert [source for source, _ in read_clips(path)] == ["v1", "v1", "c3"]


def test_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "av_val.json"
    path.write_text(json.dumps(content()), encoding="utf-8-sig")
    assert len(list(read_clips(path))) == 3


def put(value: object, key: str, at: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[dict[str, Any]], None]:
    return lambda data: at(data).__setitem__(key, value)


PLACE = r"\$\.videos\[0\]\.clips\[1\]"
BOX = PLACE + r"\.persons\[0\]\.tracking_paths\[0\]\.track\[2\]"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (put("5", "x", first_box), rf"{BOX}\.x: .*Expected `float`, got `str`"),
        (put(None, "frame", first_box), rf"{BOX}\.frame: .*Expected `int`, got `null`"),
        (put(1.5, "frame", first_box), rf"{BOX}\.frame: .*Expected `int`"),
        (put(10**8, "frame", first_box), rf"{BOX}\.frame: .*<= 10000000"),
        (put(-1e7, "width", first_box), rf"{BOX}\.width: .*>= -1000000"),
        (lambda data: first_box(data).pop("height"), rf"{BOX}: .*missing required field `height`"),
        (put([], "persons", lambda data: clip(data)["persons"][0]), None),
        (put(3, "persons", clip), rf"{PLACE}\.persons: .*Expected `array \| null`, got `int`"),
        (put("a/b", "clip_uid", clip), rf"{PLACE}\.clip_uid: the id 'a/b' cannot name a file"),
        (put("..", "clip_uid", clip), "cannot name a file"),
        (put("", "clip_uid", clip), "cannot name a file"),
        (put("c1", "clip_uid", clip), rf"{PLACE}: the clip 'c1' stands there twice"),
        (put("a\nb", "video_uid", lambda data: data["videos"][0]), r"video_uid: the id 'a\\nb' cannot name a file"),
        (put("a/b", "person_id", lambda data: clip(data)["persons"][0]), "clip 'c2', person_id: the id 'a/b'"),
        (
            put("../x", "track_id", lambda data: clip(data)["persons"][0]["tracking_paths"][0]),
            r"clip 'c2', person '1', track_id: the id '\.\./x'",
        ),
        (put({}, "clips", lambda data: data["videos"][1]), r"\$\.videos\[1\]\.clips: .*Expected `array \| null`"),
        (lambda data: data.pop("videos"), r"\$: .*missing required field `videos`"),
        (
            put("e", "end_frame", lambda d: clip(d)["persons"][0]["voice_segments"][0]),
            r"voice_segments\[0\]\.end_frame",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], object], message: str | None
) -> None:
    data = content()
    spoil(data)
    path = write_annotation(tmp_path / "av_val.json", data)
    if message is None:
        assert len(list(read_clips(path))) == 3, "fields that are not known do not matter"
        return
    with pytest.raises(DataError, match=message) as caught:
        list(read_clips(path))
    assert str(caught.value).startswith(f"{path}, ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf", "truncated"),
        (b'{"videos": [', "truncated"),
        (b'{"videos": [{"clips": [{"clip_uid": "c", "persons": NaN}]}]}', "malformed"),
        (b'{"videos": [{"clips": [{"clip_uid": "\xff"}]}]}', "can't decode byte"),
        (b'{"videos": [{"clips": [{"clip_uid": "\\ud800"}]}]}', r"av_val\.json"),
        (b'{"videos": [{"clips": [' + b"[" * 100_000, "recursion"),
        (b'{"videos": [{"clips": [{"clip_uid": "c", "x": ' + b"[" * 100_000, "recursion"),
        (b"[]", r"Expected `object`, got `array`"),
    ],
)
def test_broken_files(tmp_path: Path, text: bytes, message: str) -> None:
    path = tmp_path / "av_val.json"
    path.write_bytes(text)
    with pytest.raises(DataError, match=message):
        list(read_clips(path))


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "av_val.json").mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        list(read_clips(tmp_path / "av_val.json"))


def test_one_clip_is_decoded_at_a_time(tmp_path: Path) -> None:
    """What is wrong in the last clip is not known before the first is given."""
    data = content()
    data["videos"][1]["clips"][0]["persons"] = "none"
    clips = read_clips(write_annotation(tmp_path / "av_val.json", data))
    assert next(clips)[1].clip_uid == "c1"
    assert next(clips)[1].clip_uid == "c2"
    with pytest.raises(DataError, match=r"\$\.videos\[1\]\.clips\[0\]\.persons"):
        next(clips)


# --- fuzzing -----------------------------------------------------------------------------------------------------

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
NUMBERS = st.integers(-20, 9100) | st.floats(-50, 400) | st.sampled_from([10**7, -(10**7), 1e6, -1e6, 0])
FRAMES = st.integers(-3, 12) | st.sampled_from([8999, 9000, 10**7])
BOXES = st.fixed_dictionaries({"frame": FRAMES, "x": NUMBERS, "y": NUMBERS, "width": NUMBERS, "height": NUMBERS})
TRACKS = st.fixed_dictionaries({"track_id": st.sampled_from(["a", "b", "visual_anchor", 3]), "track": st.lists(BOXES)})
VOICES = st.fixed_dictionaries({"start_frame": FRAMES, "end_frame": FRAMES})
PERSONS = st.fixed_dictionaries(
    {"person_id": st.sampled_from(["0", "1", 2])},
    optional={
        "camera_wearer": st.booleans() | st.none(),
        "voice_segments": st.lists(VOICES, max_size=3) | st.none(),
        "tracking_paths": st.lists(TRACKS, max_size=3) | st.none(),
    },
)
CONVENTIONS = st.sampled_from(["official", "talknet"])


def opened(folder: Path, convention: str) -> None:
    """Open a data set, which must fail with an error raised on purpose, if at all; tracks must be as promised."""
    try:
        dataset = open_dataset(folder, data_format="ego4d", options={"convention": convention})
    except AsdbenchError as error:
        assert "failed on" not in str(error), "an error that nobody foresaw"
        assert "\n" not in str(error)
        return
    for each in dataset.tracks:
        assert len(each) > 1
        with pytest.raises(DataError):
            each.media.faces()


@given(persons=st.lists(PERSONS, max_size=3), convention=CONVENTIONS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_odd_but_well_formed_annotations(tmp_path: Path, persons: list[Any], convention: str) -> None:
    write_annotation(tmp_path / "av_val.json", annotation({"v": {"c": persons}}))
    opened(tmp_path, convention)


@given(data=st.data(), convention=CONVENTIONS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_anything_anywhere(tmp_path: Path, data: st.DataObject, convention: str) -> None:
    text: Any = content()
    places: list[tuple[Any, Any]] = []

    def walk(value: Any) -> None:
        for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            places.append((value, key))
            walk(value[key])

    walk(text)
    holder, key = data.draw(st.sampled_from(places))
    holder[key] = data.draw(ANYTHING)
    write_annotation(tmp_path / "av_val.json", text)
    opened(tmp_path, convention)


@given(start=st.integers(0, 10_000), bytes_=st.binary(max_size=4), cut=st.booleans())
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bytes_that_are_changed_or_missing(tmp_path: Path, start: int, bytes_: bytes, cut: bool) -> None:
    text = json.dumps(content()).encode()
    start %= len(text)
    (tmp_path / "av_val.json").write_bytes(text[:start] + bytes_ + (b"" if cut else text[start + len(bytes_) :]))
    opened(tmp_path, "official")
