"""Finding the program, reading what it writes, and the videos that it gets."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from magbench.core.errors import MagbenchError
from magbench.vbench.dimensions import DIMENSIONS
from magbench.vbench.program import find_program, read_results
from magbench.vbench.videos import write_mp4

FLICKER = DIMENSIONS["temporal_flickering"]


def test_a_program_that_is_not_there_says_what_to_type() -> None:
    with pytest.raises(
        MagbenchError, match=r"program 'vbench-not-there' is not there; .*pip install vbench.*--program"
    ):
        find_program("vbench-not-there", 1)


def test_a_program_is_found_on_the_path(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    assert find_program("vbench", 1).path == program
    assert find_program(str(program), 1).path == program


def results(folder: Path, content: object) -> Path:
    path = folder / "results_x_eval_results.json"
    path.write_text(json.dumps(content))
    return path


def test_results(tmp_path: Path) -> None:
    videos = [{"video_path": "videos/m@a@0.mp4", "video_results": 90.0, "cnt_per_video": 3}]
    flicker = results(tmp_path, {"temporal_flickering": [90.0, videos]})
    assert read_results(flicker, FLICKER) == {"m@a@0.mp4": 90.0}
    imaging = results(tmp_path, {"imaging_quality": [0.9, videos]})
    assert read_results(imaging, DIMENSIONS["imaging_quality"]) == {"m@a@0.mp4": pytest.approx(0.9)}


@pytest.mark.parametrize(
    "content, message",
    [
        ({}, "is not what VBench writes for temporal_flickering"),
        ({"temporal_flickering": 0.5}, "is not what VBench writes"),
        ({"temporal_flickering": [0.5, [{"video_path": "a.mp4"}]]}, "is not what VBench writes"),
        ({"temporal_flickering": [0.5, [{"video_path": "a.mp4", "video_results": None}]]}, "is not what VBench writes"),
        ({"temporal_flickering": [0.5, [{"video_path": "a.mp4", "video_results": 1}] * 2]}, "2 results of 1 videos"),
    ],
)
def test_bad_results(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(MagbenchError, match=message):
        read_results(results(tmp_path, content), FLICKER)


@pytest.mark.parametrize("height, width, factor", [(32, 32, 8), (33, 47, 8), (256, 300, 1)])
def test_videos_are_whole_and_hardly_changed(tmp_path: Path, height: int, width: int, factor: int) -> None:
    """By OpenCV's decoder, which VBench uses."""
    frames = np.random.default_rng(0).integers(0, 256, (4, height, width, 3), dtype=np.uint8)
    write_mp4(tmp_path / "a.mp4", frames, 16)
    video = cv2.VideoCapture(str(tmp_path / "a.mp4"))
    assert video.get(cv2.CAP_PROP_FPS) == 16
    shown = []
    while (read := video.read())[0]:
        shown.append(read[1][..., ::-1])
    assert np.shape(shown) == (4, height * factor, width * factor, 3)
    error = np.abs(np.stack(shown)[:, ::factor, ::factor].astype(int) - frames)
    assert error.max() <= 5
    assert error.mean() < 1.5
