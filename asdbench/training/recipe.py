"""What a training does, as a recipe file says it: frozen data, no file, no tensor.

A recipe is a TOML file in ``baselines/recipes`` or a user's own (`asdbench.training.recipes` reads both). Everything
that moves a weight stands in it, so that its hash, the seed and the data identify a training.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

Chance = Annotated[float, msgspec.Meta(ge=0, le=1)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Weight = Annotated[float, msgspec.Meta(ge=0)]
Count = Annotated[int, msgspec.Meta(ge=0)]
AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Model(_Part, frozen=True, kw_only=True):
    """The network that is trained.

    Attributes:
        architecture: Name in `asdbench.training.objectives.OBJECTIVES`.
        face_size: Side in pixels at which it sees faces; written into the checkpoint.
        sizes: Sizes of a smaller network, by name, as its sizes class takes them; the published ones without it.
    """

    architecture: str
    face_size: Annotated[int, msgspec.Meta(ge=16, le=512)] = 112
    sizes: Mapping[str, Any] = {}


class Start(_Part, frozen=True, kw_only=True):
    """Weights with which a training begins: those that another recipe ends with, given the same seed and data.

    Attributes:
        recipe: Name of that recipe; trained first where it has not been.
        parts: Prefix of keys there, to what stands in their place here. Nothing else is taken.
    """

    recipe: str
    parts: Mapping[str, str]


class Loss(_Part, frozen=True, kw_only=True):
    """Weights of the terms of a loss; an objective refuses those that it does not know.

    Attributes:
        audio: Of the cross-entropy of the head over the sound (TalkNet, LoCoNet: 0.4).
        visual: Of the cross-entropy of the head over the faces (TalkNet, LoCoNet: 0.4; Light-ASD, LR-ASD: 0.5).
        temperature: What logits are divided by: ``1``, or Light-ASD's ``1.3 - 0.02 (epoch - 1)`` over 30 epochs, which
            a shorter training runs through faster.
        nce: Of TalkNCE's contrastive term (0.3 in the paper).
        nce_temperature: Of its similarities (0.07 in the paper).
        other_voices: Appended pairs per speaking clip that have another clip's sound (Sync-TalkNet: 1).
        other_times: Appended pairs per speaking clip that have the clip's own sound from another time.
        least_shift: Frames by which that time differs at least.
        beta: Weight of a frame of an appended pair, beside 1 of an original one (Sync-TalkNet: 1).
        alpha: Schedule of PAIR-Net's agreement, ``off`` for a weight of 0; see `AlphaSchedule`.
        alpha_stretch: Epochs of the source's that one epoch stands for, with ``stretched``.
        alpha_end: Weight in the last epoch, with ``linear``.
        unimodal: Weight of PAIR-Net's two heads' own cross-entropies (0 in the paper).
    """

    audio: Weight = 0.0
    visual: Weight = 0.0
    temperature: Literal["1", "light-asd"] = "1"
    nce: Weight = 0.0
    nce_temperature: Positive = 0.07
    other_voices: Count = 0
    other_times: Count = 0
    least_shift: AtLeastOne = 6
    beta: Weight = 1.0
    alpha: Literal["off", "literal", "stretched", "linear"] = "off"
    alpha_stretch: Positive = 1.0
    alpha_end: Chance = 0.0
    unimodal: Weight = 0.0


class Clips(_Part, frozen=True, kw_only=True):
    """How tracks become batches.

    Attributes:
        batch_frames: Frames of a batch, at most, but for a batch of a single clip.
        clip_frames: 0 for whole tracks: sorted by length, so that those of a batch are about equally long, each cut to
            the shortest of its batch, as TalkNet and Light-ASD train. Else clips of so many frames, drawn at random.
        longest: Frames after which a whole track is cut; 0 for never.
        epoch_batches: Batches of an epoch, for drawn clips; 0 for as many as hold each frame once.
        speaking: Chance that a drawn clip holds a speaking frame for sure; else it holds one that is not.
        labels: ``own``: 1 where this face speaks and is heard. ``audible``: 1 where any face of the video does, which
            is what a voice activity detector learns.
    """

    batch_frames: AtLeastOne
    clip_frames: Count = 0
    longest: Count = 0
    epoch_batches: Count = 0
    speaking: Chance = 0.5
    labels: Literal["own", "audible"] = "own"


class Augment(_Part, frozen=True, kw_only=True):
    """How clips are changed before the network sees them; everything is off by default. Labels stay.

    Attributes:
        voice: Chance that another track's sound is added (TalkNet's negative audio sampling).
        voice_snr: Lowest and highest signal-to-noise ratio of it, in dB.
        noise: Chance of white noise.
        noise_snr: Lowest and highest signal-to-noise ratio of it, in dB.
        level: Decibels by which the level changes at most, either way.
        colour: Deviation of a constant added to each MFCC, in its own deviations; a third of it for the first one.
        flip: Chance that faces are mirrored.
        crop: Smallest side of a square cut out at random, as a share of the face; 1 for none.
        rotate: Degrees by which faces are turned at most.
        scale: Smallest and largest factor.
        shift: Share of the face's side by which it moves at most.
        contrast: Smallest and largest factor of the contrast.
        brightness: Gray values that are added or taken away at most.
    """

    voice: Chance = 0.0
    voice_snr: tuple[float, float] = (-5.0, 5.0)
    noise: Chance = 0.0
    noise_snr: tuple[float, float] = (5.0, 20.0)
    level: Weight = 0.0
    colour: Weight = 0.0
    flip: Chance = 0.0
    crop: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    rotate: Weight = 0.0
    scale: tuple[float, float] = (1.0, 1.0)
    shift: Chance = 0.0
    contrast: tuple[float, float] = (1.0, 1.0)
    brightness: Weight = 0.0


class Optimizer(_Part, frozen=True, kw_only=True):
    """How weights move.

    Attributes:
        kind: ``adam`` or ``adamw``.
        rate: Highest learning rate.
        schedule: ``step``: times ``decay`` after each epoch. ``cosine``: up within ``warm_up``, then down to a
            hundredth over all epochs.
        decay: See ``schedule``.
        warm_up: Share of all batches in which the rate rises, with ``cosine``.
        weight_decay: Of AdamW, or L2 of Adam.
        clip: Greatest norm of all gradients together; 0 for no limit.
        settle: Batches whose mean and variance batch normalisation ends with, in place of running ones that lag
            behind the weights in a short training; 0 keeps the running ones.
    """

    kind: Literal["adam", "adamw"] = "adam"
    rate: Positive
    schedule: Literal["step", "cosine"] = "step"
    decay: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.95
    warm_up: Chance = 0.05
    weight_decay: Weight = 0.0
    clip: Weight = 0.0
    settle: Count = 0


class Recipe(_Part, frozen=True, kw_only=True):
    """A training.

    Attributes:
        name: Also the file's name.
        version: Raised with each change that moves a weight.
        summary: One sentence.
        source: Paper, section, equation, official code.
        epochs: 0 for a system that is put together from others' weights.
        precision: Of the forward pass, as Lightning Fabric names it.
        frozen: Prefixes of keys whose weights stay as they began. Where the whole visual front end is among them, and
            no augmentation changes faces, what it makes of each track is computed once.
        keep: Whether decoded tracks stay in memory (about 56 x 56 bytes per frame at that size), or are read anew.
    """

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$")]
    version: AtLeastOne
    summary: str
    source: str
    model: Model
    start: tuple[Start, ...] = ()
    loss: Loss = Loss()
    clips: Clips
    augment: Augment = Augment()
    optimizer: Optimizer
    epochs: Count
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    frozen: tuple[str, ...] = ()
    keep: bool = False
