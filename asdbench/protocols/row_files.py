"""Labels and scores of rows from whatever holds them: AVA csv files, Parquet, a run folder.

=====================  ==============================================================================================
csv                    official AVA files, the community's with a header, gzipped or not (`ava_files.py`)
folder of csv          a data set (``csv/<split>_orig.csv``), the official file per video, or what evaluation scripts
                       leave behind (``val_res.csv``)
Parquet                ``video_id``, ``entity_id``, ``timestamp_ms`` or ``frame_timestamp``, and ``score`` or ``label``;
                       optional ``label_after``, as in a run's predictions, and ``source_id``
run folder             the predictions of a condition, the clean one by default
=====================  ==============================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from asdbench.data.ava import source_of
from asdbench.errors import DataError, UsageError
from asdbench.protocols.ava_files import read_labels, read_predictions
from asdbench.protocols.ava_rows import LABELS, SPEAKING_AUDIBLE, AvaRows, JoinedRows, join_rows
from asdbench.records.predictions import predictions_path
from asdbench.types import IGNORE, BoolArray

if TYPE_CHECKING:
    import pyarrow as pa

_AFTER = "label_after"
_SOURCE = "source_id"


@dataclass(frozen=True, eq=False)
class RowFile:
    """Rows as they were given.

    Attributes:
        rows: The rows; without scores where they are labels.
        counted: ``[N]``, False where the file says that no metric may count a row.
        sources: Video to the recording it comes from.
        recorded: Whether the file says so, else it is guessed from ids of videos.
        scale: ``logit`` where the file is known to hold log-odds.
        run: The record of the run they are from.
        condition: The condition of the run.
        binary: Whether its labels are 0 and 1, which do not tell SPEAKING_NOT_AUDIBLE from NOT_SPEAKING.
    """

    rows: AvaRows
    counted: BoolArray
    sources: Mapping[str, str]
    recorded: bool = False
    scale: str | None = None
    run: Mapping[str, Any] | None = None
    condition: str | None = None
    binary: bool = False


def read_rows(path: Path, *, labels: bool, condition: str | None = None) -> RowFile:
    """Read labels or scores.

    Args:
        path: A file or folder, see above.
        labels: Whether labels are wanted, else scores.
        condition: Of a run; the clean one by default.

    Raises:
        DataError: The file is missing, broken, or has no such columns.
        UsageError: A condition of what is no run, or one that the run lacks.
    """
    if (path / "run.json").is_file():
        return _from_run(path, labels, condition)
    if condition is not None:
        raise UsageError(f"{path}: --condition names a condition of a run, and this is no run folder; leave it out.")
    if path.suffix.lower() == ".parquet":
        return _from_parquet(path, labels)
    files = _csv_files(path) if path.is_dir() else [path]
    parts = [read_labels(file) if labels else read_predictions(file) for file in files]
    rows = parts[0] if len(parts) == 1 else _joined(str(path), parts)
    return RowFile(rows, np.ones(len(rows), dtype=np.bool_), {video: source_of(video) for video in rows.videos})


def join_counted(truth: RowFile, scored: RowFile, *, decided: bool = False) -> JoinedRows:
    """Give every labelled row that counts its score, as ``join_rows`` does.

    Scores of rows that the labels leave out of metrics may be there or not; so may scores that their own file leaves
    out, of rows without a label.

    Args:
        truth: The labels.
        scored: The scores.
        decided: As for ``join_rows``.

    Raises:
        DataError: As for ``join_rows``.
    """
    labelled, given = truth.rows, scored.rows
    if not (truth.counted.all() and scored.counted.all()):
        keys, theirs = _keys(labelled, labelled), _keys(given, labelled)
        kept = ~np.isin(theirs, keys[~truth.counted])
        kept &= scored.counted | np.isin(theirs, keys[truth.counted])
        labelled, given = part(labelled, truth.counted), part(given, kept)
    return join_rows(labelled, given, decided=decided)


def part(rows: AvaRows, kept: BoolArray) -> AvaRows:
    """Return some of the rows."""
    return replace(
        rows,
        video=rows.video[kept],
        entity=rows.entity[kept],
        seconds=rows.seconds[kept],
        boxes=tuple(side[kept] for side in rows.boxes),
        label=rows.label[kept],
        score=None if rows.score is None else rows.score[kept],
    )


def _keys(rows: AvaRows, known: AvaRows) -> NDArray[np.int64]:
    """One number per row, the same for the same video, entity and time; -1 for names that ``known`` lacks."""
    codes = []
    for names, of_row, others in (
        (rows.videos, rows.video, known.videos),
        (rows.entities, rows.entity, known.entities),
    ):
        place = {name: number for number, name in enumerate(others)}
        codes.append(np.array([place.get(name, -1) for name in names], dtype=np.int64)[of_row])
    video, entity = codes
    keys: NDArray[np.int64] = (video * len(known.entities) + entity) << 34 | rows.milliseconds
    keys[(video < 0) | (entity < 0)] = -1
    return keys


def _csv_files(folder: Path) -> list[Path]:
    for pattern in ("val_res.csv", "csv/val_orig.csv", "*-activespeaker.csv", "*.csv"):
        found = sorted(folder.glob(pattern))
        if found:
            return found
    raise DataError(f"{folder}: no csv file, run.json or csv/val_orig.csv lies there; give the file itself.")


def _joined(name: str, parts: Sequence[AvaRows]) -> AvaRows:
    videos = {video: None for each in parts for video in each.videos}
    entities = {entity: None for each in parts for entity in each.entities}
    numbers = [{text: number for number, text in enumerate(names)} for names in (videos, entities)]

    def codes(texts: tuple[str, ...], of_row: NDArray[np.int32], known: Mapping[str, int]) -> NDArray[np.int32]:
        return np.array([known[text] for text in texts], dtype=np.int32)[of_row]

    boxes = zip(*(each.boxes for each in parts), strict=True) if all(each.boxes for each in parts) else ()
    scores = [each.score for each in parts if each.score is not None]
    return AvaRows(
        name,
        tuple(videos),
        tuple(entities),
        np.concatenate([codes(each.videos, each.video, numbers[0]) for each in parts]),
        np.concatenate([codes(each.entities, each.entity, numbers[1]) for each in parts]),
        np.concatenate([each.seconds for each in parts]),
        tuple(np.concatenate(side) for side in boxes),
        np.concatenate([each.label for each in parts]),
        np.concatenate(scores) if scores else None,
        any(each.header for each in parts),
    )


def _from_run(folder: Path, labels: bool, condition: str | None) -> RowFile:
    try:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        record["data"]["protocol"].encode()
        conditions = [each["name"] for each in json.loads((folder / "metrics.json").read_text("utf-8"))["conditions"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{folder}: the run is not finished or broken ({error}); run the same command again."
        ) from error
    name = condition or conditions[0]
    if name not in conditions:
        raise UsageError(f"{folder}: the run has no condition {name!r}; it has {', '.join(conditions)}.")
    found = _from_parquet(predictions_path(folder, name), labels)
    return replace(found, scale="logit", run=record, condition=name)


def _from_parquet(path: Path, labels: bool) -> RowFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        words = " ".join(str(error).split())[:200]
        raise DataError(f"{path}: not a readable Parquet file ({words}).") from error
    wanted = next((name for name in (_AFTER, "label") if name in table.column_names), "label")
    needed = ("video_id", "entity_id", wanted if labels else "score")
    missing = [name for name in needed if name not in table.column_names]
    if "timestamp_ms" not in table.column_names and "frame_timestamp" not in table.column_names:
        missing.append("timestamp_ms")
    if missing:
        raise DataError(f"{path}: no column {', '.join(missing)}; found {', '.join(table.column_names)[:200]}.")
    if not table.num_rows:
        raise DataError(f"{path}: no rows.")
    video, videos = _text(path, table, "video_id")
    entity, entities = _text(path, table, "entity_id")
    after = _labels(path, table, wanted) if wanted in table.column_names else None
    speaking = np.full(table.num_rows, SPEAKING_AUDIBLE, dtype=np.int8)
    rows = AvaRows(
        str(path), videos, entities, video, entity, _seconds(path, table), (),
        np.maximum(after, 0) if labels and after is not None else speaking,
        None if labels else _numbers(path, table, "score"),
    )  # fmt: skip
    counted = np.ones(table.num_rows, dtype=np.bool_) if after is None else after != IGNORE
    recorded = _SOURCE in table.column_names
    binary = wanted in table.column_names and not _is_text(table.column(wanted).type)
    return RowFile(rows, counted, _sources(path, table, video, videos), recorded, binary=binary)


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return not (pa.types.is_integer(kind) or pa.types.is_boolean(kind))


def _sources(path: Path, table: pa.Table, video: NDArray[np.int32], videos: tuple[str, ...]) -> dict[str, str]:
    if _SOURCE not in table.column_names:
        return {name: source_of(name) for name in videos}
    source, sources = _text(path, table, _SOURCE)
    present, first, place = np.unique(video, return_index=True, return_inverse=True)
    other = np.flatnonzero(source != source[first[place.reshape(-1)]])
    if len(other):
        raise DataError(
            f"{path}, row {other[0] + 1}: the video {videos[video[other[0]]]!r} has another source_id than above; a "
            "video comes from one recording."
        )
    return {videos[code]: sources[source[row]] for code, row in zip(present.tolist(), first.tolist(), strict=True)}


def _text(path: Path, table: pa.Table, name: str) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    import pyarrow as pa

    try:
        encoded = table.column(name).cast(pa.string()).combine_chunks().dictionary_encode()
    except pa.ArrowException as error:
        raise DataError(f"{path}: the column {name} holds no text ({error}).") from error
    if encoded.null_count:
        raise DataError(f"{path}: the column {name} is empty in {encoded.null_count} rows.")
    return encoded.indices.to_numpy().astype(np.int32), tuple(encoded.dictionary.to_pylist())


def _numbers(path: Path, table: pa.Table, name: str) -> NDArray[np.float64]:
    import pyarrow as pa

    try:
        values: NDArray[np.float64] = table.column(name).cast(pa.float64()).to_numpy()
    except pa.ArrowException as error:
        raise DataError(f"{path}: the column {name} holds no numbers ({error}).") from error
    return values


def _seconds(path: Path, table: pa.Table) -> NDArray[np.float64]:
    in_ms = "timestamp_ms" in table.column_names
    values = _numbers(path, table, "timestamp_ms" if in_ms else "frame_timestamp")
    seconds = values / 1000 if in_ms else values
    if not ((seconds >= 0) & (seconds < 1e7)).all():
        raise DataError(f"{path}: some times are missing or no times; expected milliseconds in timestamp_ms.")
    return seconds


def _labels(path: Path, table: pa.Table, name: str) -> NDArray[np.int8]:
    """Return codes of labels, ``IGNORE`` where no metric may count a row."""
    import pyarrow as pa

    column = table.column(name)
    if not _is_text(column.type):
        values = column.cast(pa.int64()).to_numpy()
        known = np.isin(values, [0, 1, *([IGNORE] if name == _AFTER else [])])
    else:
        codes, texts = _text(path, table, name)
        values = np.array([LABELS.get(text, 99) for text in texts])[codes]
        known = values != 99
    wrong = np.flatnonzero(~known)
    if len(wrong):
        raise DataError(
            f"{path}, row {wrong[0] + 1}: the label {column[int(wrong[0])].as_py()!r} is none of 0, 1, "
            f"{', '.join(text for text in LABELS if text)} ({len(wrong)} such rows)."
        )
    return np.asarray(values).astype(np.int8)
