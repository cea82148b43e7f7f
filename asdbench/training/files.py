"""Names of what a training leaves in its folder; importing this does not import torch."""

from __future__ import annotations

WEIGHTS_FILE = "checkpoint.safetensors"
"""The weights, with what they are in the metadata."""

OFFICIAL_FILE = "checkpoint.model"
"""The same, as the official code loads them: a plain state dict."""

EPOCHS_FOLDER = "epochs"
"""One folder per measured epoch, from 1."""

STATE_FILE = "state.pt"
"""Only there while a training is unfinished."""
