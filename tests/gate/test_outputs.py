"""Terminal, JSON, JUnit and job summary are views of one judgement, so they agree; nothing in a name is obeyed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as Tree

import pytest

from asdbench.errors import ResourceError, UsageError
from asdbench.gate.junit import to_junit
from asdbench.gate.outputs import Outputs
from asdbench.gate.record import to_dict
from asdbench.gate.summary import annotation, to_markdown
from asdbench.gate.terminal import print_judgement, to_text
from asdbench.gate.verdict import Judgement
from asdbench.gate.words import TITLES, sentence
from tests.gate.judgements import HOSTILE, JUDGEMENTS, judgement, ruling

CASES = [pytest.param(*case, id=name) for name, case in JUDGEMENTS.items()]
FAILED = (1, 3, 4)


def junit(found: Judgement) -> Tree.Element:
    return Tree.fromstring(to_junit(found))


@pytest.mark.parametrize(("found", "code", "state"), CASES)
def test_exit_code_and_all_four_outputs_agree(found: Judgement, code: int, state: str) -> None:
    assert (found.exit_code, found.state) == (code, state)
    assert re.search(rf"^{TITLES[found.state]}:", to_text(found), flags=re.M)
    record = json.loads(json.dumps(to_dict(found), allow_nan=False))
    assert (record["state"], record["exit_code"]) == (state, code)
    assert [each["outcome"] for each in record["rules"]] == [each.outcome for each in found.rulings]
    suite = junit(found)
    failed = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
    assert bool(failed) == (code in FAILED)
    assert (int(suite.attrib["errors"]) > 0) == (state == "not comparable")
    summary = to_markdown(found)
    assert f"**{TITLES[found.state]}: " in summary
    assert f"Exit code {code}." in summary
    level = annotation(found).split(" ")[0]
    assert level == {"pass": "", "inconclusive": "::warning" if code == 0 else "::error"}.get(state, "::error")


@pytest.mark.parametrize(("found", "code", "state"), CASES)
def test_junit_counts_what_it_holds(found: Judgement, code: int, state: str) -> None:
    root = junit(found)
    (suite,) = root
    cases = suite.findall("testcase")
    assert [child.tag for child in suite] == ["properties", *["testcase"] * len(cases), "system-out"]
    assert len(cases) == 1 + len(found.rulings)
    for element in (root, suite):
        assert element.attrib["tests"] == str(len(cases))
        for plural, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(element.attrib[plural]) == sum(case.find(tag) is not None for case in cases)
    for case in cases:
        assert {"classname", "name", "time"} == set(case.attrib)
        assert len(case) <= 1
    skipped = [case for case in cases if case.find("skipped") is not None]
    if found.differing:
        assert [case.attrib["name"] for case in cases if case.find("error") is not None] == ["comparable"]
        assert len(skipped) == len(found.rulings)
    else:
        undecided = [each for each in found.rulings if each.outcome == "inconclusive"]
        assert len(skipped) == (0 if found.strict else len(undecided))


@pytest.mark.parametrize(("found", "code", "state"), CASES)
def test_the_sentence_names_each_condition_that_got_worse(found: Judgement, code: int, state: str) -> None:
    said = sentence(found)
    worse = dict.fromkeys(each.rule.condition for each in found.rulings if each.outcome == "regression")
    if state == "regression" and len(worse) <= 5:
        assert all(condition in said for condition in worse)
    elif state == "regression":
        assert f"and {len(worse) - 5} more" in said
    if state == "not comparable":
        assert all(each in said for each in found.differing)


def test_a_regression_says_from_where_to_where() -> None:
    found = judgement(ruling("regression", "mismatch@1.00", "fa_changed", -0.05))
    assert sentence(found) == ("REGRESSION: new-model got worse under mismatch@1.00 (fa_changed 90.00 to 95.00 %).")
    assert "-5.00 [-6.00, -4.00]" in to_text(found)


@pytest.mark.parametrize("width", [40, 80, 120, 400])
@pytest.mark.parametrize(("found", "code", "state"), CASES)
def test_nothing_is_hidden_on_a_terminal_of_any_width(found: Judgement, code: int, state: str, width: int) -> None:
    import io

    from rich.console import Console

    buffer = io.StringIO()
    print_judgement(Console(file=buffer, width=width, highlight=False), found)
    assert "…" not in buffer.getvalue()
    if width >= 80:
        shown = buffer.getvalue()
        assert all(f"{100 * each.new:.2f}" in shown for each in found.rulings if each.new and each.new < 1.5)


def test_reasons_stand_below_the_table_but_for_passes() -> None:
    text = _on_terminal(JUDGEMENTS["open and pass"][0], 80)
    assert "\nmismatch@1.00.ap: the figure is inconclusive\n" in text
    assert "the figure is pass" not in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_who_is_judged_is_named_without_all_that_a_record_says() -> None:
    found = JUDGEMENTS["better"][0]
    assert f"- Run: run runs/new, model new-model, checkpoint\\_sha256 {'c' * 64}, fingerprint {'a' * 64}\n" in (
        to_markdown(found)
    )
    assert f"- Baseline: run runs/old, model old-model, fingerprint {'b' * 64}\n" in to_markdown(found)
    names = [each.attrib["name"] for each in junit(found).iter("property")]
    assert names[3:] == [
        "run.run", "run.model", "run.checkpoint_sha256", "run.fingerprint",
        "baseline.run", "baseline.model", "baseline.fingerprint",
    ]  # fmt: skip
    nobody = Judgement({}, {})
    assert sentence(nobody).startswith("PASS: the run is")


def _on_terminal(found: Judgement, width: int) -> str:
    import io

    from rich.console import Console

    buffer = io.StringIO()
    print_judgement(Console(file=buffer, width=width, highlight=False, color_system=None), found)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["hostile names", "hostile and not comparable"])
def test_hostile_names_are_shown_and_not_obeyed(name: str, tmp_path: Path) -> None:
    found = JUDGEMENTS[name][0]
    for width in range(20, 130, 7):  # wherever a line is broken
        text = _on_terminal(found, width)
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert not any(line.strip().startswith(("::", "##[")) for line in text.splitlines())
        assert text.isprintable() or set(filter(lambda sign: not sign.isprintable(), text)) == {"\n"}
    markdown = to_markdown(found)
    for sign in "<|`$[]":
        assert not re.search(rf"(?<!\\){re.escape(sign)}", re.sub(r"^\|.*\|$", "", markdown, flags=re.M)), sign
    for row in re.findall(r"^\| .*$", markdown, flags=re.M):
        assert len(re.findall(r"(?<!\\)\|", row)) == 9
    root = junit(found)
    assert "\\x1b[31m<script>" in "".join(root.itertext())  # as text, not as an element
    assert {each.tag for each in root.iter()} <= {
        "testsuites", "testsuite", "properties", "property", "testcase", "failure", "error", "skipped", "system-out"
    }  # fmt: skip
    assert annotation(found).count("\n") == 0
    Outputs(tmp_path).write(found)
    assert json.loads((tmp_path / "gate.json").read_text())["warnings"] == [HOSTILE]


def test_a_folder_gets_all_three(tmp_path: Path) -> None:
    found = JUDGEMENTS["worse and open"][0]
    places = Outputs.of(tmp_path / "out", tmp_path / "some" / "j.xml", tmp_path / "s.md", {})
    places.write(found)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["gate.json", "gate.md", "gate.xml"]
    assert (tmp_path / "some" / "j.xml").read_text() == (tmp_path / "out" / "gate.xml").read_text() == to_junit(found)
    assert (tmp_path / "s.md").read_text() == (tmp_path / "out" / "gate.md").read_text() == to_markdown(found)
    places.clear()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    places.clear()


def test_the_summary_of_a_job_is_appended_to(tmp_path: Path) -> None:
    job = tmp_path / "step"
    job.write_text("from before\n")
    for summary in (None, job):  # named or not
        places = Outputs.of(None, None, summary, {"GITHUB_STEP_SUMMARY": str(job)})
        places.clear()
        places.write(JUDGEMENTS["better"][0])
    assert job.read_text().startswith("from before\n### asdbench gate\n")
    assert job.read_text().count("### asdbench gate") == 2
    Outputs.of(None, None, tmp_path / "own.md", {"GITHUB_STEP_SUMMARY": str(job)}).write(JUDGEMENTS["better"][0])
    assert job.read_text().count("### asdbench gate") == 2
    assert (tmp_path / "own.md").read_text().count("### asdbench gate") == 1


def test_places_that_cannot_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        Outputs.of(junit=tmp_path, environment={})
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="cannot be replaced"):
        Outputs.of(tmp_path / "file", environment={}).clear()
    nowhere = Outputs.of(environment={"GITHUB_STEP_SUMMARY": str(tmp_path / "gone" / "step")})
    with pytest.raises(ResourceError, match="job summary"):
        nowhere.write(JUDGEMENTS["better"][0])
