"""Ordinary videos as leave-and-return clips: exact same-view maps, frames taken in time, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from click.testing import CliRunner, Result

from cli import main
from magbench.suites.clip import NO_REVISIT
from magbench.suites.official.protocol import official_cut
from magbench.suites.registry import open_suite
from magbench.video.io import write_lossless


def video(path: Path, frames: int = 40, fps: int = 16, size: tuple[int, int] = (24, 32)) -> np.ndarray:
    """Noise whose first pixel is the number of its frame."""
    pixels = np.random.default_rng(len(path.name)).integers(0, 256, (frames, *size, 3), dtype=np.uint8)
    pixels[:, 0, 0] = np.arange(frames)[:, None]
    write_lossless(path, pixels, fps)
    return pixels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "videos").mkdir()
    return tmp_path / "videos"


def mirror(folder: Path, *options: object) -> Result:
    arguments = ["suite", "mirror", folder, folder.parent / "made", "--frames", 45, "--window", 9, *options]
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def made(folder: Path, *options: object) -> Any:
    result = mirror(folder, *options)
    assert result.exit_code == 0, result.stderr
    return open_suite(str(folder.parent / "made"))


def test_a_clip_goes_out_and_comes_back_exactly(folder: Path) -> None:
    pixels = video(folder / "a b (1).mkv")
    video(folder / "c.mkv")
    suite = made(folder, "--licence", "mine")
    assert (suite.name, suite.fps, suite.window, suite.licence) == ("made", 16, 9, "mine")
    assert [clip.id for clip in suite.clips] == ["a_b_1_", "c"]
    clip = suite.clips[0]
    assert (len(clip), clip.switch, clip.caption, clip.category, clip.pose) == (45, 33, "", "mirror", None)
    assert np.array_equal(clip.frames, np.concatenate([pixels[:23], pixels[21::-1]]))
    assert clip.revisit.tolist() == [NO_REVISIT] * 23 + [44 - t for t in range(23, 45)]
    assert clip.out_of_window(9)[33:].all()


@pytest.mark.parametrize("frames", [45, 57, 69, 81, 93, 105])
def test_the_switch_is_where_the_official_protocol_has_it(frames: int) -> None:
    from magbench.suites.mirror import Mirroring

    assert Mirroring(frames).switch == official_cut("x", frames, frames / 16).switch


def test_the_gap_moves_the_switch(folder: Path) -> None:
    video(folder / "a.mkv")
    assert made(folder, "--gap", 4).clips[0].switch == 27


def test_frames_are_taken_nearest_in_time(folder: Path) -> None:
    video(folder / "a.mkv", frames=60, fps=40)
    video(folder / "b.mkv", frames=30, fps=16)
    first, second = made(folder, "--fps", 16).clips
    assert first.frames[:23, 0, 0, 0].tolist() == [int(t * 2.5 + 0.5) for t in range(23)]
    assert second.frames[:23, 0, 0, 0].tolist() == list(range(23))


def test_frames_are_cut_to_shape_and_shrunk_by_area(folder: Path) -> None:
    pixels = video(folder / "a.mkv")
    clip = made(folder, "--size", "12x12").clips[0]
    plain = pixels[:23, :, 4:28].reshape(23, 12, 2, 12, 2, 3).mean(axis=(2, 4))
    assert np.abs(clip.frames[:23] - plain).max() <= 0.5


def test_captions_come_from_a_table(folder: Path, tmp_path: Path) -> None:
    for name in "ab":
        video(folder / f"{name}.mkv")
    table = tmp_path / "captions.csv"
    table.write_text('video,caption\nb,a field\na.mkv,"a room, lit"\n')
    assert [clip.caption for clip in made(folder, "--captions", table).clips] == ["a room, lit", "a field"]


@pytest.mark.parametrize(
    ("lines", "words"),
    [("a,x\nc,y\n", "unknown video 'c'"), ("a,x\na,y\n", "is there twice"), ("a,x\n", "no line for 1 of 2")],
)
def test_captions_that_do_not_fit_are_said(folder: Path, tmp_path: Path, lines: str, words: str) -> None:
    for name in "ab":
        video(folder / f"{name}.mkv")
    table = tmp_path / "captions.csv"
    table.write_text(f"video,caption\n{lines}")
    result = mirror(folder, "--captions", table)
    assert result.exit_code == 1 and words in result.stderr


@pytest.mark.parametrize("options", [("--licence", " "), ("--licence", "two\nlines"), ("--name", "a b")])
def test_name_and_licence_are_checked_before_a_video_is_read(folder: Path, options: tuple[str, str]) -> None:
    (folder / "a.mkv").write_bytes(b"no video")
    result = mirror(folder, *options)
    assert result.exit_code == 1
    assert "a.mkv" not in result.stderr


def test_a_track_is_the_same_where_the_view_is_the_same(folder: Path) -> None:
    video(folder / "a.mkv")
    pose = made(folder, "--track", 0.5).clips[0].pose
    assert pose.shape == (45, 3)
    assert pose[:24, 0].tolist() == [*(0.5 * t for t in range(23)), 10.5]
    assert np.array_equal(pose[::-1], pose)


def test_only_the_first_videos_are_taken_and_others_are_named(folder: Path) -> None:
    for name in "abc":
        video(folder / f"{name}.mkv")
    (folder / "notes.txt").write_text("no video")
    result = mirror(folder, "--limit", 2)
    assert "left alone, no video by its name" in result.stderr
    assert "notes.txt" in result.stderr
    assert "2 clips of 32x24" in result.stdout


@pytest.mark.parametrize(
    ("others", "options", "words"),
    [
        ([], ["--frames", 44], "--frames 44: must be odd"),
        ([], ["--frames", 33], "the model would start at frame 33"),
        ([], ["--gap", 22], "the model would start at frame 45"),
        ([], ["--window", 45], "--window 45: the last of 45 frames was last seen 44 frames before"),
        ([], ["--frames", 105], "a.mkv: has 40 frames, 53 are needed"),
        ([], ["--fps", 25], "a.mkv: has 16 frames per second, 25 wanted; frames are never repeated"),
        ([], ["--size", "32x25"], "a.mkv: frames are 32x24, smaller than 32x25"),
        (
            [],
            ["--size", "16x24"],
            "a.mkv: --size: frames are 32x24, 16x24 (WIDTHxHEIGHT) would turn their shape; did you",
        ),
        ([], ["--name", "revisit-nano"], "'revisit-nano' cannot be the name"),
        (
            [("b.mkv", {"size": (16, 16)})],
            [],
            "b.mkv: frames are 16x16, not 32x24 as in the videos before; give --size",
        ),
        ([("b.mkv", {"fps": 20})], [], "b.mkv: has 20 frames per second, a.mkv 16; give --fps"),
        ([("a!.mkv", {}), ("a?.mkv", {})], [], "would be clip 'a_', as a!.mkv is"),
        ([("ü.mkv", {})], [], "has no letter or digit"),
    ],
)
def test_what_cannot_be_is_refused(
    folder: Path, others: list[tuple[str, dict[str, Any]]], options: list[object], words: str
) -> None:
    video(folder / "a.mkv")
    for name, how in others:
        video(folder / name, **how)
    result = mirror(folder, *options)
    assert result.exit_code == 1
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    assert [path.name for path in folder.parent.iterdir()] == ["videos"]


def test_a_folder_without_videos_and_none_at_all(folder: Path) -> None:
    assert "holds no video" in mirror(folder).stderr
    assert "no such folder" in mirror(folder / "none").stderr


def test_a_damaged_video_and_one_of_a_broken_rate(folder: Path) -> None:
    (folder / "a.mkv").write_bytes(b"no video")
    assert "a.mkv: cannot be decoded" in mirror(folder).stderr
    _with_rate(folder / "a.mkv", 24000, 1001)
    assert "a.mkv: has 23.976 frames per second, no whole number; give --fps" in mirror(folder).stderr
    assert made(folder, "--fps", 24).clips[0].frames[:, 0, 0, 0].max() > 0


def _with_rate(path: Path, top: int, bottom: int) -> None:
    from fractions import Fraction

    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=Fraction(top, bottom))
        stream.width, stream.height, stream.pix_fmt = 32, 24, "bgr0"
        for number in range(40):
            picture = av.VideoFrame.from_ndarray(np.full((24, 32, 3), number, np.uint8), format="rgb24")
            output.mux(stream.encode(picture.reformat(format="bgr0")))
        output.mux(stream.encode())


@pytest.mark.parametrize("size", ["480", "480x", "0x32", "axb"])
def test_a_size_is_width_and_height(folder: Path, size: str) -> None:
    result = mirror(folder, "--size", size)
    assert result.exit_code == 2
    assert f"'{size}' is not WIDTHxHEIGHT" in result.stderr
