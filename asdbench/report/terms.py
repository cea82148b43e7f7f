"""The words of tables, each in one line, for those who see such numbers for the first time."""

from __future__ import annotations

from collections.abc import Set

TERMS = {
    "row": ("row", "One face in one video frame. Everything is counted in rows."),
    "condition": (
        "condition",
        "What was changed. @0.50: in half of the speech that could be; @s3: severity 3 of 5; @+200: sound 200 ms late.",
    ),
    "mismatch": (
        "mismatch",
        "A speaking person is given another person's voice. The right answer is then: not speaking.",
    ),
    "misalign": (
        "misalign",
        "A speaking person's own voice is shifted in time. The right answer is then: not speaking.",
    ),
    "resplice": (
        "resplice",
        "The voice is cut out and put back as it was: a control. Whatever it moves is due to the cuts.",
    ),
    "threshold": (
        "threshold tpr:0.9",
        "The score above which 90 % of clean speech lies. It is frozen on clean data, so it cannot adapt to a change.",
    ),
    "ava": (
        "AP",
        "Average precision: how well scores rank speaking above silent rows; 100 % is perfect, the base rate "
        "is chance.",
    ),
    "tpr": ("TPR", "True positive rate: share of speaking rows called speaking."),
    "fpr": ("FPR", "False positive rate: share of silent rows called speaking, of those that nobody changed."),
    "share_changed": ("changed", "Share of the speaking rows that could be changed and were."),
    "fa_changed": (
        "fa_changed",
        "Share of changed rows still called speaking though the voice no longer fits. Lower is better.",
    ),
    "tpr_same_rows": ("same rows", "How often the model said speaking on those rows before they were changed."),
    "retention": (
        "retention",
        "fa_changed divided by same rows: how much belief survives the change. 1: notices nothing; 0: everything.",
    ),
    "sync_auroc": (
        "sync AUROC",
        "How well the score tells a row with its own sound from the same row changed. 0.5: not at all; 1: always.",
    ),
    "sync_winrate": (
        "win rate",
        "Share of rows whose score is higher with their own sound than changed; ties count half.",
    ),
    "ava_rescaled": (
        "AP above chance",
        "AP with chance as 0 and perfect as 1, so that parts with other base rates compare.",
    ),
    "ap_drop": ("AP drop", "Clean AP minus AP under the condition, in points."),
    "tpr_drop": ("TPR drop", "Clean TPR minus TPR under the condition, in points."),
    "auroc": (
        "AUROC",
        "Chance that a speaking row scores above a silent one. 0.5 is guessing; the base rate does not matter.",
    ),
    "base_rate": ("base rate", "Share of rows that speak."),
    "brier": ("Brier score", "Mean squared distance of probability and truth. 0 is best."),
    "ece": ("ECE", "Expected calibration error: how far probabilities are from the shares of rows that speak."),
    "offset_ms": (
        "peak ms",
        "By how much the sound must be moved for the highest scores; 0 is a model without offset.",
    ),
    "v": ("v(AV), v(A), v(V), v(∅)", "Score above chance with sound and faces, sound alone, faces alone, neither."),
    "phi": ("φ", "What sound, or faces, add on average over both orders of adding them (Shapley value)."),
    "interval": (
        "[low, high]",
        "95 % interval: recordings are drawn anew again and again, and 95 % of the numbers lie in between.",
    ),
    "undefined": ("–", "Has no value here; the reason stands below the table."),
}
"""Key of a column, or of a word: the word, and what it means."""

COMPARED = (
    ("B - A", "What B has more than A, in points, on the same rows."),
    (
        "better, worse",
        "The whole interval of the difference lies on one side of 0; else the data cannot tell them apart.",
    ),
    ("wins-ties-losses", "On how many recordings B is better, equal, worse: whether one of them decides it all."),
)
"""What a comparison adds."""

_ALWAYS = ("row", "condition", "threshold", "interval", "undefined")
_CARRIED = {"v": ("reliance", "reliance_zeroed"), "phi": ("reliance", "reliance_zeroed")}


def column_title(key: str) -> str:
    """Return what a column means, for those who point at its heading; empty where it needs no words."""
    return TERMS[key][1] if key in TERMS else ""


def terms_of(columns: Set[str], tables: Set[str], perturbations: Set[str]) -> list[tuple[str, str]]:
    """Return the words that a page uses, with their meaning, in order.

    Args:
        columns: Keys of the columns in the page.
        tables: Names of its tables.
        perturbations: Names of those in the run.
    """
    wanted = columns | perturbations | set(_ALWAYS) | {key for key, names in _CARRIED.items() if tables & set(names)}
    return [TERMS[key] for key in TERMS if key in wanted]
