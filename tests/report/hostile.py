"""A finished run in which every name that comes from anyone's files is hostile."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from asdbench.records.facts import write_facts
from asdbench.records.folder import RunFolder
from asdbench.records.predictions import Predictions, predictions_path, write_predictions
from asdbench.report.run import Run, open_run
from asdbench.types import Condition
from tests.analysis.rows import clean_rows, facts_of
from tests.report.crafted import HOSTILE, summary

NAMES = [name for name in HOSTILE if name.strip()]
MODEL = "<script>document.title='ran'</script>\n=cmd|' /C calc'!A0 \u202e模型\x00 $x_1$ \\input{x} {{ 7*7 }}"
DATA = '"><img src="https://example.org/x" onerror="document.title=\'ran\'">'
LONG = "x" * 300 + " <b>"

CONDITIONS = (
    Condition("clean", role="reference"),
    Condition("mismatch@0.50", "mismatch", 0.5, "negative"),
    Condition("mismatch@1.00", "mismatch", 1.0, "negative"),
    Condition("misalign@1.00", "misalign", 1.0, "negative"),
    Condition(f"{NAMES[0]}@s1", f"{NAMES[0]}", 1.0, "keep"),
    Condition("=cmd()\n<i>@1.00", "=cmd()\n<i>", 1.0, "negative"),
    Condition("silence", "silence", 1.0, "keep", "diagnostic"),
)


def hostile_run(folder: Path, model: str = MODEL) -> Run:
    """Write a run folder of hostile names, with its numbers, and open it."""
    clean = _clean()
    folder.mkdir(parents=True)
    for condition in CONDITIONS:
        write_predictions(predictions_path(folder, condition.name), _under(clean, condition))
    names = np.array(NAMES, dtype=object)
    # Of categories, "|" parts one from the next.
    categories = np.array([str(name).replace("|", "/") for name in names[np.arange(len(clean)) % len(names)]], object)
    write_facts(folder, facts_of(clean, categories=categories))
    record = _record(model)
    RunFolder(folder).write_record(record)
    (folder / "audit.json").write_text(json.dumps(_audit()))
    (folder / "metrics.json").write_text(json.dumps(Run(folder, record, {}).recomputed().metrics))
    return open_run(folder)


def _clean() -> Predictions:
    rows = clean_rows(videos=len(NAMES), length=240, speaking=(20, 180), seed=3)
    ids = np.array(NAMES, dtype=object)[np.repeat(np.arange(len(NAMES)), 240)]
    order = np.argsort(ids.astype(str), kind="stable")
    lips = (rows.score + np.random.default_rng(5).normal(size=len(rows))).astype(np.float32)
    return replace(rows, video_id=ids[order], entity_id=ids[order], source_id=ids[order], lips=lips)


def _under(clean: Predictions, condition: Condition) -> Predictions:
    if condition.perturbation is None:
        return clean
    random = np.random.default_rng(len(condition.name))
    changed = (clean.label == 1) & (random.random(len(clean)) < condition.proportion)
    after = np.where(changed, 0, clean.label).astype(np.int8) if condition.labels == "negative" else clean.label
    score = np.where(changed, clean.score - random.random(len(clean)), clean.score).astype(np.float32)
    return replace(clean, changed=changed, label_after=after, score=score)


def _record(model: str) -> dict[str, Any]:
    settings = {"model": "<b>", "checkpoint": "/home/someone/$(rm -rf ~)/a.model", "option": [NAMES[1], NAMES[2]]}
    return {
        "state": "complete",
        "fingerprint": "f" * 64,
        "model": {
            "name": model, "adapter": NAMES[0], "adapter_version": 1, "checkpoint": "/home/someone/<u>.model",
            "checkpoint_sha256": "0" * 64, "parameters": 1_000_000, "trained_on": NAMES[4], "dtype": "float32",
        },
        "data": {"name": DATA, "notes": [*NAMES, LONG], "protocol": "ava", "format": "folder", "media_digest": "m"},
        "suite": {
            "name": "<s>", "version": 1, "sha256": "0" * 64, "seed": 1,
            "conditions": [
                {key: getattr(c, key) for key in ("name", "perturbation", "proportion", "labels", "role")}
                for c in CONDITIONS
            ],
        },
        "identity": {
            "model": {"dtype": "float32", "options": {NAMES[0]: NAMES[3]}}, "data": {"fingerprint": "f"}, "suite": {},
            "plan_sha256": "p", "limit": None,
        },
        "counts": {
            "tracks": len(NAMES), "skipped_tracks": 1, "incomplete_tracks": 0, "frames": 240 * len(NAMES),
            "skipped_frames": 0,
        },
        "config": {
            "resamples": {"value": 100, "source": "flag"},
            **{name: {"value": value, "source": "<file>.toml"} for name, value in settings.items()},
        },
        "custom": True,
        "plan": {
            "sha256": "p", "seeds": 1,
            "conditions": {c.name: summary(ineligible={NAMES[5]: 3}) for c in CONDITIONS[1:]},
        },
        "activity": {"voice": NAMES[0], "missing": NAMES[1]},
        "audit": {"sample": 1, "tracks": 1, "checks": 1, "failed": 0, "cue_flagged": [CONDITIONS[5].name]},
        "device": {"kind": "cpu", "name": NAMES[0], "threads": 2},
        "engine": {"kind": "local"},
        "timings": {"wall_seconds": 3.0, "clean_inference_seconds": 1.0, "tracks_from_earlier_starts": 0},
        "versions": {"asdbench": "<v>", "python": "3"},
        "machine": {"system": "<m>"},
        "git": {"commit": "<c>", "modified": True},
    }  # fmt: skip


def _audit() -> dict[str, Any]:
    check = {"check": "<check>", "ok": True, "lowest": 0.1, "highest": 0.2, "count": 1, "unit": "<u>", "wanted": "<w>"}
    names = [condition.name for condition in CONDITIONS[1:]]
    return {
        "sample": 1,
        "tracks": 1,
        "checks": [{**check, "condition": name, "where": NAMES[0]} for name in names],
        "cue_limit": 0.6,
        "cues": [
            {
                "conditions": names, "auroc": 0.7, "low": 0.6, "high": 0.8, "tracks": 9, "sources": 9, "flagged": True,
                "undefined": "",
            }
        ],
    }  # fmt: skip
