"""Trains the demo checkpoints: ``python -m tools.train_demo --help``, from the top of a checkout."""
