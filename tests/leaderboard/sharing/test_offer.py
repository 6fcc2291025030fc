"""A submission offered as a pull request, by the real client; and what breaks off on the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import Result

from magbench.core.progress import Quiet
from magbench.leaderboard.rescore import rescore
from magbench.leaderboard.submission import find_submissions
from magbench.suites.format import Suite
from tests.hub_server import Repository
from tests.hub_writing import WritableHub
from tests.leaderboard.common import TOLD, magbench_

NAME = "board/memory"


@pytest.fixture
def board(hub: WritableHub, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """The data set of a board to which Bob, who is logged in, may not write."""
    hub.repositories[NAME] = Repository({"README.md": b"a board"}, kind="datasets")
    monkeypatch.setenv("HF_TOKEN", "token-of-bob")
    return hub.repositories[NAME]


def offered(run: Path, tmp_path: Path, *more: object, day: str = "2026-01-31", **told: str) -> Result:
    (tmp_path / "told.yaml").write_text(yaml.safe_dump({**TOLD, **told, "date": day}))
    options = ("--from", tmp_path / "told.yaml", "--to", tmp_path / "mine", "--hub", NAME)
    return magbench_("submit", run, "--model", "first", *options, *more)


def sent(board: Repository, number: int = 1) -> dict[str, bytes]:
    return {path: data for path, data in board.branches[f"refs/pr/{number}"].items() if path != "README.md"}


def test_one_change_adds_one_submission(run: Path, tmp_path: Path, hub: WritableHub, board: Repository) -> None:
    result = offered(run, tmp_path)
    assert result.exit_code == 0, result.stderr
    (folder,) = find_submissions(tmp_path / "mine")
    base = f"submissions/{folder.relative_to(tmp_path / 'mine').as_posix()}"
    assert sent(board) == {f"{base}/{p.relative_to(folder)}": p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert board.files == {"README.md": b"a board"}
    assert [(pull.author, pull.title.rpartition("/")[0]) for pull in hub.pulls] == [
        ("bob", f"Submission {folder.parents[1].name}/first")
    ]
    lines = result.stdout.splitlines()
    assert lines[0] == str(folder)
    assert lines[1].startswith(f"{hub.address}/datasets/{NAME}/discussions/1: 8 files sent, commit ")
    assert "--revision refs/pr/1" in lines[2] and "board rescore" in lines[2]


def test_offering_again_changes_nothing(run: Path, tmp_path: Path, hub: WritableHub, board: Repository) -> None:
    assert offered(run, tmp_path).exit_code == 0
    done = list(hub.commits)
    again = offered(run, tmp_path, day="2026-02-02")  # the submission that is there is gone on with
    assert again.exit_code == 0 and "discussions/1: 0 files sent" in again.stdout, again.output
    assert hub.commits == done and len(find_submissions(tmp_path / "mine")) == 1
    hub.merge(hub.pulls[0])
    merged = offered(run, tmp_path)
    assert merged.exit_code == 0 and "it is part of the board's data set already" in merged.stdout
    assert hub.commits == done and len(hub.pulls) == 1


def test_large_videos_lie_in_the_data_set_at_a_commit(
    run: Path, tmp_path: Path, hub: WritableHub, board: Repository, suite: Suite
) -> None:
    hub.room = 2
    broken = offered(run, tmp_path, "--carry", 0)
    assert broken.exit_code == 1 and "goes on from there" in broken.stderr, broken.output
    assert find_submissions(tmp_path / "mine") == [] and hub.pulls == []
    arrived, before = set(hub.store), len(hub.sent)
    hub.room = None
    result = offered(run, tmp_path, "--carry", 0, day="2026-02-01")
    assert result.exit_code == 0, result.stderr
    assert not arrived & set(hub.sent[before:])  # what had arrived was not sent again
    (folder,) = find_submissions(tmp_path / "mine")
    assert not (folder / "videos").exists()
    entries = json.loads((folder / "videos.json").read_text())
    (commit,) = {entry["path"].split("@")[1].split("/")[0] for entry in entries.values()}
    assert {path for path in board.past[commit] if path.startswith("videos/")} == {
        entry["path"].split(f"@{commit}/")[1] for entry in entries.values()
    }
    hub.merge(hub.pulls[0])
    found = rescore(folder, suite, "an auditor", "2026-02-03", progress=Quiet())
    assert found.verdict and found.values > 40


def test_what_the_board_has_is_not_changed(run: Path, tmp_path: Path, hub: WritableHub, board: Repository) -> None:
    assert offered(run, tmp_path).exit_code == 0
    hub.merge(hub.pulls[0])
    (folder,) = find_submissions(tmp_path / "mine")
    text = (folder / "submission.yaml").read_text()
    (folder / "submission.yaml").write_text(text.replace("nothing of the suite", "all of it"))
    result = offered(run, tmp_path)
    assert result.exit_code == 1 and "a submission is never changed, submit another revision" in result.stderr
    assert len(hub.pulls) == 1


def test_a_faulty_submission_is_not_offered(run: Path, tmp_path: Path, hub: WritableHub, board: Repository) -> None:
    assert offered(run, tmp_path).exit_code == 0
    (folder,) = find_submissions(tmp_path / "mine")
    (folder / "evaluate.py").write_text("1")
    done = list(hub.commits)
    result = offered(run, tmp_path)
    assert result.exit_code == 1 and "is not part of a submission" in result.stderr
    assert hub.commits == done


@pytest.mark.parametrize(
    ("name", "message"),
    [("board/nothing", "has no data set board/nothing"), ("memory", "is not the name of a repository")],
)
def test_a_board_that_is_not_there(run: Path, tmp_path: Path, board: Repository, name: str, message: str) -> None:
    (tmp_path / "told.yaml").write_text(yaml.safe_dump(TOLD))
    options = ("--from", tmp_path / "told.yaml", "--to", tmp_path / "mine", "--hub", name)
    result = magbench_("submit", run, "--model", "first", *options)
    assert result.exit_code == 1 and message in result.stderr and result.stderr.count("\n") == 1, result.output
    assert not (tmp_path / "mine").exists()
