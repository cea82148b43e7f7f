"""Faces and sounds of the worst errors; not for publishing (docs/gallery.md)."""

from __future__ import annotations

from asdbench.gallery.build import Gallery, gallery

__all__ = ["Gallery", "gallery"]
