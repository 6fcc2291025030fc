"""Finished videos become generations: every form, told apart by length, checked again, and nothing dropped silently."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from cli import main
from magbench.core.errors import MagbenchError
from magbench.core.progress import Quiet
from magbench.generation.import_videos import Imported, import_videos
from magbench.generation.runner import generate
from magbench.runs.folder import RunFolder
from magbench.runs.generation import read_frames, read_generation
from magbench.runs.records import read_records
from magbench.scoring.costs import costs
from magbench.scoring.score import score
from magbench.suites.format import Suite
from magbench.video.io import write_lossless
from tests.encode import encode

pytestmark = pytest.mark.usefixtures("registered")

SWITCH = 6
Save = Callable[[Path, NDArray[np.uint8]], None]


def save_mkv(stem: Path, frames: NDArray[np.uint8]) -> None:
    write_lossless(stem.with_name(f"{stem.name}.mkv"), frames, 16)


def save_npz(stem: Path, frames: NDArray[np.uint8]) -> None:
    np.savez(stem.with_name(f"{stem.name}.npz"), frames=frames)


def save_pngs(stem: Path, frames: NDArray[np.uint8]) -> None:
    stem.mkdir()
    for number, frame in enumerate(frames):
        cv2.imwrite(str(stem / f"{number:03d}.png"), frame[..., ::-1])


def save_mp4(stem: Path, frames: NDArray[np.uint8]) -> None:
    encode(stem.with_name(f"{stem.name}.mp4"), frames, options={"crf": "10"})


def save_webm(stem: Path, frames: NDArray[np.uint8]) -> None:
    encode(stem.with_name(f"{stem.name}.webm"), frames, "libvpx-vp9")


@pytest.fixture
def videos(tmp_path: Path, suite: Suite) -> Path:
    """The truth, as three kinds of entries; the first holds the return only."""
    folder = tmp_path / "videos"
    folder.mkdir()
    save_mkv(folder / "a", suite.clip("a").frames[SWITCH:])
    save_npz(folder / "b", suite.clip("b").frames)
    save_pngs(folder / "c", suite.clip("c").frames)
    return folder


def take(suite: Suite, videos: Path, out: Path, model: str = "elsewhere") -> Imported:
    return import_videos(suite, videos, model, out, progress=Quiet())


def failures(suite: Suite, videos: Path, out: Path) -> list[str]:
    return [str(failure) for failure in take(suite, videos, out).failures]


def test_the_truth_from_elsewhere_is_the_truth(suite: Suite, videos: Path, tmp_path: Path) -> None:
    imported = take(suite, videos, tmp_path / "out")
    assert (imported.parts, imported.failures) == ({"a": "return", "b": "whole", "c": "whole"}, [])
    assert str(imported) == "3 videos used; the return only: 1, the whole clip: 2 (given frames left out)"
    revisions = set()
    for clip in suite.clips:
        folder = RunFolder(tmp_path / "out").generation("elsewhere", clip.id, 0)
        assert [path.name for path in folder.iterdir()] == ["generation.json"]
        made = read_generation(folder)
        assert made is not None
        assert np.array_equal(read_frames(folder, made), clip.frames[SWITCH:])
        assert (made.kind, made.sample, made.pieces, made.ttff_s, made.device) == ("model", 0, [], None, None)
        assert costs(made) == []
        revisions.add(made.revision)
    assert len(revisions) == 1
    assert score(suite, tmp_path / "out", progress=Quiet()) == []
    records = read_records(RunFolder(tmp_path / "out").score("elsewhere", "c", 0))
    (lpips,) = [r for r in records if (r.protocol, r.metric, r.region) == ("aligned", "lpips", "all")]
    assert lpips.value == pytest.approx(0, abs=1e-6)
    assert all(record.protocol != "cost" for record in records)


@pytest.mark.parametrize("save", [save_mkv, save_npz, save_pngs, save_mp4, save_webm])
@pytest.mark.parametrize(("first", "part"), [(0, "whole"), (SWITCH, "return")])
def test_every_form_holds_either(suite: Suite, tmp_path: Path, save: Save, first: int, part: str) -> None:
    (tmp_path / "videos").mkdir()
    for clip in suite.clips:
        smooth = np.stack([cv2.blur(frame, (15, 15)) for frame in clip.frames])
        if part == "whole":
            smooth[:SWITCH] = clip.frames[:SWITCH]
        save(tmp_path / "videos" / clip.id, smooth[first:])
    imported = take(suite, tmp_path / "videos", tmp_path / "out")
    assert (imported.failures, imported.parts) == ([], dict.fromkeys("abc", part))
    folder = RunFolder(tmp_path / "out").generation("elsewhere", "a", 0)
    made = read_generation(folder)
    assert made is not None
    frames = read_frames(folder, made)
    wanted = np.stack([cv2.blur(frame, (15, 15)) for frame in suite.clip("a").frames[SWITCH:]])
    assert np.abs(frames.astype(int) - wanted).mean() < 12


def test_missing_clips_are_listed_and_the_others_are_used(suite: Suite, videos: Path, tmp_path: Path) -> None:
    (videos / "a.mkv").unlink()
    (videos / "b.npz").unlink()
    imported = take(suite, videos, tmp_path / "out")
    assert [str(failure) for failure in imported.failures] == [f"elsewhere: {videos}: 2 of 3 clips have no video: a, b"]
    assert imported.parts == {"c": "whole"}


def test_many_missing_clips_are_counted(suite: Suite, videos: Path, tmp_path: Path) -> None:
    more = tuple(replace(suite.clip("b"), id=f"n{index}") for index in range(9))
    (failure,) = failures(replace(suite, clips=suite.clips + more), videos, tmp_path / "out")
    assert failure.endswith("9 of 12 clips have no video: n0, n1, n2, n3, n4, ...")


def test_a_video_of_no_clip_is_said(suite: Suite, videos: Path, tmp_path: Path) -> None:
    save_mkv(videos / "aa", suite.clip("a").frames)
    (videos / "notes.txt").write_text("not a video, and no concern of ours")
    (videos / ".hidden.mp4").write_text("")
    (failure,) = failures(suite, videos, tmp_path / "out")
    assert failure == f"elsewhere: {videos}/aa.mkv: unknown clip 'aa'; did you mean: a?"


def other_length(folder: Path, frames: NDArray[np.uint8]) -> str:
    save_mkv(folder / "a", frames[:7])
    return "a.mkv: holds 7 frames, 6 (return) or 12 (whole) wanted"


def other_size(folder: Path, frames: NDArray[np.uint8]) -> str:
    save_mkv(folder / "a", frames[:, :, :30])
    return "a.mkv: frames are 30x32, 32x32 wanted"


def other_rate(folder: Path, frames: NDArray[np.uint8]) -> str:
    write_lossless(folder / "a.mkv", frames, 24)
    return "a.mkv: has 24 frames per second, 16 wanted"


def cut_off(folder: Path, frames: NDArray[np.uint8]) -> str:
    path = folder / "a.mkv"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return "cut off"


def no_video(folder: Path, frames: NDArray[np.uint8]) -> str:
    (folder / "a.mkv").write_text("hello")
    return "a.mkv: cannot be decoded as a video"


def no_pngs(folder: Path, frames: NDArray[np.uint8]) -> str:
    (folder / "a.mkv").unlink()
    (folder / "a").mkdir()
    return "a: holds no PNG file"


def broken_link(folder: Path, frames: NDArray[np.uint8]) -> str:
    (folder / "a.mkv").unlink()
    (folder / "a.mkv").symlink_to("nowhere.mkv")
    return "a.mkv: cannot be read (No such file or directory)"


@pytest.mark.parametrize("damage", [other_length, other_size, other_rate, cut_off, no_video, no_pngs, broken_link])
def test_an_unusable_video_is_said_and_the_others_are_used(
    suite: Suite, videos: Path, tmp_path: Path, damage: Callable[[Path, NDArray[np.uint8]], str]
) -> None:
    message = damage(videos, suite.clip("a").frames)
    imported = take(suite, videos, tmp_path / "out")
    (failure,) = imported.failures
    assert (failure.model, failure.clip, failure.sample) == ("elsewhere", "a", 0)
    assert message in str(failure)
    assert "\n" not in str(failure)
    assert sorted(imported.parts) == ["b", "c"]


def test_links_are_followed(suite: Suite, videos: Path, tmp_path: Path) -> None:
    elsewhere = (videos / "a.mkv").rename(tmp_path / "made-somewhere.mkv")
    (videos / "a.mkv").symlink_to(elsewhere)
    assert failures(suite, videos, tmp_path / "out") == []
    made = read_generation(RunFolder(tmp_path / "out").generation("elsewhere", "a", 0))
    assert made is not None and made.original is not None
    assert made.original.path == str(elsewhere)


def test_two_videos_of_one_clip_are_refused(suite: Suite, videos: Path, tmp_path: Path) -> None:
    save_npz(videos / "a", suite.clip("a").frames)
    with pytest.raises(MagbenchError, match=r"videos: clip 'a' is there twice: a\.mkv, a\.npz$"):
        take(suite, videos, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("tiny", "'tiny' is an installed model; give the videos a name of their own"),
        ("oracle", "'oracle' is a reference; give the videos a name of their own"),
        ("../up", r"model name '\.\./up' may only hold letters"),
        ("", "model name '' may only hold letters"),
        ("my model", "model name 'my model' may only hold"),
    ],
)
def test_names_that_cannot_be_used(suite: Suite, videos: Path, tmp_path: Path, model: str, message: str) -> None:
    with pytest.raises(MagbenchError, match=message):
        take(suite, videos, tmp_path / "out", model)
    assert not (tmp_path / "out").exists()


def test_folders_that_cannot_be_used(suite: Suite, videos: Path, tmp_path: Path) -> None:
    with pytest.raises(MagbenchError, match="nowhere: no such folder"):
        take(suite, tmp_path / "nowhere", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MagbenchError, match=r"empty: holds no video; one per clip: \.mp4, \.mkv, \.webm, \.npz or"):
        take(suite, tmp_path / "empty", tmp_path / "out")
    with pytest.raises(MagbenchError, match=r"videos: holds files but no run\.json"):
        take(suite, videos, videos)


def test_videos_join_a_run_with_its_limit(suite: Suite, videos: Path, tmp_path: Path) -> None:
    generate(suite, ["oracle"], tmp_path / "out", limit=2, progress=Quiet())
    imported = take(suite, videos, tmp_path / "out")
    assert (sorted(imported.parts), imported.failures) == (["a", "b"], [])
    generate(suite, ["oracle"], tmp_path / "seeds", seeds=2, progress=Quiet())
    with pytest.raises(MagbenchError, match="seeds: is a run with 2 samples a clip, finished videos are one"):
        take(suite, videos, tmp_path / "seeds")


def test_a_generation_of_magbench_is_not_replaced(suite: Suite, videos: Path, tmp_path: Path) -> None:
    generate(suite, ["noise"], tmp_path / "out", progress=Quiet())
    (tmp_path / "out/generations/noise").rename(tmp_path / "out/generations/mine")
    with pytest.raises(MagbenchError, match="mine/a@0: was generated, not imported"):
        take(suite, videos, tmp_path / "out", "mine")


def test_a_video_that_changes_after_the_import_is_an_error(suite: Suite, videos: Path, tmp_path: Path) -> None:
    take(suite, videos, tmp_path / "out")
    save_mkv(videos / "a", suite.clip("b").frames[SWITCH:])
    (videos / "b.npz").unlink()
    messages = [str(failure) for failure in score(suite, tmp_path / "out", progress=Quiet())]
    assert len(messages) == 2
    assert "a.mkv: changed, sha256 of its frames is " in messages[0]
    assert "b.npz: no such file" in messages[1]


def test_importing_again_takes_the_new_videos_and_mixes_nothing(suite: Suite, videos: Path, tmp_path: Path) -> None:
    def found() -> dict[str, str]:
        folders = sorted((tmp_path / "out/generations/elsewhere").iterdir())
        made = {folder.name: read_generation(folder) for folder in folders}
        return {name: one.revision for name, one in made.items() if one is not None}

    take(suite, videos, tmp_path / "out")
    first = found()
    take(suite, videos, tmp_path / "out")
    assert found() == first
    save_mkv(videos / "a", suite.clip("b").frames[SWITCH:])
    (videos / "b.npz").unlink()
    take(suite, videos, tmp_path / "out")
    assert list(found()) == ["a@0", "c@0"]
    assert len(set(found().values())) == 1
    assert set(found().values()) != set(first.values())


def magbench_(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_the_command_imports_scores_and_reports(suite_folder: Path, videos: Path, tmp_path: Path) -> None:
    arguments = ("score", "--suite", suite_folder, "--videos", videos, "--model", "elsewhere", "--out", tmp_path / "o")
    result = magbench_(*arguments)
    assert result.exit_code == 0, result.stderr
    assert f"{videos}: 3 videos used; the return only: 1, the whole clip: 2" in result.stdout
    rows = json.loads((tmp_path / "o/table.json").read_text())["rows"]
    assert [(row["clips"], row["complete"]) for row in rows if row["model"] == "elsewhere"] == [(3, True)]
    assert {"oracle", "freeze", "wrong_scene"} <= {row["model"] for row in rows if row["kind"] == "reference"}
    assert all(row["retention_lpips_all"] is not None for row in rows if row["model"] in ("elsewhere", "oracle"))
    again = magbench_("score", suite_folder, "--out", tmp_path / "o")
    assert again.exit_code == 0, again.stderr


def test_missing_videos_are_an_exit_code_and_the_rest_is_scored(
    suite_folder: Path, videos: Path, tmp_path: Path
) -> None:
    (videos / "b.npz").unlink()
    result = magbench_(
        "score", suite_folder, "--videos", videos, "--model", "elsewhere", "--out", tmp_path / "o", "--no-references"
    )
    assert result.exit_code == 1
    assert "failed: elsewhere: " in result.stderr
    assert "1 of 3 clips have no video: b" in result.stderr
    assert "elsewhere" in result.stdout
    (row,) = json.loads((tmp_path / "o/table.json").read_text())["rows"]
    assert (row["clips"], row["complete"], row["rank"]) == (2, False, None)


def test_videos_that_cannot_be_used_are_not_counted(suite_folder: Path, videos: Path, tmp_path: Path) -> None:
    for path in list(videos.iterdir()):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name in "abc":
        (videos / f"{name}.mkv").write_bytes(b"no video")
    result = magbench_("score", suite_folder, "--videos", videos, "--model", "elsewhere", "--out", tmp_path / "o")
    assert result.exit_code == 1
    assert "import elsewhere: 0 of 3" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--videos", "v"], "--videos and --model go together"),
        (["--model", "m"], "--videos and --model go together"),
        (["one", "--suite", "two"], "SUITE is given twice: one, --suite two"),
    ],
)
def test_options_that_do_not_fit(arguments: list[str], message: str) -> None:
    result = magbench_("score", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
