"""The front matter of a model card: one key of it is replaced, every other sign of the file stays."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from asdbench.atomic import write_text
from asdbench.errors import DataError, MissingDependencyError, UsageError
from asdbench.exports.model_index import merged

KEY = "model-index"

_FENCE = re.compile(r"\A(\ufeff?)---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_YAML = (".yaml", ".yml")


def card_yaml(entries: list[Any]) -> str:
    """Return a ``model-index`` as YAML.

    Raises:
        MissingDependencyError: pyyaml is not installed.
    """
    yaml = _yaml()

    class Plain(yaml.SafeDumper):  # type: ignore[name-defined, misc]
        """Writes what occurs twice twice: not every reader knows aliases."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    text: str = yaml.dump({KEY: entries}, Dumper=Plain, sort_keys=False, allow_unicode=True, width=110)
    return text


def update_card(path: Path, ours: dict[str, Any], *, keep_name: bool) -> str:
    """Put results into a file: a model card (its other keys and its text stay), or a YAML file of nothing else.

    Args:
        path: A card such as README.md, or a new file; ``.yaml`` for YAML alone.
        ours: From `asdbench.exports.model_index.model_index`.
        keep_name: As for `asdbench.exports.model_index.merged`.

    Returns:
        ``written`` or ``updated``.

    Raises:
        DataError: The file is no text, or its front matter no YAML with keys.
        MissingDependencyError: pyyaml is not installed.
        ResourceError: It cannot be written.
        UsageError: It is a folder.
    """
    if path.is_dir():
        raise UsageError(f"{path}: a folder; give the file of the card, such as README.md.")
    old = _read(path)
    new = _updated(old or "", path, ours, keep_name)
    write_text(path, new)
    return "written" if old is None else "updated"


def _read(path: Path) -> str | None:
    try:
        # Not read_text, which would change the ends of lines.
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: the card cannot be read ({error}).") from error


def _updated(text: str, path: Path, ours: dict[str, Any], keep_name: bool) -> str:
    if path.suffix.lower() in _YAML:
        return _with_index(text, path, ours, keep_name)
    found = _FENCE.match(text)
    end = "\r\n" if "\r\n" in text else "\n"
    if found is None:
        mark, rest = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
        return f"{mark}---{end}{_with_index('', path, ours, keep_name, end)}---{end}{rest}"
    inner = _with_index(found[2], path, ours, keep_name, end)
    return text[: found.start(2)] + inner + text[found.end(2) :]


def _with_index(block: str, path: Path, ours: dict[str, Any], keep_name: bool, end: str = "\n") -> str:
    """Return a block of YAML with our results in its ``model-index``."""
    before = _keys(block, path)
    fresh = card_yaml(merged(before.get(KEY), ours, keep_name=keep_name)).replace("\n", end)
    start, stop = _place(block)
    head, tail = block[:start], block[stop:]
    if head and not head.endswith("\n"):
        head += end
    result = head + fresh + tail
    after = _keys(result, path)
    if {key: value for key, value in after.items() if key != KEY} != {k: v for k, v in before.items() if k != KEY}:
        raise DataError(
            f"{path}: the front matter is of a form that cannot be changed safely; put the YAML in by hand."
        )
    return result


def _keys(block: str, path: Path) -> dict[Any, Any]:
    yaml = _yaml()
    try:
        found = yaml.safe_load(block)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: its front matter is no YAML ({' '.join(str(error).split())[:200]}).") from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise DataError(f"{path}: its front matter has no keys, so it is not that of a model card.")
    return found


def _place(block: str) -> tuple[int, int]:
    """Return where the lines of the key begin and end; the end of the block where there is no such key."""
    node = _yaml().compose(block)
    for key, value in node.value if node is not None else ():
        if key.value == KEY:
            start = block.rfind("\n", 0, key.start_mark.index) + 1
            # A block ends where the next thing begins; what stands between, such as a comment, belongs to that.
            stop = max(value.end_mark.index, key.end_mark.index)
            written = block[:stop].rstrip()
            stop = block.find("\n", len(written))
            return start, _without_comments(block, start, len(block) if stop < 0 else stop + 1)
    return len(block), len(block)


def _without_comments(block: str, start: int, stop: int) -> int:
    """Return the end of a key's lines without the comments of the next key."""
    lines = block[start:stop].splitlines(keepends=True)
    while len(lines) > 1 and lines[-1].startswith("#"):
        stop -= len(lines.pop())
    return stop


def _yaml() -> Any:
    try:
        import yaml
    except ImportError as error:
        raise MissingDependencyError("--model-index needs pyyaml; pip install 'asdbench[hub]'.") from error
    return yaml
