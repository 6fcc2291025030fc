"""Videos that are too long to be held: read in pieces from the disk, they have the records of those in memory."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from magbench.core.disk import DiskError
from magbench.core.progress import Quiet
from magbench.generation.runner import generate
from magbench.metrics import matrix
from magbench.runs.folder import RunFolder
from magbench.scoring.score import score
from magbench.suites import stored
from magbench.suites.clip import Clip
from magbench.suites.format import Suite, load_suite, write_suite
from magbench.video import frames as frames_module
from magbench.video.frames import FramesOnDisk, Gathered, Joined, Stretch, pieces
from magbench.video.io import frames_sha256, open_video, read_video, write_lossless
from tests.conftest import HEADER

pytestmark = pytest.mark.usefixtures("registered")


@pytest.fixture
def nothing_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every video of two frames is too long, and a piece is one frame."""
    monkeypatch.setattr(frames_module, "MEMORY_BYTES", 1)
    monkeypatch.setattr(frames_module, "PIECE_BYTES", 1)
    monkeypatch.setattr(matrix, "HELD_PIXELS", 1)
    stored._held.clear()


def video(count: int = 5) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (count, 32, 48, 3), np.uint8)


def score_files(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.glob("scores/*/*"))}


@pytest.fixture
def two_ways(clips: list[Clip], tmp_path: Path) -> Suite:
    """A clip that comes back to what was given, and one that comes back to what only the model made."""
    ways = np.array([-1, -1, -1, -1, -1, -1, -1, -1, 7, 6, 7, 6])
    write_suite(tmp_path / "two", [clips[0], replace(clips[1], revisit=ways)], **HEADER)
    suite = load_suite(tmp_path / "two")
    assert [clip.explores for clip in suite.clips] == [False, True]
    return suite


def test_records_are_those_of_a_video_in_memory(
    two_ways: Suite, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    out = tmp_path / "out"
    assert generate(two_ways, ["tiny", "oracle"], out, progress=Quiet()) == []
    assert score(two_ways, out, progress=Quiet()) == []
    held = score_files(out)
    for path in out.glob("scores/*/*"):
        path.unlink()
    request.getfixturevalue("nothing_held")
    assert isinstance(open_video(RunFolder(out).generation("tiny", "a", 0) / "frames.mkv"), FramesOnDisk)
    assert score(two_ways, out, progress=Quiet()) == []
    assert score_files(out) == held


@pytest.mark.usefixtures("nothing_held")
def test_frames_on_the_disk_are_those_of_the_file(tmp_path: Path) -> None:
    wanted = video()
    write_lossless(tmp_path / "a.mkv", wanted, 16)
    found = open_video(tmp_path / "a.mkv")
    assert isinstance(found, FramesOnDisk)
    assert found.shape == wanted.shape
    for index in (slice(None), slice(1, 3), slice(-2, None), slice(2, 2), slice(4, 99)):
        assert np.array_equal(found[index], wanted[index])
    assert np.array_equal(np.asarray(found), wanted)
    assert np.array_equal(read_video(tmp_path / "a.mkv"), wanted)
    assert frames_sha256(found) == frames_sha256(wanted)
    assert [len(piece) for piece in pieces(found)] == [1] * 5


def test_parts_and_joins_are_those_of_arrays() -> None:
    one, other = video(5), video(3)
    part, both = Stretch(one, 1, 4), Joined(Stretch(one, 1, 4), other)
    whole = np.concatenate([one[1:4], other])
    assert (part.shape, both.shape) == (one[1:4].shape, whole.shape)
    for index in (slice(None), slice(0, 2), slice(2, 5), slice(4, None), slice(1, 1)):
        assert np.array_equal(part[index], one[1:4][index])
        assert np.array_equal(both[index], whole[index])


@pytest.mark.usefixtures("nothing_held")
def test_no_room_for_a_long_video_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    gathered = Gathered()
    gathered.add(video()[0])
    with pytest.raises(DiskError, match="gone"):
        gathered.add(video()[1])
