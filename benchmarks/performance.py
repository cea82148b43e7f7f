"""Where the time of a run goes, what is saved, and how memory grows: one command, one table.

    python benchmarks/performance.py                                       # the demo data as JPEG, random Light-ASD
    python benchmarks/performance.py --checkpoint a.model --data AVA       # your own
    python benchmarks/performance.py --part stages --part memory --json

Stages, suite and store are measured in one process on the same tracks; start-up and memory in processes of their own.
Seconds of CPU count, since other work on the machine disturbs them least, and of one thread unless told otherwise:
where two wait for each other, the wait counts too. The ratios carry over to other machines, the seconds do not.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from asdbench.adapters import load_model
from asdbench.adapters.two_stream import TwoStreamAdapter
from asdbench.data import open_dataset
from asdbench.data.prepare import PrepareOptions, prepare
from asdbench.data.store_build import build_store
from asdbench.features import mfcc_for_frames
from asdbench.types import Track
from benchmarks.many_tracks import many_tracks
from benchmarks.store import read
from benchmarks.suite_cost import random_weights, suite_cost

PARTS = ("stages", "suite", "store", "start-up", "memory")
GROWTH = (1, 4, 16)
TRACKS, FRAMES = 200, 25
"""Of the smallest set on which memory is measured."""
COMMANDS = ("--version", "--help", "ls models")
REPEATS = 3

_PEAK = """
import resource, sys
import asdbench
from asdbench.adapters import load_model
checkpoint, data, out, suite = sys.argv[1:]
scale = 1024 if sys.platform != "darwin" else 1024**2
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale
model = load_model(checkpoint=checkpoint)
before = peak()
run = asdbench.run(model, suite, data, out=out, audit="off", progress=False)
print(run.record["counts"]["frames"], before, peak())
"""

Result = dict[str, float]
_T = TypeVar("_T")


class Clock:
    """Adds up the seconds of stages, on the CPU and on the wall."""

    def __init__(self) -> None:
        self.cpu: Result = {}
        self.wall: Result = {}

    def __call__(self, stage: str, work: Callable[[], _T]) -> _T:
        """Return what a stage's work returns."""
        busy, start = time.process_time(), time.perf_counter()
        found = work()
        self.wall[stage] = self.wall.get(stage, 0.0) + time.perf_counter() - start
        self.cpu[stage] = self.cpu.get(stage, 0.0) + time.process_time() - busy
        return found


def stages(model: TwoStreamAdapter, tracks: Sequence[Track]) -> Result:
    """Score tracks step by step; return seconds per 1,000 frames, stage by stage."""
    clock = Clock()

    def score(clock: Clock, track: Track) -> None:
        faces = clock("decode faces", track.media.faces)
        audio = clock("read sound", track.media.audio)
        crops = clock("resize faces", lambda: model.resized(faces))
        rows = clock("features", lambda: mfcc_for_frames(audio, len(track), track.fps))
        seen = clock("visual encoder", lambda: model.embed_crops(crops))
        heard = clock("audio encoder", lambda: model.embed_rows(rows))
        clock("head", lambda: model.score(heard, seen))

    score(Clock(), tracks[0])  # warm up
    for track in tracks:
        score(clock, track)
    per = 1000 / sum(map(len, tracks))
    result = {f"{stage}, CPU s per 1,000 frames": per * seconds for stage, seconds in clock.cpu.items()}
    result["all stages, CPU s per 1,000 frames"] = per * sum(clock.cpu.values())
    result["all stages, wall s per 1,000 frames"] = per * sum(clock.wall.values())
    return result


def store_gain(data: Path, store: Path) -> Result:
    """Return what reading a prepared store saves beside the files that it was made of."""
    files, stored = open_dataset(data), open_dataset(store)
    per = 1000 / sum(map(len, files.tracks))
    plain, mapped = (min(read(dataset) for _ in range(REPEATS)) for dataset in (files, stored))
    return {
        "reading files, CPU s per 1,000 frames": per * plain,
        "reading a store, CPU s per 1,000 frames": per * mapped,
        "files over store": plain / mapped,
    }


def start_up() -> Result:
    """Return how long commands take that do nothing."""
    result = {}
    for command in COMMANDS:
        code = "import sys; from asdbench.cli.main import main; sys.argv[0] = 'asdbench'; main()"
        spent = []
        for _ in range(REPEATS):
            before = os.times()
            subprocess.run([sys.executable, "-c", code, *command.split()], check=True, stdout=subprocess.DEVNULL)
            after = os.times()
            spent.append(after.children_user + after.children_system - before.children_user - before.children_system)
        result[f"asdbench {command}, CPU s"] = min(spent)
    return result


def memory(checkpoint: Path, data: Path, suite: str, work: Path) -> Result:
    """Return the peak of memory of whole runs beyond that of the loaded model, as tracks become 4 and 16 times as many.

    The tracks are short ones made of those given, so that thousands take minutes. The audit would notice that
    donors are copies.
    """
    result, first = {}, 0.0
    for times in GROWTH:
        made = many_tracks(data, work / f"tracks{times}", times * TRACKS, FRAMES)
        arguments = [str(each) for each in (checkpoint, made, work / f"run{times}", suite)]
        command = [sys.executable, "-c", _PEAK, *arguments]
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        frames, before, peak = map(float, said.split()[-3:])
        first = first or peak - before
        name = f"memory of {suite} on {times * TRACKS:,} tracks ({frames:,.0f} frames)"
        result |= {f"{name}, MB": peak - before, f"{name}, over {TRACKS}": (peak - before) / first}
    return result


@click.command()
@click.option("--checkpoint", type=click.Path(path_type=Path), help="Of Light-ASD, LR-ASD or TalkNet; random without.")
@click.option("--data", type=click.Path(path_type=Path), help="Prepared with --faces jpg; demo-val without.")
@click.option("--suite", default="unsync", show_default=True)
@click.option("--limit", default=6, show_default=True, help="Tracks of stages and suite.")
@click.option("--threads", default=1, show_default=True, help="Of torch, for stages and suite.")
@click.option("--part", "parts", multiple=True, type=click.Choice(PARTS), default=PARTS, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(
    checkpoint: Path | None, data: Path | None, suite: str, limit: int, threads: int, parts: Sequence[str],
    as_json: bool,
) -> None:  # fmt: skip
    """Print the table."""
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        if checkpoint is None:
            checkpoint = random_weights(work, "light-asd")
        if data is None:
            data = work / "jpg"
            prepare(open_dataset("demo-val"), data, options=PrepareOptions(faces="jpg", progress=False))
        model: Any = load_model(checkpoint=checkpoint).scorer
        if not isinstance(model, TwoStreamAdapter):
            raise click.UsageError("the stages of this model are other ones; give Light-ASD, LR-ASD or TalkNet.")
        result: dict[str, Any] = {"processors": os.cpu_count(), "threads of torch": threads}
        if "stages" in parts:
            result |= stages(model, open_dataset(data).tracks[:limit])
        if "suite" in parts:
            result |= suite_cost(model, open_dataset(data), suite, limit)
        if "store" in parts:
            build_store(open_dataset(data), work / "store", options=PrepareOptions(progress=False))
            result |= store_gain(data, work / "store")
        if "start-up" in parts:
            result |= start_up()
        if "memory" in parts:
            result |= memory(checkpoint, data, suite, work)
    click.echo(json.dumps(result, indent=2) if as_json else "\n".join(f"{k:<52} {v:.3g}" for k, v in result.items()))


if __name__ == "__main__":
    main()
