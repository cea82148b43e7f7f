"""How each perturbation is called and drawn, the same in every figure."""

from __future__ import annotations

from typing import Any

from asdbench.report.plot import AMBER, BLUE, GREEN, GUIDE, ORANGE, PINK, SKY, shortened

_STYLE: dict[str, dict[str, Any]] = {
    "mismatch": {"color": ORANGE, "marker": "o", "linestyle": "-"},
    "misalign": {"color": BLUE, "marker": "s", "linestyle": "--"},
    "resplice": {"color": GREEN, "marker": "^", "linestyle": "-."},
    "dubbed": {"color": PINK, "marker": "D", "linestyle": ":"},
    "synctalknet_shift": {"color": SKY, "marker": "v", "linestyle": "--"},
    "synctalknet_flip": {"color": AMBER, "marker": "<", "linestyle": "-."},
    "synctalknet_repeat": {"color": GREEN, "marker": ">", "linestyle": ":"},
    "synctalknet_silence": {"color": GUIDE, "marker": "P", "linestyle": "-"},
    "synctalknet_swap": {"color": PINK, "marker": "X", "linestyle": "-"},
}
_LABELS = {
    "mismatch": "another person's voice (mismatch)",
    "misalign": "own voice shifted (misalign)",
    "resplice": "own voice cut and put back (resplice)",
    "dubbed": "lips dubbed with another voice (dubbed)",
}


def family_style(name: str) -> dict[str, Any]:
    """Return colour, marker and dashes of a perturbation.

    Args:
        name: Without a version.
    """
    return _STYLE.get(name, {"color": AMBER, "marker": "*", "linestyle": "-"})


def family_words(name: str) -> str:
    """Return a perturbation in plain words; empty for one that has none.

    Args:
        name: Without a version.
    """
    return _LABELS.get(name, "").partition(" (")[0]


def family_label(name: str) -> str:
    """Return what a legend calls a perturbation.

    Args:
        name: Without a version.
    """
    return _LABELS.get(name, shortened(name, 40))
