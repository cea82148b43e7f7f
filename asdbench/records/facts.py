"""What is known of each row whatever the model and the condition: ``rows.parquet`` in a run folder."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from asdbench.atomic import replacing
from asdbench.errors import DataError
from asdbench.types import Float32Array

if TYPE_CHECKING:
    import pyarrow as pa

FACTS_FILE = "rows.parquet"

_KINDS: dict[str, type[np.generic]] = {
    "faces": np.int16,
    "speakers": np.int16,
    "face_width_px": np.float32,
    "sharpness": np.float32,
    "sound_from_ms": np.float64,
    "sound_to_ms": np.float64,
}


@dataclass(frozen=True, eq=False)
class RowFacts:
    """Facts of rows, each ``[N]``, in the order of the rows of every condition's predictions.

    Attributes:
        faces: How many annotated faces the data set has at the row's video and time, the row's own among them, also
            those of tracks that were not scored.
        speakers: How many of these are labelled speaking.
        face_width_px: Width of the annotated face in pixels of the video's picture, NaN where not known.
        sharpness: Variance of the Laplacian of the crop, resized to 112 pixels, NaN where not measured.
        sound_from_ms: Time, on the clock of ``timestamp_ms``, from which there is real sound of the recording.
        sound_to_ms: Time until which there is.
        categories: The data set's own categories of the row's track, sorted, joined by ``|``.
    """

    faces: NDArray[np.int16]
    speakers: NDArray[np.int16]
    face_width_px: Float32Array
    sharpness: Float32Array
    sound_from_ms: NDArray[np.float64]
    sound_to_ms: NDArray[np.float64]
    categories: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.faces)


def write_facts(folder: Path, facts: RowFacts) -> None:
    """Write the facts of a run's rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {name: pa.array(getattr(facts, name), from_pandas=True) for name in _KINDS}
    columns["categories"] = pa.array(facts.categories, pa.string()).dictionary_encode()
    with replacing(folder / FACTS_FILE) as temporary:
        pq.write_table(pa.table(columns), temporary, compression="zstd")


def read_facts(folder: Path) -> RowFacts | None:
    """Read the facts of a run's rows.

    Returns:
        The facts; ``None`` where the run has none, being of an earlier release.

    Raises:
        DataError: The file is broken.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / FACTS_FILE
    if not path.is_file():
        return None
    try:
        table = pq.read_table(path)
        found: dict[str, Any] = {field.name: _column(table, field.name) for field in fields(RowFacts)}
    except (OSError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
        raise DataError(f"{path}: not a readable file of row facts ({error}); run the same command again.") from error
    return RowFacts(**found)


def _column(table: pa.Table, name: str) -> NDArray[np.generic]:
    if name not in _KINDS:
        return np.array(table.column(name).to_pylist(), dtype=object)
    numbers: NDArray[np.generic] = table.column(name).to_numpy().astype(_KINDS[name])
    return numbers
