"""The record of a run: a folder from which every number can be recomputed."""
