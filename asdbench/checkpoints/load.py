"""Read a checkpoint without running any code in it, and put it into a module without forgiving anything."""

from __future__ import annotations

import pickletools
import re
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from asdbench.checkpoints.files import damaged, existing_file, refuse_bad_download
from asdbench.checkpoints.safe_tensors import is_safetensors, read_safetensors
from asdbench.errors import CheckpointError

FACE_SIZE = "asdbench.face_size"
"""Key of the metadata that says at which side, in pixels, the network was trained to see faces."""

AUDIO_WINDOW = "asdbench.audio_window"
"""Key of the metadata that says how PAIR-Net's audio encoder was trained to hear: ``padded`` or ``alone``."""

FACE_SIZES = (16, 512)
"""Smallest and largest side that a checkpoint may ask for."""

_SHOWN = 5  # keys listed of each kind before "..."
_OUTER = "model."
_CONVERT = "asdbench convert FILE OUT.safetensors"
_DTYPES = {torch.float64, torch.float32, torch.float16, torch.bfloat16}
_DTYPES |= {torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool}


@dataclass(frozen=True)
class Checkpoint:
    """What a file of weights holds.

    Attributes:
        state: Key to tensor, in the order of the file.
        metadata: What a safetensors file says about itself; other formats say nothing.
        face_size: Side in pixels at which its network sees faces, where the metadata name one.
    """

    state: dict[str, Tensor]
    metadata: Mapping[str, str]
    face_size: int | None


def load_checkpoint(path: Path | str) -> Checkpoint:
    """Load a flat state dict onto the CPU, and what the file says about it; nothing in the file is executed.

    The format is recognised by content: safetensors, or what ``torch.save(module.state_dict(), path)`` writes, which is
    read with ``torch.load(weights_only=True)``. Keys come back as the network has them: without the part ``module``
    that ``DataParallel`` adds, wherever it stands, and without a ``model.`` that a trainer puts before all of them
    although the network has a ``model`` of its own (LoCoNet's ``model.module.model.X`` becomes ``model.X``).

    Raises:
        CheckpointError: The file is missing, a folder, empty, truncated, a web page, needs code to be loaded, does not
            hold a flat dict of plain tensors, holds numbers that are not finite, or names a face size that is none.
    """
    path = existing_file(path)
    refuse_bad_download(path)
    metadata: Mapping[str, str] = {}
    if is_safetensors(path):
        content, metadata = read_safetensors(path)
    else:
        _check_archive(path)
        content = _load_weights_only(path)
    state = _without_wrappers(_flat_tensors(content, path), path)
    for key, tensor in state.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise CheckpointError(f"{path} holds numbers that are not finite (in {key!r}); take an earlier checkpoint.")
    return Checkpoint(state, metadata, _face_size(metadata, path))


def load_state_dict(path: Path | str) -> dict[str, Tensor]:
    """Return the weights of a checkpoint; see `load_checkpoint`."""
    return load_checkpoint(path).state


def _face_size(metadata: Mapping[str, str], path: Path) -> int | None:
    text = metadata.get(FACE_SIZE)
    if text is None:
        return None
    smallest, largest = FACE_SIZES
    if not re.fullmatch("[1-9][0-9]{1,2}", text) or not smallest <= int(text) <= largest:
        raise CheckpointError(
            f"{path} says {FACE_SIZE} = {text!r} in its metadata; expected a whole number of pixels from {smallest} to "
            f"{largest}."
        )
    return int(text)


def apply_state_dict(module: nn.Module, state: Mapping[str, Tensor], path: Path | str, assign: bool = False) -> None:
    """Load a state dict into a module; every key must be there, none may be left over, every shape must fit.

    Args:
        module: Receives the weights.
        state: As `load_state_dict` returns it.
        path: Where the state came from, for the message.
        assign: Let the module hold the tensors themselves instead of copies, so that it may be built on "meta".

    Raises:
        CheckpointError: Lists missing, unexpected and misfitting keys, the first five of each, with their counts.
    """
    wanted = module.state_dict()
    misfits = [
        f"{key} ({_describe(state[key])} instead of {_describe(wanted[key])})"
        for key in wanted
        if key in state and _kind(state[key]) != _kind(wanted[key])
    ]
    faults = {
        "missing": [key for key in wanted if key not in state],
        "unexpected": [key for key in state if key not in wanted],
        "of the wrong shape or type": misfits,
    }
    found = [_listing(kind, keys) for kind, keys in faults.items() if keys]
    if found:
        raise CheckpointError(
            f"{path} does not fit {type(module).__name__}: {'; '.join(found)}; use the model it was made for."
        )
    module.load_state_dict(state, strict=True, assign=assign)


def _check_archive(path: Path) -> None:
    """Refuse a zip archive that swells when it is read, and compare its checksums, which torch does not."""
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            # Before anything is read: what is compressed may grow beyond all bounds, in testzip and again in torch.
            if any(_is_compressed(entry) for entry in archive.infolist()):
                raise CheckpointError(
                    f"{path} is a compressed archive, as torch.save never writes one, so it was not read; download it "
                    "again, or save it anew with torch.save."
                )
            bad_entry = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError):
        raise damaged(path) from None
    if bad_entry is not None:
        raise damaged(path)


def _is_compressed(entry: zipfile.ZipInfo) -> bool:
    return entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size


def _load_weights_only(path: Path) -> Any:
    try:
        # Opened here, because torch would judge a path by its suffix.
        with path.open("rb") as file, warnings.catch_warnings():
            # torch warns about pickle protocols it may not know; if it then fails, the error below says what matters.
            warnings.simplefilter("ignore")
            return torch.load(file, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # broken archives and pickles raise whatever their bytes happen to lead to
        refused = re.search(r"GLOBAL (\S+)", str(error))
        if refused is None and not _is_pickle_with_code(path):
            raise damaged(path) from error
        raise CheckpointError(
            f"{path} needs {refused[1] if refused else 'code'} to run while loading, so it was refused and nothing in "
            f"it was executed; take its weights out, without running it either, with `{_CONVERT}`."
        ) from error


def _is_pickle_with_code(path: Path) -> bool:
    """Whether the file is one whole pickle that names something to import; reads its instructions, runs none.

    Torch stops at the first instruction it does not know, often before it reaches the name it would have refused.
    """
    try:
        with path.open("rb") as file:
            instructions = {operation.name for operation, _, _ in pickletools.genops(file)}
    except Exception:  # not a pickle: pickletools raises whatever the bytes happen to lead to
        return False
    return not instructions.isdisjoint({"GLOBAL", "STACK_GLOBAL", "INST"})


def _flat_tensors(content: Any, path: Path) -> dict[str, Tensor]:
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} holds a {type(content).__name__}, not a dict of tensors; save a state dict.")
    if not content:
        raise CheckpointError(f"{path} holds an empty dict; save a state dict with the weights in it.")
    strays = [key for key, value in content.items() if not (isinstance(key, str) and isinstance(value, Tensor))]
    if not strays:
        _refuse_odd_tensors(content, path)
        return content
    nested = [key for key in strays if isinstance(content[key], dict)]
    advice = f"take it out with `{_CONVERT} --key {nested[0]}`" if nested else f"take it out with `{_CONVERT}`"
    raise CheckpointError(
        f"{path} is not a flat dict of tensors: {_listing('something else', [str(key) for key in strays])}; {advice}."
    )


def _refuse_odd_tensors(content: Mapping[str, Tensor], path: Path) -> None:
    """Let no tensor pass with which arithmetic fails, or takes more memory than the file is long."""
    for key, tensor in content.items():
        oddity = _oddity(tensor)
        if oddity:
            raise CheckpointError(
                f"{path} holds {key!r}, which {oddity}; expected plain numbers, so save plain weights."
            )


def _oddity(tensor: Tensor) -> str | None:
    if tensor.is_nested or tensor.layout is not torch.strided:
        return "is nested or sparse"
    if tensor.device.type != "cpu":
        return f"has no numbers on the CPU (device {tensor.device})"
    if tensor.is_quantized or tensor.dtype not in _DTYPES:
        return f"is of the type {str(tensor.dtype).removeprefix('torch.')}"
    if tensor.numel() * tensor.itemsize > tensor.untyped_storage().nbytes():
        return "repeats numbers to fill its shape"
    return None


def _without_wrappers(content: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Return the keys as the network itself has them.

    Two things wrap a network. ``DataParallel`` puts a part ``module`` into each key, which no network of the field has
    itself. And a trainer may keep the whole network, heads and all, in its attribute ``model``; where the network has a
    ``model`` of its own (LoCoNet: ``model.module.model.X`` beside ``model.module.lossAV.X``), the outer one is told by
    standing before every key. In Light-ASD's files it does not stand before those of the heads, so there it stays.
    """
    state = {".".join(part for part in key.split(".") if part != "module"): value for key, value in content.items()}
    if len(state) != len(content):
        raise CheckpointError(f"{path} holds the same keys with and without 'module.'; save one state dict alone.")
    while all(key.startswith(_OUTER) for key in state) and any(key.startswith(_OUTER * 2) for key in state):
        state = {key.removeprefix(_OUTER): value for key, value in state.items()}
    return state


def _kind(tensor: Tensor) -> tuple[tuple[int, ...], bool]:
    # float16 weights may enter a float32 module, whole numbers (quantised weights) may not.
    return tuple(tensor.shape), tensor.is_floating_point()


def _describe(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"


def _listing(kind: str, keys: list[str]) -> str:
    more = ", ..." if len(keys) > _SHOWN else ""
    return f"{len(keys)} {kind} ({', '.join(keys[:_SHOWN])}{more})"
