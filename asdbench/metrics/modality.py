"""How much of a model's performance each modality carries (docs/method.md, section 7)."""

from __future__ import annotations

from asdbench.errors import DataError, UndefinedMetricError


def rescaled_ap(ap: float, base_rate: float) -> float:
    """AP on a scale where chance is 0 and perfection 1: ``(AP - base rate) / (1 - base rate)``.

    Args:
        ap: Average precision, in [0, 1].
        base_rate: Share of positive rows, in [0, 1].

    Returns:
        At most 1; below 0 when the AP is below chance.

    Raises:
        DataError: A value is NaN or outside [0, 1].
        UndefinedMetricError: The base rate is 1, so that every ranking is perfect.

    Source:
        docs/method.md, section 7.

    Example:
        >>> rescaled_ap(0.75, 0.5)
        0.5
    """
    for name, value in (("AP", ap), ("base rate", base_rate)):
        if not 0 <= value <= 1:  # false for NaN too
            raise DataError(f"the {name} must lie in [0, 1], not be {value}.")
    if base_rate == 1:
        raise UndefinedMetricError("no negative rows remain (base rate 1), so every ranking is perfect.")
    return (ap - base_rate) / (1 - base_rate)
