"""Text from anyone's files, made fit for a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return text with escapes in place of what a terminal would obey."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
