"""Corruptions by real codecs: JPEG of every crop, H.264 of the whole track.

They work at the size of the crop, as in life, so a large face loses less than a small one at the same quality.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import numpy as np

from asdbench.errors import DataError
from asdbench.perturb.edits import FaceEdit, Lender
from asdbench.perturb.image import IMAGENET_C, OURS, CorruptionOptions, as_face, made_with_cv2
from asdbench.perturb.targets import Outcome, Perturbation, PlanContext, Planner
from asdbench.types import Float32Array, UInt8Array

if TYPE_CHECKING:
    import av

QUALITY = (30, 20, 12, 7, 4)
"""Quality of JPEG, 1 to 100, by severity."""

CRF = (28, 33, 38, 43, 48)
"""Constant rate factor of x264, 0 to 51, by severity."""

_GRAY = 128
_BLOCK = 16
# Without mbtree=0 the same pictures are not always encoded alike; one thread for the same reason.
_X264 = "threads=1:lookahead-threads=1:sliced-threads=0:mbtree=0:log-level=none"


def jpeg(face: UInt8Array, quality: int) -> UInt8Array:
    """Encode a crop ``[height, width]`` as JPEG of a quality from 1 to 100, and decode it."""
    import cv2

    _, data = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return as_face(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE))


def h264(faces: Sequence[UInt8Array], crf: int) -> list[UInt8Array]:
    """Encode crops as the luma of an H.264 video, and decode it.

    Crops smaller than the largest are continued to the right and downwards with their last pixels, and cut back
    afterwards.

    Args:
        faces: ``T`` crops ``[height, width]`` of any size, in the order in which they are shown.
        crf: Constant rate factor of x264, 0 to 51.

    Raises:
        DataError: Not every picture came back; PyAV lacks libx264, or is broken.
    """
    import av

    height, width = (-(-max(face.shape[side] for face in faces) // _BLOCK) * _BLOCK for side in (0, 1))
    try:
        pictures = dict(_decoded(_encoded(faces, height, width, crf)))
    except (av.error.FFmpegError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise DataError(f"crops of {width}x{height} pixels cannot be coded as H.264 ({why}); check PyAV.") from error
    if sorted(pictures) != list(range(len(faces))):
        raise DataError(f"{len(pictures)} of {len(faces)} pictures came back from H.264; check the installed PyAV.")
    # A copy, so that a small crop does not keep a large picture in memory.
    return [pictures[index][: face.shape[0], : face.shape[1]].copy() for index, face in enumerate(faces)]


def _encoded(faces: Sequence[UInt8Array], height: int, width: int, crf: int) -> Iterator[Any]:
    """Yield the packets of a video, whose times are the numbers of its pictures."""
    from fractions import Fraction

    import av

    encoder: Any = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
    encoder.thread_count = 1
    encoder.options = {"crf": str(crf), "preset": "medium", "x264-params": _X264}
    planes = np.full((height * 3 // 2, width), _GRAY, dtype=np.uint8)
    for index, face in enumerate(faces):
        rows, columns = (
            np.minimum(np.arange(size), last - 1) for size, last in zip((height, width), face.shape, strict=True)
        )
        planes[:height] = face[rows][:, columns]
        picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        picture.pts, picture.time_base = index, encoder.time_base
        yield from encoder.encode(picture)
    yield from encoder.encode(None)


def _decoded(packets: Iterator[Any]) -> Iterator[tuple[int, UInt8Array]]:
    """Yield number and luma of every picture."""
    import av

    decoder: Any = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    for packet in packets:
        yield from map(_luma, decoder.decode(packet))
    yield from map(_luma, decoder.decode(None))


def _luma(picture: av.VideoFrame) -> tuple[int, UInt8Array]:
    plane = picture.planes[0]
    rows = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(-1, plane.line_size)
    return int(picture.pts or 0), rows[: picture.height, : picture.width].copy()


def _made_with_av() -> str:
    import av

    codec = ".".join(map(str, av.library_versions["libavcodec"]))
    return f"av {av.__version__}, libavcodec {codec}"


class JpegEdit(FaceEdit, frozen=True, kw_only=True, tag="jpeg"):
    """Every crop through JPEG."""

    quality: int
    made_with: str

    def apply(self, faces: Sequence[UInt8Array], boxes: Float32Array, lender: Lender) -> Sequence[UInt8Array]:
        """See `jpeg`."""
        return [jpeg(face, self.quality) for face in faces]


class H264Edit(FaceEdit, frozen=True, kw_only=True, tag="h264"):
    """The crops through H.264."""

    crf: int
    made_with: str

    def apply(self, faces: Sequence[UInt8Array], boxes: Float32Array, lender: Lender) -> Sequence[UInt8Array]:
        """See `h264`."""
        return h264(faces, self.crf)


class JpegOptions(CorruptionOptions, frozen=True, forbid_unknown_fields=True):
    """``quality`` of JPEG."""

    quality: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None


class H264Options(CorruptionOptions, frozen=True, forbid_unknown_fields=True):
    """``crf``: constant rate factor of x264."""

    crf: Annotated[int, msgspec.Meta(ge=0, le=51)] | None = None


def plan_jpeg(context: PlanContext, options: JpegOptions, me: Perturbation) -> Planner:
    """Through JPEG."""
    quality = options.amount(options.quality, QUALITY)
    edit = JpegEdit(version=me.version, scene=options.scope == "scene", quality=quality, made_with=made_with_cv2())
    return lambda target: Outcome((edit,))


def plan_h264(context: PlanContext, options: H264Options, me: Perturbation) -> Planner:
    """Through H.264."""
    edit = H264Edit(
        version=me.version,
        scene=options.scope == "scene",
        crf=options.amount(options.crf, CRF),
        made_with=_made_with_av(),
    )
    return lambda target: Outcome((edit,))


IMAGE_CODECS = (
    Perturbation("jpeg", 1, "every crop through JPEG", "track", JpegOptions, plan_jpeg, source=IMAGENET_C, exact=False),
    Perturbation("h264", 1, "the crops through H.264", "track", H264Options, plan_h264, source=OURS, exact=False),
)
"""What this module adds to the catalogue."""
