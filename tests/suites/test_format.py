"""The suite format: the same there and back, and every damage named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256
from magbench.suites.clip import NO_REVISIT, Clip
from magbench.suites.format import load_suite, write_suite
from magbench.video.io import write_lossless
from tests.conftest import HEADER


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def resign(folder: Path) -> None:
    """Put the hashes of the files as they are now into suite.yaml, as somebody who edits a suite would."""
    header = yaml.safe_load((folder / "suite.yaml").read_text())
    header["sha256"] = {file: file_sha256(folder / file) for file in contents(folder) if file != "suite.yaml"}
    (folder / "suite.yaml").write_text(yaml.safe_dump(header))


def edit(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    resign(folder)


def test_clips_come_back_as_they_went(suite_folder: Path, clips: list[Clip]) -> None:
    suite = load_suite(suite_folder)
    assert list(suite.clips) == clips
    assert {field: getattr(suite, field) for field in HEADER} == HEADER
    assert suite.clip("b") == clips[1]
    with pytest.raises(MagbenchError, match="unknown clip in tiny-suite 'd'"):
        suite.clip("d")


def test_the_official_columns_come_first(suite_folder: Path) -> None:
    header = (suite_folder / "clips.csv").read_text().splitlines()[0]
    assert header == ("video_path,raw_caption,duration(sec),switch_frame,category,speed,pose_path,revisit_path")
    assert (suite_folder / "revisits/a.csv").read_text().splitlines()[5:8] == ["4,,", "5,,", "6,5,1"]
    assert (suite_folder / "poses/a.csv").read_text().startswith("frame,x,y,log_scale\n0,")


def test_writing_twice_gives_the_same_bytes(suite_folder: Path, tmp_path: Path, clips: list[Clip]) -> None:
    write_suite(tmp_path / "again", iter(clips), **HEADER)
    assert contents(tmp_path / "again") == contents(suite_folder)
    assert load_suite(tmp_path / "again").digest == load_suite(suite_folder).digest


def test_other_cameras_or_none(tmp_path: Path, clips: list[Clip]) -> None:
    bare = replace(clips[0], pose=None, revisit=np.full(12, NO_REVISIT))
    long = replace(clips[1], pose=np.random.default_rng(0).normal(size=(12, 7)))
    write_suite(tmp_path / "odd", [bare, long], **HEADER)
    assert list(load_suite(tmp_path / "odd").clips) == [bare, long]
    assert not (tmp_path / "odd/poses/a.csv").exists()


def test_the_optional_columns_may_be_missing(suite_folder: Path, clips: list[Clip]) -> None:
    row = "videos/a.mkv,A caption,0.75,6\n"
    (suite_folder / "clips.csv").write_text(f"video_path,raw_caption,duration(sec),switch_frame\n{row}")
    resign(suite_folder)
    (clip,) = load_suite(suite_folder).clips
    assert np.array_equal(clip.frames, clips[0].frames)
    assert (clip.category, clip.pose, set(clip.revisit)) == ("", None, {NO_REVISIT})


def test_what_decides_a_score_decides_the_digest(tmp_path: Path, suite_folder: Path, clips: list[Clip]) -> None:
    write_suite(tmp_path / "wider", clips, **(HEADER | {"window": 5}))
    write_suite(tmp_path / "fewer", clips[:2], **HEADER)
    digests = {load_suite(folder).digest for folder in (suite_folder, tmp_path / "wider", tmp_path / "fewer")}
    assert len(digests) == 3


def test_half_a_suite_is_never_seen(tmp_path: Path, clips: list[Clip]) -> None:
    def broken() -> object:
        yield clips[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_suite(tmp_path / "half", broken(), **HEADER)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda clip: {"id": "a"}, "clip 'a' is there twice"),
        (lambda clip: {"id": "../b"}, r"clip id '\.\./b' may only hold"),
        (lambda clip: {"fps": 24}, "clip 'b' has 24 frames per second, its suite 16"),
        (lambda clip: {"switch": 12}, "clip 'b': switch_frame 12 is not in its 12 frames"),
        (lambda clip: {"revisit": clip.revisit[:-1]}, "cameras or revisits do not have its 12 frames"),
    ],
)
def test_bad_clips_are_not_written(
    tmp_path: Path, clips: list[Clip], change: Callable[[Clip], dict[str, object]], message: str
) -> None:
    with pytest.raises(MagbenchError, match=message):
        write_suite(tmp_path / "bad", [clips[0], replace(clips[1], **change(clips[1]))], **HEADER)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_a_suite_is_not_written_over(suite_folder: Path, clips: list[Clip]) -> None:
    before = contents(suite_folder)
    with pytest.raises(MagbenchError, match="suite: is there already"):
        write_suite(suite_folder, clips, **HEADER)
    assert contents(suite_folder) == before


def test_a_place_that_cannot_be_written(tmp_path: Path, clips: list[Clip]) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MagbenchError, match=r"file/suite: cannot be written \(Not a directory\)"):
        write_suite(tmp_path / "file/suite", clips, **HEADER)


def test_no_folder_and_no_header(tmp_path: Path) -> None:
    with pytest.raises(MagbenchError, match="nowhere: no such folder"):
        load_suite(tmp_path / "nowhere")
    with pytest.raises(MagbenchError, match=r"suite\.yaml: is missing"):
        load_suite(tmp_path)


def delete_video(folder: Path) -> None:
    (folder / "videos/b.mkv").unlink()


def cut_video(folder: Path) -> None:
    path = folder / "videos/b.mkv"
    path.write_bytes(path.read_bytes()[:-2000])


def swap_video(folder: Path) -> None:
    (folder / "videos/b.mkv").write_bytes((folder / "videos/a.mkv").read_bytes())


def touch_csv(folder: Path) -> None:
    path = folder / "clips.csv"
    path.write_text(path.read_text().replace("slow", "fast"))


def link_out(folder: Path) -> None:
    path = folder / "videos/b.mkv"
    outside = folder.parent / "outside.mkv"
    path.rename(outside)
    path.symlink_to(outside)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (delete_video, r"videos/b\.mkv: is missing"),
        (
            cut_video,
            r"b\.mkv: changed, sha256 is \w{12}, suite\.yaml says \w{12}; if you meant to: magbench suite seal \S+$",
        ),
        (swap_video, r"videos/b\.mkv: changed"),
        (touch_csv, r"clips\.csv: changed"),
        (link_out, r"file 'videos/b\.mkv' leads out of the folder"),
    ],
)
def test_damaged_files_are_named(suite_folder: Path, damage: Callable[[Path], None], message: str) -> None:
    damage(suite_folder)
    with pytest.raises(MagbenchError, match=message) as caught:
        load_suite(suite_folder)
    assert "\n" not in str(caught.value)


ROW_B = "videos/b.mkv,"


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("clips.csv", "raw_caption", "caption", r"clips\.csv: column 'raw_caption' is missing"),
        ("clips.csv", "category", "kategory", r"clips\.csv: column 'kategory' is unknown"),
        ("clips.csv", "category", "speed", r"clips\.csv: column 'speed' stands there twice"),
        ("clips.csv", "0.75,6", "0.75", r"clips\.csv: line 3: 7 values in 8 columns"),
        ("clips.csv", "0.75,6", "0.75,six", r"clips\.csv: line 3: switch_frame 'six' is not a whole number"),
        ("clips.csv", "0.75,6", "0.75,0", r"clips\.csv: line 3: clip 'a': switch_frame 0 is not in its 12"),
        ("clips.csv", "0.75,6", "nan,6", r"clips\.csv: line 3: duration\(sec\) 'nan' is not a number"),
        ("clips.csv", "0.75,6", "1.5,6", r"videos/a\.mkv: holds 12 frames, but 1\.5 s at 16 per second"),
        ("clips.csv", '"clip', '"cl"ip', r"clips\.csv: line 2: broken CSV"),
        ("clips.csv", ROW_B, "videos/a.mkv,", r"clips\.csv: line 5: clip 'a' is there twice"),
        ("clips.csv", ROW_B, "videos/d.mkv,", r"line 5: video_path 'videos/d\.mkv' is not among the files"),
        ("clips.csv", ROW_B, "../b.mkv,", r"file '\.\./b\.mkv' leads out of the folder"),
        ("clips.csv", ROW_B, "/etc/passwd,", r"file '/etc/passwd' leads out of the folder"),
        ("poses/a.csv", "\n5,", "\n6,", r"poses/a\.csv: line 7: frame '6' where 5 should be"),
        ("poses/a.csv", "\n11,", "\n11,x", r"poses/a\.csv: line 13: x 'x.*' is not a number"),
        ("revisits/a.csv", "11,0,11\n", "", r"revisits/a\.csv: 11 rows for 12 frames"),
        (
            "revisits/a.csv",
            "\n6,5,1",
            "\n6,7,-1",
            r"revisits/a\.csv: line 8: revisit '7' with gap '-1' cannot be",
        ),
        (
            "revisits/a.csv",
            "\n6,5,1",
            "\n6,5,2",
            r"revisits/a\.csv: line 8: revisit '5' with gap '2' cannot be",
        ),
        ("revisits/a.csv", "\n6,5,1", "\n6,5,", r"revisits/a\.csv: line 8: gap '' is not a whole number"),
    ],
)
def test_bad_values_are_named(suite_folder: Path, file: str, old: str, new: str, message: str) -> None:
    edit(suite_folder, file, old, new)
    with pytest.raises(MagbenchError, match=message) as caught:
        load_suite(suite_folder)
    assert "\n" not in str(caught.value)


def test_a_csv_that_is_not_text(suite_folder: Path) -> None:
    (suite_folder / "clips.csv").write_bytes(b"video_path,\xff\n")
    resign(suite_folder)
    with pytest.raises(MagbenchError, match=r"clips\.csv: is not UTF-8 \(byte 11\)"):
        load_suite(suite_folder)


@pytest.mark.parametrize(("file", "text"), [("clips.csv", ""), ("clips.csv", "\n"), ("poses/a.csv", "")])
def test_an_empty_csv(suite_folder: Path, file: str, text: str) -> None:
    (suite_folder / file).write_text(text)
    resign(suite_folder)
    with pytest.raises(MagbenchError, match=rf"{file}: column '\w+' is missing"):
        load_suite(suite_folder)


def test_a_suite_without_clips(suite_folder: Path) -> None:
    path = suite_folder / "clips.csv"
    path.write_text(path.read_text().splitlines(keepends=True)[0])
    resign(suite_folder)
    with pytest.raises(MagbenchError, match=r"clips\.csv: has no clip"):
        load_suite(suite_folder)


def test_a_video_of_another_size(suite_folder: Path) -> None:
    write_lossless(suite_folder / "videos/b.mkv", np.zeros((12, 16, 64, 3), np.uint8), 16)
    resign(suite_folder)
    with pytest.raises(MagbenchError, match=r"videos/b\.mkv: frames are 64x16, not 32x32 as in the clips before"):
        load_suite(suite_folder)


def test_a_video_of_another_length(suite_folder: Path) -> None:
    write_lossless(suite_folder / "videos/b.mkv", np.zeros((11, 32, 32, 3), np.uint8), 16)
    resign(suite_folder)
    with pytest.raises(MagbenchError, match=r"videos/b\.mkv: holds 11 frames, but 0\.75 s at 16 per second"):
        load_suite(suite_folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("fps: 16", "fps: fast", r"suite\.yaml: fps: .* not 'fast'"),
        ("fps: 16", "fps: 0", r"suite\.yaml: fps: .* not 0"),
        ("licence: CC0-1.0\n", "", r"suite\.yaml: licence: Field required"),
        ("fps: 16", "fps: 16\nspeed: 3", r"suite\.yaml: speed: .* not 3"),
        ("fps: 16", "fps: [16", r"suite\.yaml: broken YAML"),
        ("  clips.csv", "  klips.csv", r"suite\.yaml: sha256 does not list clips\.csv"),
        ("  clips.csv", "  ../x: abc\n  clips.csv", r"file '\.\./x' leads out of the folder"),
        ("  clips.csv", "  videos/z.mkv: abc\n  clips.csv", r"videos/z\.mkv: is missing"),
    ],
)
def test_a_bad_header(suite_folder: Path, old: str, new: str, message: str) -> None:
    path = suite_folder / "suite.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(MagbenchError, match=message) as caught:
        load_suite(suite_folder)
    assert "\n" not in str(caught.value)
