"""What a gallery says of errors: what is wrong, what was changed, what else was there to see and hear."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from asdbench.gallery.picks import Found, Kind, Pick
from asdbench.gallery.scene import Scene
from asdbench.gallery.source import Source
from asdbench.perturb.catalogue import find_perturbation
from asdbench.perturb.dubbed import DUBBED
from asdbench.perturb.edits import Edit, FaceEdit
from asdbench.perturb.synchrony import RespliceEdit
from asdbench.records.facts import RowFacts
from asdbench.types import Condition

_MOST_NAMED = 2
_TITLES: dict[Kind, dict[str, str]] = {
    "false alarm": {
        "clean": "False alarms: silent, taken for speaking",
        "test": "New false alarms: right on clean data, wrong here",
        "diagnostic": "Silent moments that rise above the threshold",
    },
    "miss": {
        "clean": "Misses: speaking, taken for silent",
        "test": "New misses: right on clean data, wrong here",
        "diagnostic": "Speaking moments that fall below the threshold",
    },
}
_ROLES = {
    "control": " A model should not mind it.",
    "diagnostic": " A diagnostic: what rises or falls is neither right nor wrong, it shows what the model looks at.",
}


def about(condition: Condition) -> str:
    """Return what a condition does, in a few words."""
    if condition.perturbation is None:
        return "The data as they are."
    if condition.perturbation == DUBBED.perturbation:
        return "Tracks whose lips articulate to another person's voice; nothing was edited."
    words = find_perturbation(condition.perturbation).summary
    share = f", in {_percent(condition.proportion)} of the speaking runs" if condition.proportion < 1 else ""
    parts = [part["perturbation"] for part in condition.options.get("parts", ())]
    if parts:
        words = f"several changes at once: {', '.join(parts)}"
    options = [f"{name} = {value}" for name, value in condition.options.items() if name != "parts"]
    chosen = f" ({', '.join(options)})" if options else ""
    return f"{words[:1].upper()}{words[1:]}{chosen}{share}.{_ROLES.get(condition.role, '')}"


def title(kind: Kind, condition: Condition) -> str:
    """Return the heading of errors of one kind."""
    if kind == "fooled":
        dubbed = condition.perturbation == DUBBED.perturbation
        return "Fooled: dubbed lips taken for speaking" if dubbed else "Fooled: changed speech still taken for speaking"
    is_clean = condition.perturbation is None
    return _TITLES[kind]["clean" if is_clean else "diagnostic" if condition.role == "diagnostic" else "test"]


def counted(found: Found, condition: Condition) -> str:
    """Return how many errors of one kind there are."""
    if found.kind == "fooled":
        what = "articulating stretches of dubbed tracks" if condition.perturbation == DUBBED.perturbation else (
            "changed speaking runs"
        )  # fmt: skip
        text = f"{found.wrong:,} of {found.judged:,} {what} have a mean score at or above the threshold."
    else:
        state = "are silent" if found.kind == "false alarm" else "speak"
        text = f"{found.wrong:,} of the {found.judged:,} tracks that {state} for 0.4 s or longer have such a moment."
    if found.wrong == 0 and found.picks:
        text += " No error, then; these come nearest to one."
    return text


def changed(source: Source, condition: Condition, pick: Pick) -> str:
    """Return what was done to the frames of an error: shift, donors."""
    found = []
    for decision in source.changes(condition.name).decisions.get(pick.key, ()):
        target, outcome = decision.target, decision.outcome
        if not (decision.changed and outcome.edits and target.first < pick.stop and pick.first < target.stop):
            continue
        where = "the whole track" if target.run < 0 else f"speaking run {target.run + 1} of the track"
        words = [where]
        if outcome.shift_ms is not None:
            words.append(f"sound {abs(outcome.shift_ms):.0f} ms {'late' if outcome.shift_ms > 0 else 'early'}")
        words += _lent(outcome.edits)
        found.append("; ".join(words))
    return " / ".join(found)


def _lent(edits: Sequence[Edit]) -> Iterator[str]:
    """Yield what other tracks lend."""
    for edit in edits:
        donors = list(dict.fromkeys((donor.video_id, donor.entity_id) for donor in getattr(edit, "donors", ())))
        if donors:
            what = (
                "background" if isinstance(edit, RespliceEdit) else "faces" if isinstance(edit, FaceEdit) else "sound"
            )
            named = ", ".join(f"track {entity} of video {video}" for video, entity in donors[:_MOST_NAMED])
            yield f"{what} from {named}{' and others' if len(donors) > _MOST_NAMED else ''}"


def surroundings(scene: Scene, facts: RowFacts | None) -> Iterator[tuple[str, str]]:
    """Yield what else is known of the frames of an error, as names and values.

    Args:
        scene: The error.
        facts: Of all rows of the run; ``None`` in runs of earlier releases.
    """
    if scene.voiced is not None:
        yield "voice heard", f"in {_percent(scene.voiced)} of the frames"
    if facts is None:
        return
    others = facts.speakers[scene.rows] - (scene.own == 1)
    yield "faces in view", _range(facts.faces[scene.rows])
    yield "another visible face speaks", f"in {_percent(float(np.mean(others > 0)))} of the frames"
    widths = facts.face_width_px[scene.rows]
    if np.isfinite(widths).any():
        yield "face width", f"{np.nanmedian(widths):.0f} px"


def _range(values: np.ndarray[tuple[int], np.dtype[np.int16]]) -> str:
    low, high = int(values.min()), int(values.max())
    return str(low) if low == high else f"{low} to {high}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
