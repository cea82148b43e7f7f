"""What a gate says of two runs, case by case: state, exit code, and the ruling that decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from asdbench.analysis.rows import RunRows
from asdbench.errors import DataError, UnknownNameError, UsageError
from asdbench.gate import Rules, gate, parse_rule
from asdbench.gate.judge import _Found, _ruling
from asdbench.metrics.jackknife import Change
from tests.analysis.test_comparison import scored
from tests.gate.runs import Made, edited, made, with_nan, without

AP, FOOLED, AUROC = "clean.ap:-1pt", "mismatch@1.00.fa_changed:+2pt", "mismatch@1.00.sync_auroc:-2pt"
EQUAL = ("pass", 0)
WORSE = ("regression", 1)
OPEN = ("inconclusive", 0)
OTHER = ("not comparable", 3)


def same(**more: Any) -> RunRows:
    return scored(0.5, **more)


def fooled_more() -> RunRows:
    """Five points more false alarms, in every source alike."""
    return scored(0.55)


def shifted() -> RunRows:
    """The scores of the baseline, a constant added: another scale, the same ranking."""
    old = same()
    return edited_everywhere(old, 3.0)


def edited_everywhere(rows: RunRows, added: float) -> RunRows:
    for name in rows.conditions:
        rows = edited(rows, name, score=rows.read(name).score + np.float32(added))
    return rows


CASES: dict[str, tuple[Callable[[], Made], list[str], dict[str, Any], tuple[str, int], list[str]]] = {
    # name: run, rules, options, (state, exit code), outcomes
    "equal": (made, [AP, FOOLED, AUROC], {}, EQUAL, ["pass"] * 3),
    "equal, no margin": (made, ["clean.ap:-0pt", "clean.fpr:+0pt"], {}, EQUAL, ["pass"] * 2),
    "equal, strict": (made, [AP], {"strict": True}, EQUAL, ["pass"]),
    "better": (lambda: made(scored(0.1, 3.0)), [AP, FOOLED, AUROC], {}, EQUAL, ["pass"] * 3),
    "better, no margin": (lambda: made(scored(0.1)), ["mismatch@1.00.fa_changed:+0pt"], {}, EQUAL, ["pass"]),
    "worse within the margin": (lambda: made(scored(0.5, 1.98)), [AP], {}, EQUAL, ["pass"]),
    "worse within noise": (lambda: made(scored(0.5, 2.0, seed=2)), ["mismatch@1.00.fa_changed:+0.1pt"], {}, OPEN,
                           ["inconclusive"]),
    "worse within noise, strict": (lambda: made(scored(0.5, 2.0, seed=2)), ["mismatch@1.00.fa_changed:+0.1pt"],
                                   {"strict": True}, ("inconclusive", 4), ["inconclusive"]),
    "worse beyond noise": (lambda: made(scored(0.9)), [FOOLED], {}, WORSE, ["regression"]),
    "worse beyond noise, strict": (lambda: made(scored(0.9)), [FOOLED], {"strict": True}, WORSE, ["regression"]),
    "worse by less than a wide margin": (lambda: made(scored(0.9)), ["mismatch@1.00.fa_changed:+60pt"], {}, EQUAL,
                                         ["pass"]),
    "one of three worse": (lambda: made(scored(0.9)), [AP, FOOLED, AUROC], {}, WORSE,
                           ["pass", "regression", "regression"]),
    "less is worse": (lambda: made(scored(0.5, 0.7)), ["clean.ap:-1pt"], {}, WORSE, ["regression"]),
    "more is worse": (lambda: made(scored(0.5, 0.2)), ["clean.fpr:+1pt"], {}, WORSE, ["regression"]),
    "regression beside an open rule": (lambda: made(scored(0.9, seed=2)),
                                       ["clean.ap:-0pt", "mismatch@1.00.retention:+2pt"], {"strict": True}, WORSE,
                                       ["inconclusive", "regression"]),
    "condition missing": (lambda: made(without(same(), "mismatch@1.00")), [AP, FOOLED], {}, WORSE,
                          ["pass", "regression"]),
    "figure without value": (made, ["mismatch@1.00.ap:-1pt"], {}, WORSE, ["regression"]),
    "figure that the runs do not have": (made, ["mismatch@1.00.fa_changed_voiced:+1pt"], {}, WORSE, ["regression"]),
    "NaN in the clean scores": (lambda: made(with_nan(same(), "clean")), [AP, FOOLED], {}, WORSE, ["regression"] * 2),
    "NaN under a condition": (lambda: made(with_nan(same(), "mismatch@1.00")), [AP, FOOLED], {}, WORSE,
                              ["pass", "regression"]),
    "other scale": (lambda: made(shifted()), ["clean.fpr:+1pt", AP], {}, WORSE, ["regression", "pass"]),
    "other scale, recalibrated": (lambda: made(shifted()), ["clean.fpr:+1pt", AP], {"recalibrate": True}, EQUAL,
                                  ["pass"] * 2),
    "other data": (lambda: made(identity__data__fingerprint="e"), [AP], {}, OTHER, []),
    "other plan": (lambda: made(identity__plan_sha256="q"), [AP], {}, OTHER, []),
    "other limit": (lambda: made(identity__limit=3), [AP], {}, OTHER, []),
    "tracks skipped": (lambda: made(counts__skipped_tracks=1), [AP], {}, OTHER, []),
    "conditions left out": (lambda: made(counts__incomplete_tracks=1), [AP], {}, OTHER, []),
    "other protocol": (lambda: made(data__protocol="wasd"), [AP], {}, OTHER, []),
    "other media": (lambda: made(data__media_digest="n"), [AP], {}, OTHER, []),
    "other options": (lambda: made(identity__model__options={"window": 3}), [AP], {}, OTHER, []),
    "other options, allowed": (lambda: made(identity__model__options={"window": 3}), [AP], {"allow": ["options"]},
                               EQUAL, ["pass"]),
    "other dtype": (lambda: made(identity__model__dtype="bfloat16"), [AP], {}, OTHER, []),
    "other dtype, allowed": (lambda: made(identity__model__dtype="bfloat16"), [AP], {"allow": ["dtype"]}, EQUAL,
                             ["pass"]),
    "custom": (lambda: made(custom=True), [AP], {}, OTHER, []),
    "custom, allowed": (lambda: made(custom=True), [AP], {"allow": ["custom"]}, EQUAL, ["pass"]),
    "other rows": (lambda: made(edited(same(), "clean", timestamp_ms=same().clean.timestamp_ms + 1)), [AP], {}, OTHER,
                   []),
    "other edits": (lambda: made(edited(same(), "mismatch@1.00", changed=np.zeros(500, np.bool_))), [FOOLED], {},
                    OTHER, []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_truth_table(name: str) -> None:
    run, rules, options, (state, code), outcomes = CASES[name]
    options = dict(options)
    held = Rules(tuple(map(parse_rule, rules)), recalibrate=options.pop("recalibrate", False))
    found = gate(run(), made(), held, **options)
    assert (found.state, found.exit_code) == (state, code), found
    assert [ruling.outcome for ruling in found.rulings] == outcomes, found.rulings
    assert bool(found.differing) == (state == "not comparable")
    for ruling in found.rulings:
        assert ruling.reason.endswith((".", ")"))
        assert "nan" not in ruling.reason.lower() or "not finite" in ruling.reason


@pytest.mark.parametrize(
    ("run", "outcome", "said"),
    [
        (made(scored(0.5, sources=4)), "pass", "nothing differs"),
        (made(scored(0.9, sources=4)), "inconclusive", "at least 5 units"),
        (made(with_nan(scored(0.5, sources=4), "mismatch@1.00")), "regression", "not finite"),
    ],
)
def test_too_few_sources(run: Made, outcome: str, said: str) -> None:
    found = gate(run, made(scored(0.5, sources=4)), [FOOLED])
    (ruling,) = found.rulings
    assert ruling.outcome == outcome
    assert said in ruling.reason
    assert ruling.detectable is None
    assert found.warnings[0].startswith("only 4 independent recordings")


def test_figures_and_directions() -> None:
    found = gate(made(scored(0.9)), made(), [AP, FOOLED])
    ap, fooled = found.rulings
    assert (ap.better, fooled.better) == ("higher", "lower")
    assert ap.change == ap.low == ap.high == 0.0
    assert ap.detectable is None
    assert fooled.new is not None
    assert fooled.old is not None
    assert fooled.change == pytest.approx(fooled.old - fooled.new)
    assert fooled.low < fooled.change < fooled.high < -0.02  # type: ignore[operator]
    assert fooled.p_value is not None
    assert fooled.p_value < 0.025
    assert fooled.detectable is not None
    assert 0.02 < fooled.detectable < 0.4
    assert (fooled.units, found.evidence["count"], found.evidence["tests"]) == (25, 25, 2)
    # The threshold is the baseline's, and so is what it makes of the old run.
    assert fooled.old == pytest.approx(np.mean(made().read("mismatch@1.00").score[made().read("mismatch@1.00").changed]
                                               >= made().rows.thresholds["tpr:0.9"]))  # fmt: skip


def test_holm_flips_a_verdict() -> None:
    worse = made(scored(0.53))
    alone = gate(worse, made(), ["mismatch@1.00.fa_changed:+0pt"]).rulings[0]
    assert alone.outcome == "regression"
    names = ("clean.tpr@eer:-1pt", "clean.fpr@eer:+1pt", "noise_3.ap_drop:+0pt", "noise_3.tpr_drop:+0pt",
             "clean.f1:-1pt", "clean.fpr@fixed:0.5:+1pt", "clean.balanced_accuracy:-1pt", "noise_3.ap:-1pt",
             "clean.ap:-0pt",
             "noise_3.fpr:+1pt", "noise_3.f1:-0pt", "noise_3.tpr:-0pt", "clean.precision:-0pt")  # fmt: skip
    among = gate(worse, made(), ["mismatch@1.00.fa_changed:+0pt", *names]).rulings[0]
    assert among.outcome == "inconclusive"
    assert (among.change, among.low) == (alone.change, alone.low)
    assert among.high > 0 > alone.high  # type: ignore[operator]
    assert among.p_value == pytest.approx(14 * alone.p_value)
    assert among.detectable > alone.detectable  # type: ignore[operator]


def test_intervals_stay_within_what_figures_can_be() -> None:
    found = gate(made(scored(0.0, 0.5)), made(scored(1.0, 0.5)), ["mismatch@1.00.fa_changed:+2pt", "clean.ap:-1pt"])
    for ruling in found.rulings:
        assert ruling.old is not None
        room = 1 - ruling.old if ruling.better == "higher" else ruling.old
        assert room - 1 <= ruling.low <= ruling.change <= ruling.high <= room  # type: ignore[operator]


def test_a_loss_that_is_exactly_the_margin_passes() -> None:
    """0.3 - 0.4 is -0.10000000000000003."""
    base = made().rows
    speaking = np.flatnonzero(base.clean.label == 1).reshape(-1, 10)
    high, low = (np.full(500, -1.0, np.float32) for _ in range(2))
    high[speaking[:, :4].ravel()] = low[speaking[:, :3].ravel()] = 1.0
    old, new = (made(edited(base, "clean", score=score)) for score in (high, low))
    (ruling,) = gate(new, old, ["clean.tpr@fixed:0.5:-10pt"]).rulings
    assert ruling.change == pytest.approx(-0.1)
    assert ruling.change < -0.1
    assert (ruling.outcome, ruling.p_value) == ("pass", 1.0)
    assert gate(new, old, ["clean.tpr@fixed:0.5:-9.9pt"]).state == "regression"


def test_a_drop_that_nothing_could_find() -> None:
    change = Change(-0.4, 0.5, 4)
    assert change.detectable(0.05, 0.01) > 1  # type: ignore[operator]
    found = _Found(parse_rule("clean.tpr:-1pt"), 0.9, 0.5, change)
    ruling = _ruling(found, {})
    assert ruling.outcome == "inconclusive"
    assert "no drop that is possible could be told from chance" in ruling.reason


def test_a_run_on_another_scale_is_told() -> None:
    told = gate(made(shifted()), made(), [FOOLED])
    assert any("recalibrate = true" in warning for warning in told.warnings)
    assert not gate(made(shifted()), made(), [AP]).warnings


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("silence.retention:+1pt", "silence is a diagnostic condition"),
        ("noise_3.retention:+1pt", "no better direction under noise_3"),
        ("mismatch@0.99.fa_changed:+1pt", "did you mean mismatch@1.00"),
    ],
)
def test_rules_that_cannot_be_held(rule: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        gate(made(), made(), [rule])


def test_what_is_no_verdict() -> None:
    with pytest.raises(UnknownNameError, match="'dtpye'; did you mean dtype"):
        gate(made(), made(), [AP], allow=["dtpye"])
    with pytest.raises(UsageError, match="at least one rule"):
        gate(made(), made(), [])
    with pytest.raises(DataError, match="not a run folder"):
        gate("nowhere", made())
