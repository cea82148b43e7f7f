"""Small recipes and batches for tests of objectives."""

from __future__ import annotations

import torch

from asdbench.training.batch import Batch, Moment
from asdbench.training.objectives import objective_for
from asdbench.training.recipe import Clips, Loss, Model, Optimizer, Recipe

TINY = {"stem": 4, "depth": [1, 1, 1, 1]}
PAIR_NET = {
    "audio": {"mels": 20, "width": 64, "blocks": 3, "feed_forward": 80, "positions": 60},
    "visual": {"stem": 2, "width": 128, "blocks": 2, "feed_forward": 96, "taps": 8, "groups": 4},
}
SIZES = {"light-asd": {}, "lr-asd": {}, "pair-net": PAIR_NET}
"""By architecture; `TINY` for all others."""

FRAMES, AROUND = 8, 10
LABELS = torch.tensor([[0, 0, 1, 1, 1, 0, 0, 0], [0] * 8, [1] * 8, [0, 0, 0, 0, 0, 0, 1, 1]])


def recipe(architecture, loss=None, epochs=4, sizes=None, clip_frames=FRAMES, **changes):
    return Recipe(
        name="test",
        version=1,
        summary="For tests.",
        source="none",
        model=Model(
            architecture=architecture, face_size=24, sizes=SIZES.get(architecture, TINY) if sizes is None else sizes
        ),
        loss=Loss(**(loss or {})),
        clips=Clips(batch_frames=32, clip_frames=clip_frames),
        optimizer=Optimizer(rate=1e-3),
        epochs=epochs,
        **changes,
    )


def objective(architecture, loss=None, **changes):
    """Built from the same random weights each time, in evaluation mode."""
    torch.manual_seed(2)  # with which none of a tiny network's few rectified units is zero for every input
    return objective_for(recipe(architecture, loss, **changes)).eval()


def moment(epoch=0, epochs=4, seed=5):
    return Moment(epoch, epochs, epoch / epochs, seed)


def batch(around=0, seed=0, side=24):
    """Four clips; ``around`` frames of sound on either side of some place of them."""
    generator = torch.Generator().manual_seed(seed)
    clips, span = len(LABELS), FRAMES + 2 * around
    faces = torch.randint(0, 256, (clips, FRAMES, side, side), generator=generator, dtype=torch.uint8)
    offsets = torch.linspace(0, 2 * around, clips).long()
    sound = torch.randn(clips, 4 * span, 13, generator=generator)
    return Batch(sound, faces, LABELS, offsets, torch.zeros(clips, dtype=torch.int64))


def log_mel_batch(seed=0):
    """Four clips with the sound that PAIR-Net hears: two of Whisper's vectors per frame."""
    generator = torch.Generator().manual_seed(seed)
    mel = torch.randn(len(LABELS), PAIR_NET["audio"]["mels"], 4 * FRAMES, generator=generator)
    return batch(seed=seed)._replace(sound=mel, vectors=torch.full((len(LABELS),), 2 * FRAMES))
