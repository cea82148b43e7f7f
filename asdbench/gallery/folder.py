"""The folder of a gallery: beside the run, never in it, and marked as nothing to publish.

Run folders are what people zip, upload and attach to papers, and they hold no faces and no voices. A gallery holds
both, so it lies beside the run folder, says so in its name and in a file, and keeps itself out of git.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from asdbench.atomic import write_text
from asdbench.errors import ResourceError, UsageError
from asdbench.report.run import Run
from asdbench.report.text import printable

MARK = "DO_NOT_PUBLISH.txt"
PAGE, RECORD = "gallery.html", "gallery.json"
WARNING = "Contains data-set media (faces and voices). Do not publish."

_SUFFIX = ".gallery-do-not-publish"
_PARTS = ("clips", "figures")
_RUN = "run.json"
_TEXT = """{warning}

This folder shows errors of {model} on {data} with faces and sound of the people in the data set. The licence of the
data set says who may see them; asdbench does not. It was written by `asdbench report RUN --gallery`, lies outside the
run folder so that nobody shares it with the run by accident, and can be deleted and made again at any time.
"""


def default_folder(run: Path) -> Path:
    """Return where the gallery of a run goes unless the user says otherwise."""
    whole = run.resolve()
    return whole.with_name(f"{whole.name}{_SUFFIX}")


def claim(folder: Path, run: Run) -> None:
    """Make a folder ready for a gallery, and mark it before anything else lies in it.

    Args:
        folder: New, empty, or of an earlier gallery.
        run: Whose errors it will show.

    Raises:
        UsageError: It lies in a run folder, or holds something else.
        ResourceError: It cannot be written.
    """
    whole = folder.resolve()
    inside = next((each for each in (whole, *whole.parents) if (each / _RUN).is_file()), None)
    if inside is not None:
        raise UsageError(
            f"{folder}: lies in the run folder {inside}, which people share, and a gallery is not to be shared; give "
            "another folder (--gallery takes the word that follows it; write RUN first, or --gallery=FOLDER)."
        )
    try:
        there = list(whole.iterdir()) if whole.exists() else []
    except OSError as error:
        raise UsageError(f"{folder}: not a folder ({error.strerror}); give another one.") from error
    if there and not (whole / MARK).is_file():
        raise UsageError(f"{folder}: holds something that is no gallery; give a new folder.")
    names = {"model": printable(run.model), "data": printable(str(run.record["data"]["name"]))}
    write_text(whole / MARK, _TEXT.format(warning=WARNING, **names))
    write_text(whole / ".gitignore", "*\n")


def tidy(folder: Path, kept: Collection[Path]) -> None:
    """Remove the clips and figures of an earlier gallery.

    Args:
        folder: Of the gallery.
        kept: Those of this one.

    Raises:
        ResourceError: One cannot be removed.
    """
    for part in _PARTS:
        with suppress(FileNotFoundError):
            for file in (folder / part).iterdir():
                if file not in kept and file.suffix in (".mp4", ".svg"):
                    _remove(file)


def _remove(file: Path) -> None:
    try:
        file.unlink()
    except OSError as error:
        raise ResourceError(f"{file}: of an earlier gallery, cannot be removed ({error.strerror}).") from error
