"""How fast faces are cut out of videos, beside plain decoding, and what memory it takes.

    python benchmarks/decode.py                            # generated videos
    python benchmarks/decode.py --data my_videos           # your own, in any format that is cut out of videos
    python benchmarks/decode.py --workers 1,2,4,8 --clips 4,16

Plain decoding is a loop of PyAV over the same files in one process, whose pictures are thrown away; cutting makes the
gray crops of all faces as well, and preparing also writes them and the sound. All run in the same call, so that the
ratios do not depend on the machine; the seconds do. Nothing is asserted.
"""

from __future__ import annotations

import json
import multiprocessing
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
import click
import numpy as np
import soundfile

from asdbench.data import open_dataset
from asdbench.data.prepare import PrepareOptions, prepare
from asdbench.data.video import Crop, cut_faces
from asdbench.data.video_media import VideoMedia, faces_by_video
from asdbench.types import Dataset

WIDTH, HEIGHT, FRAMES = 640, 360, 250

_LABELS = ("NOT_SPEAKING", "SPEAKING_AUDIBLE")


def write_videos(root: Path, clips: int, faces: int) -> Path:
    """Write a folder of equal clips of 10 s with noise that moves: as hard to decode as film, and as little alike."""
    (root / "videos").mkdir(parents=True)
    (root / "audio").mkdir()
    first = root / "videos/clip0.mp4"
    canvas = np.random.default_rng(0).integers(16, 235, (HEIGHT + FRAMES, WIDTH), dtype=np.uint8)
    coarse = np.kron(canvas[::8, ::8], np.ones((8, 8), np.uint8))
    with av.open(str(first), "w") as container:
        stream: Any = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "23"}
        for number in range(FRAMES):
            luma = coarse[number : number + HEIGHT]
            chroma = np.full((HEIGHT // 2, WIDTH), 128, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.concatenate([luma, chroma]), "yuv420p")))
        container.mux(stream.encode())
    voice = np.random.default_rng(1).integers(-9_000, 9_000, FRAMES * 640).astype(np.int16)
    soundfile.write(root / "audio/clip0.flac", voice, 16_000)
    rows = ["video_id,frame_timestamp,entity_box_x1,entity_box_y1,entity_box_x2,entity_box_y2,label,entity_id"]
    for clip in range(clips):
        if clip:
            shutil.copy(first, root / f"videos/clip{clip}.mp4")
            shutil.copy(root / "audio/clip0.flac", root / f"audio/clip{clip}.flac")
        for face in range(faces):
            left = 0.05 + 0.9 * face / faces
            box = f"{left:.3f},0.2,{left + 0.2:.3f},0.6"
            rows += [
                f"clip{clip},{number * 0.04:.2f},{box},{_LABELS[number % 50 < 25]},f{face}" for number in range(FRAMES)
            ]
    (root / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return root


def decode_plainly(videos: Sequence[Path]) -> int:
    """Decode all pictures and throw them away; return how many."""
    pictures = 0
    for path in videos:
        with av.open(str(path)) as container:
            pictures += sum(1 for _ in container.decode(video=0))
    return pictures


def cut_all(dataset: Dataset) -> int:
    """Cut all faces out of all videos and throw them away; return how many."""
    films = faces_by_video(dataset.tracks).items()
    return sum(isinstance(found, Crop) for video, faces in films for found in cut_faces(video, [*faces.values()]))


def timed(work: Callable[[], Any]) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _peak_of(root: str, out: str, pipe: Any) -> None:
    import resource

    prepare(open_dataset(root), Path(out), options=PrepareOptions(workers=1, progress=False))
    pipe.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def peak_megabytes(root: Path, out: Path) -> float:
    """Return the largest resident memory of a fresh process that prepares a folder."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_peak_of, args=(str(root), str(out), sender))
    process.start()
    peak = receiver.recv()
    process.join()
    return float(peak) / (1024 if sys.platform != "darwin" else 1024**2)


def speeds(dataset: Dataset, workers: Sequence[int], work: Path) -> dict[str, Any]:
    """Return the speed of plain decoding, and of preparing with each number of processes."""
    videos = sorted({track.media.video for track in dataset.tracks if isinstance(track.media, VideoMedia)})
    crops = sum(map(len, dataset.tracks))
    decode_plainly(videos[:1])  # warm up
    pictures = decode_plainly(videos)
    plain = timed(lambda: decode_plainly(videos))
    cutting = timed(lambda: cut_all(dataset))
    rows = {}
    for count in workers:
        options = PrepareOptions(workers=count, progress=False)
        out = work / f"out{count}"
        seconds = timed(lambda out=out, options=options: prepare(dataset, out, options=options))  # type: ignore[misc]
        rows[str(count)] = {
            "seconds": round(seconds, 2),
            "crops per second": round(crops / seconds),
            "pictures per second": round(pictures / seconds),
            "time over plain decoding": round(seconds / plain, 2),
        }
    return {
        "videos": len(videos), "pictures": pictures, "crops": crops,
        "plain decoding, pictures per second": round(pictures / plain),
        "cutting, pictures per second": round(pictures / cutting), "cutting, crops per second": round(crops / cutting),
        "cutting, time over plain decoding": round(cutting / plain, 2), "prepare by workers": rows,
    }  # fmt: skip


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of a data set; generated without.")
@click.option("--workers", default="1,2", show_default=True, help="Numbers of processes.")
@click.option("--clips", default="2,8", show_default=True, help="Numbers of generated clips for the peak of memory.")
@click.option("--faces", default=3, show_default=True, help="Faces of each generated clip.")
@click.option("--json", "as_json", is_flag=True)
def main(data: Path | None, workers: str, clips: str, faces: int, as_json: bool) -> None:
    """Print throughput and memory of preparing."""
    counts = [int(count) for count in clips.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        roots = {count: write_videos(work / f"clips{count}", count, faces) for count in counts}
        dataset = open_dataset(data or roots[max(counts)])
        result = speeds(dataset, [int(count) for count in workers.split(",")], work)
        result["peak MB by clips"] = {
            str(count): round(peak_megabytes(root, work / f"peak{count}"), 1) for count, root in roots.items()
        }
    if as_json:
        click.echo(json.dumps(result, indent=2))
        return
    for name, value in result.items():
        for line, content in value.items() if isinstance(value, dict) else [("", value)]:
            click.echo(f"{f'{name} {line}':<42} {content}")


if __name__ == "__main__":
    main()
