"""Voice activity times lip motion: somebody speaks, and these lips move. Needs no training and no checkpoint.

It sees onsets and pauses in sound and lips, but never which sound belongs to which lips, so it is the *activity floor*
(docs/method.md): what a model notices of a changed voice counts as synchrony only where it exceeds what this notices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from typing import Annotated, cast

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from asdbench.adapters.base import Adapter, AdapterOptions, Needs
from asdbench.adapters.lip_motion import HALO, SIDE, lip_motion
from asdbench.adapters.product import log_odds_of_all, log_probability
from asdbench.adapters.torch_adapter import exact_inference, one_thread
from asdbench.checkpoints.files import sha256_of
from asdbench.checkpoints.load import apply_state_dict, load_state_dict
from asdbench.errors import DataError, MissingDependencyError
from asdbench.features.rows import require_int16
from asdbench.networks.silero_vad import WINDOW, SileroVAD
from asdbench.types import SAMPLE_RATE, Float32Array, Int16Array, UInt8Array

_Float64 = NDArray[np.float64]

_PACKAGE = "silero_vad"
_WEIGHTS = Path("data") / "silero_vad_16k.safetensors"  # the only one of its models that is no code; from 6.2.1 on
_FULL_SCALE = 32768

# Fitted by logistic regression, smoothed by 160 ms, to the labels of an earlier rendering of demo-val without dubbed
# tracks (11,577 frames), and rounded. Real faces had no part in it.
_MOTION_AT_ZERO = 0.057
_MOTION_PER_LOG_ODDS = 0.0072

_SMOOTHING_MS = 160.0


class VadLipOptions(AdapterOptions, frozen=True):
    """What can be chosen.

    Attributes:
        smoothing_ms: Standard deviation, in ms, of the Gaussian by which lip motion is averaged over time; 0 for none.
            Lips rest between syllables while speech goes on. The more, the blinder it is to onsets and pauses.
    """

    smoothing_ms: Annotated[float, msgspec.Meta(ge=0, le=10_000)] = _SMOOTHING_MS


@dataclass(frozen=True)
class _Voice:
    probability: _Float64
    fps: float


class VadLip(Adapter):
    """Log-odds of P(voice) * P(lips move), each between 0 and 1; frames are those of the annotation.

    *Voice*: silero-vad on the whole sound of the track, from an empty state; the mean of its probabilities, one per
    32 ms, over a frame's own time. Frames after the end of the sound (usually the last) repeat the last that has some.
    Against the phoneme times of demo-val it finds an onset within 32 ms and the end of speech some 100 ms late.

    *Lips*: ``1 / (1 + exp(-(motion - 0.057) / 0.0072))`` with `asdbench.adapters.lip_motion`, smoothed over time.

    Raises:
        MissingDependencyError: silero-vad is not installed, or too old.
    """

    name = "vad-lip"
    needs = Needs(crop_size=SIDE, halo=HALO)
    Options = VadLipOptions

    def __init__(self, options: AdapterOptions | None = None) -> None:
        super().__init__(options)
        weights = _silero_weights()
        self._network = _silero(weights)
        self.fingerprint = sha256_of(weights)  # another version of silero-vad may bring other weights

    def embed_audio(self, audio: Int16Array, num_frames: int, fps: float) -> _Voice:
        """Return the probability of voice in each frame; see `Adapter.embed_audio`."""
        if not len(audio):
            raise DataError("a track without a single audio sample cannot be scored; check its wav.")
        if not (isfinite(fps) and fps > 0):
            raise DataError(f"the frame rate must be a positive number, got {fps}; check the annotation of this track.")
        require_int16(audio)
        samples = torch.from_numpy(audio.astype(np.float32) / _FULL_SCALE)
        with exact_inference(torch.device("cpu")), one_thread():
            windows = self._network(samples).double().sigmoid().numpy()
        return _Voice(_over_frames(windows, len(audio), num_frames, fps), fps)

    def embed_faces(self, faces: Sequence[UInt8Array]) -> Float32Array:
        """Return the lip motion of each frame, ``[num_frames]``; see `Adapter.embed_faces`."""
        return lip_motion(faces)

    def score(self, audio_embedding: _Voice, face_embedding: Float32Array) -> Float32Array:
        """Return ``[num_frames]`` log-odds within -30 and 30; see `Adapter.score`."""
        options = cast(VadLipOptions, self.options)
        lips = lip_log_odds(face_embedding, audio_embedding.fps, options.smoothing_ms)
        with np.errstate(divide="ignore"):  # a voice of probability 0
            voice = np.log(audio_embedding.probability)
        return log_odds_of_all(voice, log_probability(lips))


def lip_log_odds(motion: Float32Array, fps: float, smoothing_ms: float = _SMOOTHING_MS) -> _Float64:
    """Return what lip motion alone tells, the second factor of `VadLip`; needs no silero-vad.

    Args:
        motion: ``[T]``, of `asdbench.adapters.lip_motion`.
        fps: Frames per second.
        smoothing_ms: See `VadLipOptions`.

    Returns:
        ``[T]`` log-odds that the lips move.
    """
    smoothed = _smoothed(motion.astype(np.float64), smoothing_ms * fps / 1000)
    return (smoothed - _MOTION_AT_ZERO) / _MOTION_PER_LOG_ODDS


def _silero_weights() -> Path:
    # Found, not imported: importing it sets the number of torch's threads for the whole process.
    spec = find_spec(_PACKAGE)
    path = Path(spec.origin).parent / _WEIGHTS if spec and spec.origin else None
    if path is None or not path.is_file():
        state = "which is not installed" if path is None else f"of which {path.parent} holds no fitting version"
        raise MissingDependencyError(
            f"the model 'vad-lip' needs the package silero-vad, {state}; pip install 'asdbench[vad]'."
        )
    return path


@lru_cache(maxsize=1)
def _silero(weights: Path) -> SileroVAD:
    network = SileroVAD()
    apply_state_dict(network, load_state_dict(weights), weights)
    return network.eval()


def _over_frames(windows: _Float64, num_samples: int, num_frames: int, fps: float) -> _Float64:
    """Return the mean ``[num_frames]`` of what is constant within each window of 512 samples, over each frame."""
    integral = np.concatenate([[0.0], np.cumsum(windows) * WINDOW])
    edges = np.minimum(np.arange(num_frames + 1) * SAMPLE_RATE / fps, num_samples)
    heard = int(np.count_nonzero(edges[:-1] < num_samples))  # frames that start before the sound ends
    sums = np.diff(np.interp(edges[: heard + 1], np.arange(len(integral)) * WINDOW, integral))
    means: _Float64 = sums / np.diff(edges[: heard + 1])
    return np.pad(means, (0, num_frames - heard), mode="edge")


def _smoothed(values: _Float64, deviation: float) -> _Float64:
    """Return the running mean with Gaussian weights; at the ends those that there are."""
    reach = min(round(3 * deviation), len(values))
    if not reach:
        return values
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    inside = slice(reach, reach + len(values))
    total: _Float64 = np.convolve(values, weights)[inside] / np.convolve(np.ones(len(values)), weights)[inside]
    return total
