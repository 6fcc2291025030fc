"""Videos made to fit: what is done is right, is said everywhere, and is never done unasked."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from cli import main
from magbench.analysis.noise_floor import read_noise
from magbench.core.errors import MagbenchError
from magbench.core.progress import Quiet
from magbench.generation.fit import in_length, in_size, in_time
from magbench.generation.import_videos import Imported, import_videos
from magbench.leaderboard.submission import read_submission
from magbench.leaderboard.submit import submit
from magbench.report.grids import main_grid
from magbench.results import Results
from magbench.runs.folder import RunFolder
from magbench.runs.generation import read_frames, read_generation
from magbench.runs.records import read_records
from magbench.suites.format import Suite
from magbench.video import frames as frames_module
from magbench.video.io import write_lossless

pytestmark = pytest.mark.usefixtures("registered")


@pytest.mark.parametrize(
    ("rate", "fps", "taken"),
    [
        (Fraction(24), 16, [0, 2, 3, 5, 6, 8, 9, 11]),  # at 0, 1.5, 3, 4.5, ...: half a frame goes up
        (Fraction(32), 16, [0, 2, 4, 6, 8, 10]),
        (Fraction(8), 16, [0, 1, 1, 2, 2, 3, 3]),
        (Fraction(16), 16, list(range(12))),
        (None, 16, list(range(12))),
    ],
)
def test_each_frame_is_the_nearest_in_time(rate: Fraction | None, fps: int, taken: list[int]) -> None:
    places, done = in_time(12, rate, fps)
    assert list(places[: len(taken)]) == taken
    assert bool(done) == (rate not in (16, None))
    if rate:
        assert abs((len(places) - 1) / fps - 11 / rate) <= 1 / fps  # no longer, and not a frame shorter


def test_size_is_cut_around_the_middle_and_shrunk_by_area() -> None:
    wide = np.random.default_rng(0).integers(0, 255, (2, 16, 36, 3), np.uint8)
    found, done = in_size(wide, (16, 36), (8, 16))
    middle = wide[:, :, 2:34].reshape(2, 8, 2, 16, 2, 3).astype(float).mean(axis=(2, 4))
    np.testing.assert_allclose(found, middle, atol=0.51)
    assert done == "36x16 cut to 32x16, 32x16 to 16x8 by area"
    larger, done = in_size(wide, (16, 36), (32, 72))
    np.testing.assert_array_equal(larger[0], cv2.resize(wide[0], (72, 32), interpolation=cv2.INTER_LANCZOS4))
    assert done == "36x16 to 72x32 Lanczos"
    assert in_size(wide, (16, 36), (16, 36))[1] == ""
    with pytest.raises(MagbenchError, match="frames are 36x16, 16x36 .* would turn their shape; did you mean 36x16"):
        in_size(wide, (16, 36), (36, 16))


def test_length_is_cut_at_the_end_and_never_made_up(suite: Suite) -> None:
    clip = suite.clip("a")
    truth, given = clip.frames[clip.switch :], clip.frames[: clip.switch]
    longer = np.concatenate([truth, truth])
    frames, done = in_length(longer, len(truth) + 3, clip)
    np.testing.assert_array_equal(frames, truth)
    assert done == f"the first {len(truth)} of {len(truth) + 3} frames"
    frames, _ = in_length(np.concatenate([given, truth, truth])[: len(clip)], len(clip) + len(truth), clip)
    np.testing.assert_array_equal(frames, clip.frames)
    with pytest.raises(MagbenchError, match=f"holds {len(truth) - 1} frames at 16 a second, the return has"):
        in_length(truth[:-1], len(truth) - 1, clip)


@pytest.fixture
def odd(tmp_path: Path, suite: Suite) -> Path:
    """The true returns, twice as large, at twice the rate, and two frames too long."""
    folder = tmp_path / "odd"
    folder.mkdir()
    for clip in suite.clips:
        truth = clip.frames[clip.switch :]
        late = np.concatenate([truth, truth[-2:]]).repeat(2, axis=0)
        write_lossless(folder / f"{clip.id}.mkv", late.repeat(2, axis=1).repeat(2, axis=2), 2 * clip.fps)
    return folder


def take(suite: Suite, videos: Path, out: Path, fit: bool) -> Imported:
    return import_videos(suite, videos, "elsewhere", out, fit=fit, progress=Quiet())


def test_unasked_it_is_refused_and_the_flag_is_named(suite: Suite, odd: Path, tmp_path: Path) -> None:
    imported = take(suite, odd, tmp_path / "out", fit=False)
    assert not imported.parts
    assert "a.mkv: frames are 64x64, 32x32 wanted; --fit makes it fit, and says so" in str(imported.failures[0])


def test_fitted_videos_are_kept_as_they_were_scored(suite: Suite, odd: Path, tmp_path: Path) -> None:
    imported = take(suite, odd, tmp_path / "out", fit=True)
    assert (imported.failures, set(imported.parts.values())) == ([], {"return"})
    assert "made to fit: 3 videos, 32 to 16 frames per second" in str(imported)
    folder = RunFolder(tmp_path / "out").generation("elsewhere", "a", 0)
    generation = read_generation(folder)
    assert generation is not None
    (odd / "a.mkv").unlink()
    clip = suite.clip("a")
    np.testing.assert_array_equal(read_frames(folder, generation), clip.frames[clip.switch :])


def test_what_is_too_long_to_be_held_is_fitted_alike(
    suite: Suite, odd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames_module, "MEMORY_BYTES", 1)
    assert take(suite, odd, tmp_path / "out", fit=True).failures == []
    folder, clip = RunFolder(tmp_path / "out").generation("elsewhere", "a", 0), suite.clip("a")
    generation = read_generation(folder)
    assert generation is not None
    np.testing.assert_array_equal(read_frames(folder, generation), clip.frames[clip.switch :])


def test_what_was_done_is_said_everywhere(suite_folder: Path, suite: Suite, odd: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    line = ["score", "--suite", str(suite_folder), "--videos", str(odd), "--model", "elsewhere", "--out", str(out)]
    result = CliRunner().invoke(main, [*line, "--fit"])
    assert result.exit_code == 0, result.output
    height, width = suite.clips[0].size
    done = f"{2 * width}x{2 * height} to {width}x{height} by area"
    assert done in result.output
    records = [r for path in RunFolder(out).score_files() for r in read_records(path)]
    assert {done in record.conversions for record in records if record.model == "elsewhere"} == {True}
    assert {record.conversions for record in records if record.model != "elsewhere"} == {""}
    assert "elsewhere (made to fit)" in result.output
    assert any(done in cell for row in main_grid(Results(out).summary).rows for cell in row)
    assert any("resize" in level.shifts for level in read_noise(out).levels)
    told = {"licence": "x", "submitter": "x", "relationship": "author", "training_data": "x", "date": "2026-01-31"}
    about = read_submission(submit(out, "elsewhere", told, tmp_path / "board")).about
    assert done in about.conversions
    assert yaml.safe_load((tmp_path / "board").rglob("submission.yaml").__next__().read_text())["conversions"]
