"""One stream of TalkNet alone, trained to tell speech from its sound or its lips, and the two put together."""

from __future__ import annotations

from torch import Tensor

from asdbench.errors import UsageError
from asdbench.networks.talknet import TalkNetSizes
from asdbench.networks.talknet_streams import TalkNetLip, TalkNetVAD, TalkNetVadLip
from asdbench.training.batch import Batch, Moment
from asdbench.training.losses.frames import frame_cross_entropy
from asdbench.training.objectives.base import Objective, detached, in_float32, own_sound, sizes_of
from asdbench.training.recipe import Recipe


class VoiceObjective(Objective):
    """Mean cross-entropy of the voice activity detector; which frames hold speech, the recipe's labels say."""

    sound = "mfcc"
    sees = False

    network: TalkNetVAD

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe, TalkNetVAD(sizes_of(recipe, TalkNetSizes, recipe.model.sizes)))

    def forward(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """Return the loss and the term ``audio``, which is the same."""
        logits = self.network.head(own_sound(self.network.embed_audio(batch.sound), batch))
        with in_float32(batch.labels):
            loss = frame_cross_entropy(logits.float(), batch.labels)
        return detached(loss, audio=loss)


class LipObjective(Objective):
    """Mean cross-entropy of the detector of lip activity."""

    sound = "none"
    front = "visualFrontend."

    network: TalkNetLip

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe, TalkNetLip(sizes_of(recipe, TalkNetSizes, recipe.model.sizes)))

    def embed_front(self, faces: Tensor) -> Tensor:
        """Map faces ``[B, T, side, side]``, 0..255, to the trunk's output ``[B, T, 8 * stem]``."""
        return self.network.embed_faces(faces.float())

    def forward(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """Return the loss and the term ``visual``, which is the same."""
        logits = self.network.head(self.seen(batch.faces))
        with in_float32(batch.labels):
            loss = frame_cross_entropy(logits.float(), batch.labels)
        return detached(loss, visual=loss)


class VoiceAndLipObjective(Objective):
    """Both in one network, put together from weights that others learned: there is nothing to minimise.

    Raises:
        UsageError: The recipe has epochs.
    """

    sound = "none"

    def __init__(self, recipe: Recipe) -> None:
        if recipe.epochs:
            raise UsageError(
                f"recipe {recipe.name}: talknet-vad-lip is put together from the weights of its parts and is not "
                f"trained; set epochs = 0, not {recipe.epochs}."
            )
        super().__init__(recipe, TalkNetVadLip(sizes_of(recipe, TalkNetSizes, recipe.model.sizes)))

    def forward(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """Refuse.

        Raises:
            UsageError: Always.
        """
        raise UsageError("talknet-vad-lip is put together from the weights of its parts; it has no loss to train with.")
