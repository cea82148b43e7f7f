"""Kill runs at random moments, start each again, and compare what it ends with: ``python tools/kill_runs.py``.

    python tools/kill_runs.py                          # 20 runs of generated data, a model of random numbers
    python tools/kill_runs.py --kills 3 --data demo-val --model demo --suite clean

A run is killed once, at a moment between the first file of its folder and its end: half of them while they score, half
while they write what follows from the scores. Then the same command is given again. Every file must have the bytes of a
run that nobody killed; only run.json, which says how long things took, and what shows that may differ.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.make_fixture import write_fixture

ROOT = Path(__file__).resolve().parent.parent
MAX_FRAMES = 100
"""Frames of a shard: generated tracks are short, and without this nothing would be on disk before the end."""

_START = """
import sys
from asdbench.records import shards
shards._MAX_FRAMES = int(sys.argv.pop(1))
from asdbench.cli.main import main
sys.argv[0] = "asdbench"
main()
"""
TIMED = ("run.json", "report.html")
"""What says how long things took, beside the table and figure of cost; report.html shows run.json."""

_STEP = 0.005
_DRAWS = 20


@dataclass(frozen=True)
class Outcome:
    """What a kill met, and what came of it.

    Attributes:
        after: Seconds from the first file of the run folder to the kill.
        met: What the folder held.
        differing: Files that are not those of the run that nobody killed, or are missing, or are there beside them.
    """

    after: float
    met: str
    differing: tuple[str, ...]


def content(folder: Path) -> dict[str, bytes]:
    """Return every file of a run folder but run.json, which holds times, and what shows them."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in TIMED and path.stem != "cost")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


class Killer:
    """Runs one command again and again, killed or not.

    Args:
        arguments: Of ``asdbench run``, without ``--out``.
        work: Where the run folders are made.

    Attributes:
        scored: Seconds from the first file of a run folder to the first predictions, of a run that nobody killed.
        seconds: The same to its end.
        wanted: Content of its files.
    """

    def __init__(self, arguments: Sequence[str], work: Path) -> None:
        self._arguments = [*arguments, "--quiet"]
        self._work = work
        self.scored = 0.0
        self.seconds = 0.0
        self.wanted: dict[str, bytes] = {}

    def whole(self) -> float:
        """Run without a kill; return the seconds from the first file of the folder to the end."""
        folder = self._work / "whole"
        process = self._start(folder)
        _await(folder, process)
        start = time.perf_counter()
        _await(folder / "predictions", process)
        self.scored = time.perf_counter() - start
        self._require_success(process)
        self.seconds = time.perf_counter() - start
        self.wanted = content(folder)
        return self.seconds

    def kill(self, name: str, after: float) -> Outcome | None:
        """Kill a run so many seconds after its first file, and finish it; ``None`` where it was done by then."""
        folder = self._work / name
        process = self._start(folder)
        _await(folder, process)
        time.sleep(after)
        process.kill()
        process.communicate()
        if process.returncode == 0:
            return None
        met = _state(folder)
        self._require_success(self._start(folder))
        found = content(folder)
        names = sorted({*found, *self.wanted})
        return Outcome(after, met, tuple(file for file in names if found.get(file) != self.wanted.get(file)))

    def _start(self, folder: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", _START, str(MAX_FRAMES), "run", *self._arguments, "--out", str(folder)]
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {**os.environ, "PYTHONPATH": path}
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)

    def _require_success(self, process: subprocess.Popen[bytes]) -> None:
        _, message = process.communicate()
        if process.returncode:
            raise click.ClickException(f"a run that nobody killed failed:\n{message.decode(errors='replace')}")


def _await(path: Path, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None and not path.exists():
        time.sleep(_STEP)


def _state(folder: Path) -> str:
    """Say how far a run had come."""
    if not (folder / "run.json").exists():
        return "an empty folder"
    if (folder / "metrics.json").exists():
        return "numbers, the report not yet whole"
    if any((folder / "predictions").glob("*.parquet")):
        return "predictions"
    shards = len(list((folder / "work").glob("shard-*.parquet")))
    return f"{shards} shards" if shards else "no scores"


def kill_runs(killer: Killer, kills: int, seed: int) -> list[Outcome]:
    """Kill that many runs: every other one while it scores, the others afterwards.

    Args:
        killer: Has run the command once without a kill.
        kills: How many.
        seed: Decides the moments.

    Raises:
        ClickException: A run was done before its kill again and again, or failed without one.
    """
    draw = np.random.default_rng(seed)
    outcomes = []
    for number in range(kills):
        for attempt in range(_DRAWS):
            # A run that is quicker than the first is hit earlier the next time.
            share = draw.random() * 0.9**attempt
            rest = killer.seconds - killer.scored
            after = killer.scored + share * rest if number % 2 else share * killer.scored
            found = killer.kill(f"killed-{number:03d}-{attempt}", after)
            if found:
                outcomes.append(found)
                break
        else:
            raise click.ClickException(f"{_DRAWS} runs were done before they were killed; use more data.")
    return outcomes


@click.command()
@click.option("--kills", default=20, show_default=True, help="Runs to kill.")
@click.option("--data", help="Data set; generated without.")
@click.option("--model", default="additive", show_default=True)
@click.option("--suite", default="unsync", show_default=True)
@click.option("--seed", default=0, show_default=True, help="Decides the moments.")
def main(kills: int, data: str | None, model: str, suite: str, seed: int) -> None:
    """Print what each kill met, and whether the run still ended with the same bytes."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        data = data or str(write_fixture(work / "data"))
        killer = Killer(["--model", model, "--suite", suite, "--data", data], work)
        click.echo(f"a run takes {killer.whole():.1f} s from its first file on")
        outcomes = kill_runs(killer, kills, seed)
    for outcome in outcomes:
        told = f"differs in {', '.join(outcome.differing)}" if outcome.differing else "the same bytes"
        click.echo(f"killed after {outcome.after:6.2f} s, with {outcome.met:<34} {told}")
    equal = sum(not outcome.differing for outcome in outcomes)
    click.echo(f"{equal} of {kills} ended with the bytes of the run that nobody killed")
    if equal < kills:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
