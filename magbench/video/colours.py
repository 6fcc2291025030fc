"""One decoded frame to 8-bit RGB: the pixels that a player shows, whatever depth, chroma and size the file has.

Even-sized 8-bit YUV goes through FFmpeg's scaler, as in the official evaluation. Deeper YUV, and odd sizes, are
computed here by plain arithmetic: the scaler interpolates chroma there, or shifts it. Both take each chroma sample for
all the pixels that it covers, so that the same numbers in 8 and in 10 bits give the same picture.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from av import VideoFrame
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import ColorRange, VideoReformatter
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError

BT601 = (0.299, 0.114)
WEIGHTS = {1: (0.2126, 0.0722), 2: BT601, 4: (0.30, 0.11), 5: BT601, 6: BT601, 7: (0.212, 0.087), 9: (0.2627, 0.0593)}
"""Matrix as H.273 numbers them -> weights of red and blue in luma. 2 is untagged, and is shown as BT.601."""


def to_rgb(frame: VideoFrame, scaler: VideoReformatter, where: str) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB of a frame; deeper pixels are rounded, an alpha channel that is opaque is left out.

    Raises:
        MagbenchError: damaged, stored turned, transparent, or in colours that are not read here.
    """
    if frame.is_corrupt:
        raise MagbenchError(f"{where} is damaged")
    _check_upright(frame, where)
    form = frame.format
    deep = any(component.bits > 8 for component in form.components)
    alpha = form.has_palette or any(component.is_alpha for component in form.components)
    chroma = not form.is_rgb and not form.has_palette and len(form.components) >= 3
    if chroma and int(frame.colorspace) not in WEIGHTS:
        matrix = int(frame.colorspace)
        raise MagbenchError(f"{where}: colours of matrix {matrix} (H.273) are not read; encode it in BT.709")
    if chroma and form.is_planar and not alpha and (deep or frame.width % 2 or frame.height % 2):
        return _plain(frame)
    name = ("rgba64le" if deep else "rgba") if alpha else ("rgb48le" if deep else "rgb24")
    array = scaler.reformat(frame, format=name).to_ndarray()
    if deep:
        # The scaler puts white of the studio range at 255 * 256, every other white at 65535.
        white = 256 if chroma and frame.color_range != ColorRange.JPEG else 257
        array = np.minimum((array.astype(np.uint32) + 128) // white, 255)
    if alpha:
        if (least := int(array[..., 3].min())) < 255:
            raise MagbenchError(f"{where} is transparent (alpha down to {least} of 255); put it on a background first")
        array = array[..., :3]
    return np.ascontiguousarray(array, np.uint8)


def _plain(frame: VideoFrame) -> NDArray[np.uint8]:
    """Planar YUV by the equations of BT.601, 709 and 2020, chroma repeated."""
    form = frame.format
    bits = form.components[0].bits
    planes = [_plane(frame, index, bits) for index in range(3)]
    height, width = frame.height, frame.width
    luma, *chroma = (
        np.repeat(np.repeat(plane, -(-height // plane.shape[0]), 0), -(-width // plane.shape[1]), 1)[:height, :width]
        for plane in planes
    )
    full = frame.color_range == ColorRange.JPEG or form.name.startswith("yuvj")
    step, most = 2.0 ** (bits - 8), 2.0**bits - 1
    if full:
        y, (u, v) = luma / most, ((part - 128 * step) / most for part in chroma)
    else:
        y, (u, v) = (luma - 16 * step) / (219 * step), ((part - 128 * step) / (224 * step) for part in chroma)
    red, blue = WEIGHTS[int(frame.colorspace)]
    r, b = y + 2 * (1 - red) * v, y + 2 * (1 - blue) * u
    g = (y - red * r - blue * b) / (1 - red - blue)
    found = np.rint(255 * np.stack([r, g, b], axis=2))
    return np.clip(found, 0, 255).astype(np.uint8)


def _plane(frame: VideoFrame, index: int, bits: int) -> NDArray[np.float64]:
    """(h, w) numbers of one plane."""
    plane = frame.planes[index]
    kind = np.dtype("u1" if bits <= 8 else ">u2" if frame.format.name.endswith("be") else "<u2")
    rows = np.frombuffer(memoryview(plane), np.uint8)[: plane.height * abs(plane.line_size)].reshape(plane.height, -1)
    return rows.view(kind)[:, : plane.width].astype(np.float64)


def _check_upright(frame: VideoFrame, where: str) -> None:
    """Refuse a picture that a player turns or mirrors before it is shown."""
    if frame.rotation:
        raise MagbenchError(f"{where} is stored turned by {frame.rotation} degrees; encode the video upright")
    entries: Any = frame.side_data  # its type says that names come out; entries do
    for data in entries:
        if data.type is SideDataType.DISPLAYMATRIX:
            matrix = np.frombuffer(bytes(data), "<i4").reshape(3, 3)
            if matrix[0, 0] <= 0 or matrix[1, 1] <= 0 or matrix[0, 1] or matrix[1, 0]:
                raise MagbenchError(f"{where} is stored mirrored (display matrix); encode the video as it is shown")
