"""A gate's verdict as JUnit XML, which every CI system can show: one test case per rule."""

from __future__ import annotations

from xml.etree import ElementTree as Tree

from asdbench.gate.terminal import to_text
from asdbench.gate.verdict import Judgement, Ruling
from asdbench.gate.words import gain, identified, percent, points, sentence
from asdbench.report.text import printable

_NAME = "asdbench gate"


def to_junit(judgement: Judgement) -> str:
    """Return the XML: a regression is a failure, inconclusive is skipped (a failure where the gate is strict).

    Runs that cannot be compared are an error of a test case of its own, ``comparable``.
    """
    cases = [_comparable(judgement), *(_case(ruling, judgement) for ruling in judgement.rulings)]
    counts = {"tests": str(len(cases))}
    for plural, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        counts[plural] = str(sum(case.find(tag) is not None for case in cases))
    # The two attributes that old readers do not do without; a gate has no duration worth telling.
    root = Tree.Element("testsuites", {"name": _NAME, **counts, "time": "0"})
    suite = Tree.SubElement(root, "testsuite", {"name": _NAME, **counts, "time": "0"})
    suite.append(_properties(judgement))
    suite.extend(cases)
    Tree.SubElement(suite, "system-out").text = to_text(judgement)
    Tree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Tree.tostring(root, encoding="unicode") + "\n"


def _properties(judgement: Judgement) -> Tree.Element:
    found = Tree.Element("properties")
    values = {"state": judgement.state, "exit_code": judgement.exit_code, "strict": str(judgement.strict).lower()}
    for side, record in (("run", judgement.run), ("baseline", judgement.baseline)):
        values |= {f"{side}.{key}": value for key, value in identified(record).items()}
    for name, value in values.items():
        Tree.SubElement(found, "property", {"name": printable(name), "value": printable(str(value))})
    return found


def _comparable(judgement: Judgement) -> Tree.Element:
    case = _new_case("comparable")
    if judgement.differing:
        _result(case, "error", sentence(judgement), "not comparable")
    return case


def _case(ruling: Ruling, judgement: Judgement) -> Tree.Element:
    case = _new_case(ruling.rule.text or ruling.rule.name)
    if judgement.differing:
        _result(case, "skipped", "not judged, since the runs cannot be compared")
    elif ruling.outcome == "regression":
        _result(case, "failure", ruling.reason, "regression", _figures(ruling))
    elif ruling.outcome == "inconclusive" and judgement.strict:
        _result(case, "failure", ruling.reason, "inconclusive", _figures(ruling))
    elif ruling.outcome == "inconclusive":
        _result(case, "skipped", f"inconclusive: {ruling.reason}", text=_figures(ruling))
    return case


def _new_case(name: str) -> Tree.Element:
    return Tree.Element("testcase", {"classname": "asdbench.gate", "name": printable(name), "time": "0"})


def _result(case: Tree.Element, tag: str, message: str, kind: str = "", text: str = "") -> None:
    attributes = {"message": printable(message)} | ({"type": kind} if kind else {})
    Tree.SubElement(case, tag, attributes).text = text or None


def _figures(ruling: Ruling) -> str:
    return (
        f"baseline {percent(ruling.old)} %, run {percent(ruling.new)} %, gain {gain(ruling)} points, "
        f"margin {points(ruling.rule.margin)} points, smallest detectable loss {percent(ruling.detectable)} points"
    )
