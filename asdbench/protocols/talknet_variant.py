"""What the TalkNet family's copy of the AVA scorer prints, and what its training scripts read of it.

The AP is that of ``ava``. The copy reads files *with* a header, picks columns by name, and prints a percentage of two
decimals.
"""

from __future__ import annotations

from asdbench.errors import DataError


def printed(ap: float) -> str:
    """Return the line that the scorer prints: ``average precision: 92.27%``.

    Args:
        ap: In [0, 1].

    Raises:
        DataError: NaN, or outside [0, 1].

    Source:
        TalkNet-ASD, ``utils/get_ava_active_speaker_performance.py``; the same in Light-ASD, LR-ASD, LoCoNet,
        SyncTalkNet, ASDnB.

    Example:
        >>> printed(0.9124668981357549)
        'average precision: 91.25%'
    """
    if not 0 <= ap <= 1:
        raise DataError(f"an AP must lie in [0, 1], not be {ap}.")
    return f"average precision: {100.0 * ap:2.2f}%"


def read_by_training_scripts(line: str) -> float | None:
    """Return what the training scripts make of the line: five characters of its third word.

    Args:
        line: From ``printed``.

    Returns:
        The percentage; ``None`` below 10 %, where the five characters include the percent sign and the scripts stop.

    Raises:
        Nothing.

    Source:
        TalkNet-ASD, ``talkNet.py``.

    Example:
        >>> read_by_training_scripts("average precision: 100.00%"), read_by_training_scripts("average precision: 1.96%")
        (100.0, None)
    """
    words = line.split(" ")
    try:
        return float(words[2][:5])
    except (IndexError, ValueError):
        return None
