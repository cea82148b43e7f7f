"""A track as a perturbation leaves it, to look at and listen to: an mp4 and a contact sheet, clean beside changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from asdbench.report.figures import write_figure
from asdbench.report.movie import fitted, write_movie
from asdbench.types import SAMPLE_RATE, Int16Array, UInt8Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIDE = 192
"""Size of a face in the video, in pixels."""

_GAP = 16
_BAR = 12
_SHOWN = 8
_SPAN = "#D55E00"
_OWN, _NEW = "#000000", "#0072B2"  # Okabe & Ito


@dataclass(frozen=True)
class Preview:
    """What is shown of one track.

    Attributes:
        name: Name for files.
        title: Track and perturbation.
        notes: What the plan says of it: shift, donors, proportion.
        fps: Frames per second.
        audio: ``[N]`` own sound.
        faces: ``T`` own crops.
        new_audio: ``[N]`` changed sound.
        new_faces: ``T`` changed crops.
        spans: Changed ranges of samples.
        frames: Changed ranges of frames.
    """

    name: str
    title: str
    notes: str
    fps: float
    audio: Int16Array
    faces: Sequence[UInt8Array]
    new_audio: Int16Array
    new_faces: Sequence[UInt8Array]
    spans: tuple[tuple[int, int], ...]
    frames: tuple[tuple[int, int], ...]


def write_preview(preview: Preview, folder: Path) -> tuple[Path, Path]:
    """Write ``<name>.mp4`` and ``<name>.png`` into a folder.

    The video shows the own face left and the changed one right, with a bar below while something is changed. It has two
    tracks of sound, the changed one first, which players take unless told otherwise, and the own one.

    Returns:
        The two paths.

    Raises:
        MissingDependencyError: This build of PyAV cannot encode H.264.
        ResourceError: The folder cannot be written.
    """
    video, sheet = (folder / f"{preview.name}.{extension}" for extension in ("mp4", "png"))
    sounds = {"changed": preview.new_audio, "own": preview.audio}
    write_movie(video, _pictures(preview), (2 * SIDE + _GAP, SIDE + _BAR), preview.fps, sounds)
    write_figure(folder / preview.name, lambda figure: _draw(figure, preview), extensions=("png",), size=(11, 7.5))
    return video, sheet


def _pictures(preview: Preview) -> Iterator[UInt8Array]:
    changed = np.zeros(len(preview.faces), np.bool_)
    for first, stop in preview.frames:
        changed[first:stop] = True
    for own, new, marked in zip(preview.faces, preview.new_faces, changed, strict=True):
        canvas = np.full((SIDE + _BAR, 2 * SIDE + _GAP), 255, np.uint8)
        canvas[:SIDE, :SIDE], canvas[:SIDE, SIDE + _GAP :] = fitted(own, SIDE), fitted(new, SIDE)
        if marked:
            canvas[SIDE + 4 :, SIDE + _GAP :] = 0
        yield canvas


def _draw(figure: Figure, preview: Preview) -> None:
    """Frames of both, their waveforms and spectrograms, the changed spans marked."""
    count = min(_SHOWN, len(preview.faces))
    indices = np.unique(np.linspace(0, len(preview.faces) - 1, count).round().astype(int))
    parts: Any = figure.subfigures(3, 1, height_ratios=(2.4, 1.5, 1.9))
    frames, waves, spectra = parts
    grid = frames.subplots(2, len(indices), squeeze=False)
    for row, (name, faces) in enumerate((("own", preview.faces), ("changed", preview.new_faces))):
        for axes, index in zip(grid[row], indices, strict=True):
            axes.imshow(faces[index], cmap="gray", vmin=0, vmax=255)
            axes.set(xticks=[], yticks=[])
            axes.grid(visible=False)
            marked = row and any(first <= index < stop for first, stop in preview.frames)
            for spine in axes.spines.values():
                spine.set(visible=bool(marked), color=_SPAN, linewidth=2)
            if not row:
                axes.set_title(f"{index / preview.fps:.2f} s", fontsize=8)
        grid[row][0].set_ylabel(name)
    for axes, name, audio, colour in zip(
        waves.subplots(2, 1, sharex=True), ("own", "changed"), (preview.audio, preview.new_audio), (_OWN, _NEW),
        strict=True,
    ):  # fmt: skip
        _waveform(axes, name, audio, colour, preview)
    both = spectra.subplots(2, 1, sharex=True)
    for axes, name, audio in zip(both, ("own", "changed"), (preview.audio, preview.new_audio), strict=True):
        _spectrogram(axes, name, audio)
        _mark(axes, preview, shaded=False)
    both[1].set_xlabel("seconds")
    figure.suptitle(f"{preview.title}\n{preview.notes}".strip())


def _waveform(axes: Axes, name: str, audio: Int16Array, colour: str, preview: Preview) -> None:
    limit = max(int(np.abs(each.astype(np.int32)).max(initial=1)) for each in (preview.audio, preview.new_audio))
    axes.plot(np.arange(len(audio)) / SAMPLE_RATE, audio, color=colour, linewidth=0.4)
    axes.set(ylim=(-limit, limit), xlim=(0, max(len(audio), 1) / SAMPLE_RATE), yticks=[], ylabel=name)
    axes.grid(visible=False)
    _mark(axes, preview)


def _mark(axes: Axes, preview: Preview, shaded: bool = True) -> None:
    for start, stop in preview.spans:
        if shaded:
            axes.axvspan(start / SAMPLE_RATE, stop / SAMPLE_RATE, facecolor=_SPAN, alpha=0.15, zorder=0)
        for edge in (start, stop):
            axes.axvline(edge / SAMPLE_RATE, color=_SPAN, linewidth=1)


def _spectrogram(axes: Axes, name: str, audio: Int16Array) -> None:
    size, hop = 512, 160
    padded = np.pad(audio.astype(np.float64), (0, max(size - len(audio), 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop] * np.hanning(size)
    power = 20 * np.log10(np.abs(np.fft.rfft(windows, axis=1)).T + 1)
    extent = (0, len(padded) / SAMPLE_RATE, 0, SAMPLE_RATE / 2000)
    axes.imshow(power, origin="lower", aspect="auto", extent=extent, cmap="gray_r", vmin=20, vmax=120)
    axes.set(ylabel=f"{name}, kHz")
    axes.grid(visible=False)
