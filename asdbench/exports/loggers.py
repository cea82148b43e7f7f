"""Experiment loggers: ``asdbench run --log`` and ``asdbench export --log``."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from importlib.util import find_spec
from types import ModuleType

from asdbench.errors import AsdbenchError, MissingDependencyError, ResourceError
from asdbench.exports.summary import summarise
from asdbench.registry import unknown_name
from asdbench.report.run import Run

LOGGERS = {"mlflow": ("mlflow", "sqlalchemy", "alembic"), "wandb": ("wandb",)}
"""Name of a logger, and of the extra that installs it, to the modules that it needs."""


def require_loggers(names: Iterable[str]) -> None:
    """Refuse loggers that are not there, before hours of scoring.

    Raises:
        UnknownNameError: No such logger.
        MissingDependencyError: It is not installed.
    """
    for name in names:
        if name not in LOGGERS:
            raise unknown_name("logger", name, LOGGERS)
        missing = [module for module in LOGGERS[name] if find_spec(module) is None]
        if missing:
            raise MissingDependencyError(
                f"--log {name} needs {', '.join(missing)}; pip install 'asdbench[{name}]'."
            )  # fmt: skip


def log_run(run: Run, name: str) -> str:
    """Log a finished run; one that was logged before is brought up to date. The run folder stays as it is.

    Args:
        run: The run.
        name: ``mlflow`` or ``wandb``.

    Returns:
        Where it was logged to, in words.

    Raises:
        UnknownNameError: No such logger.
        MissingDependencyError: It is not installed.
        ResourceError: It did not take the run.
    """
    require_loggers([name])
    module: ModuleType = importlib.import_module(f"asdbench.exports.{name}_log")
    try:
        where: str = module.log(summarise(run))
    except AsdbenchError:
        raise
    except Exception as error:
        # Anything may happen on the way to somebody's server, and each logger has errors of its own.
        raise ResourceError(
            f"{name} did not take the run ({type(error).__name__}: {_first_line(error)}); the run itself is whole, and "
            f"asdbench export {run.path} --log {name} tries again."
        ) from error
    return where


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), "no reason given")[:300]
