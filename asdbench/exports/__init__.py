"""What other tools read: model cards, experiment loggers, JSON schemas (docs/exports.md)."""
