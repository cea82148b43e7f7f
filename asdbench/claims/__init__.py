"""What papers say of their training ideas, measured on small trainings of one's own (docs/claims.md)."""
