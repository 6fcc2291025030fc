"""What a clip knows of space: the same there and back, hand-computed gaps, every mistake named."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from magbench.core.errors import MagbenchError
from magbench.suites.clip import Clip
from magbench.suites.format import load_suite, write_suite
from magbench.suites.planes import coarse, depth_codes, depths
from magbench.suites.seal import check_suite, seal
from tests.conftest import FRAMES, HEADER, SIZE, SWITCH
from tests.suites.test_format import edit


@pytest.fixture
def clip(clips: list[Clip]) -> Clip:
    rng = np.random.default_rng(7)
    depth = rng.uniform(20, 4000, (FRAMES, SIZE, SIZE))
    depth[:, :4] = np.inf
    share = np.tril(rng.integers(0, 2, (FRAMES, FRAMES)) * rng.uniform(0.001, 1, (FRAMES, FRAMES)), -1)
    gap = rng.integers(0, 12, (FRAMES, SIZE // 4, SIZE // 4)).astype(np.uint16).repeat(4, axis=1).repeat(4, axis=2)
    return replace(
        clips[0],
        pose=rng.normal(size=(FRAMES, 5)),
        intrinsics=np.array([16.0, 19.2, 16.0, 16.0]),
        depth=depths(*depth_codes(depth)),
        overlap=share.round(4),
        pixel_gap=gap,
    )


@pytest.fixture
def folder(tmp_path: Path, clip: Clip, clips: list[Clip]) -> Path:
    write_suite(tmp_path / "space", [clip, clips[1]], **HEADER)
    return tmp_path / "space"


def test_it_comes_back_as_it_went(folder: Path, clip: Clip, clips: list[Clip]) -> None:
    suite = check_suite(folder)
    assert list(suite.clips) == [clip, clips[1]]
    assert suite.clips[1].depth is suite.clips[1].overlap is suite.clips[1].intrinsics is None
    assert suite.clips[0].planes == {"depth": (FRAMES, SIZE, SIZE), "pixel_gap": (FRAMES, SIZE, SIZE)}
    assert (folder / "poses/a.csv").read_text().startswith("frame,x,y,z,yaw,pitch\n")
    assert seal(folder)[0].digest == suite.digest


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (3, 5), (FRAMES - 1, None), (0, None)])
def test_a_part_is_that_of_the_whole(folder: Path, clip: Clip, start: int, stop: int | None) -> None:
    stored, bare = load_suite(folder).clips
    for name in ("depth", "pixel_gap"):
        assert np.array_equal(stored.planes_part(name, start, stop), getattr(stored, name)[start:stop])
        assert bare.planes_part(name, start, stop) is None
    assert np.array_equal(clip.planes_part("pixel_gap", start, stop), clip.pixel_gap[start:stop])


def test_clips_that_differ_in_it_are_not_equal(clip: Clip) -> None:
    assert clip != replace(clip, depth=None)
    assert clip != replace(clip, overlap=np.zeros((FRAMES, FRAMES)))


def test_depth_keeps_a_share_of_a_thousandth() -> None:
    depth = np.geomspace(16, 1000, 500).reshape(1, 20, 25)
    np.testing.assert_allclose(depths(*depth_codes(depth)), depth, rtol=5e-4)
    codes, near = depth_codes(np.array([[[4.0, np.inf, 8.0]]]))
    assert (codes.tolist(), near) == ([[[65535, 0, 32768]]], 4.0)


def test_small_planes_are_found() -> None:
    small = np.arange(160, dtype=np.uint16).reshape(1, 8, 20)
    assert np.array_equal(coarse(small.repeat(4, axis=1).repeat(4, axis=2)), small)
    assert np.array_equal(coarse(small), small)


def test_a_view_counts_as_seen_where_a_given_frame_shows_half_of_it(clip: Clip) -> None:
    overlap = np.zeros((FRAMES, FRAMES))
    overlap[SWITCH, [1, 3, 5]] = 0.9, 0.5, 0.49
    overlap[SWITCH + 1, SWITCH] = 1.0  # made by the model: not asked
    overlap[SWITCH + 2, 0] = 0.5
    seen = replace(clip, overlap=overlap)
    assert seen.gap[SWITCH : SWITCH + 4].tolist() == [3, -1, 8, -1]
    assert seen.out_of_window(4)[SWITCH : SWITCH + 4].tolist() == [False, False, True, False]


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("overlaps/a.csv", "frame,earlier,share\n", "frame,earlier,share\n2,2,0.5\n", "frame 2 cannot share 0.5"),
        ("overlaps/a.csv", "frame,earlier,share\n", "frame,earlier,share\n2,1,0.5\n2,1,0.5\n", "stand there twice"),
        ("clips.csv", "16.0,19.2", "0,19.2", "fx and fy must be more than 0"),
        ("clips.csv", "overlaps/a.csv", "overlaps/b.csv", "'overlaps/b.csv' is not among the files"),
        ("clips.csv", "depths/a.mkv", "videos/b.mkv", "pixels are bgr0, not gray16le"),
    ],
)
def test_mistakes_are_named(folder: Path, file: str, old: str, new: str, message: str) -> None:
    edit(folder, file, old, new)
    with pytest.raises(MagbenchError, match=re.escape(message)):
        check_suite(folder)


def test_planes_of_another_size_are_refused(tmp_path: Path, clip: Clip, folder: Path) -> None:
    with pytest.raises(MagbenchError, match=r"depth is \(12, 8, 8\), not \(12, 32, 32\)"):
        write_suite(tmp_path / "bad", [replace(clip, depth=np.ones((FRAMES, 8, 8), np.float32))], **HEADER)
    other = folder.parent / "other"
    write_suite(other, [replace(clip, pixel_gap=np.full((FRAMES, SIZE, SIZE), 3, np.uint16))], **HEADER)
    (folder / "pixel_gaps/a.mkv").write_bytes((other / "pixel_gaps/a.mkv").read_bytes())
    seal(folder)
    assert (load_suite(folder).clips[0].pixel_gap == 3).all()
