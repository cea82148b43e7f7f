"""Where the tracks of a run are scored, and how that is told to other processes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asdbench.adapters import load_model
from asdbench.adapters.base import Adapter
from asdbench.config import Settings, named_values
from asdbench.devices import choose_device, describe_device
from asdbench.engine.activity import Meter
from asdbench.engine.ahead import default_loaders
from asdbench.engine.cache import byte_count
from asdbench.engine.how import How
from asdbench.engine.loop import Engine
from asdbench.engine.memory import Remembered
from asdbench.engine.peaks import most, peak_memory
from asdbench.engine.ray_engine import Cluster, RayEngine, require_ray
from asdbench.engine.tracks import TrackEvaluator
from asdbench.errors import UsageError
from asdbench.perturb.plan import Plan
from asdbench.types import Scorer, Track

if TYPE_CHECKING:
    from asdbench.jobs.job import Job

_CUDA = "cuda"

AUTO_FRAMES = 2048
"""Frames of a batch of tracks on a GPU: enough to fill it, at a few GB of its memory."""


def job_devices(settings: Settings) -> tuple[str, str]:
    """Return the torch device that a run scores on, and the one to load its model to in this process.

    The workers of a cluster score, so that this process needs no GPU; Ray shows each worker its own.

    Raises:
        UsageError: Not the name of a device.
        ResourceError: This machine has no such device, where it is this machine that scores.
        MissingDependencyError: Ray is asked for and not installed.
    """
    if settings.engine == "local":
        device = choose_device(settings.device)
        return device, device
    require_ray()
    if settings.device.partition(":")[0] == _CUDA or (settings.device == "auto" and settings.gpus_per_worker):
        return _CUDA, "cpu"
    return choose_device(settings.device).partition(":")[0], "cpu"


def job_engine(job: Job) -> Engine:
    """Return what scores the tracks of a run."""
    settings = job.config.settings
    build = _build(job)
    if settings.engine == "local":
        return build(job.meter)
    gpus = settings.gpus_per_worker
    cluster = Cluster(settings.ray_address, settings.workers, float(job.device == _CUDA) if gpus is None else gpus)
    return RayEngine(build, cluster, job.device, build.batch_frames)


def batch_frames(job: Job) -> int:
    """Return how many frames tracks may have that are embedded together; 0 where each is embedded alone.

    With ``--no-reuse`` each is, too: what others are compared with should depend on nothing else.
    """
    settings, scorer = job.config.settings, job.model.scorer
    if not (settings.reuse and isinstance(scorer, Adapter) and scorer.embeds_many()):
        return 0
    if settings.batch_frames != "auto":
        return settings.batch_frames
    return AUTO_FRAMES if job.device.partition(":")[0] == _CUDA else 0


def job_memory(job: Job) -> Remembered | None:
    """Return where the embeddings of the run's model are kept; ``None`` where they are not.

    Raises:
        UsageError: The model cannot be told from others, or the limit is no size.
    """
    settings = job.config.settings
    if settings.cache is None:
        return None
    if job.own_model and getattr(job.model.scorer, "fingerprint", None) is None:
        raise UsageError(
            f"the model {job.model.name!r} was given as an object without a fingerprint, so nothing that --cache keeps "
            "of it would be found again; give it an attribute fingerprint, or leave --cache out."
        )
    return Remembered(Path(settings.cache).resolve(), byte_count(settings.cache_limit), job.identity["model"])


def device_record(job: Job, engine: Engine | None = None) -> dict[str, object]:
    """Return what ``run.json`` says of the device.

    Args:
        job: The run.
        engine: What has scored it; before that, no more than the kind is known of a cluster.
    """
    if job.config.settings.engine == "local":
        return describe_device(job.device)
    devices = engine.devices if isinstance(engine, RayEngine) else {}
    return devices[min(devices)] if devices else {"kind": job.device}


def memory_record(job: Job, engine: Engine) -> dict[str, int]:
    """Return what ``run.json`` says of memory: the most of this process, or of any worker.

    Args:
        job: The run.
        engine: What has scored it.
    """
    return most(engine.peaks.values()) if isinstance(engine, RayEngine) else peak_memory(job.device)


@dataclass(frozen=True)
class NamedModel:
    """A model that every process can load for itself.

    Attributes:
        name: As for `asdbench.adapters.load_model`, and so the rest.
        checkpoint: File of its weights.
        device: Torch device.
        options: Choices that it offers, each ``name=value``.
    """

    name: str
    checkpoint: str | None
    device: str
    options: tuple[str, ...]

    def load(self) -> Scorer:
        """Return the model.

        Raises:
            AsdbenchError: See `asdbench.adapters.load_model`.
        """
        return load_model(self.name, self.checkpoint, self.device, named_values(self.options)).scorer


@dataclass(frozen=True)
class BuildEvaluator:
    """Makes what scores tracks, in whatever process it is called.

    Attributes:
        model: The model, or how to load it.
        label: Its name, for messages.
        plan: The suite, resolved.
        tracks: All tracks of the data set.
        skip: Whether a condition with a broken donor is left out.
        annotated: As for `asdbench.engine.activity.Meter`.
        memory: Where embeddings are kept.
        reuse: Whether conditions share what they have in common.
        loaders: How many threads read media ahead.
        dtype: Precision of the encoders.
        batch_frames: How many frames tracks may have that are embedded together.
        compile: Whether the visual encoder is compiled.
    """

    model: NamedModel | Scorer
    label: str
    plan: Plan
    tracks: tuple[Track, ...]
    skip: bool
    annotated: bool
    memory: Remembered | None = None
    reuse: bool = True
    loaders: int = 0
    dtype: str = "fp32"
    batch_frames: int = 0
    compile: bool = False

    def __call__(self, meter: Meter | None = None) -> TrackEvaluator:
        """Return it.

        Args:
            meter: What to measure beside the scores, where this process has it already.
        """
        from asdbench.adapters.compiled import compilable, compile_encoder

        scorer: Any = self.model.load() if isinstance(self.model, NamedModel) else self.model
        if meter is None:
            meter = Meter(scorer, tuple(each.condition for each in self.plan.conditions), self.annotated)
        memory = None if self.memory is None else self.memory.open(scorer)
        how = How(memory, self.reuse, self.loaders, self.dtype, self.batch_frames)
        if self.compile:
            compile_encoder(compilable(scorer))
        return TrackEvaluator(scorer, self.plan, self.tracks, self.label, self.skip, meter, how)


def _build(job: Job) -> BuildEvaluator:
    settings, model = job.config.settings, job.model
    checkpoint = None if model.checkpoint is None else str(model.checkpoint)
    named = NamedModel(settings.model, checkpoint, job.device, tuple(settings.option))
    # A worker without a GPU has one core, and the model takes all of it.
    usual = default_loaders(job.device) if settings.engine == "local" or job.device == _CUDA else 0
    here = job.own_model or settings.engine == "local"
    return BuildEvaluator(
        model.scorer if here else named,
        model.name,
        job.plan,
        tuple(job.dataset.tracks),
        settings.on_error == "skip",
        job.meter.annotated,
        job.memory,
        settings.reuse,
        usual if settings.loaders is None else settings.loaders,
        settings.dtype,
        batch_frames(job),
        settings.compile,
    )
