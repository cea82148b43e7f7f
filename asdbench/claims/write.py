"""``claims.md``, ``claims.json`` and the figure of a grid; and its table within a page of documentation."""

from __future__ import annotations

from pathlib import Path

from asdbench.atomic import write_json, write_text
from asdbench.claims.figure import claims_plot
from asdbench.claims.result import Claims
from asdbench.claims.tables import cells_table, claims_table, figures_table
from asdbench.errors import UsageError
from asdbench.report.drawing import write_plot
from asdbench.report.writers import markdown_text, to_csv, to_markdown

BEGIN, END = "<!-- claims:begin -->", "<!-- claims:end -->"
"""Between these lines of a page ``--markdown`` writes."""

_IMAGES = "images"


def write_claims(found: Claims) -> Path:
    """Write everything into the folder of the grid; return the page."""
    folder = found.folder
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "claims.json", found.to_dict())
    for table in (claims_table(found), figures_table(found), cells_table(found)):
        write_text(folder / f"{table.name}.csv", to_csv(table))
    write_plot(folder, claims_plot(found))
    page = folder / "claims.md"
    write_text(page, f"# Claims of papers\n\n{_body(found, 'claims.png')}")
    return page


def write_between_markers(found: Claims, page: Path) -> None:
    """Write the tables between the two markers of a page, and the figure into ``images`` beside it.

    Args:
        found: What a grid came to.
        page: A Markdown file that has both markers.

    Raises:
        UsageError: It cannot be read, or does not have them.
    """
    before, after = parts_of(page)
    write_plot(page.parent / _IMAGES, claims_plot(found), ("png",))
    write_text(page, f"{before}{BEGIN}\n\n{_body(found, f'{_IMAGES}/claims.png')}\n{END}{after}")


def parts_of(page: Path) -> tuple[str, str]:
    """Return what stands before the first marker of a page, and after the second.

    Raises:
        UsageError: It cannot be read, or does not have them.
    """
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{page}: cannot be read ({error}); give a Markdown file with {BEGIN} and {END}.") from error
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise UsageError(f"{page}: has no lines {BEGIN} and {END}, in this order, between which the table goes.")
    return before, after


def _body(found: Claims, image: str) -> str:
    parts = [
        to_markdown(claims_table(found)),
        f"![Retention of every recipe, and the number of every claim against its threshold]({image})",
        "**Figures**",
        to_markdown(figures_table(found)),
        "**Cells**",
        to_markdown(cells_table(found)),
        _missing(found),
    ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _missing(found: Claims) -> str:
    if not found.missing:
        return ""
    lines = [f"- {name}: {markdown_text(reason) or 'not done yet'}" for name, reason in found.missing.items()]
    return "\n".join(["Not measured:", "", *lines])
