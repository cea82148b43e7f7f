"""What rooms and recorders do to the sound: reverb, clipping, low_pass (docs/perturbations.md)."""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from asdbench.perturb.audio import active_level, level_gain, to_int16
from asdbench.perturb.edits import AudioEdit, Lender
from asdbench.perturb.severity import SeverityOptions
from asdbench.perturb.spectrum import convolve, made_with
from asdbench.perturb.stream import normal
from asdbench.perturb.targets import Outcome, Perturbation, PlanContext, Planner
from asdbench.types import SAMPLE_RATE, Int16Array, Media

RT60_S = (0.3, 0.5, 0.8, 1.2, 2.0)
"""Time in which the reverberation falls by 60 dB, by severity, in seconds."""
HEADROOM_DB = (6.0, 3.0, 0.0, -3.0, -6.0)
"""Level at which a sample is clipped above the active level, by severity, in dB."""
CUTOFF_HZ = (4000.0, 3000.0, 2000.0, 1000.0, 500.0)
"""Frequency from which on nothing is left, by severity."""

_FIRST_REFLECTION = SAMPLE_RATE * 5 // 2000
_EVEN_RT60_S = 1.0
_TAPS = 1025


def impulse_response(seed: str, rt60: float) -> NDArray[np.float64]:
    """Return the response of a made-up room: the direct sound at sample 0, then decaying noise from 2.5 ms on.

    The statistical model of late reverberation of Polack (1988): Gaussian noise under an exponential. Its energy is
    that of the direct sound at an RT60 of 1 s, and grows in proportion to RT60, as in a room of one size with ever
    harder walls.

    Args:
        seed: Any text; rooms with different seeds differ.
        rt60: Time of a decay by 60 dB, in seconds.
    """
    times = np.arange(max(round(rt60 * SAMPLE_RATE), _FIRST_REFLECTION + 1)) / SAMPLE_RATE
    response = normal(seed, len(times)) * 10 ** (-3 * times / rt60)
    response[:_FIRST_REFLECTION] = 0
    response *= np.sqrt(rt60 / _EVEN_RT60_S / (response**2).sum())
    response[0] = 1.0
    result: NDArray[np.float64] = response
    return result


def reverb(waveform: Int16Array, response: NDArray[np.float64]) -> Int16Array:
    """Return the sound in a room, at its own active level; what still rings after its end is cut off."""
    wet = convolve(waveform, response)[: len(waveform)]
    return to_int16(wet * level_gain(waveform, wet))


def clipping(waveform: Int16Array, headroom_db: float) -> Int16Array:
    """Clip what is louder than the active level plus ``headroom_db``, then give the rest the old active level."""
    limit = max(active_level(waveform) * 10 ** (headroom_db / 20), 1.0)
    clipped = np.clip(waveform.astype(np.float64), -limit, limit)
    return to_int16(clipped * level_gain(waveform, clipped))


def low_pass(waveform: Int16Array, cutoff_hz: float) -> Int16Array:
    """Take away what is above a frequency, without delay.

    A symmetric filter of 1025 samples, the sinc function under a Blackman window: 6 dB less at the frequency itself,
    more than 70 dB less from 50 Hz above it.
    """
    places = np.arange(_TAPS) - _TAPS // 2
    taps = np.sinc(places * (2 * cutoff_hz / SAMPLE_RATE)) * np.blackman(_TAPS)
    filtered = convolve(waveform, taps / taps.sum())
    return to_int16(filtered[_TAPS // 2 : _TAPS // 2 + len(waveform)])


class ReverbEdit(AudioEdit, frozen=True, kw_only=True, tag="reverb"):
    """A made-up room."""

    rt60: float
    seed: str
    made_with: str

    def apply(self, original: Int16Array, media: Media, lender: Lender) -> Int16Array:
        """See `reverb` and `impulse_response`."""
        return reverb(original, impulse_response(self.seed, self.rt60))


class ClippingEdit(AudioEdit, frozen=True, kw_only=True, tag="clipping"):
    """Clipped peaks."""

    headroom_db: float

    def apply(self, original: Int16Array, media: Media, lender: Lender) -> Int16Array:
        """See `clipping`."""
        return clipping(original, self.headroom_db)


class LowPassEdit(AudioEdit, frozen=True, kw_only=True, tag="low_pass"):
    """Nothing above a frequency."""

    cutoff_hz: float
    made_with: str

    def apply(self, original: Int16Array, media: Media, lender: Lender) -> Int16Array:
        """See `low_pass`."""
        return low_pass(original, self.cutoff_hz)


class ReverbOptions(SeverityOptions, frozen=True, forbid_unknown_fields=True):
    """Time of a decay by 60 dB, in seconds."""

    rt60: Annotated[float, msgspec.Meta(ge=0.05, le=10)] | None = None


class ClippingOptions(SeverityOptions, frozen=True, forbid_unknown_fields=True):
    """Where clipping starts, in dB above the active level."""

    headroom_db: Annotated[float, msgspec.Meta(ge=-30, le=30)] | None = None


class LowPassOptions(SeverityOptions, frozen=True, forbid_unknown_fields=True):
    """The frequency from which on nothing is left, in Hz."""

    cutoff_hz: Annotated[float, msgspec.Meta(ge=50, le=8000)] | None = None


def plan_reverb(context: PlanContext, options: ReverbOptions, me: Perturbation) -> Planner:
    """A room per track, the same at every severity but for the decay."""
    chooser, versions, rt60 = context.chooser(me), made_with(), options.amount(options.rt60, RT60_S)
    return lambda target: Outcome(
        (ReverbEdit(version=me.version, rt60=rt60, seed=chooser.seed(target.target_id), made_with=versions),)
    )


def plan_clipping(context: PlanContext, options: ClippingOptions, me: Perturbation) -> Planner:
    """Clipped peaks."""
    edit = ClippingEdit(version=me.version, headroom_db=options.amount(options.headroom_db, HEADROOM_DB))
    return lambda target: Outcome((edit,))


def plan_low_pass(context: PlanContext, options: LowPassOptions, me: Perturbation) -> Planner:
    """Nothing above a frequency."""
    cutoff = options.amount(options.cutoff_hz, CUTOFF_HZ)
    edit = LowPassEdit(version=me.version, cutoff_hz=cutoff, made_with=made_with())
    return lambda target: Outcome((edit,))


_OURS = "docs/perturbations.md"

CHANNEL = (
    Perturbation(
        "reverb",
        1,
        "the sound in a made-up room",
        "track",
        ReverbOptions,
        plan_reverb,
        source="after Polack 1988, La transmission de l'energie sonore dans les salles; docs/perturbations.md",
        exact=False,
    ),
    Perturbation("clipping", 1, "clipped peaks", "track", ClippingOptions, plan_clipping, source=_OURS),
    Perturbation(
        "low_pass", 1, "nothing above a frequency", "track", LowPassOptions, plan_low_pass, source=_OURS, exact=False
    ),
)
"""What this module adds to the catalogue."""
