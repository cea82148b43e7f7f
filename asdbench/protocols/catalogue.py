"""The protocols by name: what each ranks, what its number is, what it needs, whose rule it is (docs/protocols.md)."""

from __future__ import annotations

from dataclasses import dataclass

from asdbench.registry import unknown_name


@dataclass(frozen=True)
class Protocol:
    """A named scoring rule.

    Attributes:
        name: Its name, which every number of it carries.
        ranks: What it looks at.
        number: What it gives.
        needs: What ``asdbench score PRED --labels GT`` needs beside scores and labels of the same rows.
        source: Where the rule is from.
    """

    name: str
    ranks: str
    number: str
    needs: str
    source: str


_AVA_SOURCE = "ActivityNet, get_ava_active_speaker_performance.py"

PROTOCOLS = {
    each.name: each
    for each in (
        Protocol("ava", "labelled face boxes", "AP with envelope", "", _AVA_SOURCE),
        Protocol("ap", "labelled face boxes", "AP without envelope", "", "scikit-learn, average_precision_score"),
        Protocol("ego4d-ava", "annotated Ego4D boxes", "AP with envelope", "Ego4D's labels", "LoCoNet, SPELL, STHG"),
        Protocol(
            "ego4d-map50",
            "detected Ego4D boxes",
            "AP with envelope, recall over all speaking boxes",
            "Ego4D's labels",
            "EGO4D/audio-visual, active_speaker_evaluation",
        ),
        Protocol(
            "wasd", "rows per category, and all", "AP with envelope", "dataset_division.txt", "WASD_evaluation.py"
        ),
        Protocol(
            "unitalk", "rows per list of videos, and all", "AP with envelope", "the lists", "UniTalk's evaluation lists"
        ),
        Protocol("asw", "samples with eval 1", "AP without envelope, AUROC, EER", "ASW's labels", "TS-TalkNet, issues"),
        Protocol(
            "columbia-f1",
            "labelled boxes of five people",
            "F1 at log-odds 0",
            "col_labels/, boxes of scored tracks",
            "TalkNet-ASD, demoTalkNet.py",
        ),
        Protocol(
            "tnr",
            "rows with foreign or shifted sound",
            "share called not speaking, beside the clean recall",
            "--scores, --clean",
            "asdbench, after LASER",
        ),
        Protocol(
            "laser",
            "rows with the labels given",
            "shares right: of all, talking, not talking",
            "--scores",
            "LASER, get_ava_active_speaker_performance_no_map.py",
        ),
    )
}
"""Name to protocol, in the order of docs/protocols.md."""

_OTHER_NUMBERS = ("ap", "asw", "columbia-f1", "tnr", "laser")


def protocol_named(name: str) -> Protocol:
    """Return a protocol.

    Raises:
        UnknownNameError: There is none of this name.
    """
    if name not in PROTOCOLS:
        raise unknown_name("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]


def envelope_rule(protocol: str) -> str:
    """Return the name under which AP with envelope goes on rows of a protocol.

    Args:
        protocol: Of a data set. Where its own number is another, AP with envelope is that of the rule ``ava``.
    """
    return "ava" if protocol in _OTHER_NUMBERS else protocol
