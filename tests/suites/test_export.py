"""What a model is shown leaves the house without the answer, and what comes back is scored."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from cli import main
from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256
from magbench.suites.export import export
from magbench.suites.format import Suite, load_suite
from magbench.video.io import read_video, write_lossless


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def magbench_(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_only_the_question_is_written(suite: Suite, tmp_path: Path) -> None:
    out = tmp_path / "shown"
    export(suite, out)
    rows = list(csv.DictReader((out / "clips.csv").open(encoding="utf-8", newline="")))
    assert [row["clip"] for row in rows] == [clip.id for clip in suite.clips]
    for row, clip in zip(rows, suite.clips, strict=True):
        assert np.array_equal(read_video(out / row["context"]), clip.frames[: clip.switch])
        assert (row["caption"], int(row["fps"])) == (clip.caption, clip.fps)
        assert (int(row["width"]), int(row["height"])) == (clip.size[1], clip.size[0])
        assert (int(row["context_frames"]), int(row["return_frames"])) == (clip.switch, len(clip) - clip.switch)
        pose = np.array([line.split(",")[1:] for line in (out / row["pose"]).read_text().splitlines()[1:]], float)
        assert np.allclose(pose, clip.pose)
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["digest"] == suite.digest
    files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert files == {*manifest["sha256"], "manifest.json"}
    assert all(file_sha256(out / name) == sha for name, sha in manifest["sha256"].items())
    assert not any("revisit" in name for name in files)


def test_what_is_expected_back_can_be_scored(suite_folder: Path, tmp_path: Path) -> None:
    assert magbench_("suite", "export", suite_folder, "shown").exit_code == 0
    suite = load_suite(suite_folder)
    expected = json.loads(Path("shown/manifest.json").read_text())["expected"]
    for clip in suite.clips:
        name = Path(expected[clip.id]).with_suffix(".mkv").name
        write_lossless(tmp_path / "back" / name, clip.frames[clip.switch :], clip.fps)
    result = magbench_("score", suite_folder, "--videos", "back", "--model", "mine", "--out", "out")
    assert result.exit_code == 0, result.stderr
    rows = {row["model"]: row for row in json.loads(Path("out/table.json").read_text())["rows"]}
    assert rows["mine"]["clips"] == len(suite.clips)


def test_a_folder_that_is_there_stays_as_it_is(suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(MagbenchError, match="mine: is there already"):
        export(suite, tmp_path / "mine")
    assert (tmp_path / "mine" / "notes.txt").read_text() == "mine"


def test_a_deliberate_edit_is_sealed(suite_folder: Path) -> None:
    before = load_suite(suite_folder)
    table = suite_folder / "clips.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("über", "under"), encoding="utf-8")
    with pytest.raises(MagbenchError, match="clips.csv: changed, .*magbench suite seal"):
        load_suite(suite_folder)
    result = magbench_("suite", "seal", suite_folder)
    assert result.exit_code == 0, result.stderr
    after = load_suite(suite_folder)
    assert f"digest {after.digest} (was {before.digest})" in result.stdout
    assert "under" in after.clips[0].caption and after.digest != before.digest
    assert f"digest {after.digest} (unchanged)" in magbench_("suite", "seal", suite_folder).stdout


def test_an_edit_that_breaks_the_suite_is_not_sealed(suite_folder: Path) -> None:
    header = (suite_folder / "suite.yaml").read_bytes()
    (suite_folder / "videos" / "b.mkv").unlink()
    result = magbench_("suite", "seal", suite_folder)
    assert result.exit_code == 1
    assert "b.mkv: is missing" in result.stderr
    assert (suite_folder / "suite.yaml").read_bytes() == header
