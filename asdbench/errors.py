"""Every error that asdbench raises on purpose, in one tree.

::

    AsdbenchError                 exit  what it means
    |-- UsageError                  2   a flag, a name or a configuration value is wrong
    |   `-- UnknownNameError        2   no such model, suite, data format, ... (with a suggestion)
    |-- NotComparableError          3   two things that must agree do not (a run folder of another run, ...)
    |-- DataError                   5   annotations or media are missing, broken or contradict each other
    |-- CheckpointError             6   a checkpoint cannot be read or does not fit the architecture
    |-- ModelOutputError            6   a model returned NaN, or not one score per frame
    |-- MissingDependencyError      7   an optional package is absent (the message holds the pip line)
    |-- ResourceError               8   out of disk, of memory, or no such device
    |-- AuditError                  1   a perturbation did something else than its suite says
    |-- TrainingError               1   a training diverged
    `-- UndefinedMetricError        1   a metric has no value on these rows; tables show the reason instead

Exit code 0 means success, 1 a negative verdict (or an uncaught error), 4 *inconclusive* (``asdbench gate``) and 130
an interrupt. Each message is one sentence that says what is wrong, where, and what to do.
"""

from __future__ import annotations

from typing import ClassVar


class AsdbenchError(Exception):
    """Base of all errors raised on purpose."""

    exit_code: ClassVar[int] = 1


class UsageError(AsdbenchError):
    """A flag, a name or a configuration value is wrong."""

    exit_code = 2


class UnknownNameError(UsageError):
    """A name that no registry holds."""


class NotComparableError(AsdbenchError):
    """Two things that must agree (plan, data, protocol, ...) do not."""

    exit_code = 3


class DataError(AsdbenchError):
    """Annotations or media are missing, broken, or contradict each other."""

    exit_code = 5


class CheckpointError(AsdbenchError):
    """A checkpoint cannot be read, or does not fit the architecture."""

    exit_code = 6


class ModelOutputError(AsdbenchError):
    """A model returned something that is not one finite score per frame."""

    exit_code = 6


class MissingDependencyError(AsdbenchError):
    """An optional package is not installed."""

    exit_code = 7


class ResourceError(AsdbenchError):
    """Disk or memory ran out, or the device asked for does not exist."""

    exit_code = 8


class AuditError(AsdbenchError):
    """What a perturbation did is not what its suite says: a negative verdict on the benchmark itself."""


class TrainingError(AsdbenchError):
    """A training diverged: its loss is no number any more."""


class UndefinedMetricError(AsdbenchError):
    """A metric has no value on the given rows (one class only, no rows, ...)."""
