"""What other tools read: model cards, experiment loggers, JSON schemas (docs/exports.md)."""

from asdbench.exports.card import card_yaml, update_card
from asdbench.exports.figures import Figure, headline_figures, write_figures_parquet
from asdbench.exports.loggers import LOGGERS, log_run, require_loggers
from asdbench.exports.model_index import model_index
from asdbench.exports.schemas import read_schema, schema_names

__all__ = [
    "LOGGERS",
    "Figure",
    "card_yaml",
    "headline_figures",
    "log_run",
    "model_index",
    "read_schema",
    "require_loggers",
    "schema_names",
    "update_card",
    "write_figures_parquet",
]
