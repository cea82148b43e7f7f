"""Protocols: named scoring rules on top of the metrics, one file per rule; `catalogue.py` lists them."""
