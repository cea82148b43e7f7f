"""A number, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable

from asdbench.errors import UndefinedMetricError

Measured = float | dict[str, str]
"""A finite number, or ``{"undefined": reason}``; never NaN."""


def measure(metric: Callable[[], float]) -> Measured:
    """Return the value of a metric, or the reason why it has none on these rows.

    Broken input is no such reason: a ``DataError`` passes through.

    Args:
        metric: Called without arguments.

    Returns:
        The number, or ``{"undefined": reason}``.

    Raises:
        DataError: As the metric raises it.

    Source:
        docs/method.md, section 6 ("undefined").

    Example:
        >>> from asdbench.metrics import average_precision
        >>> measure(lambda: average_precision([0], [1.0]))
        {'undefined': 'no positive rows remain.'}
    """
    try:
        return metric()
    except UndefinedMetricError as error:
        return {"undefined": str(error)}


def is_number(measured: Measured) -> bool:
    """Tell whether there is a value.

    Args:
        measured: What ``measure`` returned.

    Returns:
        True for a number.

    Raises:
        Nothing.

    Source:
        Own.

    Example:
        >>> is_number({"undefined": "no rows remain."})
        False
    """
    return not isinstance(measured, dict)
