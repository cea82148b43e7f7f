"""``asdbench submit``."""

from __future__ import annotations

from pathlib import Path

import click

from asdbench.cli.output import note


@click.command(epilog="Example: asdbench submit runs/light-asd.ava-unsync-AVADataPath-val-1a2b3c4d --out entries")
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="RUN | FILE...")
@click.option("--check", is_flag=True, help="Check the FILEs of entries, as the leaderboard's own checks do.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE|FOLDER",
    help="Where to write; the file's name is that of the entry.  [default: baselines/results in a checkout, else here]",
)
@click.option("--code", metavar="URL", help="Where others get code of the model that asdbench does not ship.")
@click.option("--weights", metavar="URL", help="Where others get its weights, if asdbench has no card of them.")
@click.option("--note", "remark", metavar="TEXT", help="A sentence of yours, shown beside the entry.")
def command(
    paths: tuple[Path, ...], check: bool, out: Path | None, code: str | None, weights: str | None, remark: str | None
) -> None:
    """Write the entry of a finished RUN for the leaderboard, and check it; or check FILEs.

    A run must be whole: no --limit, nothing skipped, the suite and seed of this release, fp32, weights of known sha256.
    """
    if check:
        _check(paths)
        return
    if len(paths) > 1:
        raise click.UsageError("one RUN at a time; --check takes several FILEs.")
    from asdbench.leaderboard.submit import submit

    path, entry, warnings = submit(paths[0], out, code=code, weights=weights, note=remark)
    for warning in warnings:
        note(f"note: {warning}")
    note(f"entry: {path} ({len(entry.figures)} figures, {entry.units.count} {entry.units.kind}s)")
    note("For a pull request, add it to baselines/results and run asdbench leaderboard (docs/leaderboard.md).")


def _check(paths: tuple[Path, ...]) -> None:
    from asdbench.errors import DataError
    from asdbench.leaderboard.check import check_file

    found = {path: check_file(path) for path in paths}
    wrong = [f"{path}: {problem}" for path, problems in found.items() for problem in problems]
    if wrong:
        raise DataError("\n".join(wrong))
    note(f"{len(found)} {'entry is' if len(found) == 1 else 'entries are'} in order.")
