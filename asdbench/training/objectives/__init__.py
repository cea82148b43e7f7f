"""What is trained, by the architecture that a recipe names: a network and its loss in one module."""

from __future__ import annotations

from asdbench.registry import Registry
from asdbench.training.objectives.base import Objective
from asdbench.training.recipe import Recipe

__all__ = ["OBJECTIVES", "Objective", "objective_for"]

OBJECTIVES = Registry(
    "training architecture",
    {
        "talknet": "asdbench.training.objectives.talknet:TalkNetObjective",
        "sync-talknet": "asdbench.training.objectives.talknet:SyncTalkNetObjective",
        "light-asd": "asdbench.training.objectives.two_stream:LightASDObjective",
        "lr-asd": "asdbench.training.objectives.two_stream:LRASDObjective",
        "pair-net": "asdbench.training.objectives.pair_net:PairNetObjective",
        "talknet-vad": "asdbench.training.objectives.streams:VoiceObjective",
        "talknet-lip": "asdbench.training.objectives.streams:LipObjective",
        "talknet-vad-lip": "asdbench.training.objectives.streams:VoiceAndLipObjective",
    },
)
"""Architecture to subclass of `Objective`."""


def objective_for(recipe: Recipe) -> Objective:
    """Build what a recipe trains, with random weights.

    Raises:
        UnknownNameError: No such architecture.
        UsageError: The architecture does not have the sizes, or does not know a term of the loss, that the recipe
            names.
        MissingDependencyError: PAIR-Net without ``transformers``.
    """
    objective: Objective = OBJECTIVES.load(recipe.model.architecture)(recipe)
    return objective
