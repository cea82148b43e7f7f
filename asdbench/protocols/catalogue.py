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
        figure: Key of its number among ``metrics``.
    """

    name: str
    ranks: str
    number: str
    needs: str
    source: str
    figure: str = "ava"


_AVA_SOURCE = "ActivityNet, get_ava_active_speaker_performance.py"

PROTOCOLS = {
    each.name: each
    for each in (
        Protocol("ava", "labelled face boxes", "AP with envelope", "", _AVA_SOURCE),
        Protocol("ap", "labelled face boxes", "AP without envelope", "", "scikit-learn, average_precision_score", "ap"),
        Protocol("ego4d-ava", "annotated Ego4D boxes", "AP with envelope", "Ego4D's labels", "LoCoNet, SPELL, STHG"),
        Protocol(
            "ego4d-map50",
            "detected Ego4D boxes",
            "AP with envelope, recall over all speaking boxes",
            "Ego4D's labels",
            "EGO4D/audio-visual, active_speaker_evaluation",
            "map50",
        ),
        Protocol(
            "wasd", "rows per category, and all", "AP with envelope", "dataset_division.txt", "WASD_evaluation.py"
        ),
        Protocol(
            "unitalk", "rows per list of videos, and all", "AP with envelope", "the lists", "UniTalk's evaluation lists"
        ),
        Protocol(
            "asw", "samples with eval 1", "AP without envelope, AUROC, EER", "ASW's labels", "TS-TalkNet, issues", "ap"
        ),
        Protocol(
            "columbia-f1",
            "labelled boxes of five people",
            "F1 at log-odds 0",
            "col_labels/, boxes of scored tracks",
            "TalkNet-ASD, demoTalkNet.py",
            "f1",
        ),
        Protocol(
            "tnr",
            "rows with foreign or shifted sound",
            "share called not speaking, beside the clean recall",
            "--scores, --clean",
            "asdbench, after LASER",
            "tnr",
        ),
        Protocol(
            "laser",
            "rows with the labels given",
            "shares right: of all, talking, not talking",
            "--scores",
            "LASER, get_ava_active_speaker_performance_no_map.py",
            "overall",
        ),
    )
}
"""Name to protocol, in the order of docs/protocols.md."""


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
    own = PROTOCOLS.get(protocol)
    return protocol if own is None or own.figure == "ava" else "ava"
