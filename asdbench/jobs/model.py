"""What is done to a model before a run, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable

from asdbench.adapters import LoadedModel
from asdbench.checkpoints.cards import caution
from asdbench.types import Dataset

Notify = Callable[[str], None]
"""Told in a few words what happens."""


def compile_model(model: LoadedModel, here: bool, notify: Notify) -> None:
    """Compile the visual encoder of a model, if it scores in this process; workers compile their own.

    Raises:
        UsageError: The model has no encoder that can be compiled.
    """
    from asdbench.adapters.compiled import compilable, compile_encoder

    scorer = compilable(model.scorer)
    if here:
        notify("compiling the visual encoder")
        failure = compile_encoder(scorer)
        if failure:
            notify(f"warning: {failure}")


def notify_unfit(model: LoadedModel, dataset: Dataset, notify: Notify) -> None:
    """Say before hours of scoring what the report will say after them."""
    unfit = caution(model.info.trained_on if model.info else None, dataset.protocol)
    if unfit:
        notify(f"warning: {unfit}")
