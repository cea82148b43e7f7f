"""Which file holds the predictions of which condition."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from asdbench.errors import DataError, UsageError
from asdbench.predictions.table import SUFFIXES
from asdbench.records.predictions import file_stem

_NAMES_A_CONDITION = frozenset("@#")  # signs of conditions that no evaluation script puts into a name


def find_files(given: Path, conditions: Sequence[str]) -> dict[str, Path]:
    """Return the file of each condition that has one, in the order of the conditions.

    A condition's file is ``<condition>.csv`` or ``.parquet``, percent-encoded or not, or the only csv file (or
    ``val_res.csv``) in a folder of that name. A single file is that of the clean condition unless its name says
    otherwise. In a run folder the predictions are meant.

    Args:
        given: A folder or a file.
        conditions: Names of all conditions, the clean one first.

    Raises:
        DataError: There is no such folder or file, or none for the clean condition.
        UsageError: Two files are for one condition, or a file is for none.
    """
    if not given.exists():
        raise DataError(f"{given}: no such file or folder; give the predictions of the model.")
    names = {each: condition for condition in conditions for each in (condition, file_stem(condition))}
    if given.is_file():
        if given.stem not in names and _NAMES_A_CONDITION & set(given.stem):
            raise _of_no_condition(given, names)
        found = {names.get(given.stem, conditions[0]): [given]}
    else:
        folder = given / "predictions" if (given / "run.json").is_file() else given
        found = _in_folder(folder, names)
    for condition, files in found.items():
        if len(files) > 1:
            raise UsageError(
                f"{given}: {files[0].name} and {files[1].name} are both for the condition {condition!r}; remove one."
            )
    if conditions[0] not in found:
        raise DataError(
            f"{given}: no predictions for the condition {conditions[0]!r}, on which thresholds are frozen; expected "
            f"{file_stem(conditions[0])}.csv there."
        )
    return {condition: found[condition][0] for condition in conditions if condition in found}


def _in_folder(folder: Path, names: dict[str, str]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name in names:
            found.setdefault(names[path.name], []).extend(_results(path))
        elif path.is_file() and path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
            if path.stem not in names:
                raise _of_no_condition(path, names)
            found.setdefault(names[path.stem], []).append(path)
    return {condition: files for condition, files in found.items() if files}


def _of_no_condition(path: Path, names: dict[str, str]) -> UsageError:
    return UsageError(
        f"{path}: belongs to no condition, which are {', '.join(dict.fromkeys(names.values()))}; name it after one, or "
        "move it away."
    )


def _results(folder: Path) -> list[Path]:
    """Return what evaluation scripts left in the folder of a condition."""
    named = folder / "val_res.csv"
    return [named] if named.is_file() else sorted(path for path in folder.glob("*.csv") if path.is_file())
