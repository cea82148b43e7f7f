"""``python -m tools.demo_data``: generate a split of the demo data."""

from __future__ import annotations

import multiprocessing
import shutil
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from tools.demo_data import assets, export
from tools.demo_data.film import shoot
from tools.demo_data.script import Scene, write_scenes
from tools.demo_data.sentences import Split

_PURPOSES = {"film": 2, "sound": 3}  # 0 and 1 are the scripts of the two splits


def _rng(seed: int, purpose: str, split: Split, index: int) -> np.random.Generator:
    return np.random.default_rng([seed, _PURPOSES[purpose], int(split == "train"), index])


def _film(
    numbered: tuple[int, Scene], seed: int, split: Split, folder: Path, cache: Path
) -> tuple[tuple[int, int], NDArray[np.float64]]:
    """Render and write one video; return the size of its pictures and the boxes."""
    index, scene = numbered
    film = shoot(scene, assets.load(cache), _rng(seed, "film", split, index))
    export.write_video(folder / "videos" / f"{scene.video_id}.mp4", film)
    export.write_sound(folder / "audio" / f"{scene.video_id}.flac", scene, _rng(seed, "sound", split, index))
    height, width = film.frames.shape[1:3]
    return (height, width), film.boxes


@click.command(epilog="Example: python -m tools.demo_data --split train --videos 70 --out build/demo-train")
@click.option("--split", type=click.Choice(["val", "train"]), required=True, help="Which split.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write; must not exist.")
@click.option("--seed", default=1, show_default=True, help="demo-val as shipped has seed 1.")
@click.option("--videos", type=int, help="How many videos of 8 s.  [default: 35, as demo-val has]")
@click.option("--workers", default=2, show_default=True, help="Processes.")
@click.option("--cache", type=click.Path(path_type=Path), default=Path("build/demo-assets"), show_default=True)
def main(split: Split, out: Path, seed: int, videos: int | None, workers: int, cache: Path) -> None:
    """Generate a split of the demo data: about half a minute per minute of video and core."""
    if out.exists():
        raise click.UsageError(f"{out} exists; delete it, or choose another --out.")
    assets.load(cache)
    scenes = write_scenes(seed, split, videos)
    partial_out = out.with_name(out.name + ".partial")
    shutil.rmtree(partial_out, ignore_errors=True)
    for name in ("videos", "audio"):
        (partial_out / name).mkdir(parents=True)
    work = partial(_film, seed=seed, split=split, folder=partial_out, cache=cache)
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        films = list(tqdm(pool.map(work, enumerate(scenes)), "filming", total=len(scenes), unit="video"))
    export.write_tables(partial_out, scenes, films)
    export.write_about(partial_out, split, seed)
    identity = export.write_checksums(partial_out)
    partial_out.rename(out)
    click.echo(f"{out}: {len(scenes)} videos, {sum(len(scene.roles) for scene in scenes)} face tracks, {identity}")
