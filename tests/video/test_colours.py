"""Pixels of every depth, chroma and size against plain arithmetic, and against another decoder."""

from __future__ import annotations

import subprocess
from itertools import product
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.video.io import read_video
from tests.encode import blocks, encode

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
CHROMA = {"420": (2, 2), "422": (2, 1), "444": (1, 1)}
MATRICES = {
    "601": (6, 0.299, 0.114),
    "709": (1, 0.2126, 0.0722),
    "2020": (9, 0.2627, 0.0593),
    "none": (2, 0.299, 0.114),
}


def planes(chroma: str, bits: int, height: int, width: int) -> list[NDArray[np.int64]]:
    """Luma and chroma of a picture with slopes and steps, in the studio range."""
    across, down = CHROMA[chroma]
    step = 2 ** (bits - 8)
    rows, columns = np.mgrid[:height, :width]
    few_rows, few_columns = np.mgrid[: -(-height // down), : -(-width // across)]
    luma = 16 + (rows * 3 + columns * 2) % 200
    return [part * step for part in (luma, 98 + few_rows * 4 % 60, 98 + few_columns * 5 % 60)]


def write(path: Path, form: str, bits: int, parts: list[NDArray[np.int64]], tag: int, full: bool) -> Path:
    height, width = parts[0].shape
    frame = av.VideoFrame(width, height, form)
    frame.colorspace, frame.color_range = tag, 2 if full else 1
    for plane, part in zip(frame.planes, parts, strict=True):
        raw = part.astype("u1" if bits == 8 else "<u2").view("u1").reshape(part.shape[0], -1)
        plane.update(np.pad(raw, ((0, 0), (0, plane.line_size - raw.shape[1]))).tobytes())
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=16)
        stream.width, stream.height, stream.pix_fmt = width, height, form
        stream.codec_context.colorspace, stream.codec_context.color_range = tag, 2 if full else 1
        output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def arithmetic(
    parts: list[NDArray[np.int64]], bits: int, chroma: str, red: float, blue: float, full: bool
) -> NDArray[np.float64]:
    height, width = parts[0].shape
    across, down = CHROMA[chroma]
    rows, columns = np.arange(height) // down, np.arange(width) // across
    step, most = 2 ** (bits - 8), 2**bits - 1
    scale = (0, most, most) if full else (16 * step, 219 * step, 224 * step)
    y = (parts[0] - scale[0]) / scale[1]
    u, v = ((part[rows][:, columns] - 128 * step) / scale[2] for part in parts[1:])
    r, b = y + 2 * (1 - red) * v, y + 2 * (1 - blue) * u
    g = (y - red * r - blue * b) / (1 - red - blue)
    return np.clip(np.rint(255 * np.stack([r, g, b], 2)), 0, 255)


@pytest.mark.parametrize(("chroma", "bits"), list(product(CHROMA, (8, 10, 12, 16))))
def test_yuv_is_what_the_equations_say(tmp_path: Path, chroma: str, bits: int) -> None:
    """Within two levels; FFmpeg's scaler, which 8 bits of even size go through, rounds up to three."""
    form = f"yuv{chroma}p" + ("" if bits == 8 else f"{bits}le")
    for (height, width), (tag, red, blue), full in product(((48, 64), (47, 65)), MATRICES.values(), (False, True)):
        parts = planes(chroma, bits, height, width)
        shown = read_video(write(tmp_path / "x.mkv", form, bits, parts, tag, full))[0]
        apart = np.abs(shown - arithmetic(parts, bits, chroma, red, blue, full))
        assert apart.max() <= (3 if bits == 8 and height % 2 == 0 else 2), (height, width, tag, full)


@pytest.mark.parametrize(("chroma", "bits"), list(product(CHROMA, (8, 10, 12, 16))))
def test_another_decoder_shows_the_same(tmp_path: Path, chroma: str, bits: int) -> None:
    form = f"yuv{chroma}p" + ("" if bits == 8 else f"{bits}le")
    exact = "neighbor" if bits == 8 else "neighbor+accurate_rnd+full_chroma_int"
    for (tag, _, _), full in product(MATRICES.values(), (False, True)):
        path = write(tmp_path / "x.mkv", form, bits, planes(chroma, bits, 48, 64), tag, full)
        command = [FFMPEG, "-v", "error", "-i", str(path), "-vf", f"scale=flags={exact}", "-f", "rawvideo"]
        raw = subprocess.run([*command, "-pix_fmt", "rgb24", "-"], check=True, capture_output=True).stdout
        shown = np.frombuffer(raw, np.uint8).reshape(48, 64, 3).astype(int)
        assert np.abs(read_video(path)[0] - shown).max() <= 2, (tag, full)


def test_eight_and_ten_bits_of_one_picture_are_one_picture(tmp_path: Path) -> None:
    eight, ten = (
        read_video(write(tmp_path / "x.mkv", form, bits, planes("420", bits, 48, 64), 6, False))[0].astype(int)
        for form, bits in (("yuv420p", 8), ("yuv420p10le", 10))
    )
    assert np.abs(eight - ten).max() <= 3


def test_colours_of_a_matrix_that_is_not_read_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.mkv", "yuv444p", 8, planes("444", 8, 48, 64), 8, False)  # YCgCo
    with pytest.raises(MagbenchError, match=r"frame 0: colours of matrix 8 \(H\.273\) are not read"):
        read_video(path)


@pytest.mark.parametrize(("flip", "said"), [("-display_vflip", "mirrored"), ("-display_hflip", "mirrored")])
def test_a_picture_stored_upside_down_is_refused(tmp_path: Path, flip: str, said: str) -> None:
    path = encode(tmp_path / "up.mp4", blocks(3), "libx264", "yuv444p")
    turned = tmp_path / "flip.mp4"
    subprocess.run([FFMPEG, "-v", "error", flip, "-i", str(path), "-c", "copy", str(turned)], check=True)
    with pytest.raises(MagbenchError, match=rf"frame 0 is stored ({said}|turned)"):
        read_video(turned)
