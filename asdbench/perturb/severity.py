"""Severities of corruptions: five per kind, as in ImageNet-C (Hendrycks and Dietterich 2019, section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeVar

import msgspec

Severity = Annotated[int, msgspec.Meta(ge=1, le=5)]

_Number = TypeVar("_Number", int, float)


class SeverityOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How strongly, from 1 to 5; an option with the physical amount takes its place."""

    severity: Severity = 3

    def amount(self, given: _Number | None, by_severity: Sequence[_Number]) -> _Number:
        """Return the amount that was given, else that of the severity."""
        return by_severity[self.severity - 1] if given is None else given
