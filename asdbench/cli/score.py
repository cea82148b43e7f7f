"""``asdbench score``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from asdbench.cli.output import echo_json, json_option, note, show_run

_SHOWN = 5


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
    differing = list(_differing(recorded.metrics, msgspec.to_builtins(recomputed.metrics)))
    same = not differing
    if as_json:
        echo_json(recomputed.to_dict() | {"equals_record": same})
    else:
        show_run(recomputed)
        more = f" and {len(differing) - _SHOWN} more" if len(differing) > _SHOWN else ""
        differs = f"DIFFERS from metrics.json in {', '.join(differing[:_SHOWN])}{more}"
        note("recomputed from the predictions: " + ("equal to metrics.json" if same else differs))
    sys.exit(0 if same else 1)


def _differing(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Yield the places at which two JSON values differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            yield from _differing(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for before, after in zip(old, new, strict=True):
            name = after.get("name", "") if isinstance(after, dict) else ""
            yield from _differing(before, after, f"{path}[{name}]")
    elif old != new:
        yield path
