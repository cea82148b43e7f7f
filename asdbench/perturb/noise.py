"""Noise over the track's own sound at a signal-to-noise ratio: white, pink, speech-shaped (docs/perturbations.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from asdbench.errors import UsageError
from asdbench.perturb.audio import Samples, active_level, to_int16
from asdbench.perturb.edits import AudioEdit, Lender
from asdbench.perturb.severity import SeverityOptions
from asdbench.perturb.spectrum import made_with, pink_gain, shaped_noise, speech_gain
from asdbench.perturb.stream import normal
from asdbench.perturb.targets import Outcome, Perturbation, PlanContext, Planner
from asdbench.types import Int16Array, Media

SNR_DB = (10.0, 5.0, 0.0, -5.0, -10.0)
"""Signal-to-noise ratio by severity."""

SnrDb = Annotated[float, msgspec.Meta(ge=-60, le=60)]


def add_noise(waveform: Int16Array, noise: Samples, snr_db: float) -> Int16Array:
    """Add noise at a ratio of levels, both of them active levels (`asdbench.perturb.audio.active_level`).

    Pauses of the voice, or of a talker that disturbs it, so count for neither. A waveform that is digital silence has
    no level and stays what it is.

    Args:
        waveform: ``[N]`` the track's audio.
        noise: ``[N]`` what is added, at any scale.
        snr_db: Level of the waveform above that of the noise, in dB.

    Returns:
        ``[N]`` the sum, clipped to int16: at low ratios loud sound may clip.

    Raises:
        UsageError: The lengths differ, or the noise is digital silence.
    """
    if len(noise) != len(waveform):
        raise UsageError(f"{len(noise)} samples of noise for {len(waveform)} of sound; give as many.")
    own, other = active_level(waveform), active_level(noise)
    if own == 0:
        return waveform.copy()
    if other == 0:
        raise UsageError("the noise is digital silence, which no factor makes loud; give another.")
    return to_int16(waveform + noise.astype(np.float64) * (own / other / 10 ** (snr_db / 20)))


class SnrOptions(SeverityOptions, frozen=True, forbid_unknown_fields=True):
    """Signal-to-noise ratio in dB; by severity 10, 5, 0, -5, -10."""

    snr_db: SnrDb | None = None

    @property
    def ratio(self) -> float:
        """The ratio in dB."""
        return self.amount(self.snr_db, SNR_DB)


class WhiteNoiseEdit(AudioEdit, frozen=True, kw_only=True, tag="white_noise"):
    """White Gaussian noise."""

    snr_db: float
    seed: str

    def apply(self, original: Int16Array, media: Media, lender: Lender) -> Int16Array:
        """See `add_noise`."""
        return add_noise(original, normal(self.seed, len(original)), self.snr_db)


class ShapedNoiseEdit(AudioEdit, frozen=True, kw_only=True, tag="shaped_noise"):
    """Gaussian noise with a spectrum."""

    spectrum: Literal["pink", "speech"]
    snr_db: float
    seed: str
    made_with: str

    def apply(self, original: Int16Array, media: Media, lender: Lender) -> Int16Array:
        """See `add_noise`."""
        gain: Callable[[NDArray[np.float64]], NDArray[np.float64]]
        gain = pink_gain if self.spectrum == "pink" else speech_gain
        return add_noise(original, shaped_noise(self.seed, len(original), gain), self.snr_db)


def plan_white_noise(context: PlanContext, options: SnrOptions, me: Perturbation) -> Planner:
    """White noise, the same at every ratio, another one for every track."""
    chooser = context.chooser(me)
    return lambda target: Outcome(
        (WhiteNoiseEdit(version=me.version, snr_db=options.ratio, seed=chooser.seed(target.target_id)),)
    )


def _plan_shaped(spectrum: Literal["pink", "speech"]) -> Callable[[PlanContext, SnrOptions, Perturbation], Planner]:
    def plan(context: PlanContext, options: SnrOptions, me: Perturbation) -> Planner:
        chooser, versions = context.chooser(me), made_with()
        return lambda target: Outcome(
            (
                ShapedNoiseEdit(
                    version=me.version,
                    spectrum=spectrum,
                    snr_db=options.ratio,
                    seed=chooser.seed(target.target_id),
                    made_with=versions,
                ),
            )
        )

    return plan


NOISE = (
    Perturbation(
        "white_noise",
        1,
        "white noise at an SNR",
        "track",
        SnrOptions,
        plan_white_noise,
        source="docs/perturbations.md",
    ),
    Perturbation(
        "pink_noise",
        1,
        "pink noise at an SNR",
        "track",
        SnrOptions,
        _plan_shaped("pink"),
        source="docs/perturbations.md",
        exact=False,
    ),
    Perturbation(
        "speech_noise",
        1,
        "noise with the spectrum of speech at an SNR",
        "track",
        SnrOptions,
        _plan_shaped("speech"),
        source="spectrum: Byrne et al. 1994, J. Acoust. Soc. Am. 96(4), table II",
        exact=False,
    ),
)
"""What this module adds to the catalogue."""
