"""Losses as the papers train with them: pure functions, one file per family; no network, no file, no device.

B clips of T frames; labels are 1 where the face speaks and is heard, else 0. Two-class logits hold *speaking* in
column 1. Audio and face embeddings, ``[B, T, D]``, are what enters the fusion of a model.
"""
