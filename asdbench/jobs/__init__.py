"""A run from its settings to its folder: what identifies it, how it is scored, what is written."""
