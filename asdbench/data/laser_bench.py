"""LASER-bench: two sets of videos with little and with much noise, each in AVA's columns and layout.

::

    ROOT/noise_0/csv/val_orig.csv, clips_videos/, clips_audios/   little noise
    ROOT/noise_1/...                                              much noise

Media are published as one zip per video, which the downloader unpacks (github.com/plnguyen2908/LASER_ASD).
"""

from __future__ import annotations

from pathlib import Path

from asdbench.data.ava import Kin, open_kin
from asdbench.errors import DataError, UsageError
from asdbench.types import Dataset

_NOISE = {"0": "low noise", "1": "high noise"}


def open_laser_bench(root: Path, split: str = "val", name: str | None = None, *, noise: str = "0") -> Dataset:
    """Read one of the two sets.

    Args:
        root: The folder that holds ``noise_0`` and ``noise_1``, or one of these.
        split: ``val`` is all there is.
        name: Short name for tables and folders.
        noise: ``0`` or ``1``.

    Raises:
        DataError: A file is missing or contradicts itself or another, or zips are not unpacked.
        UsageError: There is no such noise.
    """
    if noise not in _NOISE:
        raise UsageError(f"the option noise={noise} is none of {', '.join(_NOISE)}.")
    folder = root / f"noise_{noise}"
    if not folder.is_dir() and root.resolve().name == folder.name:
        folder = root
    for kind in ("clips_videos", "clips_audios"):
        packed = [each for each in sorted((folder / kind / split).glob("*.zip")) if not each.with_suffix("").is_dir()]
        if packed:
            raise DataError(f"{packed[0]}: {len(packed)} zips there are not unpacked; unpack each beside itself.")
    kin = Kin("laser-bench", categories=lambda _: (_NOISE[noise],))
    return open_kin(kin, folder, split, name or f"laser-bench-{split}-noise_{noise}")
