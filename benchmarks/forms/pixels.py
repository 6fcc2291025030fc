"""Forms of file that hold pixels or say what they are: suites, videos, arrays, pictures."""

from __future__ import annotations

import csv
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks.forms.target import Target
from magbench.core.files import file_sha256
from magbench.models.meter import Metered
from magbench.runs.generation import read_frames, read_generation, write_generation
from magbench.suites.clip import NO_REVISIT, Clip
from magbench.suites.format import load_suite, load_with, read_header, write_suite
from magbench.suites.official.folder import open_official
from magbench.video.formats import read_finished

FRAMES, SWITCH, SIDE = 8, 4, 32
MOST = (FRAMES, SIDE, SIDE)


def pictures(seed: int = 0, frames: int = FRAMES) -> NDArray[np.uint8]:
    """(frames, SIDE, SIDE, 3): coarse random colours."""
    coarse = np.random.default_rng(seed).integers(0, 256, (frames, 4, 4, 3), np.uint8)
    return coarse.repeat(SIDE // 4, 1).repeat(SIDE // 4, 2)


def a_clip() -> Clip:
    revisit = np.full(FRAMES, NO_REVISIT)
    revisit[SWITCH:] = np.arange(SWITCH)[::-1]
    pose = np.random.default_rng(1).normal(size=(FRAMES, 3))
    about: dict[str, Any] = {"caption": "ä, b", "category": "pan", "speed": "slow", "fps": 16, "switch": SWITCH}
    return Clip(id="a", frames=pictures(), pose=pose, revisit=revisit, **about)


def _suite(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        about: dict[str, Any] = {
            "name": "tiny",
            "version": 1,
            "split": "test",
            "fps": 16,
            "window": 4,
            "licence": "CC0-1.0",
        }
        write_suite(folder / "suite", [a_clip()], **about)
        return folder / "suite" / name

    return make


def _resigned(path: Path) -> object:
    """A suite whose header lists the file as it is now."""
    folder = next(parent for parent in path.parents if parent.name == "suite")
    header = read_header(folder)
    listed = {**header.sha256, path.relative_to(folder).as_posix(): file_sha256(path)}
    clip = load_with(folder, header.model_copy(update={"sha256": listed})).clips[0]
    return clip.id, clip.caption, clip.switch, clip.pose, clip.revisit


def _sealed(path: Path) -> object:
    clip = load_suite(path.parent.parent).clips[0]
    return sha256(clip.frames.tobytes()).hexdigest()


def _generation(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        made = Metered(
            frames=pictures()[SWITCH:],
            pieces=[SWITCH],
            seconds=[0.5],
            history_bytes=None,
            peak_rss_bytes=1,
            device="cpu",
            device_peak_bytes=None,
        )
        write_generation(folder / "a@0", made, a_clip(), model="mine", revision="1", kind="model", sample=0)
        return folder / "a@0" / name

    return make


def _own_frames(path: Path) -> object:
    made = read_generation(path.parent)
    assert made is not None
    return sha256(read_frames(path.parent, made, a_clip()).tobytes()).hexdigest()


def _npz(save: Callable[..., None]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        save(folder / "a.npz", frames=pictures())
        return folder / "a.npz"

    return make


def _video(name: str, codec: str, pixels: str, frames: int = FRAMES) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        with av.open(str(folder / name), "w") as output:
            stream = output.add_stream(codec, rate=16)
            assert isinstance(stream, av.VideoStream)
            stream.height, stream.width, stream.pix_fmt = SIDE, SIDE, pixels
            for array in pictures(frames=frames):
                output.mux(stream.encode(av.VideoFrame.from_ndarray(array, format="rgb24").reformat(format=pixels)))
            output.mux(stream.encode())
        return folder / name

    return make


def _png(folder: Path) -> Path:
    import cv2

    (folder / "a").mkdir()
    for number, picture in enumerate(pictures(frames=2)):
        cv2.imwrite(str(folder / "a" / f"{number}.png"), picture)
    return folder / "a" / "1.png"


def _frames(path: Path) -> object:
    return read_finished(path, 16, MOST)


def _official(folder: Path) -> Path:
    (folder / "videos").mkdir()
    path = _video("one.mp4", "libx264", "yuv420p", 45)(folder / "videos")
    with (folder / "bench.csv").open("w", newline="", encoding="utf-8") as file:
        rows = [["video_path", "raw_caption", "duration(sec)"], [f"videos/{path.name}", "a wall", "2.8125"]]
        csv.writer(file).writerows(rows)
    return folder / "bench.csv"


def _open_official(path: Path) -> object:
    return [(clip.id, clip.caption, clip.switch) for clip in open_official(path.parent).clips]


TARGETS: dict[str, Target] = {
    "suite.yaml": Target(_suite("suite.yaml"), lambda path: read_header(path.parent)),
    "clips.csv": Target(_suite("clips.csv"), _resigned),
    "poses.csv": Target(_suite("poses/a.csv"), _resigned),
    "revisits.csv": Target(_suite("revisits/a.csv"), _resigned),
    "suite-video": Target(_suite("videos/a.mkv"), _sealed, hashed=True),
    "suite-video-sealed-anew": Target(_suite("videos/a.mkv"), _resigned),
    "official-csv": Target(_official, _open_official),
    "generation.json": Target(_generation("generation.json"), lambda path: read_generation(path.parent)),
    "frames.mkv": Target(_generation("frames.mkv"), _own_frames, hashed=True),
    "npz": Target(_npz(np.savez), _frames),
    "compressed-npz": Target(_npz(np.savez_compressed), _frames),
    "mp4-h264": Target(_video("a.mp4", "libx264", "yuv420p"), _frames),
    "mkv-h264-10-bit": Target(_video("a.mkv", "libx264", "yuv420p10le"), _frames),
    "webm-vp9": Target(_video("a.webm", "libvpx-vp9", "yuv420p"), _frames),
    "mkv-ffv1": Target(_video("a.mkv", "ffv1", "yuv444p10le"), _frames),
    "png": Target(_png, lambda path: read_finished(path.parent, 16, (2, SIDE, SIDE))),
}
