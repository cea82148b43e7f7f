"""Self-contained pages: one file each, that opens offline, loads nothing and runs nothing but its own script."""

from __future__ import annotations

import base64
import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from asdbench.report.plot import Plot
from asdbench.report.table import Column, Estimate, Table, format_value
from asdbench.report.text import printable
from asdbench.resources import resource_folder

if TYPE_CHECKING:
    from jinja2 import Environment

MAX_BYTES = 5_000_000
"""No page that is sent around may be larger."""

_LONG = 24
"""Tables of more rows scroll in a box of their own; on paper they are whole."""


def render_page(template: str, title: str, values: Mapping[str, Any], *, media: bool = False) -> str:
    """Return a page: style and script in it, allowed by their hashes, and everything else forbidden.

    Text in ``values`` is escaped, and signs that nobody sees are spelled out; only ``Markup`` is taken as it is.

    Args:
        template: File name in ``reports/templates``; extends ``base.html``.
        title: Of the page.
        values: What the template names.
        media: Whether it may show pictures and play clips that lie beside it.
    """
    style, script = _shared("style.css"), _shared("script.js")
    policy = _policy(style, script, media)
    values = {**values, "title": title, "style": Markup(style), "script": Markup(script), "policy": policy}  # noqa: S704 - our own files
    page: str = _environment().get_template(template).render(values)
    return page


def table_html(table: Table, *, name: str = "") -> Markup:
    """Return a table that sorts by click and by keyboard, with caption and the reasons of undefined cells.

    Args:
        table: As in all other formats.
        name: The ``id`` in the page; that of the table by default.
    """
    head = Markup("").join(_header(column) for column in table.shown)
    body = Markup("\n").join(
        Markup("<tr>{}</tr>").format(Markup("").join(_cells(row, table.shown))) for row in table.rows
    )
    reasons = Markup("").join(
        Markup('<p class="reason">Undefined: {}.</p>').format(printable(reason)) for reason in table.reasons()
    )
    tall = " tall" if len(table.rows) > _LONG else ""
    return Markup(
        '<figure class="table" id="{name}"><div class="scroll{tall}" tabindex="0" role="region" aria-label="{name}">'
        '<table class="sortable"><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>'
        "<figcaption>{legend}{reasons}</figcaption></figure>"
    ).format(
        name=printable(name or table.name), tall=tall, head=head, body=body, legend=printable(table.legend),
        reasons=reasons,
    )  # fmt: skip


def picture(svg: bytes | Path, alt: str, caption: str = "") -> Markup:
    """Return a figure. An SVG is only ever shown as an image, in which nothing runs and nothing is loaded.

    Args:
        svg: The picture, or its file.
        alt: What it shows, for those who cannot see it.
        caption: Shown below.
    """
    data = base64.b64encode(svg.read_bytes() if isinstance(svg, Path) else svg).decode("ascii")
    below = Markup("<figcaption>{}</figcaption>").format(printable(caption)) if caption else ""
    return Markup('<figure class="picture"><img src="data:image/svg+xml;base64,{}" alt="{}">{}</figure>').format(
        data, printable(alt), below
    )


def svg_of(plot: Plot) -> bytes:
    """Return a figure as SVG, equal bytes for equal numbers."""
    from asdbench.report.figures import write_figure

    with tempfile.TemporaryDirectory() as folder:
        write_figure(Path(folder) / plot.name, plot.draw, ("svg",), plot.size)
        return (Path(folder) / f"{plot.name}.svg").read_bytes()


def _header(column: Column) -> Markup:
    return Markup('<th scope="col" class="{}"><button type="button">{}</button></th>').format(
        "text" if column.kind == "text" else "number", printable(column.header)
    )


def _cells(row: Mapping[str, Any], columns: tuple[Column, ...]) -> Iterator[Markup]:
    for place, column in enumerate(columns):
        value = row.get(column.key)
        tag, scope = ("th", Markup(' scope="row"')) if place == 0 else ("td", "")
        text = format_value(value, column.kind, intervals=False)
        ends = format_value(value, column.kind)[len(text) :].strip() if isinstance(value, Estimate) else ""
        yield Markup('<{tag}{scope} class="{kind}"{sort}>{text}{ends}</{tag}>').format(
            tag=tag, scope=scope, kind="text" if column.kind == "text" else "number", sort=_sort_key(value),
            text=printable(text), ends=Markup(" <small>{}</small>").format(ends) if ends else "",
        )  # fmt: skip


def _sort_key(value: Any) -> Markup | str:
    """Return what a cell is sorted by; nothing for one that is undefined, which comes last either way."""
    if isinstance(value, Estimate):
        value = value.value
    if value is None or value == "" or isinstance(value, Mapping):
        return ""
    return Markup(' data-sort="{}"').format(repr(float(value)) if isinstance(value, (int, float)) else printable(value))


@cache
def _shared(name: str) -> str:
    return (resource_folder("reports/templates") / name).read_text(encoding="utf-8").strip()


def _policy(style: str, script: str, media: bool) -> str:
    """Return the Content-Security-Policy: our style and script by their hashes, pictures that are in the page."""
    beside = " 'self' file:" if media else ""
    parts = [
        "default-src 'none'",
        f"style-src {_hash(style)}",
        f"script-src {_hash(script)}",
        f"img-src data:{beside}",
        *([f"media-src{beside}"] if media else []),
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join(parts)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(resource_folder("reports/templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )


def _visible(value: Any) -> Any:
    """Return what a template shows: signs that nobody sees, or that turn the reading direction, are spelled out."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return escape(printable(value))
    return value
