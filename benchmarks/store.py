"""Reading a prepared store against decoding face crops from JPEG files: the same data set, in one process.

    python benchmarks/store.py [--data FOLDER]

Without data, demo-val is prepared as JPEG files first. Seconds are of CPU; both have been read once before, so the disk
has no part in it.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import click

from asdbench.data import open_dataset
from asdbench.data.prepare import PrepareOptions, prepare
from asdbench.data.store_build import build_store
from asdbench.types import Dataset


def read(dataset: Dataset) -> float:
    """Return the CPU seconds in which the faces and the sound of all tracks are read."""
    start = time.process_time()
    for track in dataset.tracks:
        sum(int(face[0, 0]) for face in track.media.faces())
        track.media.audio()
    return time.process_time() - start


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder in the AVA layout; demo-val as JPEG without.")
@click.option("--repeats", default=3, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(data: Path | None, repeats: int, as_json: bool) -> None:
    """Print both, and how many times faster the store is."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if data is None:
            data = folder / "jpg"
            prepare(open_dataset("demo-val"), data, options=PrepareOptions(faces="jpg", progress=False))
        plain = open_dataset(data)
        build_store(plain, folder / "store", options=PrepareOptions(progress=False))
        stored = open_dataset(folder / "store")
        frames = sum(map(len, plain.tracks))
        jpeg = min(read(plain) for _ in range(repeats))
        mapped = min(read(stored) for _ in range(repeats))
        size = sum(file.stat().st_size for file in (folder / "store").rglob("*") if file.is_file())
    result = {
        "frames": frames,
        "JPEG, CPU seconds per 1,000 frames": 1000 * jpeg / frames,
        "store, CPU seconds per 1,000 frames": 1000 * mapped / frames,
        "JPEG over store": jpeg / mapped,
        "store, MB": size / 1e6,
    }
    click.echo(json.dumps(result, indent=2) if as_json else "\n".join(f"{k:<38} {v:.4g}" for k, v in result.items()))


if __name__ == "__main__":
    main()
