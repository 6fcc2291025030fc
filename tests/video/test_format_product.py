"""Every depth, chroma, size, matrix and range against FFmpeg's program, through lossless files: equal or refused."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import av
import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.video.io import read_video

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
LEVELS = 2
"""Of 255: how far a pixel may be from the reference decoder's."""
DEPTHS = (8, 10, 12, 16)
KINDS = ("420", "422", "444", "gray", "rgb")
SIZES = ((48, 64), (48, 63), (47, 64), (47, 63))
MATRICES = {"bt601": 6, "bt709": 1, "bt2020": 9, "untagged": 2}
STORED = {"gray": "gray{}", "rgb": "gbrp{}"}
PACKED = "bgr0"
"""How the lossless codec keeps 8 bits of RGB."""


@dataclass(frozen=True)
class Form:
    """One cell of the product."""

    depth: int
    kind: str
    size: tuple[int, int]
    matrix: str
    full: bool

    @property
    def pixels(self) -> str:
        if (self.kind, self.depth) == ("rgb", 8):
            return PACKED
        deep = "" if self.depth == 8 else f"{self.depth}le"
        return STORED.get(self.kind, f"yuv{self.kind}p{{}}").format(deep)

    def __str__(self) -> str:
        return f"{self.pixels} {self.size[1]}x{self.size[0]} {self.matrix} {'full' if self.full else 'limited'}"


def planes(form: Form) -> list[NDArray[np.int64]]:
    """Smooth slopes and a few steps, within the range."""
    height, width = form.size
    across, down = {"420": (2, 2), "422": (2, 1)}.get(form.kind, (1, 1))
    rows, columns = np.mgrid[:height, :width]
    few_rows, few_columns = np.mgrid[: -(-height // down), : -(-width // across)]
    step, fine = 2 ** (form.depth - 8), 2 ** (form.depth - 8) // 3
    low, span = (0, 255) if form.full or form.kind == "rgb" else (16, 219)
    luma = (low + (rows * 3 + columns * 2 + 40 * (columns > width // 2)) % span) * step + fine
    if form.kind == "gray":
        return [luma]
    if form.kind == "rgb":
        return [luma, luma[::-1].copy(), luma[:, ::-1].copy()]
    return [luma, (98 + few_rows * 2 % 60) * step + fine, (98 + few_columns % 60) * step + fine]


def write(path: Path, form: Form, parts: list[NDArray[np.int64]]) -> Path:
    """The planes as they are, lossless and tagged."""
    height, width = form.size
    frame = av.VideoFrame(width, height, form.pixels)
    tag, reach = MATRICES[form.matrix], 2 if form.full else 1
    if form.kind == "rgb":
        tag, reach = 0, 2
    frame.colorspace, frame.color_range = tag, reach
    if form.pixels == PACKED:
        green, blue, red = parts
        parts = [np.stack([blue, green, red, np.zeros_like(red)], 2).reshape(height, -1)]
    for plane, part in zip(frame.planes, parts, strict=True):
        raw = part.astype("u1" if form.depth == 8 else "<u2").view("u1").reshape(part.shape[0], -1)
        plane.update(np.pad(raw, ((0, 0), (0, plane.line_size - raw.shape[1]))).tobytes())
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=16)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, form.pixels
        stream.codec_context.colorspace, stream.codec_context.color_range = tag, reach
        output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def reference(path: Path, form: Form) -> NDArray[np.float64]:
    """(H, W, 3) in levels of 255: what FFmpeg's program decodes and shows, each chroma sample for all that it covers.

    In odd sizes, and in more than 8 bits, its scaler moves or blurs chroma; there its planes are repeated to 4:4:4
    before it turns them into RGB.
    """
    height, width = form.size
    if form.pixels == PACKED or (form.depth == 8 and not (height % 2 or width % 2)):
        raw = run(path, "-vf", "scale=flags=neighbor", "-pix_fmt", "rgb24")
        return np.frombuffer(raw, np.uint8).reshape(height, width, 3).astype(float)
    values = np.frombuffer(run(path, "-pix_fmt", form.pixels), "u1" if form.depth == 8 else "<u2")
    shapes = [part.shape for part in planes(form)]
    ends = np.cumsum([rows * columns for rows, columns in shapes])
    assert ends[-1] == len(values)
    parts = [part.reshape(shape) for part, shape in zip(np.split(values, ends[:-1]), shapes, strict=True)]
    if form.kind == "rgb":
        green, blue, red = parts
        return np.rint(np.stack([red, green, blue], 2) * (255 / (2**form.depth - 1)))
    wide = [part.repeat(-(-height // part.shape[0]), 0).repeat(-(-width // part.shape[1]), 1) for part in parts]
    even = np.stack([np.pad(part[:height, :width], ((0, height % 2), (0, width % 2)), "edge") for part in wide])
    pixels = form.pixels if form.kind == "gray" else form.pixels.replace(form.kind, "444")
    matrix = {"untagged": "bt601"}.get(form.matrix, form.matrix)
    return np.rint(scaled(even, pixels, matrix, form.full))[:height, :width]


def run(path: Path, *words: str) -> bytes:
    command = [FFMPEG, "-v", "error", "-i", str(path), *words, "-f", "rawvideo", "-"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def scaled(planes: NDArray[np.generic], pixels: str, matrix: str, full: bool) -> NDArray[np.float64]:
    """RGB of planes (P, H, W) by FFmpeg's scaler at 16 bits, in levels of 255."""
    height, width = planes.shape[1:]
    reach = "full" if full else "limited"
    flags = "flags=accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
    scale = f"scale=in_color_matrix={matrix}:in_range={reach}:out_range=full:{flags},format=gbrp16le"
    size = ["-f", "rawvideo", "-pix_fmt", pixels, "-s", f"{width}x{height}"]
    command = [FFMPEG, "-v", "error", *size, "-i", "-", "-vf", scale, "-f", "rawvideo", "-pix_fmt", "gbrp16le", "-"]
    raw = subprocess.run(command, input=planes.tobytes(), check=True, capture_output=True).stdout
    green, blue, red = np.frombuffer(raw, "<u2").reshape(3, height, width) / 257
    return np.stack([red, green, blue], 2)


def cells() -> list[Form]:
    return [Form(*cell) for cell in product(DEPTHS, KINDS, SIZES, MATRICES, (False, True))]


def thin(forms: list[Form]) -> list[Form]:
    """Every pair of values at least once, by a stride that shares no factor with any side of the product."""
    return forms[::23]


def check(path: Path, form: Form) -> None:
    try:
        shown = read_video(write(path, form, planes(form)))[0].astype(float)
    except MagbenchError:
        return
    apart = np.abs(shown - reference(path, form)).max()
    assert apart <= LEVELS, f"{form}: {apart:.2f} levels off"


@pytest.mark.parametrize("form", thin(cells()), ids=str)
def test_a_form_is_shown_as_the_reference_decoder_shows_it(tmp_path: Path, form: Form) -> None:
    check(tmp_path / "x.mkv", form)


@pytest.mark.rare
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_form_is_shown_as_the_reference_decoder_shows_it(tmp_path: Path, kind: str, depth: int) -> None:
    for form in cells():
        if (form.kind, form.depth) == (kind, depth):
            check(tmp_path / "x.mkv", form)


def test_the_thin_product_has_every_value() -> None:
    forms = thin(cells())
    for name, values in {"depth": DEPTHS, "kind": KINDS, "size": SIZES, "matrix": MATRICES}.items():
        assert {getattr(form, name) for form in forms} == set(values)


def stored(picture: NDArray[np.float64], form: Form) -> list[NDArray[np.int64]]:
    """4:2:0 planes of an RGB picture (H, W, 3) in 0 to 1, by the equations of ITU-R BT.601, 709 and 2020."""
    red, blue = {"bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}.get(form.matrix, (0.299, 0.114))
    luma = picture @ [red, 1 - red - blue, blue]
    chroma = [(picture[..., 2] - luma) / (2 - 2 * blue), (picture[..., 0] - luma) / (2 - 2 * red)]
    pad = [(0, side % 2) for side in form.size]
    halved = [np.pad(part, pad, "edge") for part in chroma]
    halved = [part.reshape(len(part) // 2, 2, -1, 2).mean((1, 3)) for part in halved]
    top, step = 2**form.depth - 1, 2 ** (form.depth - 8)
    if form.full:
        parts = [top * luma, *(128 * step + top * part for part in halved)]
    else:
        parts = [step * (16 + 219 * luma), *(step * (128 + 224 * part) for part in halved)]
    return [np.rint(part).clip(0, top).astype(np.int64) for part in parts]


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("size", [SIZES[0], SIZES[-1]])
def test_eight_and_ten_bits_of_one_picture_are_as_good(
    tmp_path: Path, size: tuple[int, int], matrix: str, full: bool
) -> None:
    """One picture in both depths lies equally far, within 0.1 dB, from the picture before chroma was halved."""
    few = np.random.default_rng(1).uniform(size=(9, 12, 3))
    picture = cv2.resize(few, size[::-1], interpolation=cv2.INTER_CUBIC).clip(0, 1)
    decibels = []
    for depth in (8, 10):
        form = Form(depth, "420", size, matrix, full)
        shown = read_video(write(tmp_path / "x.mkv", form, stored(picture, form)))[0].astype(float)
        decibels.append(10 * np.log10(255**2 / np.square(shown - 255 * picture).mean()))
    assert min(decibels) > 25
    assert abs(decibels[0] - decibels[1]) <= 0.1
