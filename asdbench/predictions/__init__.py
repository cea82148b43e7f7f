"""Readers of the prediction files of other code bases (docs/materialize.md)."""
