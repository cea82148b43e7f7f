"""Losses that train audio-visual speaker detectors: tensors in, tensors out."""
