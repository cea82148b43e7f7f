"""Claims of papers, measured on freshly trained models: what is claimed, the figures, the verdicts, the table.

See docs/claims.md.
"""
