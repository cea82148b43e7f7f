"""Measure a checkpoint on demo data as docs/demo_data.md states it: does the set behave like real faces?

Needs asdbench itself. The official weights are not shipped; give any Light-ASD checkpoint:

    python -m tools.measure_demo --checkpoint pretrain_AVA_CVPR.model --out measured.json build/seed-*
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

import asdbench
from asdbench.adapters import load_model
from asdbench.adapters.two_stream import TwoStreamAdapter
from asdbench.data import open_dataset
from asdbench.metrics import average_precision_tie_safe, retention, sync_auroc, threshold_at_tpr
from asdbench.networks.two_stream import TwoStreamNetwork
from asdbench.records.predictions import Predictions
from asdbench.types import SAMPLE_RATE, Int16Array, Track, UInt8Array
from tools.intervals import mean_and_interval

OFFSETS_MS = (-1000, -800, -600, -400, -200, -120, -80, -40, 0, 40, 80, 120, 160, 200, 400, 600, 800, 1000)
CONTEXT_MS = 500
BANDS_MS = ((165, 250), (250, 500), (500, 800), (800, 1000))

SUITE = """
name = "acceptance"
version = 1
seed = {seed}
summary = "What docs/demo_data.md states of the demo data."
[[condition]]
name = "clean"
role = "reference"
[[condition]]
name = "mismatch@1.00"
perturbation = "mismatch"
labels = "negative"
[[condition]]
name = "silence"
perturbation = "silence"
role = "diagnostic"
[[condition]]
name = "lip_mask"
perturbation = "lip_mask"
role = "diagnostic"
"""
BAND = """
[[condition]]
name = "misalign({low}-{high})"
perturbation = "misalign"
labels = "negative"
options = {{ min_ms = {low}, max_ms = {high} }}
"""


class _Remembering(TwoStreamAdapter):
    """Embeds each face track once, however often it is asked: the visual encoder is nearly all of the cost."""

    name = "measured"

    def __init__(self, network: TwoStreamNetwork) -> None:
        super().__init__(network)
        self._known: dict[bytes, torch.Tensor] = {}

    def embed_faces(self, faces: Sequence[UInt8Array]) -> torch.Tensor:
        key = hashlib.blake2b(b"".join(face.tobytes() for face in faces)).digest()
        if key not in self._known:
            self._known[key] = super().embed_faces(faces)
        return self._known[key]


@dataclass(frozen=True)
class Curve:
    """A synchrony curve (docs/method.md): mean log-odds at each offset over the same ``rows`` speaking frames."""

    rows: int
    means: dict[int, float]

    @property
    def peak_ms(self) -> int:
        """Offset with the highest mean; positive where the audio is late."""
        return max(self.means, key=self.means.__getitem__)

    @property
    def peaks(self) -> int:
        """Number of local maxima; small ones count."""
        means = np.array(list(self.means.values()))
        inner = np.r_[-np.inf, means, -np.inf]
        return int(((inner[1:-1] > inner[:-2]) & (inner[1:-1] > inner[2:])).sum())


def measure(model: TwoStreamAdapter, data: Path, folder: Path) -> dict[str, Any]:
    """Measure one data set; ``folder`` takes the run."""
    dataset = open_dataset(data)
    suite = folder / "acceptance.toml"
    bands = "".join(BAND.format(low=low, high=high) for low, high in BANDS_MS)
    suite.write_text(SUITE.format(seed=20261120) + bands)
    model = _Remembering(model.network)
    run = asdbench.run(model, suite, data, out=folder / "run", progress=False)
    clean = run.read("clean")
    counted = clean.label_after >= 0
    labels, scores = clean.label[counted] == 1, clean.score[counted]
    threshold = threshold_at_tpr(labels, scores, 0.9)
    result: dict[str, Any] = {
        "tracks": len(dataset.tracks),
        "rows": len(clean),
        "base_rate": float(labels.mean()),
        "ap": _ap(labels, scores),
        "ap_silence": _ap(labels, run.read("silence").score[counted]),
        "ap_lip_mask": _ap(labels, run.read("lip_mask").score[counted]),
        "p_speaking": _probability(scores[labels]),
        "p_silent_faces": _probability(scores[~labels]),
        "p_silenced": _probability(run.read("silence").score[counted][labels]),
        "p_lip_mask": _probability(run.read("lip_mask").score[counted][labels]),
    }
    for name in ("mismatch@1.00", *(f"misalign({low}-{high})" for low, high in BANDS_MS)):
        result[name] = _synchrony(clean, run.read(name), threshold)
    faces = {track.key: model.embed_faces(track.media.faces()) for track in tqdm(dataset.tracks, "faces", leave=False)}
    visual = np.concatenate([_visual_scores(model, faces[track.key]) for track in dataset.tracks])
    result["ap_visual_head"] = _ap(labels, visual[counted])
    result["base_rate_with_dubs"] = float((clean.label == 1).mean())
    result["ap_with_dubs"] = _ap(clean.label == 1, clean.score)
    result["ap_visual_head_with_dubs"] = _ap(clean.label == 1, visual)
    curve = synchrony_curve(model, dataset.tracks, faces)
    return result | {
        "curve": {"rows": curve.rows, "peak_ms": curve.peak_ms, "peaks": curve.peaks, "means": curve.means}
    }


def _ap(labels: NDArray[np.bool_], scores: NDArray[np.float32]) -> float:
    return average_precision_tie_safe(labels.astype(int), scores)


def _probability(scores: NDArray[np.float32]) -> float:
    return float((1 / (1 + np.exp(-scores.astype(np.float64)))).mean())


def _synchrony(clean: Predictions, changed: Predictions, threshold: float) -> dict[str, float]:
    rows = changed.paired
    before, after = clean.score[rows], changed.score[rows]
    return {
        "rows": int(rows.sum()),
        "sync_auroc": sync_auroc(before, after),
        "retention": retention(before, after, threshold),
        "fa_changed_p0.5": float((after >= 0).mean()),
    }


def _visual_scores(model: TwoStreamAdapter, faces: torch.Tensor) -> NDArray[np.float32]:
    with torch.inference_mode():
        logits = model.network.lossV(faces)[0]
    return (logits[:, 1] - logits[:, 0]).cpu().numpy()


def synchrony_curve(model: TwoStreamAdapter, tracks: Sequence[Track], faces: dict[Any, torch.Tensor]) -> Curve:
    """Score every track with its audio shifted, on the speaking frames that keep real audio at every offset."""
    rows = 0
    sums = dict.fromkeys(OFFSETS_MS, 0.0)
    for track in tqdm(tracks, "synchrony curve", leave=False):
        kept = _safe_rows(track)
        rows += int(kept.sum())
        for offset in OFFSETS_MS if kept.any() else ():
            audio = model.embed_audio(_shifted(track, offset), len(track), track.fps)
            sums[offset] += float(model.score(audio, faces[track.key])[kept].sum(dtype=np.float64))
    return Curve(rows, {offset: total / rows for offset, total in sums.items()})


def _safe_rows(track: Track) -> NDArray[np.bool_]:
    reach = (max(OFFSETS_MS) + CONTEXT_MS) * SAMPLE_RATE // 1000
    centres = np.array([track.sample_at(time) for time in track.timestamps_ms])
    before, after = track.audio_margin
    inside = (centres - reach >= -before) & (centres + reach <= track.num_samples + after)
    safe: NDArray[np.bool_] = inside & (track.labels == 1)
    return safe


def _shifted(track: Track, offset_ms: int) -> Int16Array:
    """Return the track's audio, late by ``offset_ms``; zeros where there is no real audio."""
    before, after = track.audio_margin
    start = -offset_ms * SAMPLE_RATE // 1000
    first, stop = max(start, -before), min(start + track.num_samples, track.num_samples + after)
    sound = track.media.audio_window(first, stop)
    shifted = np.zeros(track.num_samples, np.int16)
    shifted[first - start : first - start + len(sound)] = sound
    return shifted


FIGURES: tuple[tuple[str, str, Callable[[dict[str, Any]], float]], ...] = (
    ("AP clean, without dubs", ">= 0.95", lambda r: r["ap"]),
    ("base rate", "", lambda r: r["base_rate"]),
    ("AP clean - AP silenced", ">= 0.08", lambda r: r["ap"] - r["ap_silence"]),
    ("AP with dubs", "", lambda r: r["ap_with_dubs"]),
    ("AP with dubs - base rate with dubs", ">= 0.30", lambda r: r["ap_with_dubs"] - r["base_rate_with_dubs"]),
    (
        "AP - AP of the video-only head, with dubs",
        ">= 0.05",
        lambda r: r["ap_with_dubs"] - r["ap_visual_head_with_dubs"],
    ),
    ("sync_auroc mismatch@1.00", ">= 0.52", lambda r: r["mismatch@1.00"]["sync_auroc"]),
    ("sync_auroc misalign 500 to 800 ms", ">= 0.57", lambda r: r["misalign(500-800)"]["sync_auroc"]),
    ("retention mismatch@1.00", "", lambda r: r["mismatch@1.00"]["retention"]),
    *(
        (
            f"retention misalign {low} to {high} ms",
            "falls",
            lambda r, band=f"misalign({low}-{high})": r[band]["retention"],
        )
        for low, high in BANDS_MS
    ),
    ("mean probability, speaking frames", "", lambda r: r["p_speaking"]),
    ("the same, silenced", "< 0.1", lambda r: r["p_silenced"]),
    ("the same, bottom 30 % zeroed", "<= 0.4", lambda r: r["p_lip_mask"]),
    ("synchrony curve: peak, ms", "-40 to 160", lambda r: r["curve"]["peak_ms"]),
    ("synchrony curve: number of peaks", "1", lambda r: r["curve"]["peaks"]),
    ("log-odds lower at -400 ms", ">= 0.4", lambda r: _fall(r, -400)),
    ("log-odds lower at +400 ms", ">= 0.4", lambda r: _fall(r, 400)),
)


def _fall(result: dict[str, Any], offset: int) -> float:
    means = result["curve"]["means"]
    return float(max(means.values()) - means[str(offset)])


def table(results: dict[str, Any], real: str | None) -> str:
    """Return the figures in Markdown: mean and 95 % interval (Student's t) over the demo sets; real faces beside."""
    seeds = [result for name, result in results.items() if name != real]
    lines = [f"| figure | must be | {len(seeds)} generator seeds | real faces |", "|---|---|---:|---:|"]
    for name, bar, value in FIGURES:
        values = np.array([value(result) for result in seeds], dtype=np.float64)
        there = "" if real is None or "dubs" in name.replace("without dubs", "") else f"{value(results[real]):.3g}"
        lines.append(f"| {name} | {bar} | {mean_and_interval(values)} | {there} |")
    return "\n".join(lines)


@click.command()
@click.argument("data", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--checkpoint", type=click.Path(path_type=Path), help="Needed where DATA are given.")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="JSON; what it holds is not measured again."
)
@click.option("--real", help="Name of the data set of real faces among the results.")
def main(data: tuple[Path, ...], checkpoint: Path | None, out: Path, real: str | None) -> None:
    """Measure a two-stream checkpoint on each data set, and print the table of all results in OUT."""
    results: dict[str, Any] = json.loads(out.read_text()) if out.exists() else {}
    for folder in data:
        if folder.name not in results:
            model = load_model(checkpoint=checkpoint).scorer
            assert isinstance(model, TwoStreamAdapter)
            with tempfile.TemporaryDirectory() as work:
                results[folder.name] = measure(model, folder, Path(work))
            results = json.loads(json.dumps(results))
            out.write_text(json.dumps(results, indent=1))
    click.echo(table(results, real))


if __name__ == "__main__":
    main()
