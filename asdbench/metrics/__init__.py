"""Metrics: pure functions, arrays in, numbers out.

numpy only: no file, no model, no torch. A metric without a value raises ``UndefinedMetricError`` with the reason.
"""

from __future__ import annotations

from asdbench.metrics.average_precision import (
    average_precision,
    average_precision_tie_bounds,
    average_precision_tie_safe,
    tied_share,
)
from asdbench.metrics.modality import rescaled_ap
from asdbench.metrics.rates import false_positive_rate, positive_share, true_positive_rate
from asdbench.metrics.synchrony import MIN_TPR_SAME_ROWS, retention, sync_auroc, sync_winrate
from asdbench.metrics.thresholds import FIXED_HALF, frozen_thresholds, threshold_at_eer, threshold_at_tpr

__all__ = [
    "FIXED_HALF",
    "MIN_TPR_SAME_ROWS",
    "average_precision",
    "average_precision_tie_bounds",
    "average_precision_tie_safe",
    "false_positive_rate",
    "frozen_thresholds",
    "positive_share",
    "rescaled_ap",
    "retention",
    "sync_auroc",
    "sync_winrate",
    "threshold_at_eer",
    "threshold_at_tpr",
    "tied_share",
    "true_positive_rate",
]
