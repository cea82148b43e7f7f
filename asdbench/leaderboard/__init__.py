"""Measured and published results, side by side but never in one column (docs/leaderboard.md)."""
