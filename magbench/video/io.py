"""Video files <-> arrays <-> tensors. The only place that converts pixel ranges.

Arrays are (T, H, W, 3) uint8 RGB; tensors are (T, 3, H, W) float32 in [0, 1].
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError, Misfit
from magbench.core.files import placed
from magbench.video import frame_rate
from magbench.video.colours import to_rgb
from magbench.video.frame_rate import rounded
from magbench.video.frames import FramesOnDisk, FrameSource, Gathered, each, pieces

if TYPE_CHECKING:
    from torch import Tensor

TOLERANCE = 1e-3
"""How far outside [0, 1] a model's rounding may put a value."""

_SLICES = 4
"""Of a large frame. Their number is fixed: the bytes must not depend on the machine."""
SMALL_FRAME = 2**16
"""Pixels below which one thread codes a frame, and others would only be waited for."""
_FFV1 = {"level": "3", "coder": "1", "context": "0", "slices": str(_SLICES), "slicecrc": "1", "g": "1"}

LARGEST_FRAME = 2**23
"""Pixels of a frame that is read: 4K fits. A damaged or hostile header may claim any size."""
LARGEST_VIDEO = 2**31
"""Pixels of all frames of a video that is read at once: 6 GB."""

Most = tuple[int, int, int]
"""Frames, at most so many; height and width, exactly so."""


def check_fits(shape: Sequence[int], most: Most | None, where: str = "") -> None:
    """Refuse frames (T, H, W, ...) of another size, or more of them, than are wanted or than are ever read."""
    frames, height, width = shape[:3]
    if most is not None and (height, width) != most[1:]:
        raise Misfit(f"{where}frames are {width}x{height}, {most[2]}x{most[1]} wanted")
    if height * width > LARGEST_FRAME:
        raise MagbenchError(f"{where}frames are {width}x{height}, at most {LARGEST_FRAME} pixels are read")
    if most is not None and frames > most[0]:
        raise Misfit(f"{where}holds {frames} frames or more, {most[0]} at most are wanted")
    if frames * height * width > LARGEST_VIDEO:
        raise MagbenchError(f"{where}holds {frames} frames of {width}x{height} or more, too many to be read at once")


def read_start(path: Path, count: int) -> NDArray[np.uint8]:
    """The first ``count`` frames of a video file, or all where it has fewer: see :func:`read_video`.

    What comes after them is not looked at, so that a film costs no more memory than its beginning.
    """
    return np.asarray(_read(path, None, count, None))


def read_video(path: Path, fps: int | None = None, most: Most | None = None) -> NDArray[np.uint8]:
    """:func:`open_video`, all of it in memory."""
    return np.asarray(open_video(path, fps, most))


def open_video(path: Path, fps: int | None = None, most: Most | None = None) -> NDArray[np.uint8] | FramesOnDisk:
    """Decode every frame of a video file, (T, H, W, 3) uint8 RGB; a long one is on the disk then.

    Deeper pixels are rounded to 8 bits, an alpha channel that is opaque everywhere is left out, and colours are
    those of PyAV. An error is: a frame that cannot be decoded, fewer frames than the file declares, uneven
    timestamps, transparency, a picture stored turned, and another rate than ``fps``; also another size than ``most``
    or a greater length, before it takes the memory.

    FFV1 hides small damage: magbench's own files are checked by hash too.
    """
    return _read(path, fps, None, most)


def _read(path: Path, fps: int | None, count: int | None, most: Most | None) -> NDArray[np.uint8] | FramesOnDisk:
    if not path.is_file():
        raise MagbenchError(f"{path}: no such file")
    pictures, sizes = Gathered(), dict[str, None]()
    ticks: list[int | None] = []
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            stream = _stream(container)
            check_fits((0, stream.codec_context.height, stream.codec_context.width), None, f"{path}: ")
            if stream.codec_context.height * stream.codec_context.width < SMALL_FRAME:
                stream.codec_context.thread_count = 1
            stream.codec_context.options = {"err_detect": "crccheck+explode", "max_pixels": str(LARGEST_FRAME)}
            declared = frame_rate.declared_length(container)
            tick = Fraction(stream.time_base or 0)
            pixels = VideoReformatter()  # one for all frames: setting it up costs more than a small frame
            for frame in islice(container.decode(stream), count):
                if not ticks and not frame.key_frame:
                    raise MagbenchError(f"{path}: does not begin with a keyframe: its start was cut off")
                check_fits((len(ticks) + 1, frame.height, frame.width), most, f"{path}: ")
                picture = to_rgb(frame, pixels, f"{path}: frame {len(ticks)}")
                sizes[f"{picture.shape[1]}x{picture.shape[0]}"] = None
                if len(sizes) == 1:
                    pictures.add(picture)
                ticks.append(frame.pts)
    except (FFmpegError, IndexError, ValueError) as error:
        at = f" at frame {len(ticks)}" if ticks else ""
        raise MagbenchError(f"{path}: cannot be decoded as a video{at} ({error})") from error
    if not ticks:
        raise MagbenchError(f"{path}: holds no frame")
    if len(sizes) > 1:
        raise MagbenchError(f"{path}: frame sizes change, from {' to '.join(list(sizes)[:2])}")
    try:
        frame_rate.check(ticks, tick, frame_rate.ANYTHING if len(ticks) == count else declared, fps)
    except MagbenchError as error:
        raise type(error)(f"{path}: {error}") from error
    return pictures.frames()


def video_shape(path: Path) -> tuple[int, int, int, int]:
    """(T, H, W, 3) of a video file, from its packets: nothing is decoded, and one packet is taken for one frame."""
    if not path.is_file():
        raise MagbenchError(f"{path}: no such file")
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            stream = _stream(container)
            length = sum(packet.size > 0 for packet in container.demux(stream))
            return length, stream.codec_context.height, stream.codec_context.width, 3
    except (FFmpegError, IndexError, ValueError) as error:
        raise MagbenchError(f"{path}: cannot be decoded as a video ({error})") from error


RATE_PACKETS = 240
"""Packets from the start of a file that tell its rate."""


def video_rate(path: Path) -> Fraction:
    """Frames a second of a video file by the time stamps of its first packets, whatever its header declares."""
    if not path.is_file():
        raise MagbenchError(f"{path}: no such file")
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            stream = _stream(container)
            tick, declared = Fraction(stream.time_base or 0), stream.average_rate
            packets = (packet for packet in container.demux(stream) if packet.size)
            stamps = [packet.pts for packet in islice(packets, RATE_PACKETS)]
    except (FFmpegError, IndexError, ValueError) as error:
        raise MagbenchError(f"{path}: cannot be decoded as a video ({error})") from error
    known = sorted(stamp for stamp in stamps if stamp is not None)
    if len(known) == RATE_PACKETS:
        known = known[: -RATE_PACKETS // 8]  # the last are not in order yet: earlier ones may follow them
    if len(known) < len(stamps) // 2 or tick <= 0:
        raise MagbenchError(f"{path}: has frames without a timestamp; encode it with a constant frame rate")
    if len(known) < 2:
        if not declared:
            raise MagbenchError(f"{path}: declares no frame rate")
        return Fraction(declared)
    try:
        return rounded(frame_rate.constant_rate(known, tick))
    except MagbenchError as error:
        raise MagbenchError(f"{path}: {error}") from error


def _stream(container: InputContainer) -> av.VideoStream:
    """The video stream of a file."""
    stream = container.streams.video[0]
    if not stream.codec_context:  # None, whatever PyAV's types say, where the header is damaged
        raise MagbenchError(f"{container.name}: cannot be decoded as a video (unknown codec)")
    return stream


def write_lossless(path: Path, frames: FrameSource, fps: int) -> None:
    """Write (T, H, W, 3) uint8 as FFV1 in Matroska: the same pixels come back, and give the same bytes."""
    height, width = frames.shape[1:3]
    encode(
        path,
        each(frames),
        (height, width),
        fps,
        codec="ffv1",
        pixels="bgr0",
        container="matroska",
        options=_FFV1,
    )


def encode(
    path: Path,
    frames: Iterable[NDArray[np.uint8]],
    size: tuple[int, int],
    fps: int,
    *,
    codec: str,
    pixels: str,
    container: str,
    options: Mapping[str, str] = MappingProxyType({}),
    factor: int = 1,
) -> None:
    """Write frames, each pixel repeated ``factor`` times both ways; slices of large frames are coded side by side.

    What is written is read with its hash, or looked at: it need not be on the disk.
    """
    scaler = VideoReformatter()
    with placed(path) as half, av.open(str(half), "w", format=container, options={"fflags": "+bitexact"}) as output:
        stream = output.add_stream(codec, rate=fps, options=dict(options))
        assert isinstance(stream, av.VideoStream)  # PyAV cannot tell the type checker
        stream.height, stream.width = (side * factor for side in size)
        stream.pix_fmt = pixels
        stream.thread_type = "SLICE"
        stream.thread_count = 1 if size[0] * size[1] < SMALL_FRAME else _SLICES
        for array in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(array), format="rgb24")
            frame = scaler.reformat(frame, stream.width, stream.height, pixels, interpolation=Interpolation.POINT)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())


def frames_sha256(frames: FrameSource) -> str:
    """Hex sha256 of decoded frames: their shape, then their bytes."""
    digest = hashlib.sha256("x".join(map(str, frames.shape)).encode())
    for piece in pieces(frames):
        digest.update(np.ascontiguousarray(piece).data)
    return digest.hexdigest()


def to_float(frames: FrameSource) -> Tensor:
    """(T, H, W, 3) uint8 to (T, 3, H, W) float32 in [0, 1]; frames are read a few at a time."""
    import torch

    count, height, width, channels = frames.shape
    result = torch.empty(count, channels, height, width, dtype=torch.float32, device="cpu")
    for frame, pixels in zip(result, each(frames), strict=True):  # one by one, see to_uint8
        frame.copy_(torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)).div_(255)
    return result


def to_uint8(frames: Tensor, out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """(T, 3, H, W) float32 in [0, 1], within ``TOLERANCE``, to (T, H, W, 3) uint8, rounded to the nearest.

    It is computed where the frames are. ``out``: where it is written, instead of a new array.
    """
    import torch

    frames = frames.detach()
    count, channels, height, width = frames.shape
    pixels = np.empty((count, height, width, channels), np.uint8) if out is None else out
    scaled, whole = torch.empty_like(frames[0]), torch.empty_like(frames[0], dtype=torch.uint8)
    bounds = []
    # One by one: what a frame needs in between stays in the processor's cache.
    for frame, target in zip(frames, torch.from_numpy(pixels), strict=True):
        bounds.append(torch.stack(torch.aminmax(frame)))
        whole.copy_(torch.mul(frame, 255, out=scaled).round_().clamp_(0, 255))
        target.copy_(torch.stack(whole.unbind(), -1))
    # Bounds are asked for at the end, because an accelerator is waited for then; of frames with a NaN both are NaN.
    lows, highs = torch.stack(bounds).unbind(1)
    low, high = lows.min().item(), highs.max().item()
    if not (low >= -TOLERANCE and high <= 1 + TOLERANCE):
        finite = torch.isfinite(frames)
        if not finite.all():
            frame, *_ = (~finite).nonzero()[0].tolist()
            raise MagbenchError(f"frame {frame} holds {frames[~finite][0].item()}")
        hint = "; of frames in [-1, 1] add 1 and halve them" if -1.01 <= low < -0.01 and high <= 1.01 else ""
        raise MagbenchError(f"values span {low:.4g} to {high:.4g}, outside [0, 1]{hint}")
    return pixels
