"""Self-contained pages: one file each, that opens offline, loads nothing and runs nothing but its own script."""

from __future__ import annotations

import base64
import hashlib
import re
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from asdbench.report.plot import Plot
from asdbench.report.table import Column, Estimate, Table, format_value
from asdbench.report.terms import column_title
from asdbench.report.text import printable
from asdbench.resources import resource_folder

if TYPE_CHECKING:
    from jinja2 import Environment

MAX_BYTES = 5_000_000
"""No page that is sent around may be larger."""

_LONG, _LONG_TEXT = 24, 48
"""Tables of more rows scroll in a box of their own; on paper they are whole. Text of more signs is wrapped."""

_SIDES = (re.compile(rb'<svg[^>]*? width="([0-9.]+)pt"'), re.compile(rb'<svg[^>]*? height="([0-9.]+)pt"'))
_HEAD = 2000
_ENLARGED = 96 / 72 * 1.25
"""Pixels of a point: figures are drawn as small as papers print them."""

_WIDE_PICTURE, _WIDE_TABLE = 600, 12
"""More pixels need a phone to scroll, more columns a smaller print on paper."""

_MANY = 300
"""Reasons of more signs are folded away."""


def render_page(template: str, title: str, values: Mapping[str, Any], *, media: bool = False) -> str:
    """Return a page: style and script in it, allowed by their hashes, and everything else forbidden.

    Text in ``values`` is escaped, and signs that nobody sees are spelled out; only ``Markup`` is taken as it is.

    Args:
        template: File name in ``reports/templates``; extends ``base.html``. Style and script of its own lie beside it,
            named as it is.
        title: Of the page.
        values: What the template names.
        media: Whether it may show pictures and play clips that lie beside it.
    """
    stem = template.partition(".")[0]
    style, script = (
        f"{_shared(common)}\n{_shared(own, missing_ok=True)}".strip()
        for common, own in (("style.css", f"{stem}.css"), ("script.js", f"{stem}.js"))
    )
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
    wide = " wide" if len(table.shown) > _WIDE_TABLE else ""
    tall = " tall" if len(table.rows) > _LONG else ""
    return Markup(
        '<figure class="table" id="{name}"><div class="scroll{tall}" tabindex="0" role="region" aria-label="{name}">'
        '<table class="sortable{wide}"><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>'
        "<figcaption>{legend}{reasons}</figcaption></figure>"
    ).format(
        name=printable(name or table.name), tall=tall, wide=wide, head=head, body=body, legend=printable(table.legend),
        reasons=_reasons(table.reasons()),
    )  # fmt: skip


def picture(svg: bytes | Path, alt: str, caption: str = "") -> Markup:
    """Return a figure. An SVG is only ever shown as an image, in which nothing runs and nothing is loaded.

    Args:
        svg: The picture, or its file.
        alt: What it shows, for those who cannot see it.
        caption: Shown below.
    """
    content = svg.read_bytes() if isinstance(svg, Path) else svg
    data, size = base64.b64encode(content).decode("ascii"), _size(content)
    shown = Markup(' width="{}" height="{}"').format(*size) if size else ""
    wide = " wide" if size and size[0] > _WIDE_PICTURE else ""
    below = Markup("<figcaption>{}</figcaption>").format(printable(caption)) if caption else ""
    return Markup('<figure class="picture{}"><img src="data:image/svg+xml;base64,{}"{} alt="{}">{}</figure>').format(
        wide, data, shown, printable(alt), below
    )


def svg_of(plot: Plot) -> bytes:
    """Return a figure as SVG, equal bytes for equal numbers."""
    from asdbench.report.drawing import write_figure

    with tempfile.TemporaryDirectory() as folder:
        write_figure(Path(folder) / plot.name, plot.draw, ("svg",), plot.size)
        return (Path(folder) / f"{plot.name}.svg").read_bytes()


def _size(svg: bytes) -> tuple[int, int] | None:
    """Return width and height of a figure in pixels: nothing jumps as a page loads, and letters are of one size."""
    width, height = (pattern.search(svg[:_HEAD]) for pattern in _SIDES)
    if width is None or height is None:
        return None
    return round(float(width[1]) * _ENLARGED), round(float(height[1]) * _ENLARGED)


def _reasons(reasons: list[str]) -> Markup:
    """Return why cells are undefined, folded away where that takes many words."""
    said = Markup("").join(Markup('<p class="reason">Undefined: {}.</p>').format(printable(each)) for each in reasons)
    if sum(map(len, reasons)) <= _MANY:
        return said
    return Markup("<details><summary>Why cells have no value, or no interval</summary>{}</details>").format(said)


def _header(column: Column) -> Markup:
    meaning = column_title(column.key)
    title = Markup(' title="{}"').format(meaning) if meaning else ""
    return Markup('<th scope="col" class="{}"{}><button type="button">{}</button></th>').format(
        "text" if column.kind == "text" else "number", title, printable(column.header)
    )


def _cells(row: Mapping[str, Any], columns: tuple[Column, ...]) -> Iterator[Markup]:
    for place, column in enumerate(columns):
        value = row.get(column.key)
        tag, scope = ("th", Markup(' scope="row"')) if place == 0 else ("td", "")
        text = format_value(value, column.kind, intervals=False)
        ends = format_value(value, column.kind)[len(text) :].strip() if isinstance(value, Estimate) else ""
        kind = "number" if column.kind != "text" else "long" if len(text) > _LONG_TEXT else "text"
        why = Markup(' title="{}"').format(printable(value["undefined"])) if isinstance(value, Mapping) else ""
        yield Markup('<{tag}{scope} class="{kind}"{sort}{why}>{text}{ends}</{tag}>').format(
            tag=tag, scope=scope, kind=kind, sort=_sort_key(value), why=why, text=printable(text),
            ends=Markup(" <small>{}</small>").format(ends) if ends else "",
        )  # fmt: skip


def _sort_key(value: Any) -> Markup | str:
    """Return what a cell is sorted by; nothing for one that is undefined, which comes last either way."""
    if isinstance(value, Estimate):
        value = value.value
    if value is None or value == "" or isinstance(value, Mapping):
        return ""
    return Markup(' data-sort="{}"').format(repr(float(value)) if isinstance(value, (int, float)) else printable(value))


@cache
def _shared(name: str, missing_ok: bool = False) -> str:
    file = resource_folder("reports/templates") / name
    return "" if missing_ok and not file.is_file() else file.read_text(encoding="utf-8").strip()


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
