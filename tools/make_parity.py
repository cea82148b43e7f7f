"""Make ``baselines/parity`` from recordings of the official implementations; see ``--help``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

_Arrays = Mapping[str, NDArray[np.generic]]

TWO_STREAM = ("light-asd", "lr-asd", "talknet", "sync-talknet")
STREAMS = ("audio_embed", "visual_embed", "audio_cross", "visual_cross")


def _read(folder: Path, name: str) -> _Arrays:
    with np.load(folder / f"{name}.npz", allow_pickle=False) as file:
        return dict(file)


def _two_stream(out: Path, recordings: Path) -> None:
    given = _read(recordings / TWO_STREAM[0], "inputs")
    np.savez_compressed(out / "clip-25.npz", mfcc=given["audio_T25"], faces=given["visual_T25"])
    for name in TWO_STREAM:
        recorded = _read(recordings / name, "outputs")
        prefix = f"{'seeded_formula_pe' if name == 'sync-talknet' else 'seeded'}__T25__"
        kept = {key: recorded[prefix + key] for key in STREAMS if prefix + key in recorded}
        np.savez_compressed(
            out / f"{name}.npz", **kept, fused=recorded[prefix + "outsAV"], logits=recorded[prefix + "head_logits"]
        )


def _loconet(out: Path, recordings: Path) -> None:
    given, recorded = (_read(recordings / "loconet", part) for part in ("inputs", "outputs"))
    np.savez_compressed(out / "speakers-3.npz", log_mel=given["A_audio"][:, 0], faces=given["A_visual"])
    np.savez_compressed(
        out / "loconet.npz",
        **{key: recorded[f"A_{key}"] for key in (*STREAMS, "fused")},
        logits=recorded["A_logits_target"],
    )


def _talknce(out: Path, recordings: Path) -> None:
    given, recorded = (_read(recordings / "talknce", part) for part in ("inputs", "outputs"))
    np.savez_compressed(out / "alone.npz", log_mel=given["B_audio"][:, 0], faces=given["B_visual_target"][None, None])
    np.savez_compressed(out / "talknce.npz", audio_embed=recorded["B_audio_embed"], logits=recorded["B_logits_target"])


def _av_hubert(out: Path, recordings: Path) -> None:
    given, recorded = (_read(recordings / "av-hubert-visual-base", part) for part in ("inputs", "outputs"))
    np.savez_compressed(out / "faces-20.npz", faces=given["face112_uint8"])
    np.savez_compressed(
        out / "pair-net.npz", trunk=recorded["face112_resnet"], encoder_out=recorded["face112_encoder_out"]
    )


def _laser(out: Path, recordings: Path) -> None:
    given, recorded = (_read(recordings / "laser-loconet", part) for part in ("inputs", "outputs"))
    faces, landmarks = (given[f"B_{name}_target"][None, None] for name in ("visual", "landmarks"))
    np.savez_compressed(out / "lips.npz", log_mel=given["B_audio"][:, 0], faces=faces, landmarks=landmarks)
    np.savez_compressed(
        out / "laser-loconet.npz", audio_embed=recorded["B_audio_embed"], logits=recorded["B_logits_target"]
    )


@click.command()
@click.argument("recordings", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--out", type=click.Path(path_type=Path), default=Path("baselines/parity"), show_default=True)
def main(recordings: Path, out: Path) -> None:
    """Cut the shipped fixtures of ``asdbench verify`` out of RECORDINGS.

    RECORDINGS has one folder per system with ``inputs.npz`` and ``outputs.npz``: what the official code computes from
    seeded weights on short clips.
    """
    out.mkdir(parents=True, exist_ok=True)
    for part in (_two_stream, _loconet, _talknce, _laser, _av_hubert):
        part(out, recordings)


if __name__ == "__main__":
    main()
