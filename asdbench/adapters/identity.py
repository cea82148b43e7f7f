"""What tells one model from another where there is no checkpoint to hash."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any
from uuid import uuid4

from asdbench.checkpoints.files import sha256_of
from asdbench.errors import UsageError


def version_of(scorer: Any) -> int:
    """Return the version of a model, 0 where it has none.

    Raises:
        UsageError: It is no whole number.
    """
    version = getattr(scorer, "version", 0)
    if not isinstance(version, int):
        raise UsageError(f"the model {type(scorer).__name__!r} has version = {version!r}; expected a whole number.")
    return version


def fingerprint_of(scorer: Any, own_object: bool = False) -> str | None:
    """Return what distinguishes a user's model from another of the same name.

    Args:
        scorer: The model.
        own_object: Whether the user passed an object, whose weights nothing here can see.

    Returns:
        Its own ``fingerprint`` where it has one; for a user's class the hash of the file that defines it; ``None`` for
        the models of this package, which the checkpoint identifies. Where nothing can tell, something new each
        time, so that no earlier run is ever taken for this one.
    """
    own = getattr(scorer, "fingerprint", None)
    if own is not None:
        return str(own)
    if own_object:
        return uuid4().hex
    if type(scorer).__module__.startswith("asdbench."):
        return None
    try:
        return sha256_of(Path(inspect.getfile(type(scorer))))
    except (OSError, TypeError):
        return uuid4().hex
