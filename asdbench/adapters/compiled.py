"""Visual encoders compiled by torch: for GPUs, where fewer and larger kernels save time; off unless asked for.

Lengths are dynamic, so that tracks of all lengths share what is compiled. What is compiled is the plain module, not the
way in which it is rewritten for the CPU.
"""

from __future__ import annotations

import torch

from asdbench.adapters.torch_adapter import CROP_SIZE, exact_inference
from asdbench.adapters.two_stream import TwoStreamAdapter
from asdbench.errors import UsageError
from asdbench.networks.fast import Rewritable, optimised

_FRAMES = 9  # to try it with; torch takes lengths of 0 and 1 for special


def compilable(scorer: object) -> TwoStreamAdapter:
    """Return a model that `compile_encoder` does something for.

    Raises:
        UsageError: This is none.
    """
    if not isinstance(scorer, TwoStreamAdapter):
        raise UsageError("--compile is for Light-ASD, LR-ASD, TalkNet and Sync-TalkNet; leave it out for this model.")
    return scorer


def compile_encoder(model: TwoStreamAdapter) -> str:
    """Let torch compile the visual encoder of a model; once is enough.

    Returns:
        Why that was not possible, in a sentence; nothing where it was. The model scores either way.
    """
    if model.compiled is not None:
        return ""
    encoders = [module for module in model.network.modules() if isinstance(module, Rewritable)]
    side = model.needs.crop_size or CROP_SIZE
    for encoder in encoders:
        encoder.slow_down()
        encoder.compile(dynamic=True)
    try:
        with exact_inference(model.device):
            model.network.embed_faces(torch.zeros(1, _FRAMES, side, side, device=model.device))
    except Exception as error:  # noqa: BLE001,RUF100 - each backend and each missing compiler has errors of its own
        for encoder in encoders:
            encoder._compiled_call_impl = None
        if model.device.type == "cpu":
            optimised(model.network)
        model.compiled = False
        said = str(error).strip().splitlines() or [""]
        return f"torch.compile is not possible here ({type(error).__name__}: {said[0]}), so the encoder runs without."
    model.compiled = True
    return ""
