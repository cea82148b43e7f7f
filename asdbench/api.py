"""What the command line parses for and calls, and what notebooks import: run, open, score, report."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asdbench.adapters import LoadedModel, load_model, needs_checkpoint, wrap_model
from asdbench.analysis.conditions import require_both_classes
from asdbench.checkpoints.shipped import shipped_checkpoint
from asdbench.claims.grid import load_grid
from asdbench.claims.result import Claims
from asdbench.config import (
    DEMO_CHECKPOINTS,
    DEMO_DATA,
    Config,
    completed,
    demo_config,
    exactly,
    named_values,
    require_use,
    resolve,
)
from asdbench.data import dataset_folder, open_dataset, shipped_data
from asdbench.engine.auditing import audit_plan
from asdbench.engine.precision import require_precision
from asdbench.errors import UsageError
from asdbench.jobs.claims import request_for, run_claims
from asdbench.jobs.engines import job_devices
from asdbench.jobs.finish import finish, reopened
from asdbench.jobs.given import score_predictions as score_predictions
from asdbench.jobs.job import Job
from asdbench.jobs.model import Notify, compile_model, notify_unfit
from asdbench.jobs.train import EpochMeasure, train_recipe
from asdbench.jobs.training import Trained
from asdbench.perturb.plan import plan
from asdbench.perturb.repeats import with_repeats
from asdbench.records.folder import RunFolder
from asdbench.report.contrast import Contrast, contrast, write_contrast
from asdbench.report.pr_curves import write_curves
from asdbench.report.preview import Preview, write_preview
from asdbench.report.run import Run, open_run
from asdbench.report.showing import named_suite, show, single_suite
from asdbench.report.write import KINDS, write_report
from asdbench.suites import load_suite
from asdbench.types import Scorer

TRAIN_DATA = "demo-train"
"""What is trained on where nothing else is named."""


def run(
    model: str | Scorer | LoadedModel | None = None,
    suite: str | Path | None = None,
    data: str | Path | None = None,
    *,
    checkpoint: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
    format: str | None = None,  # noqa: A002 - the flag's name
    data_options: Mapping[str, Any] | None = None,
    split: str | None = None,
    device: str | None = None,
    out: str | Path | None = None,
    runs: str | Path | None = None,
    limit: int | None = None,
    seed: int | None = None,
    on_error: str | None = None,
    audit: int | str | None = None,
    resamples: int | str | None = None,
    plan_seeds: int | None = None,
    engine: str | None = None,
    ray_address: str | None = None,
    workers: int | None = None,
    gpus_per_worker: float | None = None,
    cache: str | Path | None = None,
    cache_limit: str | None = None,
    reuse: bool | None = None,
    loaders: int | None = None,
    dtype: str | None = None,
    batch_frames: int | str | None = None,
    compile: bool | None = None,  # noqa: A002 - the flag's name
    config: Path | None = None,
    progress: bool | None = None,
) -> Run:
    """Score a model on a data set under a suite, and write a run folder; the same call continues an unfinished run.

    Without model, checkpoint and data it scores the shipped checkpoint ``light-asd.demo`` on the shipped ``demo-val``.

    Args:
        model: Name of a model, ``auto``, ``package.module:Class``, ``file.py:Class``, a loaded model, or an object
            that scores tracks (without a ``fingerprint`` of its own it always starts a new run).
        suite: Name or TOML file of a suite.
        data: Folder of the data set, or ``demo-val`` for the shipped one.
        checkpoint: The model's weights, or the name of a shipped checkpoint.
        options: Choices that the model offers, by name (docs/models.md).
        format: Format of the data set; recognised by default.
        data_options: Choices that the format offers, by name (docs/data_formats.md).
        split: Part of the data set; ``val`` by default.
        device: ``auto``, ``cpu``, ``cuda:N`` or ``mps``.
        out: Run folder; ``<runs>/<model>-<suite>-<data>-<fingerprint>`` by default.
        runs: Where derived run folders lie; ``runs`` by default.
        limit: Score only the first tracks (in key order); the plan stays that of the whole data set.
        seed: Another seed than the suite's; the run is then *custom*, fit for no gate and no leaderboard.
        plan_seeds: Under how many plans tests and controls are scored, 1 by default (docs/comparison.md).
        on_error: ``stop`` at broken media, or ``skip`` them and have them counted.
        audit: How many tracks per condition are measured before scoring, 4 by default, or ``off``.
        resamples: How many resamples the intervals rest on, 1,000 by default, or ``off`` for none.
        engine: ``local``, or ``ray`` to score on the workers of a Ray cluster (docs/cluster.md).
        ray_address: Cluster to join; by default one is started on this machine for this run.
        workers: How many workers; by default as many as the cluster has room for.
        gpus_per_worker: GPUs of each worker; by default 1 on CUDA, else none.
        cache: Folder in which embeddings of faces are kept for later runs; none by default.
        cache_limit: How much it may hold, ``20GB`` by default.
        reuse: Whether conditions share what they have in common, as by default, or each is scored from nothing.
        loaders: How many threads read the next tracks while one is scored; by default 1 on a CPU with more than 2
            cores, up to 4 beside a GPU.
        dtype: Precision of the encoders: ``fp32`` by default, ``bf16`` or ``fp16``.
        batch_frames: How many frames of several tracks the visual encoder may take together; by default (``auto``)
            2,048 on CUDA, elsewhere each track alone.
        compile: Whether torch compiles the visual encoder.
        config: TOML file of settings; ``asdbench.toml`` in the current folder by default.
        progress: Whether to show a progress bar; on a terminal by default.

    Raises:
        AsdbenchError: See ``asdbench.errors`` for the tree.

    Example:
        >>> run = asdbench.run("light-asd", "unsync", "AVADataPath", checkpoint="a.model")  # doctest: +SKIP
        >>> run.table  # doctest: +SKIP
    """
    flags = {
        "suite": suite, "data": data, "checkpoint": checkpoint, "format": format, "split": split, "device": device,
        "out": out, "runs": runs, "limit": limit, "seed": seed, "on_error": on_error, "audit": audit,
        "plan_seeds": plan_seeds, "resamples": resamples, "engine": engine, "ray_address": ray_address,
        "workers": workers, "gpus_per_worker": gpus_per_worker, "cache": cache, "cache_limit": cache_limit,
        "reuse": reuse, "loaders": loaders, "dtype": dtype, "batch_frames": batch_frames, "compile": compile,
        "model": model if isinstance(model, str) else None,
        "option": [f"{key}={value}" for key, value in options.items()] if options else None,
        "data_option": [f"{key}={value}" for key, value in data_options.items()] if data_options else None,
    }  # fmt: skip
    if model is None or isinstance(model, str):
        return run_config(resolve(flags, config, "argument"), progress=progress)
    if checkpoint is not None or options:
        raise UsageError("a model given as an object has its weights and options already; leave both out.")
    loaded = model if isinstance(model, LoadedModel) else wrap_model(model)
    return run_config(resolve(flags, config, "argument"), model=loaded, progress=progress)


def run_config(
    config: Config, *, model: LoadedModel | None = None, progress: bool | None = None, notify: Notify = lambda _: None
) -> Run:
    """Run what a configuration says.

    Args:
        config: Settings with their sources.
        model: A model that is loaded already, in place of the one that the settings name.
        progress: Whether to show a progress bar; on a terminal by default.
        notify: Told in a few words what happens.

    Raises:
        AsdbenchError: See ``asdbench.errors`` for the tree.
    """
    config, named = completed(config, model is not None, needs_checkpoint), config
    require_use(config)
    settings = config.settings
    suite = load_suite(settings.suite)
    if config is not named:
        notify(
            f"nothing named to score, so this is the demo: {settings.checkpoint} on {settings.data}; for your own: "
            f"asdbench run --suite {settings.suite} --checkpoint FILE --data FOLDER"
        )
    root = shipped_data() if config.demo else str(settings.data)
    dataset = open_dataset(root, settings.split, settings.format, options=named_values(settings.data_option))
    tracks = dataset.tracks[: settings.limit]
    # Thresholds are frozen without dubbed tracks, and without frames that the data set does not score.
    labels = [
        track.labels[slice(None) if track.scored is None else track.scored] for track in tracks if track.dubbed is None
    ]
    require_both_classes(np.concatenate([np.zeros(0, np.int8), *labels]))
    device, here = job_devices(settings)
    checkpoint = shipped_checkpoint(str(settings.checkpoint)) if config.demo else settings.checkpoint
    own_model = model is not None
    model = model or load_model(settings.model, checkpoint, here, named_values(settings.option))
    require_precision(model.scorer, settings.dtype, device)
    if settings.compile:
        compile_model(model, settings.engine == "local", notify)
    notify_unfit(model, dataset, notify)
    dubbed = "" if all(track.dubbed is None for track in dataset.tracks) else " and dubbed"
    notify(f"planning {suite.label}{dubbed} on {len(dataset.tracks):,} tracks of {dataset.name}")
    plan_ = plan(dataset.tracks, suite, settings.seed)
    plan_ = with_repeats(plan_, dataset.tracks, suite, settings.seed, settings.plan_seeds)
    job = Job(config, suite, dataset, tracks, model, device, plan_, own_model)
    _ = job.memory  # refused before the folder is claimed
    folder = job.folder
    earlier = folder.claim(job.identity)
    with folder.lock():
        if earlier and earlier["state"] == "complete":
            job.require_same_media(folder, folder.read_stamps())
            skipped = earlier["counts"]["skipped_tracks"]
            left_out = f" but for {skipped} skipped track(s)" if skipped else ""
            notify(f"this run is complete{left_out}; delete its folder, or choose another --out, to score again")
            asked = config.sources["resamples"] != "default"
            return reopened(folder, settings.resamples if asked else None)
        notify(f"{'continuing' if earlier else 'writing'} {folder.path}")
        return job.execute(folder, progress, notify)


def train(
    recipe: str | Path,
    data: str | Path = TRAIN_DATA,
    *,
    seed: int = 1,
    out: str | Path | None = None,
    root: str | Path = "trained",
    format: str = "auto",  # noqa: A002 - the flag's name
    data_options: Mapping[str, str] | None = None,
    split: str = "train",
    val: str | Path | None = None,
    val_split: str = "val",
    suite: str = "clean",
    changes: Sequence[str] = (),
    init: Mapping[str, str | Path] | None = None,
    device: str = "auto",
    devices: int = 1,
    workers: int = 0,
    threads: int | None = None,
    progress: bool | None = None,
    notify: Notify = lambda _: None,
) -> Trained:
    """Train a recipe, and those that it starts from, with the same seed; the same call continues what was killed.

    Args:
        recipe: Name of a recipe (``asdbench ls recipes``), or a TOML file.
        data: Folder of the data set, or ``demo-train`` for the shipped one.
        seed: Of weights, batches and augmentation.
        out: Folder of the training; ``<root>/<recipe>-<data>-seed<seed>-<fingerprint>`` by default.
        root: Where derived folders lie.
        format: Format of the data set; recognised by default.
        data_options: Choices that the format offers, by name (docs/data_formats.md).
        split: Part of the data set.
        val: Data set on which the weights of each epoch are measured; without one none are.
        val_split: Part of that.
        suite: What they are measured with.
        changes: Values in place of the recipe's, each as ``optimizer.rate=1e-4``.
        init: Prefix of keys to a file with the weights to begin with, such as Whisper's for ``audio_encoder.``.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        devices: How many of them, each with a process of its own (Lightning Fabric's data parallel training).
        workers: Processes that prepare batches, for each device.
        threads: CPU threads of torch; as they are by default.
        progress: Whether to show a progress bar; on a terminal by default.
        notify: Told in a few words what happens.

    Raises:
        MissingDependencyError: The extra ``train`` is not installed.
        TrainingError: The training diverged.
        AsdbenchError: See ``asdbench.errors`` for the tree.

    Example:
        >>> asdbench.train("sync-talknet.demo").checkpoint  # doctest: +SKIP
    """
    measured = None if val is None else EpochMeasure(run, suite, str(val), val_split, device)
    return train_recipe(
        recipe, data, seed=seed, out=Path(out) if out else None, root=Path(root), split=split, data_format=format,
        data_options=data_options or {}, changes=changes, files={k: Path(v) for k, v in (init or {}).items()},
        device=device, devices=devices, workers=workers, threads=threads,
        progress=sys.stderr.isatty() if progress is None else progress, measure=measured, notify=notify,
    )  # fmt: skip


def claims(
    grid: str | Path = "demo",
    *,
    out: str | Path = "claims",
    seeds: Sequence[int] = (),
    only: Sequence[str] = (),
    cells: Sequence[str] = (),
    jobs: int = 1,
    threads: int | None = None,
    device: str = "auto",
    table_only: bool = False,
    markdown: str | Path | None = None,
    notify: Notify = lambda _: None,
) -> Claims:
    """Train and measure what papers claim, and judge it; the same call continues what was stopped (docs/claims.md).

    Only the arguments count, no file of settings and no variable.

    Args:
        grid: Name of a grid of cells and claims, or a TOML file; recipes beside that come before shipped ones.
        out: Folder of trainings and runs, and of what they come to.
        seeds: In place of the grid's.
        only: Claims, each by its id or its letter; all by default.
        cells: Those that are done, each as ``RECIPE:SEED``; all by default. The table is of what is finished.
        jobs: How many cells at a time, each in a process of its own.
        threads: CPU threads of each; 1 with several jobs, else torch's own number.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        table_only: Train and measure nothing.
        markdown: A page between whose markers the tables are written, too.
        notify: Told in a few words what happens.

    Returns:
        Verdicts, figures, times, and which cells failed.

    Raises:
        AsdbenchError: See ``asdbench.errors`` for the tree. A cell that fails raises nothing.

    Example:
        >>> asdbench.api.claims(only=["d"], seeds=[1, 2, 3], jobs=2).findings  # doctest: +SKIP
    """
    request = request_for(
        load_grid(grid), Path(out), seeds=seeds, only=only, cells=cells, jobs=jobs, threads=threads, device=device,
        table_only=table_only, markdown=None if markdown is None else Path(markdown),
        recipes=Path(grid).parent if str(grid).endswith(".toml") else None,
    )  # fmt: skip
    return run_claims(request, train, run_exactly, notify)


def run_exactly(model: str, suite: str, data: str, *, progress: bool | None = None, **flags: Any) -> Run:
    """Run what the arguments say, without a file of settings or variables; see `run`."""
    return run_config(exactly({"model": model, "suite": suite, "data": data, **flags}, "argument"), progress=progress)


def demo(
    suite: str | Path | None = None,
    *,
    out: str | Path | None = None,
    device: str | None = None,
    limit: int | None = None,
    progress: bool | None = None,
    notify: Notify = lambda _: None,
) -> Contrast:
    """Score both shipped checkpoints on the shipped data, and write a comparison beside their two run folders.

    Only the arguments count, no file of settings and no variable. The same call continues what was stopped.

    Args:
        suite: Name or TOML file of a suite; ``unsync`` by default.
        out: Where run folders and comparison go; ``runs/demo-<suite>`` by default.
        device: As for `run`.
        limit: As for `run`.
        progress: Whether to show progress bars; on a terminal by default.
        notify: Told in a few words what happens.

    Raises:
        AsdbenchError: See ``asdbench.errors`` for the tree.

    Example:
        >>> asdbench.demo(limit=12).table.to_frame()  # doctest: +SKIP
    """
    flags = {"suite": suite, "device": device, "limit": limit}
    name = load_suite(demo_config(DEMO_CHECKPOINTS[0], flags, "argument").settings.suite).name
    folder = Path("runs") / f"demo-{name}" if out is None else Path(out)
    runs = []
    for checkpoint in DEMO_CHECKPOINTS:
        notify(f"{checkpoint} on {DEMO_DATA}:")
        config = demo_config(checkpoint, {**flags, "runs": folder}, "argument")
        runs.append(run_config(config, progress=progress, notify=notify))
    found = contrast(runs)
    write_contrast(found, folder)
    return found


def audit_suite(
    suite: str | Path,
    data: str | Path,
    *,
    format: str = "auto",  # noqa: A002 - the flag's name
    data_options: Mapping[str, str] | None = None,
    split: str = "val",
    sample: int = 20,
    seed: int | None = None,
) -> dict[str, Any]:
    """Measure what a suite does to the sound and faces of a data set, and what an audio-only classifier can tell of it.

    Args:
        suite: Name or TOML file of a suite.
        data: Folder of the data set, or ``demo-val`` for the shipped one.
        format: Format of the data set.
        data_options: Choices that the format offers, by name.
        split: Part of the data set.
        sample: How many tracks to measure per condition; the cue check hears all, up to 500.
        seed: Another seed than the suite's.

    Returns:
        What ``audit.json`` of a run holds.

    Raises:
        AsdbenchError: See ``asdbench.errors`` for the tree; a check that fails is in the result.
    """
    chosen = load_suite(suite)
    dataset = open_dataset(dataset_folder(data), split, format, options=data_options or {})
    used = chosen.seed if seed is None else seed
    plan_ = plan(dataset.tracks, chosen, used)
    return audit_plan(plan_, dataset.tracks, dataset.tracks, sample, used, thorough=True).to_dict()


def show_perturbation(
    track: str | None,
    data: str | Path,
    out: str | Path,
    *,
    perturbation: str | None = None,
    options: Mapping[str, Any] | None = None,
    suite: str | Path | None = None,
    condition: str | None = None,
    format: str = "auto",  # noqa: A002 - the flag's name
    data_options: Mapping[str, str] | None = None,
    split: str = "val",
    seed: int | None = None,
) -> tuple[Preview, tuple[Path, Path]]:
    """Write one track unchanged beside changed, as ``<track>-<condition>.mp4`` and ``.png``.

    Args:
        track: ``video_id/entity_id``; ``None`` for the first track that is changed.
        data: Folder of the data set, or ``demo-val`` for the shipped one.
        out: Folder for the two files.
        perturbation: Name of a perturbation.
        options: Its options.
        suite: In place of a perturbation: a suite.
        condition: Condition of the suite.
        format: Format of the data set.
        data_options: Choices that the format offers, by name.
        split: Part of the data set.
        seed: Another seed than the suite's.

    Returns:
        What is shown, and the paths of the two files.

    Raises:
        AsdbenchError: See ``asdbench.errors`` for the tree.
    """
    chosen, name = single_suite(perturbation, options or {}) if perturbation else named_suite(suite or "", condition)
    dataset = open_dataset(dataset_folder(data), split, format, options=data_options or {})
    preview = show(dataset, chosen, name, track, seed)
    return preview, write_preview(preview, Path(out))


def score(path: str | Path, resamples: int | str | None = None) -> Run:
    """Recompute every figure of a finished run from its predictions; nothing on disk changes.

    Args:
        path: The run folder.
        resamples: How many resamples the intervals rest on, or ``off``; as the run has them by default.

    Raises:
        DataError: Not a finished run, or its predictions are missing or broken.
        UsageError: No such number of resamples.
    """
    return open_run(path).recomputed(resamples)


def report(path: str | Path, resamples: int | str | None = None, kinds: Collection[str] = ()) -> Run:
    """Write tables, figures, ``report.md`` and ``report.html`` of a finished run again.

    Args:
        path: The run folder.
        resamples: Compute ``metrics.json`` again first, with so many resamples, or with none (``off``).
        kinds: Of ``html``, ``md``, ``latex`` and ``csv`` those to write; all by default. ``csv``, where it is named,
            writes every point of each precision-recall curve, too (``curves/pr-<condition>.csv``).

    Raises:
        DataError: Not a finished run.
        UsageError: No such number of resamples or kind, or kinds beside new numbers, which everything must follow.
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise UsageError(f"no kind of report is called {unknown[0]!r}; choose of {', '.join(KINDS)}.")
    if resamples is not None and kinds:
        raise UsageError("with other resamples every number changes, so everything is written; name no kinds.")
    finished = open_run(path)
    if resamples is not None:
        return finish(RunFolder(finished.path), finished.record, resamples)
    write_report(finished, kinds or KINDS)
    if "csv" in kinds:  # only when asked for: every row is a point
        write_curves(finished)
    return finished
