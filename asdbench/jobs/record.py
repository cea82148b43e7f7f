"""What identifies a run, and what ``run.json`` says of it before anything is scored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from asdbench.adapters.size import count_parameters
from asdbench.engine.precision import DTYPES
from asdbench.jobs.engines import device_record
from asdbench.records import provenance
from asdbench.records.folder import fingerprint

if TYPE_CHECKING:
    from asdbench.jobs.job import Job


def job_identity(job: Job) -> dict[str, Any]:
    """Return all that two runs must share to be the same run."""
    return {
        "model": {
            "adapter": job.model.adapter,
            "adapter_version": job.model.adapter_version,
            "checkpoint_sha256": job.model.checkpoint_sha256,
            "fingerprint": job.model.fingerprint,
            **({"options": dict(job.model.options)} if job.model.options else {}),
            "dtype": DTYPES[job.config.settings.dtype],
            "device": job.device.partition(":")[0],
            "torch": provenance.versions()["torch"],
            **({"compile": True} if job.config.settings.compile else {}),
        },
        "data": {"fingerprint": job.dataset.fingerprint, "protocol": job.dataset.protocol},
        "suite": {"name": job.suite.label, "sha256": job.suite.sha256},
        "plan_sha256": job.plan.sha256,
        "limit": len(job.tracks) if len(job.tracks) < len(job.dataset.tracks) else None,
        **({"plan_seeds": job.plan_seeds} if job.plan_seeds > 1 else {}),
        **({} if job.config.settings.reuse else {"reuse": False}),
    }


def job_record(job: Job) -> dict[str, Any]:
    """Return the content of ``run.json`` as far as it is known before anything is scored."""
    identity = job.identity
    return {
        "fingerprint": fingerprint(identity),
        "identity": identity,
        "config": job.config.record(),
        "custom": job.seed != job.suite.seed,
        "model": _model(job),
        "data": {
            "name": job.dataset.name,
            "format": job.dataset.format,
            "notes": job.dataset.notes,
            **identity["data"],
        },
        "suite": {
            "name": job.suite.name,
            "version": job.suite.version,
            "sha256": job.suite.sha256,
            "seed": job.seed,
            "conditions": [msgspec.to_builtins(p.condition) for p in job.plan.conditions],
        },
        "plan": {
            "sha256": job.plan.sha256,
            "conditions": {p.condition.name: p.summary() for p in job.plan.conditions if p.decisions},
            "seeds": job.plan_seeds,
            "repeats": [msgspec.to_builtins(p.condition) for p in job.plan.repeats],
        },
        "activity": job.meter.record(),
        "device": device_record(job),
        "versions": provenance.versions(),
        "machine": provenance.machine(),
        "git": provenance.git(),
    }


def _model(job: Job) -> dict[str, Any]:
    info = job.model.info
    return {
        "name": job.model.name,
        **job.identity["model"],
        "checkpoint": str(job.model.checkpoint) if job.model.checkpoint else None,
        "parameters": info.parameters if info else count_parameters(job.model.scorer),
        "trained_on": info.trained_on if info else None,
    }
