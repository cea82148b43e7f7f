"""Encoders in half precision: quicker on GPUs that have units for it, at scores that differ in the third digit.

Input, embeddings and heads stay in float32: it is the encoders that take the time, and heads whose sums run over whole
tracks that lose most.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from asdbench.adapters.base import Adapter
from asdbench.errors import UsageError
from asdbench.types import Scorer

DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
"""Setting to the name of torch's type."""

_T = TypeVar("_T")


def require_precision(scorer: Scorer, name: str, device: str) -> None:
    """Refuse a precision that a model cannot have.

    Args:
        scorer: The model.
        name: A key of `DTYPES`.
        device: Torch device.

    Raises:
        UsageError: It has no encoders that torch computes, or the device is too slow at it to be meant.
    """
    if name == "fp32":
        return
    if not isinstance(scorer, Adapter) or getattr(scorer, "network", None) is None:
        raise UsageError(f"--dtype {name} is for models of encoders that torch computes; leave it out for this one.")
    if name == "fp16" and device.partition(":")[0] == "cpu":
        raise UsageError("--dtype fp16 is for GPUs; on the CPU take bf16, or fp32.")


def encoded(scorer: Any, name: str, encode: Callable[[], _T]) -> _T:
    """Return an embedding that was computed in some precision, in float32.

    Args:
        scorer: The model.
        name: A key of `DTYPES`.
        encode: Computes it.
    """
    if name == "fp32":
        return encode()
    import torch

    with torch.autocast(scorer.device.type, getattr(torch, DTYPES[name])):
        embedding = encode()
    result: _T = _in_float32(embedding)
    return result


def _in_float32(embedding: Any) -> Any:
    import torch

    if isinstance(embedding, torch.Tensor):
        return embedding.float() if embedding.is_floating_point() else embedding
    if isinstance(embedding, list):
        return [_in_float32(each) for each in embedding]
    if is_dataclass(embedding) and not isinstance(embedding, type):
        held = {field.name: getattr(embedding, field.name) for field in fields(embedding) if field.init}
        return replace(embedding, **{key: _in_float32(value) for key, value in held.items()})
    return embedding
