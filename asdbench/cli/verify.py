"""``asdbench verify``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asdbench.cli.output import echo_json, json_option, note
from asdbench.errors import UsageError

if TYPE_CHECKING:
    from asdbench.verify import Comparison


@click.command(
    epilog="Example: asdbench verify talknet; asdbench verify light-asd --checkpoint FILE --data AVADataPath"
)
@click.argument("model", required=False)
@click.option("--device", default="cpu", show_default=True, metavar="DEVICE", help="auto, cpu, cuda, cuda:N or mps.")
@click.option("--checkpoint", metavar="FILE|NAME", help="Also score these weights, beside their published result.")
@click.option("--option", multiple=True, metavar="NAME=VALUE", help="Choice that the model offers (docs/models.md).")
@click.option("--data", type=click.Path(path_type=Path), metavar="FOLDER", help="The data of the published result.")
@json_option
def command(
    model: str | None, device: str, checkpoint: str | None, option: tuple[str, ...], data: Path | None, as_json: bool
) -> None:
    """Replay what the official code of MODEL computed (all systems without MODEL), and say how far off asdbench is.

    Prints the largest difference of each recorded tensor, relative to max(1, |value|), and the tolerance. The exit code
    is 1 where one is exceeded. With --checkpoint and --data it also scores the clean data and prints the result beside
    the published one; settings of asdbench.toml and of variables have no say in that.
    """
    from asdbench.verify import fixtures, verify

    if (checkpoint is None) != (data is None) or (checkpoint and not model):
        raise UsageError("a published result needs MODEL, --checkpoint and --data; give all three, or MODEL alone.")
    known = fixtures()
    found = {name: verify(name, device) for name in ([model] if model else known)}
    flags = {"model": model, "checkpoint": checkpoint, "data": data, "device": device, "option": list(option)}
    scored = _scored(flags) if checkpoint else None
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


def _scored(flags: Mapping[str, Any]) -> dict[str, Any]:
    from asdbench.adapters import WEIGHTS_OF
    from asdbench.api import run_config
    from asdbench.checkpoints.cards import card_for, model_cards
    from asdbench.config import exactly

    finished = run_config(exactly({"suite": "clean", **flags}), notify=note)
    protocol = str(finished.record["data"]["protocol"])
    card = card_for(str(finished.record["model"]["checkpoint_sha256"]))
    architecture = WEIGHTS_OF.get(flags["model"], flags["model"])
    cards = [card] if card else [each for each in model_cards() if each.architecture == architecture]
    return {
        "run": str(finished.path),
        "model": finished.model,
        "data": finished.record["data"]["name"],
        "protocol": protocol,
        **_measured(finished.metrics, protocol),
        "recognised": card is not None,
        "published": [
            {"weights": each.name, **{key: getattr(result, key) for key in ("dataset", "metric", "value", "source")}}
            for each in cards
            for result in each.published
            if result.protocol == protocol
        ],
    }


def _measured(metrics: Mapping[str, Any], protocol: str) -> dict[str, Any]:
    """Return the number of the protocol of the data, in percent, and what it is called."""
    from asdbench.protocols.catalogue import PROTOCOLS

    own = next((each for each in metrics.get("named", ()) if each["protocol"] == protocol), None)
    if own is None:
        return {"measured": 100 * metrics["conditions"][0]["metrics"]["ava"], "number": "AP"}
    value = own["lines"][-1]["metrics"][PROTOCOLS[protocol].figure]
    return {"measured": 100 * value, "number": PROTOCOLS[protocol].number}


def _show_scored(scored: dict[str, Any]) -> None:
    click.echo(
        f"\n{scored['model']} on {scored['data']}, protocol {scored['protocol']}: {scored['measured']:.2f} % "
        f"({scored['number']})"
    )
    if not scored["recognised"]:
        click.echo("These weights are not known by their sha256, so what follows may have been published for others.")
    for result in scored["published"]:
        about = f"{result['value']:g} {result['metric']} on {result['dataset']} ({result['source']})"
        click.echo(f"published for {result['weights']}: {about}")
    if not scored["published"]:
        click.echo(f"Nothing is published for this model under the protocol {scored['protocol']}.")
