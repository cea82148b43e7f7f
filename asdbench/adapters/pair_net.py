"""PAIR-Net (Wang, Ha and Crandall, EgoVis workshop at CVPR 2025): Whisper and AV-HuBERT, added frame by frame.

There is neither official code nor official weights; what the paper leaves open is an option. A track is scored whole,
or, beyond what Whisper hears at once, in windows of equal length (to a frame) that do not see one another: sound and
transformers alike, but for the two frames to either side that the visual trunk sees.

The visual encoder never looks at the sound, so its work is done once for all sounds of a track: the trunk in
``embed_faces``, whose features depend on two frames to either side, and the transformer, which looks at a whole window,
in the first ``score`` with these faces; the result is kept with them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from asdbench.adapters.base import AdapterOptions, Needs
from asdbench.adapters.torch_adapter import (
    CROP_SIZE,
    TorchAdapter,
    exact_inference,
    in_chunks,
    log_odds,
    resized_crops,
)
from asdbench.checkpoints.load import AUDIO_WINDOW
from asdbench.checkpoints.pair_net import load_pair_net
from asdbench.devices import choose_device
from asdbench.errors import CheckpointError, DataError, UsageError
from asdbench.features.rows import require_int16
from asdbench.features.whisper import HOP, whisper_log_mel
from asdbench.networks.av_hubert_trunk import TRUNK_HALO, normalised
from asdbench.networks.pair_net import PairNet
from asdbench.networks.whisper import RATE, pool_to_frames
from asdbench.types import SAMPLE_RATE, Float32Array, Int16Array, UInt8Array

if TYPE_CHECKING:
    from typing_extensions import Self  # typing.Self from Python 3.11 on

_VECTOR = SAMPLE_RATE // RATE  # samples for one of Whisper's vectors
_VISUAL_FPS = 25.0  # at which AV-HuBERT was trained
_MOUTH, _MOUTH_CUT = 96, 4  # side of the pictures that AV-HuBERT was trained on, and what is cut off each of them

Windows = tuple[tuple[int, int], ...]
"""First frame and one past the last of each window."""


class PairNetOptions(AdapterOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the encoders come from, and how what the paper leaves open is read.

    Attributes:
        whisper: File or folder of Whisper's weights, where the checkpoint has none.
        av_hubert: File of AV-HuBERT's weights, where the checkpoint has none.
        audio_window: ``padded`` fills the sound up with zeros to what Whisper hears at once, thirty seconds; ``alone``
            gives it the sound alone, which is faster and not equal. One checkpoint needs what it was trained with, so
            ``stated`` takes what its metadata state (``asdbench.audio_window``), and ``padded`` where they do not.
        picture: ``face-112``: the whole face at 112 x 112. ``centre-88``: at 96 x 96, of which the middle 88 x 88, as
            AV-HuBERT cuts its mouths.
        clip_seconds: Longest window.
        resample_from_fps: Frame rate of the data, if the model is to see 25 pictures per second, AV-HuBERT's own rate;
            0 keeps every frame. Scores are given for every frame all the same, from the nearest picture.
        speaking: The column of the head that means *speaking*.
    """

    whisper: str = ""
    av_hubert: str = ""
    audio_window: Literal["stated", "padded", "alone"] = "stated"
    picture: Literal["face-112", "centre-88"] = "face-112"
    clip_seconds: Annotated[float, msgspec.Meta(gt=0, le=30)] = 30.0
    resample_from_fps: Annotated[float, msgspec.Meta(ge=0, le=1000)] = 0.0
    speaking: Literal[0, 1] = 1


@dataclass(frozen=True, eq=False)
class _Heard:
    """Sound of one track.

    Attributes:
        vectors: ``[1, pictures, width]``, one for each picture that the model sees.
        windows: Of pictures.
        pictures: ``[T]``, the picture from which each frame has its score.
    """

    vectors: Tensor
    windows: Windows
    pictures: Tensor


@dataclass(frozen=True, eq=False)
class _Seen:
    """Faces of one track.

    Attributes:
        features: ``[1, pictures, channels]``, of the trunk.
        encoded: ``[1, pictures, width]`` by windows, as far as they were needed.
    """

    features: Tensor
    encoded: dict[Windows, Tensor] = field(default_factory=dict)


class PairNetAdapter(TorchAdapter[PairNet]):
    """PAIR-Net; its answer is that of the head over both streams."""

    name = "pair-net"
    version = 1
    architecture = "pair-net"
    needs = Needs(crop_size=CROP_SIZE, halo=TRUNK_HALO, needs_checkpoint=True)
    Options = PairNetOptions
    options: PairNetOptions
    fingerprint: str | None = None
    """Hash of the files that the options name."""
    stated_window: str = "padded"
    """What the checkpoint says of ``audio_window``."""

    def __init__(self, network: PairNet, device: str = "cpu", options: AdapterOptions | None = None) -> None:
        super().__init__(network, device, options)
        if self.options.picture == "centre-88" and self.needs.crop_size:
            self.needs = replace(self.needs, crop_size=_MOUTH)
        if self.options.resample_from_fps and self.needs.halo:
            # Two pictures further, and half a picture and half a frame of rounding.
            reach = (TRUNK_HALO + 0.5) * self.options.resample_from_fps / _VISUAL_FPS + 0.5
            self.needs = replace(self.needs, halo=math.ceil(reach))

    @classmethod
    def from_checkpoint(cls, path: Path | str, device: str = "cpu", options: AdapterOptions | None = None) -> Self:
        """Build the model from a checkpoint, and from the files that the options name.

        Raises:
            CheckpointError: A file cannot be loaded or does not fit.
            UsageError: A file is missing or too many, or the device has no such name.
            MissingDependencyError: ``transformers`` is not installed.
            ResourceError: This machine has no such device.
        """
        choose_device(device)  # before the work of loading
        chosen = options if isinstance(options, PairNetOptions) else PairNetOptions()
        network, checkpoint, others = load_pair_net(path, chosen.whisper, chosen.av_hubert)
        model = cls(network, device, chosen)
        model.fingerprint = others
        model.stated_window = _stated_window(checkpoint.metadata, path)
        if checkpoint.face_size is not None and model.needs.crop_size == CROP_SIZE:
            model.needs = replace(model.needs, crop_size=checkpoint.face_size)
        return model

    def embed_audio(self, audio: Int16Array, num_frames: int, fps: float) -> _Heard:
        """Return what Whisper hears, pooled to one vector per picture; see `Adapter.embed_audio`."""
        rate = self._rate(num_frames, fps)
        stated = self.options.resample_from_fps
        # By the stated rate, as the faces are: by a measured one there might be one picture more or less.
        pictures = _pictures_of(num_frames, stated, _VISUAL_FPS) if stated else np.arange(num_frames)
        count = int(pictures[-1]) + 1
        windows = self._windows(count, rate)
        vectors = [self._hear(_sound_of(audio, window, rate), window) for window in windows]
        return _Heard(torch.cat(vectors)[None], windows, torch.from_numpy(pictures).to(self.device))

    def embed_faces(self, faces: Sequence[UInt8Array]) -> _Seen:
        """Return the trunk's features, which depend on ``needs.halo`` frames to either side."""
        rate = self.options.resample_from_fps
        if rate:
            faces = [faces[frame] for frame in _frames_of(len(faces), rate).tolist()]
        crops = resized_crops(faces, self.needs.crop_size or CROP_SIZE)
        if self.options.picture == "centre-88":
            crops = crops[:, _MOUTH_CUT:-_MOUTH_CUT, _MOUTH_CUT:-_MOUTH_CUT]
        trunk = self.network.visual_encoder.trunk
        with exact_inference(self.device):
            pictures = torch.from_numpy(crops)[None]
            seen = in_chunks(pictures, lambda part: trunk(normalised(part.to(self.device))), TRUNK_HALO, self.room)
            return _Seen(seen)

    def score(self, audio_embedding: _Heard, face_embedding: _Seen) -> Float32Array:
        """Return ``[num_frames]`` float32 log-odds; see `Adapter.score`."""
        with exact_inference(self.device):
            logits = self.logits(audio_embedding, face_embedding)[audio_embedding.pictures]
        return log_odds(logits if self.options.speaking == 1 else logits.flip(1))

    def logits(self, heard: _Heard, seen: _Seen) -> Tensor:
        """Return the logits ``[pictures, 2]``."""
        return self.network.head(heard.vectors, self._encoded(seen, heard.windows)).fused[0]

    def _encoded(self, seen: _Seen, windows: Windows) -> Tensor:
        """Return ``[1, pictures, width]`` of the visual encoder, computed at the first time."""
        if windows not in seen.encoded:
            transform = self.network.visual_encoder.transform
            parts = [transform(seen.features[:, first:stop]) for first, stop in windows]
            seen.encoded[windows] = torch.cat(parts, dim=1)
        return seen.encoded[windows]

    def _hear(self, sound: Int16Array, window: tuple[int, int]) -> Tensor:
        """Return ``[pictures, width]`` of the sound of one window."""
        whole = self.network.sizes.audio.positions * _VECTOR
        sound = sound[:whole]
        vectors = math.ceil(len(sound) / _VECTOR)
        wanted = self.options.audio_window
        alone = (self.stated_window if wanted == "stated" else wanted) == "alone"
        mel = whisper_log_mel(sound, self.network.sizes.audio.mels, vectors * _VECTOR if alone else whole)
        with exact_inference(self.device):
            heard = self.network.embed_audio(torch.from_numpy(mel)[None].to(self.device), alone)
            # The silence behind the clip is left out: pooled with the rest, it would squeeze the sound.
            return pool_to_frames(heard[0, :vectors], window[1] - window[0])

    def _rate(self, num_frames: int, fps: float) -> float:
        """Return the pictures per second of sound; 25, but for what the track's rate is off the stated one."""
        if num_frames < 1:
            raise DataError(f"features were asked for {num_frames} frames; a face track has at least one.")
        if not (math.isfinite(fps) and fps > 0):
            raise DataError(f"the frame rate must be a positive number, got {fps}; check the annotation of this track.")
        stated = self.options.resample_from_fps
        if not stated:
            return fps
        if not math.isclose(stated, fps, rel_tol=1e-3):
            raise UsageError(
                f"the option resample_from_fps says {stated:g} frames per second, but this track has {fps:g}; give the "
                "rate of the data."
            )
        # Pictures are counted by the stated rate, so the sound must be cut at theirs, or it would drift away from them.
        return _VISUAL_FPS * (fps / stated)

    def _windows(self, pictures: int, rate: float) -> Windows:
        seconds = min(self.options.clip_seconds, self.network.sizes.audio.positions / RATE)
        longest = int(seconds * rate)
        if longest < 1:
            raise DataError(f"at {rate:g} frames per second not one frame fits into a window of {seconds:g} s.")
        count = math.ceil(pictures / longest)
        borders = [pictures * window // count for window in range(count + 1)]
        return tuple((borders[window], borders[window + 1]) for window in range(count))


class PairNetAudio(PairNetAdapter):
    """The head over the sound alone; never looks at the faces."""

    name = "pair-net-audio"
    needs = Needs(needs_checkpoint=True)

    def embed_faces(self, faces: Sequence[UInt8Array]) -> _Seen:
        """Return nothing for each frame."""
        return _Seen(torch.empty(1, len(faces), 0))

    def logits(self, heard: _Heard, seen: _Seen) -> Tensor:
        """Return the logits ``[pictures, 2]`` of the audio head."""
        logits: Tensor = self.network.fusion.audio_head(heard.vectors[0])
        return logits


class PairNetVideo(PairNetAdapter):
    """The head over the faces alone; never looks at the sound."""

    name = "pair-net-video"

    def logits(self, heard: _Heard, seen: _Seen) -> Tensor:
        """Return the logits ``[pictures, 2]`` of the visual head."""
        fusion = self.network.fusion
        logits: Tensor = fusion.visual_head(fusion.projector(self._encoded(seen, heard.windows)[0]))
        return logits

    def _hear(self, sound: Int16Array, window: tuple[int, int]) -> Tensor:
        return torch.empty(window[1] - window[0], 0)


def _stated_window(metadata: Mapping[str, str], path: Path | str) -> str:
    stated = metadata.get(AUDIO_WINDOW, "padded")
    if stated not in ("padded", "alone"):
        raise CheckpointError(f"{path} says {AUDIO_WINDOW} = {stated!r} in its metadata; expected padded or alone.")
    return stated


def _sound_of(audio: Int16Array, window: tuple[int, int], rate: float) -> Int16Array:
    """Return the samples of one window; the last one may be short, as the wav of a track usually is by one frame."""
    require_int16(audio)
    first, stop = (round(frame / rate * SAMPLE_RATE) for frame in window)
    sound = audio[first:stop]
    if audio.ndim != 1 or len(sound) < HOP:
        raise DataError(
            f"there is no sound from {first / SAMPLE_RATE:.2f} to {stop / SAMPLE_RATE:.2f} s: an array of shape "
            f"{audio.shape}; check the wav of this track."
        )
    return sound


def _pictures_of(frames: int, fps: float, rate: float) -> NDArray[np.int64]:
    """Return the picture nearest to each frame, ``[T]``; there are as many pictures as fill the track."""
    pictures = max(1, round(frames * rate / fps))
    return np.minimum(_nearest(frames, rate / fps), pictures - 1)


def _frames_of(frames: int, fps: float) -> NDArray[np.int64]:
    """Return the frame nearest to each picture at 25 per second, as many as `_pictures_of` asks for."""
    pictures = int(_pictures_of(frames, fps, _VISUAL_FPS)[-1]) + 1
    return np.minimum(_nearest(pictures, fps / _VISUAL_FPS), frames - 1)


def _nearest(count: int, step: float) -> NDArray[np.int64]:
    nearest: NDArray[np.int64] = np.floor(np.arange(count) * step + 0.5).astype(np.int64)
    return nearest
