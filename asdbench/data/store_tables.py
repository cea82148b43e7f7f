"""The tables of a prepared store: everything that a `Track` says, and where its media lie.

::

    tracks.parquet    one row per track
    frames.parquet    one row per labelled frame, in the order of the tracks
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from asdbench.atomic import replacing
from asdbench.errors import DataError
from asdbench.types import Track

if TYPE_CHECKING:
    import pyarrow as pa

    from asdbench.data.store_clip import StoredTrack

TRACKS, FRAMES = "tracks.parquet", "frames.parquet"

PLAIN = ("video_id", "entity_id", "source_id", "fps", "num_samples", "person_id", "sentence_id")
"""Fields of a track that are one value."""

PAIRS = ("audio_margin", "frame_size")
"""Fields of a track that are two whole numbers, or nothing."""

MASKS = ("dubbed", "scored", "voiced")
"""Fields of a track that are one truth value per frame, or nothing."""

BOXES = ("boxes", "face_in_crop")
"""Fields of a track that are four numbers per frame, or nothing."""

_PLACES = (
    "faces_digest", "faces_crc", "sound_start", "sound_length", "film_start", "film_length", "film_before",
    "sound_digest", "film_digest",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class TrackRow:
    """A track of the tables.

    Attributes:
        values: Arguments of `Track` but for its media.
        places: Where its media lie, by the names of `asdbench.data.store_clip.StoredTrack`.
        offsets: ``[T]`` int64, where each crop begins in the file of faces.
        shapes: ``[T, 2]`` int32, height and width of each crop.
    """

    values: dict[str, Any]
    places: dict[str, Any]
    offsets: NDArray[np.int64]
    shapes: NDArray[np.int32]


def write_tables(folder: Path, tracks: Sequence[tuple[Track, StoredTrack]]) -> None:
    """Write both tables.

    Args:
        folder: The store.
        tracks: Each with what was written of it, sorted by key, at least one.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{**_values(track), **{name: getattr(stored, name) for name in _PLACES}} for track, stored in tracks]
    tables = {
        TRACKS: pa.Table.from_pylist(rows, schema=_track_schema()),
        FRAMES: pa.concat_tables([_frames(track, stored) for track, stored in tracks]),
    }
    for name, table in tables.items():
        with replacing(folder / name) as temporary:
            pq.write_table(table, temporary, compression="zstd")


def read_tables(folder: Path) -> Iterator[TrackRow]:
    """Yield the tracks in the order of the tables.

    Raises:
        DataError: A table is missing, broken, or does not fit the other.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(folder / TRACKS, schema=_track_schema()).to_pylist()
        frames = pq.read_table(folder / FRAMES, schema=_frame_schema())
    except (OSError, pa.ArrowException, KeyError) as error:
        raise DataError(f"{folder}: the tables of this store cannot be read ({error}); prepare it again.") from error
    columns = {name: _array(frames.column(name)) for name in frames.column_names}
    if sum(row["frames"] for row in rows) != frames.num_rows:
        raise DataError(f"{folder}: {TRACKS} and {FRAMES} do not belong together; prepare the store again.")
    start = 0
    for row in rows:
        span = slice(start, start + row["frames"])
        start = span.stop
        yield _row(row, {name: values[span] for name, values in columns.items()})


def _values(track: Track) -> dict[str, Any]:
    return {
        **{name: getattr(track, name) for name in PLAIN},
        **{name: None if getattr(track, name) is None else list(getattr(track, name)) for name in PAIRS},
        **{f"has_{name}": getattr(track, name) is not None for name in (*MASKS, *BOXES)},
        "categories": list(track.categories),
        "frames": len(track),
    }


def _frames(track: Track, stored: StoredTrack) -> pa.Table:
    import pyarrow as pa

    count = len(track)
    columns: dict[str, Any] = {
        "timestamp_ms": track.timestamps_ms,
        "label": track.labels,
        "offset": np.asarray(stored.offsets, np.int64),
        "height": np.asarray([shape[0] for shape in stored.shapes], np.int32),
        "width": np.asarray([shape[1] for shape in stored.shapes], np.int32),
    }
    for name in MASKS:
        mask = getattr(track, name)
        columns[name] = np.zeros(count, np.bool_) if mask is None else mask
    for name in BOXES:
        boxes = getattr(track, name)
        boxes = np.zeros((count, 4), np.float32) if boxes is None else np.asarray(boxes, np.float32)
        columns[name] = pa.FixedSizeListArray.from_arrays(pa.array(boxes.reshape(-1)), 4)
    return pa.table(columns, schema=_frame_schema())


def _row(row: dict[str, Any], frames: dict[str, NDArray[Any]]) -> TrackRow:
    values = {name: row[name] for name in PLAIN}
    values |= {name: None if row[name] is None else tuple(row[name]) for name in PAIRS}
    values |= {name: frames[name] if row[f"has_{name}"] else None for name in (*MASKS, *BOXES)}
    values |= {"timestamps_ms": frames["timestamp_ms"], "labels": frames["label"]}
    values["categories"] = tuple(row["categories"])
    shapes = np.stack([frames["height"], frames["width"]], axis=1)
    return TrackRow(values, {name: row[name] for name in _PLACES}, frames["offset"], shapes)


def _array(column: pa.ChunkedArray) -> NDArray[Any]:
    import pyarrow as pa

    whole = column.combine_chunks()
    if pa.types.is_fixed_size_list(whole.type):
        boxes: NDArray[Any] = whole.values.to_numpy().reshape(-1, 4)
        return boxes
    values: NDArray[Any] = whole.to_numpy(zero_copy_only=False)
    return values


def _track_schema() -> pa.Schema:
    import pyarrow as pa

    whole, text = pa.int64(), pa.string()
    kinds = {"fps": pa.float64(), "num_samples": whole}
    return pa.schema(
        [
            *((name, kinds.get(name, text)) for name in PLAIN),
            *((name, pa.list_(whole)) for name in PAIRS),
            *((f"has_{name}", pa.bool_()) for name in (*MASKS, *BOXES)),
            ("categories", pa.list_(text)),
            ("frames", whole),
            *((name, text if name.endswith("digest") else whole) for name in _PLACES),
        ]
    )


def _frame_schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema(
        [
            ("timestamp_ms", pa.int64()),
            ("label", pa.int8()),
            ("offset", pa.int64()),
            ("height", pa.int32()),
            ("width", pa.int32()),
            *((name, pa.bool_()) for name in MASKS),
            *((name, pa.list_(pa.float32(), 4)) for name in BOXES),
        ]
    )
