"""What LoCoNet costs where three faces are always visible: with features kept across targets, and from scratch.

    python benchmarks/loconet_context.py                   # three faces, 100 frames
    python benchmarks/loconet_context.py --scenes 2 --frames 200 --json

Faces and voices are noise and the weights made up: neither matters for time or agreement. From scratch, the whole stack
of three faces is embedded anew for every target, by the same encoder on the same threads. Both ways go through the
engine with the suite ``clean``. CPU time counts, audio and head included, so that other work on the machine disturbs
least; the ratio carries over to other machines, the seconds do not.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

import click
import numpy as np
import torch

from asdbench.adapters import MODELS
from asdbench.adapters.loconet import SPEAKERS, STANDING_IN, LoCoNetAdapter
from asdbench.adapters.torch_adapter import exact_inference, in_chunks
from asdbench.engine.tracks import TrackEvaluator
from asdbench.networks import ARCHITECTURES
from asdbench.networks.seeded import seeded_state
from asdbench.perturb import plan
from asdbench.suites import load_suite
from asdbench.types import SAMPLE_RATE, ContextFaces, Float32Array, Int16Array, Scorer, Track, UInt8Array

FPS = 25
SIDE = 112


class Noise:
    """Media without files.

    Args:
        seed: Of everything seen; the scene's is that of everything heard.
        scene: Number of the scene.
        frames: How many.
    """

    def __init__(self, seed: int, scene: int, frames: int) -> None:
        self._faces = np.random.default_rng(seed).integers(0, 256, (frames, SIDE, SIDE), dtype=np.uint8)
        samples = frames * SAMPLE_RATE // FPS
        self._audio = np.random.default_rng(scene).integers(-3000, 3000, samples).astype(np.int16)

    def audio(self) -> Int16Array:
        """All that is heard."""
        return self._audio

    def audio_window(self, start: int, stop: int) -> Int16Array:
        """What is heard beyond the track: nothing."""
        return self._audio[:0]

    def faces(self) -> Sequence[UInt8Array]:
        """All that is seen."""
        return list(self._faces)

    def stamp(self) -> str:
        """Nothing here ever changes."""
        return ""


class FromScratch:
    """Embeds the whole stack of every target; features of other targets are not looked at."""

    name, version = "from-scratch", 1

    def __init__(self, model: LoCoNetAdapter) -> None:
        self._model = model
        self.needs = model.needs

    def score_track(
        self, audio: Int16Array, faces: Sequence[UInt8Array], fps: float, context: ContextFaces = ()
    ) -> Float32Array:
        """Score one target."""
        model, frames = self._model, len(faces)
        pictures = model.pictures(faces, context)[1:].view(1 + len(context), frames, SIDE, SIDE)
        stack = pictures[list(STANDING_IN[len(context)])].flatten(0, 1)[None]
        with exact_inference(model.device):
            features = in_chunks(stack, lambda seen: model.network.embed_faces(seen.float()), model.needs.halo)
        return model.score(model.embed_audio(audio, frames, fps), features.view(SPEAKERS, frames, -1))


def scenes(count: int, frames: int) -> list[Track]:
    """Make scenes of three faces each, all of them seen in every frame."""
    times = np.arange(frames, dtype=np.int64) * 1000 // FPS
    labels = (np.arange(frames) // FPS % 2).astype(np.int8)
    return [
        Track(
            video_id=f"scene{scene}",
            entity_id=f"face{face}",
            source_id=f"scene{scene}",
            timestamps_ms=times,
            labels=labels,
            fps=FPS,
            num_samples=frames * SAMPLE_RATE // FPS,
            media=Noise(SPEAKERS * scene + face, scene, frames),
        )
        for scene in range(count)
        for face in range(SPEAKERS)
    ]


def measure(scorer: Scorer, tracks: Sequence[Track]) -> tuple[float, list[Float32Array]]:
    """Return CPU seconds and the scores of every track under the suite ``clean``."""
    evaluator = TrackEvaluator(scorer, plan(tracks, load_suite("clean")), tracks, "benchmark")
    start = time.process_time()
    found = [evaluator.evaluate(track).scores["clean"] for track in tracks]
    return time.process_time() - start, found


def compare(model: str, count: int, frames: int) -> dict[str, Any]:
    """Score the same scenes both ways."""
    network = ARCHITECTURES.load(model)()
    network.load_state_dict(seeded_state(network))
    adapter: LoCoNetAdapter = MODELS.load(model)(network)
    tracks = scenes(count, frames)
    measure(FromScratch(adapter), scenes(1, 8))  # warm up
    scratch, wanted = measure(FromScratch(adapter), tracks)
    kept, scores = measure(adapter, tracks)
    pairs = zip(scores, wanted, strict=True)
    return {
        "model": model,
        "targets": len(tracks),
        "frames": frames,
        "from scratch, CPU seconds": scratch,
        "kept, CPU seconds": kept,
        "from scratch over kept": scratch / kept,
        "frames of faces shown": SPEAKERS * frames * len(tracks),
        "of these computed": adapter.cache.computed,
        "of these found": adapter.cache.found,
        "memory of what is kept, MB": adapter.cache.size / 1e6,
        "largest difference of a score over max(1, |score|)": max(
            float((np.abs(a - b) / np.maximum(1, np.abs(b))).max()) for a, b in pairs
        ),
    }


@click.command()
@click.option("--model", type=click.Choice(["loconet", "talknce"]), default="loconet", show_default=True)
@click.option("--scenes", "count", default=1, show_default=True, help="Scenes of three faces.")
@click.option("--frames", default=100, show_default=True, help="Frames of each face.")
@click.option("--threads", default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(model: str, count: int, frames: int, threads: int, as_json: bool) -> None:
    """Print both, and how many times less the first costs."""
    torch.set_num_threads(threads)
    result = compare(model, count, frames)
    if as_json:
        click.echo(json.dumps(result, indent=2))
        return
    for name, value in result.items():
        click.echo(f"{name:<52} {f'{value:.3g}' if isinstance(value, float) else value}")


if __name__ == "__main__":
    main()
