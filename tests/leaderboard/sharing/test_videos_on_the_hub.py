"""A submission whose videos lie in a data set at a commit is scored again from there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from magbench.core.errors import MagbenchError
from magbench.core.progress import Quiet
from magbench.leaderboard.build import build
from magbench.leaderboard.check import check
from magbench.leaderboard.rescore import rescore
from magbench.leaderboard.watch import watchable
from magbench.suites.format import Suite
from tests.hub_server import Repository
from tests.hub_writing import WritableHub
from tests.leaderboard.common import first_of, own

NAME = "somebody/videos"
BRANCH = "hf://datasets/somebody/videos@main/"


@pytest.fixture
def elsewhere(here: Path, hub: WritableHub) -> Path:
    """A submission whose videos are in the data set of somebody, which has moved on since."""
    folder = first_of(here)
    files = {f"first/{path.name}": path.read_bytes() for path in (folder / "videos").iterdir()}
    shutil.rmtree(folder / "videos")
    hub.repositories[NAME] = Repository(files, kind="datasets")
    commit = hub.repositories[NAME].commit
    hub.repositories[NAME].past[commit] = files
    hub.repositories[NAME].files = {}
    listed(folder, lambda name: f"hf://datasets/{NAME}@{commit}/first/{name}.mkv")
    return folder


def listed(folder: Path, place: Any) -> None:
    path = folder / "videos.json"
    found = json.loads(path.read_text())
    path.write_text(json.dumps({name: {**entry, "path": place(name)} for name, entry in found.items()}))


def again(folder: Path, suite: Suite) -> Any:
    return rescore(folder, suite, "an auditor", "2026-02-01", progress=Quiet())


def test_it_is_fetched_once_and_scored(elsewhere: Path, suite: Suite, hub: WritableHub) -> None:
    assert check(elsewhere) == []
    found = again(elsewhere, suite)
    assert found.verdict and found.values > 40 and found.largest < 1e-6
    asked = len(hub.requests)
    assert again(elsewhere, suite).verdict and len(hub.requests) == asked  # nothing more is asked of the hub


def test_the_page_has_no_player_for_it(elsewhere: Path, made: Path) -> None:
    (board,) = build(elsewhere.parents[2], own(made))
    assert {entry.label for entry in board.entries} == {"first", "second"}
    assert [entry.label for entry in watchable(board)] == ["second"]


def test_a_broken_download_goes_on(elsewhere: Path, suite: Suite, hub: WritableHub) -> None:
    hub.cuts["first/a@0.mkv"] = [500, 0]
    with pytest.raises(MagbenchError, match="the same command goes on"):
        again(elsewhere, suite)
    assert again(elsewhere, suite).verdict
    assert [first for path, first in hub.asked if path == "first/a@0.mkv"] == [0, 500, 500]


def test_other_bytes_are_refused(elsewhere: Path, suite: Suite, hub: WritableHub) -> None:
    path = elsewhere / "videos.json"
    found = json.loads(path.read_text())
    found["a@0"]["sha256"] = "0" * 64
    path.write_text(json.dumps(found))
    with pytest.raises(MagbenchError, match="has sha256 .* on the hub, not 000000000000 as listed"):
        again(elsewhere, suite)
    assert hub.asked == []  # refused by the listing, before anything is fetched


def test_a_file_that_is_not_there_is_named(elsewhere: Path, suite: Suite, hub: WritableHub) -> None:
    (commit,) = hub.repositories[NAME].past
    listed(elsewhere, lambda name: f"hf://datasets/{NAME}@{commit}/second/{name}.mkv")
    with pytest.raises(MagbenchError, match="second/a@0.mkv: is not there"):
        again(elsewhere, suite)
    listed(elsewhere, lambda name: f"hf://datasets/{NAME}@{'0' * 40}/first/{name}.mkv")
    with pytest.raises(MagbenchError, match="has no revision '0000"):
        again(elsewhere, suite)


def test_what_is_too_large_is_not_fetched(
    elsewhere: Path, suite: Suite, hub: WritableHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("magbench.hub.place.LARGEST", 2000)
    with pytest.raises(MagbenchError, match=r"has 0\.0 GiB, at most 0 are fetched"):
        again(elsewhere, suite)
    assert hub.asked == []


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (lambda name: f"{BRANCH}first/{name}.mkv", "names no commit"),
        (lambda name: f"https://example.org/{name}.mkv", "leads out of the submission"),
        (lambda name: f"../../first/{name}.mkv", "leads out of the submission"),
        (lambda name: "", "is not published, only its hash"),
    ],
)
def test_what_is_no_place_is_refused(elsewhere: Path, suite: Suite, place: Any, message: str) -> None:
    listed(elsewhere, place)
    with pytest.raises(MagbenchError, match=message):
        again(elsewhere, suite)
    if place("a@0"):
        assert any(message in str(fault) for fault in check(elsewhere))
