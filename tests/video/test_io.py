"""Files and ranges: lossless there and back, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from numpy.typing import DTypeLike, NDArray

from magbench.core.errors import MagbenchError
from magbench.video import frames as video_frames
from magbench.video.frames import Whole
from magbench.video.io import TOLERANCE, frames_sha256, read_video, to_float, to_uint8, write_lossless
from magbench.video.preview import GIVEN, MADE, write_preview


def pixels(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)


@pytest.mark.parametrize("shape", [(12, 32, 32), (5, 33, 47), (2, 8, 4), (1, 90, 160)])
def test_lossless_gives_the_same_pixels_and_the_same_bytes(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    frames = pixels(*shape)
    first, second = tmp_path / "first.mkv", tmp_path / "second.mkv"
    write_lossless(first, frames, 16)
    write_lossless(second, frames, 16)
    assert np.array_equal(read_video(first), frames)
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(("shape", "size"), [((32, 32), (136, 136)), ((33, 47), (140, 196)), ((300, 301), (608, 610))])
def test_preview_plays_and_looks_alike(tmp_path: Path, shape: tuple[int, int], size: tuple[int, int]) -> None:
    frames = np.repeat(pixels(3, 1, 1), shape[0], axis=1).repeat(shape[1], axis=2)
    assert write_preview(tmp_path / "preview.mp4", frames[:1], frames[1:], 16)
    shown = read_video(tmp_path / "preview.mp4")
    assert shown.shape == (3, *size, 3)
    assert np.abs(shown[:, 20::100, 20::100].astype(int) - frames[:, :1, :1]).max() < 12
    assert np.abs(shown[:, 1, 1].astype(int) - [GIVEN, MADE, MADE]).max() < 25
    with av.open(str(tmp_path / "preview.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt, stream.average_rate) == ("h264", "yuv420p", 16)


def test_no_preview_without_an_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av, "codecs_available", {"ffv1"})
    assert not write_preview(tmp_path / "preview.mp4", pixels(2, 32, 32), pixels(2, 32, 32), 16)
    assert not list(tmp_path.iterdir())


def test_missing_and_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(MagbenchError, match=r"nowhere\.mkv: no such file"):
        read_video(tmp_path / "nowhere.mkv")
    broken = tmp_path / "broken.mp4"
    write_preview(broken, pixels(2, 32, 32), pixels(2, 32, 32), 16)
    whole = broken.read_bytes()
    for damaged in (b"", b"not a video", whole[: len(whole) // 2]):
        broken.write_bytes(damaged)
        with pytest.raises(MagbenchError, match=r"broken\.mp4: cannot be decoded"):
            read_video(broken)


def test_ranges_there_and_back_are_exact() -> None:
    frames = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
    tensor = to_float(frames)
    assert (tensor.shape, tensor.dtype) == ((1, 3, 16, 16), torch.float32)
    assert (tensor.min(), tensor.max()) == (0, 1)
    assert np.array_equal(to_uint8(tensor), frames)


def test_rounds_to_the_nearest_and_never_cuts() -> None:
    tensor = torch.tensor([0.0, 0.49, 0.51, 254.49, 254.51, 255.0]).div(255).view(1, 1, 2, 3).repeat(1, 3, 1, 1)
    assert to_uint8(tensor)[0, :, :, 0].tolist() == [[0, 0, 1], [254, 255, 255]]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_not_a_number_is_refused_with_its_frame(value: float) -> None:
    tensor = torch.zeros(4, 3, 8, 8)
    tensor[2, 1, 5, 5] = value
    with pytest.raises(MagbenchError, match=f"frame 2 holds {value}"):
        to_uint8(tensor)


def test_only_a_rounding_error_outside_the_range_is_allowed() -> None:
    inside = torch.full((1, 3, 8, 8), 1 + TOLERANCE / 2)
    assert to_uint8(inside).min() == 255
    for outside in (torch.full((1, 3, 8, 8), 1.01), torch.full((1, 3, 8, 8), -0.01)):
        with pytest.raises(MagbenchError, match=r"outside \[0, 1\]"):
            to_uint8(outside)


def test_hash_depends_on_pixels_and_shape() -> None:
    frames = pixels(2, 4, 8)
    assert frames_sha256(frames) == frames_sha256(frames.copy())
    assert frames_sha256(frames) != frames_sha256(frames.reshape(2, 8, 4, 3))
    assert frames_sha256(frames) != frames_sha256(255 - frames)


class _Counted(Whole):
    """Eight frames, and how often they were made."""

    shape = (8, 4, 6, 3)

    def __init__(self) -> None:
        self.made = 0

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        self.made += 1
        return np.arange(8 * 72, dtype=np.uint8).reshape(self.shape)


def test_what_is_made_as_a_whole_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_frames, "PIECE_BYTES", 3 * 72)
    source = _Counted()
    found = list(video_frames.pieces(source))
    assert [len(piece) for piece in found] == [3, 3, 2]
    assert np.array_equal(np.concatenate(found), np.arange(8 * 72, dtype=np.uint8).reshape(source.shape))
    assert source.made == 1
