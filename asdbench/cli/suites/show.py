"""``asdbench suites show``."""

from __future__ import annotations

import click

from asdbench.cli.output import echo_json, echo_rows, json_option


@click.command(epilog="Example: asdbench suites show unsync; asdbench suites show my_suite.toml --json")
@click.argument("suite", metavar="NAME|FILE")
@json_option
def command(suite: str, as_json: bool) -> None:
    """Print the conditions of a shipped suite (asdbench ls suites), of an older version (unsync@1), or of a TOML file.

    Checks every perturbation and option on the way.
    """
    from asdbench.perturb.catalogue import read_condition
    from asdbench.suites import load_suite

    found = load_suite(suite)
    rows = []
    for condition in found.conditions:
        label = read_condition(found, condition)[0].label if condition.perturbation is not None else None
        rows.append(
            {
                "condition": condition.name,
                "perturbation": label,
                "proportion": condition.proportion if label else None,
                "labels": condition.labels,
                "role": condition.role,
                "options": dict(condition.options),
            }
        )
    if as_json:
        facts = {"name": found.name, "version": found.version, "seed": found.seed, "sha256": found.sha256}
        echo_json({**facts, "summary": found.summary, "conditions": rows})
        return
    click.echo(f"{found.label}: {found.summary}\nseed {found.seed}, sha256 {found.sha256}\n")
    echo_rows([{key: _text(value) for key, value in row.items()} for row in rows])


def _text(value: object) -> str:
    if isinstance(value, dict) and "perturbation" in value:
        options = value.get("options")
        return str(value["perturbation"]) + (f"({_text(options)})" if options else "")
    if isinstance(value, dict):
        return ", ".join(f"{key} = {_text(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return "[" + "; ".join(_text(item) for item in value) + "]"
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
