"""Rules: what they say, what they may not say, and where a file is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.analysis.comparison import AT_FIGURES, TOP_FIGURES, usual_direction
from asdbench.errors import UsageError
from asdbench.gate import Rule, Rules, default_rules, parse_rule, read_rules
from asdbench.gate.rules import THRESHOLDS, rules_of
from asdbench.report.run import Run
from asdbench.suites import load_suite, suite_names


@pytest.mark.parametrize(
    ("text", "condition", "metric", "margin", "threshold"),
    [
        ("clean.ap:-0.5pt", "clean", "ap", 0.005, "tpr:0.9"),
        ("mismatch@1.00.fa_changed:+1pt", "mismatch@1.00", "fa_changed", 0.01, "tpr:0.9"),
        ("misalign@0.25.sync_auroc:-2.5pt", "misalign@0.25", "sync_auroc", 0.025, "tpr:0.9"),
        ("clean.tpr@fixed:0.5:-1pt", "clean", "tpr", 0.01, "fixed:0.5"),
        ("mismatch@1.00.retention@eer:+0.03", "mismatch@1.00", "retention", 0.03, "eer"),
        ("noise@s3.tpr_drop@tpr:0.9:+1pt", "noise@s3", "tpr_drop", 0.01, "tpr:0.9"),
        (" mismatch(track)+silence.ap : -.5pt ", "mismatch(track)+silence", "ap", 0.005, "tpr:0.9"),
        ("clean.ap:0pt", "clean", "ap", 0.0, "tpr:0.9"),
        ("clean.fpr:-0pt", "clean", "fpr", 0.0, "tpr:0.9"),
    ],
)
def test_what_rules_say(text: str, condition: str, metric: str, margin: float, threshold: str) -> None:
    rule = parse_rule(text.replace(" : ", ":"))
    assert (rule.condition, rule.metric, rule.threshold) == (condition, metric, threshold)
    assert rule.margin == pytest.approx(margin)
    assert rule.text == text.replace(" : ", ":").strip()
    assert rule.name == f"{condition}.{metric}" + ("" if threshold == "tpr:0.9" else f"@{threshold}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("clean.ap", "expected condition.metric:margin"),
        ("ap:-1pt", "expected condition.metric:margin"),
        (".ap:-1pt", "expected condition.metric:margin"),
        ("clean.:-1pt", "expected condition.metric:margin"),
        ("", "expected condition.metric:margin"),
        ("clean.apx:-1pt", "did you mean ap"),
        ("clean.ap@eer:-1pt", "ap knows no threshold"),
        ("clean.tpr@tpr:0.8:-1pt", "there is no metric"),
        ("clean.ap:+1pt", "more ap is better, so the margin says how far it may fall; write -1pt"),
        ("clean.ap:1pt", "write -1pt"),
        ("clean.fpr:-1pt", "less fpr is better, so the margin says how far it may rise; write [+]1pt"),
        ("mismatch@1.00.sync_auroc:+1pt", "write -1pt"),
        ("mismatch@1.00.tpr_same_rows:-1pt", "neither more nor less of tpr_same_rows is better"),
        ("clean.ap:-1%", "is no margin"),
        ("clean.ap:-1 pt pt", "is no margin"),
        ("clean.ap:-nan", "is no margin"),
        ("clean.ap:", "is no margin"),
        ("clean.ap:-2", "200 points; is -2pt meant"),
        ("clean.ap:-0.5", "50 points; is -0.5pt meant"),
        ("clean.ap:-101pt", "no more than 100"),
    ],
)
def test_what_rules_may_not_say(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        parse_rule(text)
    assert repr(text) in str(caught.value)


@given(st.text(max_size=40))
def test_any_text_is_a_rule_or_a_usage_error(text: str) -> None:
    try:
        rule = parse_rule(text)
    except UsageError:
        return
    assert rule.name.startswith(rule.condition)


@given(
    st.text(st.characters(categories=["L", "N"], include_characters="@.()_+#-"), min_size=1),
    st.sampled_from([name for name in (*TOP_FIGURES, *AT_FIGURES) if usual_direction(name)]),
    st.sampled_from(THRESHOLDS),
    st.integers(1, 1000),
)
def test_every_condition_metric_and_threshold_can_be_named(name: str, metric: str, threshold: str, size: int) -> None:
    at = f"@{threshold}" if metric in AT_FIGURES else ""
    sign = "-" if usual_direction(metric) > 0 else "+"
    rule = parse_rule(f"{name}.{metric}{at}:{sign}{size / 10}pt")
    assert (rule.condition, rule.metric) == (name, metric)
    assert rule.margin == pytest.approx(size / 1000)


FILE = """# what may not get worse
recalibrate = true
rules = [
    "clean.ap:-0.5pt",
    "mismatch@1.00.fa_changed:+1pt",
]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "gate.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_gate_file(tmp_path: Path) -> None:
    rules = read_rules(write(tmp_path, FILE))
    assert [rule.text for rule in rules] == ["clean.ap:-0.5pt", "mismatch@1.00.fa_changed:+1pt"]
    assert (rules.recalibrate, rules.strict, len(rules)) == (True, False, 2)
    assert rules_of(tmp_path / "gate.toml") == rules
    more = rules.with_rules(["clean.ap:-2pt", Rule("clean", "fpr", 0.1, "clean.fpr:+10pt")])
    assert [rule.text for rule in more] == ["clean.ap:-2pt", "mismatch@1.00.fa_changed:+1pt", "clean.fpr:+10pt"]
    assert more.recalibrate


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FILE.replace("+1pt", "-1pt"), r"gate\.toml:5: rules\[1\]: rule .* write \+1pt"),
        ('rules = ["clean.ap:-1pt", "clean.ap:-2pt"]', "2 rules for clean.ap"),
        ("rules = []", "rules is empty"),
        ("strict = true", "missing required field `rules`"),
        ('rules = ["clean.ap:-1pt"]\nstrikt = true', "unknown field `strikt`"),
        ('rules = "clean.ap:-1pt"', r"Expected `array`, got `str` - at `\$\.rules`"),
        ("rules = [1]", r"Expected `str`, got `int` - at `\$\.rules\["),
        ('rules = ["clean.ap:-1pt"]\nstrict = 1', r"Expected `bool`, got `int` - at `\$\.strict`"),
        ("rules = [", "at line 1|end of document"),
    ],
)
def test_what_is_wrong_in_a_gate_file(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        read_rules(write(tmp_path, text))
    assert "gate.toml" in str(caught.value)


def test_no_gate_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the gate file cannot be read"):
        read_rules(tmp_path / "gate.toml")


@pytest.mark.parametrize("name", suite_names())
def test_default_rules_hold_what_can_get_worse(name: str) -> None:
    suite = load_suite(name)
    figures = dict.fromkeys((*TOP_FIGURES, *AT_FIGURES), 0.5)
    conditions = [
        {
            "name": each.name, "perturbation": each.perturbation, "proportion": each.proportion, "labels": each.labels,
            "role": each.role, "metrics": {**figures, "at": {"tpr:0.9": figures}},
        }
        for each in suite.conditions
    ]  # fmt: skip
    run = Run(Path("run"), {}, {"conditions": conditions, "headline": "tpr:0.9"})
    rules = default_rules(run)
    known = {each.name: each for each in suite.conditions}
    assert [rule.name for rule in rules][:3] == ["clean.ap", "clean.tpr", "clean.fpr"]
    assert all(known[rule.condition].role in ("reference", "test") for rule in rules)
    if name == "unsync":
        assert [rule.name for rule in rules][3:] == [
            f"{condition}.{figure}"
            for condition in ("mismatch@1.00", "misalign@1.00")
            for figure in ("fa_changed", "sync_auroc")
        ]
    if name == "modality":
        assert len(rules) == 3
    if name == "corruptions":
        assert {rule.name for rule in list(rules)[3:]} == {f"{c}.ap_drop" for c in known if c.endswith("@s3")}


def test_default_rules_leave_out_what_the_run_does_not_have() -> None:
    clean = {"name": "clean", "perturbation": None, "proportion": 1.0, "labels": "keep", "role": "reference"}
    metrics = {"ap": {"undefined": "no positives"}, "at": {"tpr:0.9": {"tpr": 0.9}}}
    run = Run(Path("run"), {}, {"conditions": [{**clean, "metrics": metrics}], "headline": "tpr:0.9"})
    assert [rule.name for rule in default_rules(run)] == ["clean.tpr"]
    assert Rules(()).with_rules(default_rules(run)) == default_rules(run)
