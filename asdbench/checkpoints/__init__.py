"""Checkpoints: safe loading, identification by content, model cards. Importing this package does not import torch."""
