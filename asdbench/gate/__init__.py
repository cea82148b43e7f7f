"""Rules against a baseline: whether a checkpoint got worse (docs/gates.md)."""

from asdbench.gate.baseline import Update, update_baseline
from asdbench.gate.defaults import default_rules
from asdbench.gate.gating import gate
from asdbench.gate.rules import Rules, parse_rule, read_rules
from asdbench.gate.verdict import Judgement, Rule, Ruling

__all__ = [
    "Judgement",
    "Rule",
    "Rules",
    "Ruling",
    "Update",
    "default_rules",
    "gate",
    "parse_rule",
    "read_rules",
    "update_baseline",
]
