"""What the visual encoders cost on a CPU: the plain module, and what the adapters run.

    python benchmarks/encoders.py                    # light-asd, lr-asd, talknet, loconet
    python benchmarks/encoders.py --model talknet --threads 2 --frames 100

Both see the same track, whole, on the same threads, by turns, each in a process of its own (memory that one leaves
behind changes what the other pays for its own); the best of several times counts, so that other work on the machine
disturbs least. CPU time counts, not time on the wall, and threads that wait do so without using any; the ratios carry
over to other machines, the seconds do not. Weights are made up from the names of the keys: neither time nor agreement
depends on training.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

MODELS = ["light-asd", "lr-asd", "talknet", "loconet"]
TOLERANCE = 1e-5
SIDE = 112


def task(model: str, fast: bool, threads: int, frames: int, repeats: int, out: Path | None) -> dict[str, float]:
    """Embed one track several times; return the seconds of the best time and keep the embedding."""
    import torch

    from asdbench.networks import ARCHITECTURES
    from asdbench.networks.fast import optimised
    from asdbench.networks.seeded import seeded_state

    torch.set_num_threads(threads)
    network = ARCHITECTURES.load(model)()
    network.load_state_dict(seeded_state(network))
    network.eval()
    if fast:
        optimised(network)
    faces = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, frames, SIDE, SIDE), dtype=np.uint8))
    busy, wall = [], []
    with torch.inference_mode():
        for _ in range(repeats):
            start, used = time.perf_counter(), time.process_time()
            embedded = network.embed_faces(faces.float())
            busy.append(time.process_time() - used)
            wall.append(time.perf_counter() - start)
    if out:
        np.save(out, embedded.numpy())
    return {"cpu_seconds": min(busy), "seconds": min(wall)}


def compare(model: str, threads: int, frames: int, rounds: int, repeats: int, folder: Path) -> dict[str, Any]:
    """Run both ways of one encoder by turns."""
    best: dict[bool, dict[str, float]] = {}
    files = {fast: folder / f"{model}-{fast}.npy" for fast in (False, True)}
    for fast in [False, True] * rounds:
        command = [sys.executable, __file__, "--model", model, "--threads", str(threads), "--frames", str(frames)]
        command += ["--repeats", str(repeats), "--one", "fast" if fast else "plain", "--out", str(files[fast])]
        quiet = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=quiet).stdout)
        if fast not in best or found["cpu_seconds"] < best[fast]["cpu_seconds"]:
            best[fast] = found
    plain, ours = (np.load(files[fast]).astype(np.float64) for fast in (False, True))
    per_thousand = {fast: {key: value / frames * 1000 for key, value in found.items()} for fast, found in best.items()}
    return {
        "model": model,
        "threads": threads,
        "frames": frames,
        "plain": per_thousand[False],
        "fast": per_thousand[True],
        "times_as_fast": best[False]["cpu_seconds"] / best[True]["cpu_seconds"],
        "largest_difference": float(np.max(np.abs(plain - ours) / np.maximum(1, np.abs(plain)))),
    }


@click.command()
@click.option("--model", "models", multiple=True, default=MODELS, show_default=True, help="Architecture; repeatable.")
@click.option("--threads", "threads", multiple=True, default=[1, 2], show_default=True, help="Threads; repeatable.")
@click.option("--frames", default=250, show_default=True, help="Length of the track.")
@click.option("--rounds", default=2, show_default=True, help="Processes of each kind, by turns.")
@click.option("--repeats", default=3, show_default=True, help="Times in each process.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--one", type=click.Choice(["plain", "fast"]), hidden=True, help="Run one task here.")
@click.option("--out", type=click.Path(path_type=Path), hidden=True, help="Where the task keeps its embedding.")
def main(
    models: tuple[str, ...], threads: tuple[int, ...], frames: int, rounds: int, repeats: int, as_json: bool,
    one: str | None, out: Path | None,
) -> None:  # fmt: skip
    """Print CPU-seconds per 1,000 frames and the ratio."""
    if one:
        click.echo(json.dumps(task(models[0], one == "fast", threads[0], frames, repeats, out)))
        return
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        found = [compare(name, count, frames, rounds, repeats, Path(folder)) for count in threads for name in models]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    click.echo(f"CPU-seconds per 1,000 frames of a track of {frames} frames")
    for row in found:
        agree = "" if row["largest_difference"] <= TOLERANCE else "  DISAGREE"
        click.echo(
            f"{row['model']:<12} {row['threads']} threads  plain {row['plain']['cpu_seconds']:6.2f}  "
            f"fast {row['fast']['cpu_seconds']:6.2f}  {row['times_as_fast']:4.1f} times as fast, "
            f"off by {row['largest_difference']:.0e}{agree}"
        )


if __name__ == "__main__":
    main()
