"""Every number of a run, from its rows: one section of ``metrics.json`` per file (docs/run_folder.md)."""
