"""Metrics: pure functions, arrays in, numbers out.

numpy only: no file, no model, no torch. A metric without a value raises ``UndefinedMetricError`` with the reason.
"""

from __future__ import annotations

from asdbench.metrics.at_threshold import balanced_accuracy_at, gap_between, retention_at, share_at
from asdbench.metrics.average_precision import (
    average_precision,
    average_precision_step,
    average_precision_tie_bounds,
    average_precision_tie_safe,
    is_constant,
    tied_share,
)
from asdbench.metrics.bootstrap import combine, per_unit, replicate, resampling_of, win_tie_loss
from asdbench.metrics.calibration import brier_score, probability, reliability
from asdbench.metrics.cells import cell, face_count_band, face_width_band, offscreen_speech, run_length_band, tercile
from asdbench.metrics.intervals import interval, verdict
from asdbench.metrics.measured import measure
from asdbench.metrics.modality import rescaled_ap
from asdbench.metrics.operating import operating_point
from asdbench.metrics.rates import false_positive_rate, positive_share, true_positive_rate
from asdbench.metrics.roc import auroc, equal_error_rate, roc_curve
from asdbench.metrics.shapley import mean_value, reliance, rescaled_balanced_accuracy
from asdbench.metrics.suspects import robust_scale, tpr_gap
from asdbench.metrics.synchrony import MIN_TPR_SAME_ROWS, retention, sync_auroc, sync_winrate
from asdbench.metrics.thresholds import FIXED_HALF, frozen_thresholds, threshold_at_eer, threshold_at_tpr
from asdbench.metrics.units import resampling_units

__all__ = [
    "FIXED_HALF",
    "MIN_TPR_SAME_ROWS",
    "auroc",
    "average_precision",
    "average_precision_step",
    "average_precision_tie_bounds",
    "average_precision_tie_safe",
    "balanced_accuracy_at",
    "brier_score",
    "cell",
    "combine",
    "equal_error_rate",
    "face_count_band",
    "face_width_band",
    "false_positive_rate",
    "frozen_thresholds",
    "gap_between",
    "interval",
    "is_constant",
    "mean_value",
    "measure",
    "offscreen_speech",
    "operating_point",
    "per_unit",
    "positive_share",
    "probability",
    "reliability",
    "reliance",
    "replicate",
    "resampling_of",
    "resampling_units",
    "rescaled_ap",
    "rescaled_balanced_accuracy",
    "retention",
    "retention_at",
    "robust_scale",
    "roc_curve",
    "run_length_band",
    "share_at",
    "sync_auroc",
    "sync_winrate",
    "tercile",
    "threshold_at_eer",
    "threshold_at_tpr",
    "tied_share",
    "tpr_gap",
    "true_positive_rate",
    "verdict",
    "win_tie_loss",
]
