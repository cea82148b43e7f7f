"""``asdbench score``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from asdbench.cli.output import echo_json, json_option, note, show_run


@click.command(epilog="Example: asdbench score runs/light-asd.ava-unsync-AVADataPath-val-1a2b3c4d")
@click.argument("run", type=click.Path(path_type=Path))
@json_option
def command(run: Path, as_json: bool) -> None:
    """Recompute every figure of RUN from its predictions and compare with its metrics.json.

    Needs neither model nor data. Exits with 1 if a figure differs.
    """
    import msgspec

    from asdbench.api import score
    from asdbench.report.run import open_run

    recorded, recomputed = open_run(run), score(run)
    same = msgspec.json.encode(recorded.metrics) == msgspec.json.encode(recomputed.metrics)
    if as_json:
        echo_json(recomputed.to_dict() | {"equals_record": same})
    else:
        show_run(recomputed)
        note("recomputed from the predictions: " + ("equal to metrics.json" if same else "DIFFERS from metrics.json"))
    sys.exit(0 if same else 1)
