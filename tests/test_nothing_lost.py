"""No command deletes or rewrites a file that it did not make; a published folder keeps what it holds."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from cli import main
from magbench.results import Results
from magbench.suites.format import load_suite
from magbench.video.io import write_lossless

FOREIGN = ("table.md", "table.csv", "records.parquet", "profile.json", "noise.json", "sheet.png", "base.safetensors")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAGBENCH_CACHE", str(tmp_path / "cache"))


def magbench_(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder of somebody's files, called as ours are."""
    folder = tmp_path / "mine"
    for name in (*FOREIGN, "plots/score_along_return.png", "scores/tiny/a@0.jsonl", "videos/a.mkv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"mine, {name}")
    return folder


@pytest.mark.parametrize(
    "command",
    [
        "run SUITE --models tiny --out OUT",
        "generate SUITE --models tiny --out OUT",
        "score SUITE --out OUT",
        "score SUITE --videos VIDEOS --model other --out OUT",
        "report SUITE --out OUT",
        "history-effect SUITE --models tiny --out OUT",
        "vbench OUT --program true",
        "compare a b --run OUT",
        "profile window --history 2 --rounds 1 --out OUT",
        "train base --preset pico --steps 1 --out OUT",
        "suite make revisit-nano OUT",
        "suite mirror VIDEOS OUT",
        "suite export SUITE OUT",
        "suite seal OUT",
        "suite check OUT",
        "submit OUT --model tiny --from TOLD --to OUT",
        "board check OUT",
        "board rescore OUT --who me",
        "board build SUBMISSIONS --out OUT",
        "board build OUT --out OUT",
    ],
)
def test_a_folder_of_somebodys_files_is_refused_and_stays(
    registered: None, suite_folder: Path, foreign: Path, tmp_path: Path, command: str
) -> None:
    clip = load_suite(suite_folder).clips[0]
    write_lossless(tmp_path / "there" / "a.mkv", clip.frames[clip.switch :], clip.fps)
    before = files_of(foreign)
    (tmp_path / "told.yaml").write_text("submitter: me\n")
    (tmp_path / "submissions").mkdir()
    places = {"SUITE": suite_folder, "OUT": foreign, "VIDEOS": tmp_path / "there"}
    places |= {"TOLD": tmp_path / "told.yaml", "SUBMISSIONS": tmp_path / "submissions"}
    result = magbench_(*(places.get(word, word) for word in command.split()))
    assert result.exit_code in (1, 2), result.output
    assert (
        "Traceback" not in result.output
        and result.stderr.startswith(("error: ", "warning: "))
        or "Error: " in result.stderr
    )
    assert files_of(foreign) == before


def test_a_run_into_a_published_folder_keeps_its_rows(registered: None, suite_folder: Path, tmp_path: Path) -> None:
    assert magbench_("run", suite_folder, "--models", "tiny,oracle,wrong_scene", "--out", "first").exit_code == 0
    published = tmp_path / "published"
    published.mkdir()
    for path in Path("first").iterdir():  # what a published folder holds: no videos, no scores of single clips
        if path.is_file():
            shutil.copy(path, published / path.name)
    shutil.copytree("first/plots", published / "plots")
    before = files_of(published)
    result = magbench_("run", suite_folder, "--models", "tiny,freeze", "--out", published)
    assert result.exit_code == 0, result.stderr
    after = files_of(published / "published")
    assert after == before
    old, new = Results(tmp_path / "first").table(), Results(published).table()
    assert set(new.index if new.index.name == "model" else new["model"]) >= {"tiny", "tiny@published", "freeze"}
    frames = [table if table.index.name == "model" else table.set_index("model") for table in (old, new)]
    columns = [name for name in frames[0].columns if name.startswith(("ordered", "aligned", "legacy"))]
    assert columns
    np.testing.assert_array_equal(
        frames[0].loc["tiny", columns].to_numpy(float), frames[1].loc["tiny@published", columns].to_numpy(float)
    )
    page = (published / "table.md").read_text()
    assert "tiny@published" in page and "rows that stood in this folder before" in page
    again = magbench_("run", suite_folder, "--models", "tiny,freeze", "--out", published)
    assert again.exit_code == 0 and files_of(published / "published") == before
