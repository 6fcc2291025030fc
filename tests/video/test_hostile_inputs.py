"""Video files that people really have: each is read as documented, or refused in one line that says why."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.video.io import read_video, video_shape, write_lossless
from tests.encode import blocks, encode


def refused(path: Path, message: str, fps: int | None = None) -> None:
    with pytest.raises(MagbenchError, match=message) as caught:
        read_video(path, fps)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


KINDS = [
    ("x.mp4", "libx264", "yuv420p"),
    ("x.mkv", "libx264", "yuv420p"),
    ("x.mkv", "ffv1", "bgr0"),
    ("x.webm", "libvpx-vp9", "yuv420p"),
    ("x.webm", "libvpx", "yuv420p"),
]


@pytest.mark.parametrize(("name", "codec", "pixels"), KINDS)
def test_whole_videos_pass_and_are_counted_without_decoding(tmp_path: Path, name: str, codec: str, pixels: str) -> None:
    path = encode(tmp_path / name, blocks(20), codec, pixels)
    frames = read_video(path, 16)
    assert frames.shape == video_shape(path) == (20, 48, 64, 3)
    assert np.abs(frames[:, 4::8, 4::8].astype(int) - blocks(20)[:, 4::8, 4::8]).mean() < 6


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.97])
@pytest.mark.parametrize(("name", "codec", "pixels"), KINDS)
def test_a_video_that_was_cut_off_is_refused(tmp_path: Path, name: str, codec: str, pixels: str, share: float) -> None:
    path = encode(tmp_path / name, blocks(20), codec, pixels)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    refused(path, r"cut off|cannot be decoded|holds no frame|variable frame rate, frames are 62 to ")


def test_a_cut_that_loses_one_frame_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "x.mkv"
    write_lossless(path, np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), np.uint8), 16)
    path.write_bytes(path.read_bytes()[:-2000])
    refused(path, r"declares 0\.751 s, its frames end at 0\.68\d* s: cut off$")


def test_fewer_frames_than_the_header_says(tmp_path: Path) -> None:
    """An MP4 whose header comes first, as on the web: the file opens, its end is missing."""
    path = encode(tmp_path / "x.mp4", blocks(20), options={"movflags": "+faststart"})
    fast = tmp_path / "fast.mp4"
    with av.open(str(path)) as source, av.open(str(fast), "w", options={"movflags": "+faststart"}) as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.stream = stream
                output.mux(packet)
    whole = fast.read_bytes()
    assert whole.index(b"moov") < whole.index(b"mdat")
    fast.write_bytes(whole[: whole.index(b"mdat") + (len(whole) - whole.index(b"mdat")) * 2 // 3])
    refused(fast, r"declares 20 frames, \d+ can be decoded: cut off|cannot be decoded as a video")


@pytest.mark.parametrize(("rate", "shown"), [(24, "24"), (15, "15"), (8, "8"), (Fraction(31, 2), r"15\.5")])
def test_another_frame_rate_is_refused(tmp_path: Path, rate: Fraction | int, shown: str) -> None:
    path = encode(tmp_path / "x.mp4", blocks(9), rate=rate)
    refused(path, rf"x\.mp4: has {shown} frames per second, 16 wanted", 16)
    assert len(read_video(path)) == 9


def test_a_rounded_frame_rate_passes(tmp_path: Path) -> None:
    assert len(read_video(encode(tmp_path / "x.mp4", blocks(9), rate=Fraction(24000, 1001)), 24)) == 9
    rounded = [0, 63, 125, 188, 250, 313]
    assert len(read_video(encode(tmp_path / "x.mkv", blocks(6), milliseconds=rounded), 16)) == 6


def test_one_frame_has_the_rate_of_its_stream(tmp_path: Path) -> None:
    path = encode(tmp_path / "x.mp4", blocks(1))
    assert len(read_video(path, 16)) == 1
    refused(path, "has 16 frames per second, 24 wanted", 24)


@pytest.mark.parametrize("name", ["x.mp4", "x.mkv"])
def test_a_variable_frame_rate_is_refused(tmp_path: Path, name: str) -> None:
    times = [0, 50, 100, 150, 250, 350, 450]
    path = encode(tmp_path / name, blocks(7), milliseconds=times)
    refused(path, r"variable frame rate, frames are 50 to 100 ms apart; encode it with a constant one")


@pytest.mark.parametrize(("codec", "pixels"), [("ffv1", "bgr0"), ("libx264", "yuv444p")])
def test_odd_sizes_are_read(tmp_path: Path, codec: str, pixels: str) -> None:
    assert read_video(encode(tmp_path / "x.mkv", blocks(3, 33, 47), codec, pixels)).shape == (3, 33, 47, 3)


def with_alpha(least: int) -> NDArray[np.uint8]:
    frames = np.concatenate([blocks(4), np.full((4, 48, 64, 1), 255, np.uint8)], axis=3)
    frames[2, 5, 7, 3] = least
    return frames


def test_an_opaque_alpha_channel_is_left_out(tmp_path: Path) -> None:
    path = encode(tmp_path / "x.mkv", with_alpha(255), "ffv1", "bgra", source="rgba")
    assert np.array_equal(read_video(path), blocks(4))


def test_transparency_is_refused(tmp_path: Path) -> None:
    path = encode(tmp_path / "x.mkv", with_alpha(40), "ffv1", "bgra", source="rgba")
    refused(path, r"x\.mkv: frame 2 is transparent \(alpha down to 40 of 255\); put it on a background first")


def test_alpha_that_the_decoder_would_drop_is_refused(tmp_path: Path) -> None:
    path = encode(tmp_path / "x.webm", with_alpha(40), "libvpx-vp9", "yuva420p", source="rgba")
    refused(path, "alpha channel beside the picture")


def test_ten_bits_are_rounded_to_eight(tmp_path: Path) -> None:
    """All 1024 levels, through a lossless 10-bit codec, against plain arithmetic."""
    levels = np.arange(1024, dtype=np.uint16).reshape(32, 32)
    frame = av.VideoFrame(32, 32, "gbrp10le")
    for plane in frame.planes:
        plane.update(np.pad(levels, ((0, 0), (0, plane.line_size // 2 - 32))).tobytes())
    path = tmp_path / "x.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=16)
        stream.height, stream.width, stream.pix_fmt = 32, 32, "gbrp10le"
        output.mux(stream.encode(frame))
        output.mux(stream.encode())
    wanted = np.rint(levels * (255 / 1023)).astype(np.uint8)
    assert np.array_equal(read_video(path)[0], np.stack([wanted] * 3, axis=2))


def test_ten_bit_yuv_is_converted_as_eight_bit_yuv(tmp_path: Path) -> None:
    """The same colours, with two more bits each, differ by rounding alone."""
    eight = read_video(encode(tmp_path / "8.mkv", blocks(4), "ffv1", "yuv444p"))
    ten = read_video(encode(tmp_path / "10.mkv", blocks(4), "ffv1", "yuv444p10le"))
    assert np.abs(eight.astype(int) - ten).max() <= 2
    assert np.abs(blocks(4).astype(int) - ten).max() <= 2


def test_greys_keep_their_level_in_ten_bits(tmp_path: Path) -> None:
    frames = np.repeat(np.array([0, 64, 128, 255], np.uint8), 48 * 64 * 3).reshape(4, 48, 64, 3)
    for pixels in ("yuv420p10le", "yuv444p12le", "gray10le"):
        assert np.array_equal(read_video(encode(tmp_path / f"{pixels}.mkv", frames, "ffv1", pixels)), frames)


def test_grey_is_repeated(tmp_path: Path) -> None:
    grey = np.repeat(blocks(3)[..., :1], 3, axis=3)
    assert np.array_equal(read_video(encode(tmp_path / "x.mkv", grey, "ffv1", "gray")), grey)


def test_a_picture_stored_turned_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=16)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        stream.set_display_rotation(90)
        for array in blocks(3):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(array, format="rgb24")))
        output.mux(stream.encode())
    refused(path, r"frame 0 is stored turned by -?90 degrees")


def test_a_file_without_a_video_or_a_frame(tmp_path: Path) -> None:
    sound = tmp_path / "sound.mkv"
    with av.open(str(sound), "w") as output:
        stream = output.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        output.mux(stream.encode(frame))
        output.mux(stream.encode())
    refused(sound, "cannot be decoded as a video")
    empty = tmp_path / "empty.mkv"
    with av.open(str(empty), "w") as output:
        stream = output.add_stream("ffv1", rate=16)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "bgr0"
        output.start_encoding()
    refused(empty, "cannot be decoded as a video|holds no frame")


BT709, UNTAGGED, BT601 = 1, 2, 5  # as numbered in ISO/IEC 23001-8


def constant(path: Path, tag: int, y: int, cb: int, cr: int) -> NDArray[np.uint8]:
    """The RGB that comes back from a file of one colour whose colour matrix is tagged so."""
    frame = av.VideoFrame(64, 48, "yuv444p")
    for plane, level in zip(frame.planes, (y, cb, cr), strict=True):
        plane.update(bytes([level]) * plane.buffer_size)
    frame.colorspace = tag
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=16, options={"qp": "0"})
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv444p"
        stream.codec_context.colorspace = tag
        output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return read_video(path)[0, 24, 32]


@pytest.mark.parametrize(
    ("tag", "red", "blue"),
    [(BT709, 0.2126, 0.0722), (BT601, 0.299, 0.114), (UNTAGGED, 0.299, 0.114)],
)
def test_colours_follow_the_tag_and_else_bt601(tmp_path: Path, tag: int, red: float, blue: float) -> None:
    y, cb, cr = 120, 100, 180
    luma, difference = (y - 16) / 219, (np.array([cr, cb]) - 128) / 224
    r = luma + difference[0] * 2 * (1 - red)
    b = luma + difference[1] * 2 * (1 - blue)
    g = (luma - red * r - blue * b) / (1 - red - blue)
    wanted = np.array([r, g, b]) * 255
    assert np.abs(constant(tmp_path / "x.mp4", tag, y, cb, cr) - wanted).max() < 2
