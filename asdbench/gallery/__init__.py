"""Faces and sounds of the worst errors; not for publishing (docs/gallery.md)."""
