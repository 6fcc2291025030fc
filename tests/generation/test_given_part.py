"""A finished video that is not its clip's is seen by its given frames, and said in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.core.progress import Quiet
from magbench.generation.given_part import check_return, check_whole
from magbench.generation.import_videos import import_videos
from magbench.suites.format import Suite
from magbench.suites.registry import open_suite

Frames = NDArray[np.uint8]


@pytest.fixture(scope="module")
def nano() -> Suite:
    return open_suite("revisit-nano")


def late(frames: Frames) -> Frames:
    return np.concatenate([frames[:1], frames[:-1]])


CHANGES: dict[str, Callable[[Frames], Frames]] = {
    "1 frame late": late,
    "1 frame early": lambda frames: np.concatenate([frames[1:], frames[-1:]]),
    "2 frames late": lambda frames: late(late(frames)),
    "with red and blue exchanged": lambda frames: frames[..., ::-1],
    "upside down": lambda frames: frames[:, ::-1],
    "mirrored": lambda frames: frames[:, :, ::-1],
    "turned by 180 degrees": lambda frames: frames[:, ::-1, ::-1],
    "as a negative": lambda frames: 255 - frames,
}


@pytest.mark.parametrize("number", [0, 1, 2, 4])
@pytest.mark.parametrize("what", CHANGES)
def test_each_change_is_named(nano: Suite, what: str, number: int) -> None:
    clip = nano.clips[number]
    with pytest.raises(MagbenchError, match=f"its given frames are the clip's {what} "):
        check_whole(CHANGES[what](clip.frames), clip, nano)


def test_exchanged_names_are_seen(nano: Suite) -> None:
    first, second = nano.clips[3], nano.clips[10]
    with pytest.raises(MagbenchError, match=f"its given frames look like those of clip {second.id} "):
        check_whole(second.frames, first, nano)
    noise = np.random.default_rng(0).integers(0, 256, first.frames.shape, dtype=np.uint8)
    with pytest.raises(MagbenchError, match="its given frames are not the clip's"):
        check_whole(noise, first, nano)


@pytest.mark.parametrize("number", range(0, 42, 3))
def test_what_a_codec_does_is_no_finding(nano: Suite, number: int) -> None:
    clip = nano.clips[number]
    check_whole(clip.frames, clip, nano)
    rough = np.clip(clip.frames + np.random.default_rng(1).normal(0, 12, clip.frames.shape), 0, 255).astype(np.uint8)
    check_whole(rough, clip, nano)
    check_return(clip.frames[clip.switch :], clip)
    check_return(rough[clip.switch :], clip)
    frozen = np.repeat(clip.frames[clip.switch - 1 : clip.switch], len(clip) - clip.switch, 0)
    check_return(frozen, clip)


def test_half_a_clip_is_no_return(nano: Suite, tmp_path: Path) -> None:
    clip = nano.clips[0]
    videos = tmp_path / "videos"
    videos.mkdir()
    np.savez(videos / f"{clip.id}.npz", frames=clip.frames[: clip.switch])
    imported = import_videos(nano, videos, "mine", tmp_path / "out", progress=Quiet())
    assert not imported.parts
    found = [failure.message for failure in imported.failures if failure.clip == clip.id]
    assert len(found) == 1
    assert f"{clip.id}.npz: holds 24 frames that are given, not the return" in found[0]
