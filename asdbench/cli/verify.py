"""``asdbench verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asdbench.cli.output import echo_json, json_option, note
from asdbench.errors import UsageError

if TYPE_CHECKING:
    from asdbench.checkpoints.cards import Published
    from asdbench.verify import Comparison


@click.command(
    epilog="Example: asdbench verify talknet; asdbench verify light-asd --checkpoint FILE --data AVADataPath"
)
@click.argument("model", required=False)
@click.option("--device", default="cpu", show_default=True, metavar="DEVICE", help="auto, cpu, cuda, cuda:N or mps.")
@click.option("--checkpoint", metavar="FILE|NAME", help="Also score these weights, beside their published result.")
@click.option("--data", type=click.Path(path_type=Path), metavar="FOLDER", help="The data of the published result.")
@json_option
def command(model: str | None, device: str, checkpoint: str | None, data: Path | None, as_json: bool) -> None:
    """Replay what the official code of MODEL computed (all systems without MODEL), and say how far off asdbench is.

    Prints the largest difference of each recorded tensor, relative to max(1, |value|), and the tolerance. The exit code
    is 1 where one is exceeded. With --checkpoint and --data it also scores the clean data and prints the result beside
    the published one.
    """
    from asdbench.verify import fixtures, verify

    if (checkpoint is None) != (data is None):
        raise UsageError("a published result needs both --checkpoint and --data; give the other one too, or neither.")
    known = fixtures()
    found = {name: verify(name, device) for name in ([model] if model else known)}
    scored = _scored(checkpoint, data, device) if checkpoint and data else None
    if as_json:
        tensors = {name: [_facts(each) for each in comparisons] for name, comparisons in found.items()}
        echo_json({"tensors": tensors, "scored": scored})
    else:
        for name, comparisons in found.items():
            click.echo(f"{name}: {known[name].official}")
            _show(comparisons)
        if scored:
            _show_scored(scored)
    if not all(each.agrees for comparisons in found.values() for each in comparisons):
        raise SystemExit(1)


def _facts(comparison: Comparison) -> dict[str, Any]:
    return {
        "tensor": comparison.tensor,
        "shape": list(comparison.shape),
        "largest_difference": comparison.largest,
        "tolerance": comparison.tolerance,
        "agrees": comparison.agrees,
    }


def _show(comparisons: list[Comparison]) -> None:
    for each in comparisons:
        verdict = "ok" if each.agrees else "DIFFERS"
        shape = " x ".join(map(str, each.shape))
        click.echo(f"  {each.tensor:<14}{shape:<18}{each.largest:9.2e}  allowed {each.tolerance:.0e}  {verdict}")


def _scored(checkpoint: str, data: Path, device: str) -> dict[str, Any]:
    from asdbench.api import run
    from asdbench.checkpoints.cards import card_for

    finished = run(suite="clean", data=data, checkpoint=checkpoint, device=device)
    protocol = str(finished.record["data"]["protocol"])
    card = card_for(str(finished.record["model"]["checkpoint_sha256"]))
    published = [] if card is None else [result for result in card.published if result.protocol == protocol]
    if not published:
        note(f"no result of {finished.model} is published under the protocol {protocol}")
    return {
        "run": str(finished.path),
        "model": finished.model,
        "data": finished.record["data"]["name"],
        "protocol": protocol,
        "measured": 100 * finished.metrics["conditions"][0]["metrics"]["ap"],
        "published": [_published(result) for result in published],
    }


def _published(result: Published) -> dict[str, Any]:
    return {key: getattr(result, key) for key in ("dataset", "metric", "value", "source")}


def _show_scored(scored: dict[str, Any]) -> None:
    click.echo(f"\n{scored['model']} on {scored['data']}, protocol {scored['protocol']}: {scored['measured']:.2f} % AP")
    for result in scored["published"]:
        click.echo(f"published: {result['value']:g} {result['metric']} on {result['dataset']} ({result['source']})")
