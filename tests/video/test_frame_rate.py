"""Rates by time stamps alone: what files declare, how coarse their clock is, and what was copied from another file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from magbench.core.errors import MagbenchError
from magbench.video.frame_rate import Rate, constant_rate, rounded
from magbench.video.io import read_video, video_rate


def mp4(path: Path, rate: int, scale: int, stamps: list[int]) -> Path:
    with av.open(str(path), "w", options={"video_track_timescale": str(scale)}) as output:
        stream = output.add_stream("libx264", rate=rate, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, rate)
        for stamp in stamps:
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 5 * (stamp % 50), np.uint8), format="rgb24")
            frame.pts, frame.time_base = stamp, Fraction(1, rate)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


MISSING = [i + (i > 11) for i in range(48)]


@pytest.mark.parametrize("frames", [2, 8, 24])
@pytest.mark.parametrize(("rate", "scale"), [(15, 15360), (15, 15), (17, 17), (17, 17408)])
def test_another_rate_is_seen_however_coarse_the_clock(tmp_path: Path, rate: int, scale: int, frames: int) -> None:
    with pytest.raises(MagbenchError, match=f"has {rate} frames per second, 16 wanted"):
        read_video(mp4(tmp_path / "x.mp4", rate, scale, list(range(frames))), 16)


@pytest.mark.parametrize("scale", [16, 160, 16384])
def test_a_missing_frame_is_no_constant_rate(tmp_path: Path, scale: int) -> None:
    with pytest.raises(MagbenchError, match="its clock ticks 16 times a second, too coarse|has a variable frame rate"):
        read_video(mp4(tmp_path / "x.mp4", 16, scale, MISSING), 16)


@pytest.mark.parametrize("scale", [16, 16384])
def test_even_frames_on_the_same_clocks_are_read(tmp_path: Path, scale: int) -> None:
    assert len(read_video(mp4(tmp_path / "x.mp4", 16, scale, list(range(48))), 16)) == 48


@pytest.mark.parametrize(
    "rate", [Fraction(16), Fraction(24), Fraction(30000, 1001), Fraction(30), Fraction(60), Fraction(24000, 1001)]
)
def test_milliseconds_that_were_copied_into_another_container_are_read(tmp_path: Path, rate: Fraction) -> None:
    source, copied = tmp_path / "a.mkv", tmp_path / "a.mp4"
    with av.open(str(source), "w") as output:
        stream = output.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for i in range(60):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 4 * i, np.uint8), format="rgb24")))
        output.mux(stream.encode())
    with av.open(str(source)) as read, av.open(str(copied), "w") as output:
        target = output.add_stream_from_template(read.streams.video[0])
        for packet in read.demux(video=0):
            if packet.size:
                packet.stream = target
                output.mux(packet)
    for path in (source, copied):
        assert len(read_video(path, round(rate))) == 60
        assert video_rate(path) == rate
        with pytest.raises(MagbenchError, match="wanted"):
            read_video(path, round(rate * Fraction(15, 16)))


def test_the_header_is_not_asked(tmp_path: Path) -> None:
    """A film whose header says 60 frames a second, and whose frames are a thirtieth apart."""
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=60, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 60)
        for i in range(60):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 4 * i, np.uint8), format="rgb24")
            frame.pts, frame.time_base = 2 * i, Fraction(1, 60)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    assert video_rate(path) == 30


def test_rates_are_exact_where_stamps_are() -> None:
    assert constant_rate([0, 1001, 2002], Fraction(1, 30000)) == Rate(Fraction(30000, 1001), 0.0)
    found = constant_rate([0, 33, 67, 100, 133, 167], Fraction(1, 1000))
    assert rounded(found) == 30 and 0 < found.uncertain < 0.01
    assert rounded(constant_rate([0, 42, 83, 125, 167, 209, 250], Fraction(1, 1000))) == 24


@pytest.mark.parametrize(
    "stamps",
    [
        [0, 62, 125, 250, 312],
        [0, 62, 125, 125, 187],
        [0, 50, 100, 150, 250, 350],
        [*range(0, 660, 33), *range(693, 1400, 40)],
    ],
)
def test_uneven_stamps_are_refused(stamps: list[int]) -> None:
    with pytest.raises(MagbenchError, match="variable frame rate"):
        constant_rate(stamps, Fraction(1, 1000))


def test_a_stream_that_does_not_begin_with_a_keyframe_is_refused(tmp_path: Path) -> None:
    whole, tail = tmp_path / "whole.mkv", tmp_path / "tail.mkv"
    rng = np.random.default_rng(0)
    wide = np.kron(rng.integers(0, 256, (6, 24, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    with av.open(str(whole), "w") as output:
        stream = output.add_stream("mpeg4", rate=16, options={"g": "48", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for i in range(48):
            array = np.ascontiguousarray(wide[:, 2 * i : 2 * i + 64])
            output.mux(stream.encode(av.VideoFrame.from_ndarray(array, format="rgb24")))
        output.mux(stream.encode())
    with av.open(str(whole)) as read, av.open(str(tail), "w") as output:
        target = output.add_stream_from_template(read.streams.video[0])
        for number, packet in enumerate(packet for packet in read.demux(video=0) if packet.size):
            if number >= 24:
                packet.stream = target
                output.mux(packet)
    assert len(read_video(whole, 16)) == 48
    with pytest.raises(MagbenchError, match="does not begin with a keyframe"):
        read_video(tail, 16)
