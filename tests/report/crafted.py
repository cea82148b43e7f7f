"""Hand-made content of metrics.json, small enough to read."""

from __future__ import annotations

from typing import Any

THRESHOLDS = {"tpr:0.9": 1.5, "eer": 0.25, "fixed:0.5": 0.0}
MISSING = {"undefined": "no positive rows remain."}
HOSTILE = [
    "<script>alert(1)</script>",
    "a|b",
    "a\\|b",
    "ends\\",
    "`code` *bold* _it_ [link](http://x)",
    "two\nlines",
    "windows\r\nlines",
    "separators\x0b\x0c\x1c\x85\u2028\u2029",
    "=cmd()",
    "+1+1",
    "-1",
    "@sum(a1)",
    "\t=cmd()",
    "\r=cmd()",
    "50 % & $x_1^2$ #{~}\\input{x}",
    '"quoted", comma; semicolon\'',
    "Ünïcode 模型 –",
    "\u202ebackwards\u2066",
    "stops\x00here",
    "</script><img src=x onerror=alert(1)>",
    "' onerror='alert(1)' x='",
    "{{ 7 * 7 }}--{% raw %}",
    "]]><svg onload=alert(1)/>",
    "nan",
    "",
]


def rates(**values: Any) -> dict[str, Any]:
    return {"tpr": 0.9, "fpr": 0.05} | values


def condition(
    name: str,
    perturbation: str | None = None,
    role: str = "test",
    labels: str = "negative",
    proportion: float = 1.0,
    at: dict[str, Any] | None = None,
    ap: Any = 0.98754,
    **metrics: Any,
) -> dict[str, Any]:
    """One condition; ``at`` are its rates, the same at every threshold, ``ap`` its AP in any order of ties."""
    return {
        "name": name,
        "perturbation": perturbation,
        "proportion": proportion,
        "labels": labels,
        "role": role,
        "rows": {
            "total": 12_345,
            "positive": 4_000,
            "negative": 8_345,
            "ignored": 0,
            "changed": 0,
            "ineligible": 0,
            "paired": 0,
        },
        "metrics": {"ap": ap, "ava": ap, "ava_best": ap, "tied_share": 0.0, "ava_rescaled": 0.97}
        | metrics
        | {"at": {threshold: at or rates() for threshold in THRESHOLDS}},
    }


def changed(name: str, fa: Any = 0.5, before: Any = 0.9, kept: Any = 0.5556, auroc: Any = 0.8, **more: Any) -> Any:
    """A condition with the numbers that compare clean and changed scores."""
    synchrony = {"share_changed": 0.5, "ap_unchanged": 0.9, "sync_auroc": auroc, "sync_winrate": auroc}
    at = rates(fa_changed=fa, fa_changed_inner=fa, tpr_same_rows=before, retention=kept)
    return condition(name, name.partition("@")[0], at=at, **{**synchrony, **more})


def dubbed(fa: Any = 0.25, rows: int = 800) -> tuple[Any, Any]:
    """The clean condition and ``dubbed`` of data in which ``rows`` rows belong to dubbed tracks."""
    clean, found = condition("clean", role="reference", labels="keep"), condition("dubbed", "dubbed")
    clean["rows"] |= {"total": 12_345 + rows, "ignored": rows}
    found["rows"] |= {"total": 12_345 + rows, "negative": 8_345 + rows, "changed": rows // 2}
    for rates_ in found["metrics"]["at"].values():
        rates_ |= {"fa_changed": fa, "fa_changed_inner": fa, "tpr_same_rows": MISSING, "retention": MISSING}
    found["metrics"] |= {"sync_auroc": MISSING, "sync_winrate": MISSING}
    return clean, found


def with_dubbed(*conditions: dict[str, Any], fa: Any = 0.25, rows: int = 800) -> dict[str, Any]:
    """Content of metrics.json of data with dubbed tracks."""
    clean, last = dubbed(fa, rows)
    return metrics() | {"conditions": [clean, *conditions, last]}


def ends(low: float | None, high: float | None, reason: str = "") -> dict[str, Any]:
    """An interval of metrics.json."""
    return {"low": low, "high": high, "bca_low": low, "bca_high": high, "reason": reason}


def units(count: int = 33, **more: Any) -> dict[str, Any]:
    """What the intervals of a run rest on."""
    status = "none" if count < 5 else "indicative" if count < 20 else "ok"
    reason = f"an interval needs at least 5 units, and there are {count}." if count < 5 else ""
    found = {"kind": "source", "count": count, "effective": count, "resamples": 1000, "seed": "1", "level": 0.95}
    return found | {"status": status, "reason": reason} | more


def with_ends(condition: dict[str, Any], at: dict[str, Any] | None = None, **pooled: Any) -> dict[str, Any]:
    """A condition with intervals: ``at`` are those of its rates, the same at every threshold."""
    return condition | {"intervals": pooled | {"at": {threshold: at or {} for threshold in THRESHOLDS}}}


def diagnostic(name: str, drop: Any = 0.0123, **more: Any) -> Any:
    return changed(name, role="diagnostic", labels="keep", ap_drop=drop, **more)


def metrics(*conditions: dict[str, Any], tracks: int = 9, skipped: int = 0, incomplete: int = 0) -> dict[str, Any]:
    """Content of metrics.json; the clean condition is put first."""
    return {
        "tracks": tracks,
        "skipped_tracks": skipped,
        "incomplete_tracks": incomplete,
        "protocol": "ava",
        "headline": "tpr:0.9",
        "thresholds": dict(THRESHOLDS),
        "conditions": [condition("clean", role="reference", labels="keep"), *conditions],
    }


def summary(share: float | None = 0.5, **values: Any) -> dict[str, Any]:
    """What the plan says about one condition."""
    return {
        "targets": 1_234,
        "eligible": 1_000,
        "changed": 500,
        "share_of_targets": share,
        "share_of_frames": share,
        "ineligible": {},
        "donors": 40,
        "most_uses_of_a_donor": 3,
    } | values
