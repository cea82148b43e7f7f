"""Rules against a baseline: whether a checkpoint got worse (docs/gates.md)."""
