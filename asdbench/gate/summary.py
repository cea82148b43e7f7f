"""A gate's verdict for GitHub: the Markdown of a job summary, and an annotation of the job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asdbench.gate.lines import HEADERS, Line, lines
from asdbench.gate.verdict import Judgement
from asdbench.gate.words import identified, legend, sentence
from asdbench.report.text import printable
from asdbench.report.writers import markdown_text

_SIGNS = {"pass": "✅", "regression": "❌", "inconclusive": "⚠️", "not comparable": "🚫"}
_ALIGN = Line(":---", ":---", "---:", "---:", "---:", "---:", "---:", ":---")


def to_markdown(judgement: Judgement) -> str:
    """Return the job summary; names from files are shown, not obeyed."""
    parts = [
        "### asdbench gate",
        f"{_SIGNS[judgement.state]} **{_text(sentence(judgement))}**",
        _table(judgement),
        "\n".join(f"- Note: {_text(warning)}" for warning in judgement.warnings),
        f"- Run: {_side(judgement.run)}\n- Baseline: {_side(judgement.baseline)}",
        f"Exit code {judgement.exit_code}.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def annotation(judgement: Judgement) -> str:
    """Return the line that makes GitHub show the verdict on the page of a pull request; empty for a pass."""
    if judgement.state == "pass":
        return ""
    level = "error" if judgement.exit_code else "warning"
    # Only these three signs mean something in the message of a workflow command; the ends of lines are gone already.
    message = printable(sentence(judgement)).replace("%", "%25")
    return f"::{level} title=asdbench gate::{message}"


def _side(side: Mapping[str, Any]) -> str:
    return _text(", ".join(f"{key} {value}" for key, value in identified(side).items()))


def _table(judgement: Judgement) -> str:
    found = lines(judgement)
    if not found:
        return ""
    rows = [HEADERS, _ALIGN, *(Line(*map(_text, line)) for line in found)]
    return "\n".join([*("| " + " | ".join(row) + " |" for row in rows), "", _text(legend(judgement))])


def _text(text: str) -> str:
    # Beside what Markdown itself obeys: GitHub sets formulas between dollars, and strikes out between tildes.
    return markdown_text(text).replace("$", "\\$").replace("~", "\\~")
