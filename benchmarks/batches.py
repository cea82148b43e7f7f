"""What it brings to embed short tracks together: frames per second of visual encoders, and where a run's time goes.

    python benchmarks/batches.py                          # four models, on CUDA if there is
    python benchmarks/batches.py --device cpu --model light-asd --tracks 8 --json
    python benchmarks/batches.py --compile                # the encoder compiled, too

Tracks are generated, most of one to five seconds, and weights made up: time depends on neither. Both ways see the same
tracks, by turns; the best of several times counts. On a CPU both are the same: its encoders take few frames at a time
whatever they are given. The shares are of one pass step by step, in which the device is waited for after each step, so
that they add up.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from asdbench.adapters import MODELS
from asdbench.adapters.compiled import compile_encoder
from asdbench.adapters.two_stream import TwoStreamAdapter
from asdbench.devices import choose_device, describe_device
from asdbench.features import mfcc_for_frames
from asdbench.jobs.engines import AUTO_FRAMES
from asdbench.networks import ARCHITECTURES
from asdbench.networks.seeded import seeded_state
from asdbench.types import Int16Array, UInt8Array

NAMES = ("light-asd", "lr-asd", "talknet", "sync-talknet")
SIDE = 160
FPS = 25.0

Faces = list[UInt8Array]
_T = TypeVar("_T")


def tracks_of(count: int) -> list[Faces]:
    """Generate the faces of tracks, most of one to five seconds."""
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.lognormal(np.log(60), 0.7, count), 12, 300).astype(int)
    return [list(rng.integers(0, 256, (length, SIDE, SIDE), np.uint8)) for length in lengths]


def model_of(name: str, device: str) -> TwoStreamAdapter:
    """Return a model with weights made up from the names of their keys."""
    cls = MODELS.load(name)
    network = ARCHITECTURES.load(cls.architecture)()
    network.load_state_dict(seeded_state(network))
    model: TwoStreamAdapter = cls(network, device)
    return model


def timed(device: torch.device, work: Callable[[], _T]) -> tuple[float, _T]:
    """Return the seconds that work takes until the device is done with it, and what it returns."""
    wait = torch.cuda.synchronize if device.type == "cuda" else torch.mps.synchronize if device.type == "mps" else int
    wait()
    start = time.perf_counter()
    found = work()
    wait()
    return time.perf_counter() - start, found


def batches(tracks: Sequence[Faces], frames: int) -> list[list[Faces]]:
    """Cut tracks as a run does."""
    found: list[list[Faces]] = []
    for track in tracks:
        if found and sum(map(len, found[-1])) + len(track) <= frames:
            found[-1].append(track)
        else:
            found.append([track])
    return found


def encoder(model: TwoStreamAdapter, tracks: Sequence[Faces], frames: int, repeats: int) -> dict[str, float]:
    """Return frames per second of the visual encoder one by one and together, and how far both are apart."""
    crops = [[model.resized(faces) for faces in batch] for batch in batches(tracks, frames)]
    single = [clip for batch in crops for clip in batch]

    def alone() -> list[torch.Tensor]:
        return [model.embed_crops(clip) for clip in single]

    def together() -> list[torch.Tensor]:
        return [found for batch in crops for found in model.embed_clips(batch)]

    (_, one), (_, many) = timed(model.device, alone), timed(model.device, together)  # warm up
    worst = max(
        float(((two - first).abs() / first.abs().clamp(min=1)).max()) for first, two in zip(one, many, strict=True)
    )
    ways = [
        min(seconds)
        for seconds in zip(
            *((timed(model.device, way)[0] for way in (alone, together)) for _ in range(repeats)), strict=True
        )
    ]
    total = sum(map(len, single))
    return {
        "one by one, frames/s": total / ways[0],
        "together, frames/s": total / ways[1],
        "times as fast": ways[0] / ways[1],
        "largest difference": worst,
    }


def shares(model: TwoStreamAdapter, tracks: Sequence[Faces], frames: int) -> dict[str, float]:
    """Return which part of the time each step takes, where the visual encoder takes tracks together."""
    rng = np.random.default_rng(1)
    spent: dict[str, float] = {}

    def step(stage: str, work: Callable[[], _T]) -> _T:
        seconds, found = timed(model.device, work)
        spent[stage] = spent.get(stage, 0.0) + seconds
        return found

    for batch in batches(tracks, frames):
        crops = step("resize", lambda batch=batch: [model.resized(faces) for faces in batch])
        seen = step("visual encoder", lambda crops=crops: model.embed_clips(crops))
        for faces, embedding in zip(batch, seen, strict=True):
            count = len(faces)
            audio: Int16Array = rng.integers(-5000, 5000, 640 * count).astype(np.int16)
            rows = step("features", lambda audio=audio, count=count: mfcc_for_frames(audio, count, FPS))
            heard = step("audio encoder", lambda rows=rows: model.embed_rows(rows))
            step("head", lambda heard=heard, embedding=embedding: model.logits(heard, embedding))
    return {f"share of {stage}": seconds / sum(spent.values()) for stage, seconds in spent.items()}


def measured(
    name: str, device: str, tracks: Sequence[Faces], frames: int, repeats: int, compiled: bool
) -> dict[str, Any]:
    """Return all that is measured of one model."""
    model = model_of(name, device)
    note = compile_encoder(model) if compiled else ""
    found: dict[str, Any] = {"model": name} | encoder(model, tracks, frames, repeats) | shares(model, tracks, frames)
    return found | {"out of memory": model.room.partings + model.room.halvings} | ({"note": note} if note else {})


@click.command()
@click.option("--model", "models", multiple=True, type=click.Choice(NAMES), default=NAMES, show_default=True)
@click.option("--device", default="auto", show_default=True)
@click.option("--tracks", "count", default=None, type=int, help="Tracks.  [default: 400 on a GPU, 12 on a CPU]")
@click.option("--frames", default=AUTO_FRAMES, show_default=True, help="Of a batch, as --batch-frames of a run.")
@click.option("--repeats", default=3, show_default=True)
@click.option("--compile", "compiled", is_flag=True, help="Compile the visual encoder, for both ways.")
@click.option("--json", "as_json", is_flag=True)
def main(
    models: Sequence[str], device: str, count: int | None, frames: int, repeats: int, compiled: bool, as_json: bool
) -> None:
    """Print a table."""
    device = choose_device(device)
    tracks = tracks_of(count or (12 if device == "cpu" else 400))
    rows = [measured(name, device, tracks, frames, repeats, compiled) for name in models]
    about = {"device": describe_device(device), "tracks": len(tracks), "frames": sum(map(len, tracks)), "batch": frames}
    if as_json:
        click.echo(json.dumps({**about, "models": rows}, indent=2))
        return
    click.echo("  ".join(f"{key}: {value}" for key, value in about.items()))
    for row in rows:
        click.echo(f"\n{row.pop('model')}")
        for key, value in row.items():
            click.echo(f"  {key:<26} {value if isinstance(value, str) else format(value, '.3g')}")


if __name__ == "__main__":
    main()
