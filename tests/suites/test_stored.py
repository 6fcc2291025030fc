"""Clips on disk: pixels only when they are asked for, never many, and never other ones than were checked."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from magbench.core.errors import MagbenchError
from magbench.suites import seal, stored
from magbench.suites.clip import Clip
from magbench.suites.format import load_suite
from magbench.suites.seal import check_suite
from magbench.suites.stored import HELD, StoredVideo
from magbench.video.io import read_video


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stem of every video that is decoded, in order."""
    stems: list[str] = []

    def reading(path: Path, *asked: object) -> np.ndarray:
        stems.append(path.stem)
        return read_video(path, *asked)

    monkeypatch.setattr(stored, "open_video", reading)
    stored._held.clear()
    return stems


def test_a_suite_is_loaded_without_decoding(suite_folder: Path, clips: list[Clip], decoded: list[str]) -> None:
    suite = load_suite(suite_folder)
    assert [(len(clip), clip.size) for clip in suite.clips] == [(12, (32, 32))] * 3
    assert repr(suite.clips[0]) == "Clip('a', 12 frames of 32x32)"
    assert suite.clips[0] != replace(clips[0], caption="another")
    assert decoded == []
    assert list(suite.clips) == clips
    assert decoded == ["a", "b", "c"]


def test_small_videos_are_decoded_once(suite_folder: Path, decoded: list[str]) -> None:
    clips = load_suite(suite_folder).clips
    for clip in (*clips, *clips):
        assert clip.frames.shape == (12, 32, 32, 3)
    assert decoded == ["a", "b", "c"]


def test_of_large_videos_only_the_last_are_held(
    suite_folder: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "HELD_BYTES", 0)
    a, b, c = load_suite(suite_folder).clips
    assert HELD == 2
    for clip in (a, b, a, b, c, b, a):
        assert clip.frames.shape == (12, 32, 32, 3)
    assert decoded == ["a", "b", "c", "a"]


def test_a_clip_in_memory_is_its_array(clips: list[Clip]) -> None:
    assert clips[0].frames is clips[0].source
    assert replace(clips[0], id="d").frames is clips[0].frames


def test_frames_have_to_be_given_and_stay(clips: list[Clip]) -> None:
    fields = {name: value for name, value in vars(clips[0]).items() if name != "frames"}
    with pytest.raises(TypeError, match="frames"):
        Clip(**fields)
    with pytest.raises(AttributeError, match="frames"):
        clips[0].frames = clips[1].frames  # type: ignore[misc,assignment]


def test_another_process_gets_the_path_and_not_the_pixels(suite_folder: Path, clips: list[Clip]) -> None:
    clip = load_suite(suite_folder).clips[0]
    sent = pickle.dumps(clip)
    assert len(sent) < clips[0].frames.nbytes / 5
    assert pickle.loads(sent) == clips[0]


def test_a_file_that_changes_in_use_is_an_error(suite_folder: Path, decoded: list[str]) -> None:
    a, b, _ = load_suite(suite_folder).clips
    (suite_folder / "videos/a.mkv").write_bytes((suite_folder / "videos/b.mkv").read_bytes())
    with pytest.raises(MagbenchError, match=r"a\.mkv: changed while in use, sha256 was \w{12}, is \w{12}$"):
        _ = a.frames
    assert np.array_equal(b.frames[0], b.frames[-1])


def test_the_first_frames_of_a_longer_video(suite_folder: Path, clips: list[Clip]) -> None:
    whole = load_suite(suite_folder).clips[0].source
    assert isinstance(whole, StoredVideo)
    cut = replace(whole, shape=(9, *whole.shape[1:]))
    assert np.array_equal(np.asarray(cut), clips[0].frames[:9])
    wrong = replace(cut, length=11)
    with pytest.raises(MagbenchError, match=r"a\.mkv: holds 12 frames or more, 11 at most are wanted"):
        np.asarray(wrong)


def test_a_check_decodes_every_clip(suite_folder: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "started", lambda: 1)  # here, where it is seen, and in no process that was left idle
    check_suite(suite_folder)
    assert decoded == ["a", "b", "c"]
