"""In which order a page shows the tables and figures of a run, under which headings, and what each is in one line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

EXPLAINED = {
    "robustness": (
        "All conditions",
        "One line per condition: how many speaking frames were changed, and what became of it.",
    ),
    "voiced": ("Where there is voice", "The same rates without pauses, which could give a change away."),
    "shifts": ("Shifts by size", "Late or early sound, and by how much: small shifts are hard for people, too."),
    "retention_vs_proportion": (
        "Retention against proportion",
        "How much of the model's belief survives when speech no longer fits the lips: 1 is never noticing, 0 always.",
    ),
    "ap_vs_proportion": (
        "AP against proportion",
        "AP as ever more speech stops fitting the lips. A model that ignores synchrony follows the line 1 − p.",
    ),
    "corruptions": ("Corruptions", "How much AP is lost when sound or picture get worse, by kind and severity."),
    "accuracy": (
        "Accuracy at probability 0.5",
        "LASER's measure: how often the model is right without any threshold of ours.",
    ),
    "modality": ("Without a modality", "What is left when sound or faces are taken away, or replaced by others."),
    "reliance": (
        "What each modality gives",
        "The score above chance, divided between sound and faces; measured with recordings of others in their place.",
    ),
    "reliance_zeroed": (
        "The same with silence and black",
        "Silence and black pictures say something, too, so read this one second.",
    ),
    "curve": (
        "Synchrony curve",
        "Mean score as all sound is moved. A peak at 0 above the activity floor means that lips are matched "
        "with sound, not only starts and pauses.",
    ),
    "peaks": ("Peaks", "Where the curve is highest, how high above its floor, and how wide."),
    "pr_curves": (
        "Precision and recall",
        "Every threshold at once: how many alarms are right, how much speech is found.",
    ),
    "precision": (
        "AP, both definitions",
        "The field uses two; and what the model reaches on rows that were not changed.",
    ),
    "scores": ("Scores", "If the curves of changed speech lie on the clean one, the model cannot tell them apart."),
    "score_histograms": (
        "Scores",
        "If the curves of changed speech lie on the clean one, the model cannot tell them apart.",
    ),
    "thresholds": ("Rates at three thresholds", "Whether the picture depends on where the threshold is put."),
    "suspects": (
        "Dubbing suspects, per video",
        "Videos in which lips move and the model does not believe the sound, far more often than elsewhere.",
    ),
    "sources": ("Per source", "Each recording on its own: whether the mean speaks for all of them."),
    "breakdowns": ("Breakdown", "Clean figures on parts of the data: where the model is weak to begin with."),
    "reliability": ("Calibration", "Whether a probability of 0.8 means that four in five such rows speak."),
    "plan_seeds": ("Under other plans", "How much the numbers move when other runs are changed, with other donors."),
    "cost": ("Cost", "What scoring this run took."),
    "changes": (
        "What was changed",
        "How many speaking runs could be changed, how many were, and whose sound was lent.",
    ),
    "audit": ("Audit", "Measured on the media before scoring: whether each change is what its suite says."),
    "cues": ("What sound alone gives away", "Whether one could hear a change without seeing lips; 0.5 is not at all."),
}
"""Name of a table or figure: its heading, and what it is."""


@dataclass(frozen=True)
class Group:
    """Tables and figures under one heading.

    Attributes:
        key: The ``id`` in the page.
        title: Heading.
        lead: What the question is.
        names: Of its tables and figures, in order. What has no group of its own goes to that of the longest name that
            its own begins with.
    """

    key: str
    title: str
    lead: str
    names: tuple[str, ...] = field(default=())


GROUPS = (
    Group(
        "robustness",
        "Robustness",
        "Does the model notice when sound and lips no longer belong together?",
        ("robustness", "retention_vs_proportion", "ap_vs_proportion", "voiced", "shifts"),
    ),
    Group(
        "corruptions",
        "Worse sound and pictures",
        "How much is lost where everything still fits, but is harder to hear or see?",
        ("corruptions", "accuracy"),
    ),
    Group(
        "reliance",
        "Modality reliance",
        "How much does the model owe to sound, and how much to faces?",
        ("modality", "reliance", "reliance_zeroed"),
    ),
    Group(
        "synchrony", "Synchrony curve", "How finely does it know that sound and lips are in time?", ("curve", "peaks")
    ),
    Group(
        "precision-recall",
        "Precision and recall",
        "What do figures at one threshold hide?",
        ("pr_curves", "precision"),
    ),
    Group(
        "distributions",
        "Scores and thresholds",
        "How far apart are speaking, silent and changed rows?",
        ("scores", "score_histograms", "thresholds"),
    ),
    Group("videos", "Videos and sources", "Is it the same everywhere?", ("suspects", "sources")),
    Group("breakdown", "Breakdown", "On which faces and moments is the model weak on clean data?", ("breakdowns",)),
    Group("calibration", "Calibration", "Can its probabilities be taken at their word?", ("reliability",)),
    Group("plans", "Other plans", "Does it depend on what happened to be changed?", ("plan_seeds",)),
    Group("more", "Further protocols", "What other rules of the field make of the same scores."),
    Group("cost", "Cost", "What does it take to run this model?", ("cost",)),
    Group("checks", "Audit and cues", "Were the changes what they claim to be?", ("changes", "audit", "cues")),
)
"""Headings of a page, in order."""

_REST = "more"


def arranged(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the key of each group that has something to show, with what it shows, in order.

    Args:
        names: Of tables and figures that there are.
    """
    found: dict[str, list[tuple[int, int, str]]] = {group.key: [] for group in GROUPS}
    for arrival, name in enumerate(dict.fromkeys(names)):
        key, place = _place(name)
        found[key].append((place, arrival, name))
    return {key: [name for *_, name in sorted(placed)] for key, placed in found.items() if placed}


def _place(name: str) -> tuple[str, int]:
    """Return group and place of a name: its own, else that of the longest name it begins with."""
    known = [(own, group.key, place) for group in GROUPS for place, own in enumerate(group.names)]
    fitting = [each for each in known if name == each[0] or name.startswith(f"{each[0]}_")]
    if not fitting:
        return _REST, 0
    _, key, place = max(fitting, key=lambda each: len(each[0]))
    return key, place


def explained(name: str) -> tuple[str, str]:
    """Return heading and explanation of a table or figure."""
    if name in EXPLAINED:
        return EXPLAINED[name]
    return name.replace("_", " ").capitalize(), ""
