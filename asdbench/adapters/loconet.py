"""LoCoNet and TalkNCE as their authors' AVA evaluation runs them: one network, two sets of weights.

Three faces are looked at together, the target first. Where fewer are there, faces stand in twice or three times:
``[T, T, T]``, ``[T, A, A]``, ``[T, A, B]``. A frame in which a neighbour is not seen is black before normalisation.
Which neighbours they are is found by `asdbench.data.context`; the published choice is unseeded random.

The official 3-D convolution runs over the frames of all three as one sequence, so that the last two frames of one and
the first two of the next see each other. That is part of the published scores and the default here;
``context = "independent"`` runs every face on its own. Either way only frames whose surroundings differ are computed: a
standing-in face costs next to nothing, and a face that was seen with another target only what borders on others now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from asdbench.adapters.base import AdapterOptions, Needs
from asdbench.adapters.feature_cache import FeatureCache, digests, key_of, stretches
from asdbench.adapters.torch_adapter import (
    CROP_SIZE,
    TorchAdapter,
    exact_inference,
    log_odds,
    one_thread,
    resized_crops,
)
from asdbench.errors import DataError
from asdbench.features import vggish_log_mel_for_frames
from asdbench.networks.loconet import SPEAKERS, LoCoNet
from asdbench.networks.visual_resnet import STEM_HALO
from asdbench.types import ContextFaces, Float32Array, Int16Array, UInt8Array

STANDING_IN = ((0, 0, 0), (0, 1, 1), (0, 1, 2))
"""Who takes the three places with no, one and two neighbours; 0 is the target."""

_BLACK = np.zeros((1, 1), np.uint8)
_Indices = NDArray[np.int64]


class LoCoNetOptions(AdapterOptions, frozen=True):
    """What may be chosen about LoCoNet.

    Attributes:
        context: ``official`` lets faces leak into one another's first and last two frames, as published;
            ``independent`` does not.
        context_seed: Chooses and orders the neighbours where there are several.
    """

    context: Literal["official", "independent"] = "official"
    context_seed: int = 0


class LoCoNetAdapter(TorchAdapter[LoCoNet]):
    """LoCoNet; its 3-D convolution of five frames gives the halo of two.

    Attributes:
        cache: Features of the faces seen so far, also with other targets and under other conditions.
    """

    name = "loconet"
    version = 1
    architecture = "loconet"
    needs = Needs(crop_size=CROP_SIZE, halo=STEM_HALO, needs_checkpoint=True, context_speakers=SPEAKERS - 1)
    Options = LoCoNetOptions
    options: LoCoNetOptions

    def __init__(self, network: LoCoNet, device: str = "cpu", options: AdapterOptions | None = None) -> None:
        super().__init__(network, device, options)
        self.needs = replace(self.needs, context_seed=self.options.context_seed)
        self.cache = FeatureCache()

    def embed_audio(self, audio: Int16Array, num_frames: int, fps: float) -> Tensor:
        """Return ``[1, num_frames, 128]`` on the device; see `Adapter.embed_audio`."""
        rows = torch.from_numpy(vggish_log_mel_for_frames(audio, num_frames, fps))[None]
        with exact_inference(self.device), one_thread():
            return self.network.embed_audio(rows.to(self.device))

    def forget(self) -> None:
        """Drop the features of faces seen so far; see `Adapter.forget`."""
        self.cache.clear()

    def embed_faces(self, faces: Sequence[UInt8Array], context: ContextFaces = ()) -> Tensor:
        """Return the features of all three faces, before anything normalises over time.

        Args:
            faces: ``T`` crops of the target; see `Adapter.embed_faces`.
            context: Of at most two neighbours one crop per frame of the target, ``None`` where it is not seen.

        Returns:
            ``[3, num_frames, 512]`` on the device.

        Raises:
            DataError: Too many neighbours, another number of frames than the target's, or no gray uint8 crop.
        """
        return self.features(faces, context, [self.pictures(faces, context)])

    def score(self, audio_embedding: Tensor, face_embedding: Tensor) -> Float32Array:
        """Return ``[num_frames]`` float32 log-odds; see `Adapter.score`."""
        with exact_inference(self.device), one_thread():
            return log_odds(self.network.head(audio_embedding, face_embedding[None])[0])

    def score_track(
        self, audio: Int16Array, faces: Sequence[UInt8Array], fps: float, context: ContextFaces = ()
    ) -> Float32Array:
        """Return ``[num_frames]`` float32 log-odds; see `Adapter.score_track`, and `embed_faces` for the context."""
        return self.score(self.embed_audio(audio, len(faces), fps), self.embed_faces(faces, context))

    def pictures(self, faces: Sequence[UInt8Array], context: ContextFaces) -> Tensor:
        """Return a black picture, then the resized crops of every face in turn: ``[1 + speakers T, side, side]``."""
        side = self.needs.crop_size or CROP_SIZE
        shown = [_BLACK, *faces, *(_BLACK if crop is None else crop for speaker in context for crop in speaker)]
        return torch.from_numpy(resized_crops(shown, side))

    def features(self, faces: Sequence[UInt8Array], context: ContextFaces, inputs: Sequence[Tensor]) -> Tensor:
        """Run the front end over the three faces.

        Args:
            faces: As for `embed_faces`.
            context: Likewise.
            inputs: What ``embed_faces`` of the network takes of each picture, in the order of `pictures`.

        Returns:
            ``[3, T, C]``.
        """
        speakers = _picture_indices(faces, context)
        order = list(STANDING_IN[len(context)])
        known = digests(inputs)
        with exact_inference(self.device):
            if self.options.context == "independent":
                return torch.stack([self._distinct(speaker[None], inputs, known) for speaker in speakers])[order]
            return self._distinct(speakers[order], inputs, known).view(SPEAKERS, len(faces), -1)

    def _distinct(self, speakers: _Indices, inputs: Sequence[Tensor], known: Sequence[bytes]) -> Tensor:
        """Embed faces ``[S, T]``, seen one after the other, into ``[S T, C]``; what is known is not computed again."""
        halo, sequence = self.needs.halo, speakers.ravel()
        shown = [known[picture] for picture in sequence.tolist()]
        numbers = {content: number for number, content in enumerate(shown)}
        runs, where = distinct_runs(np.array([numbers[content] for content in shown]), halo)

        def computed(start: int, stop: int) -> Tensor:
            first = max(0, start - halo)
            seen = torch.from_numpy(sequence[first : stop + halo])
            given = (each[seen].to(self.device).float()[None] for each in inputs)
            return self.network.embed_faces(*given, wanted=slice(start - first, stop - first))[0]

        cut = stretches(runs, shown, _breaks(speakers), halo)
        parts = [self.cache.once(key_of(shown, *one, halo), partial(computed, *one)) for one in cut]
        return torch.cat(parts)[torch.from_numpy(where)]


class TalkNCE(LoCoNetAdapter):
    """TalkNCE: LoCoNet trained with a contrastive loss; numerically the same model."""

    name = "talknce"
    architecture = "talknce"


def distinct_runs(sequence: _Indices, halo: int) -> tuple[list[tuple[int, int]], _Indices]:
    """Find what of a sequence must be computed when one frame depends on ``halo`` frames to either side.

    Args:
        sequence: ``[N]`` which picture each frame shows.
        halo: Frames to either side; beyond the ends of the sequence there is nothing.

    Returns:
        Stretches ``(start, stop)`` that together hold every surrounding once, and for each frame its place ``[N]`` in
        them, laid end to end.
    """
    nothing = -1
    surroundings = np.lib.stride_tricks.sliding_window_view(
        np.pad(sequence, halo, constant_values=nothing), 2 * halo + 1
    )
    _, first, which = np.unique(surroundings, axis=0, return_index=True, return_inverse=True)
    computed = np.sort(first)
    stretches = np.split(computed, np.flatnonzero(np.diff(computed) > 1) + 1)
    where = np.searchsorted(computed, first[which.reshape(-1)])
    return [(int(stretch[0]), int(stretch[-1]) + 1) for stretch in stretches], where


def _breaks(speakers: _Indices) -> set[int]:
    """Return the frames of ``[S, T]``, laid end to end, with which another face begins or one comes or goes."""
    frames = speakers.shape[1]
    appears = np.diff((speakers > 0).astype(np.int8), axis=1, prepend=2, append=2) != 0
    speaker, frame = appears.nonzero()
    return set((speaker * frames + frame).tolist())


def _picture_indices(faces: Sequence[UInt8Array], context: ContextFaces) -> _Indices:
    """Return ``[1 + neighbours, T]``: which picture each face shows in each frame, 0 where it is not seen.

    Raises:
        DataError: Too many neighbours, or another number of frames than the target's.
    """
    if len(context) >= SPEAKERS:
        raise DataError(f"{len(context)} neighbours were given; the model looks at {SPEAKERS - 1} beside the target.")
    for number, speaker in enumerate(context, 1):
        if len(speaker) != len(faces):
            raise DataError(
                f"neighbour {number} has {len(speaker)} frames, the target {len(faces)}; give one crop per frame of "
                "the target, None where the neighbour is not seen."
            )
    seen = np.array([[crop is not None for crop in speaker] for speaker in (faces, *context)])
    return np.where(seen, 1 + np.arange(seen.size).reshape(seen.shape), 0)
