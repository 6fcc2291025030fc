"""Suites by name and by folder."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from magbench.core.errors import MagbenchError
from magbench.core.progress import Progress
from magbench.hub.cache import cache_folder
from magbench.suites import registry
from magbench.suites.clip import Clip
from magbench.suites.embedded import revisit_nano
from magbench.suites.format import load_suite
from magbench.suites.registry import is_published, make_suite, open_suite, suite_names
from tests.conftest import tiny_clip

FOLDER = "revisit-nano-v1-test-other"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An empty cache and a quick stand-in for the renderer; lists the splits that were rendered."""
    rendered: list[str] = []

    def clip(split: str, index: int) -> Clip:
        rendered.append(split)
        return tiny_clip(f"{split}-{index}", index)

    monkeypatch.setenv("MAGBENCH_CACHE", str(tmp_path / "cache"))
    stand_in = dataclasses.replace(
        revisit_nano.SUITE, clip=clip, counts={"dev": 1, "test": 1}, digest={"dev": "other", "test": "other"}
    )
    monkeypatch.setattr(revisit_nano, "SUITE", stand_in)
    return rendered


def test_a_named_suite_is_made_once(made: list[str]) -> None:
    first, second = open_suite("revisit-nano"), open_suite("revisit-nano:test")
    assert made == ["test"]
    assert first == second
    assert (first.name, first.split, first.window) == ("revisit-nano", "test", revisit_nano.WINDOW)
    assert [path.name for path in (cache_folder() / "suites").iterdir()] == [FOLDER]


def test_what_ships_is_what_the_renderer_makes() -> None:
    suite = open_suite("revisit-nano")
    assert suite.digest == revisit_nano.DIGEST["test"]
    assert len(suite.clips) == revisit_nano.CLIPS["test"]
    for index in (0, 5):
        drawn = revisit_nano.clip("test", index).frames.astype(int)
        assert np.abs(drawn - suite.clips[index].frames).max() <= 1  # another processor may round otherwise


def test_another_split(made: list[str]) -> None:
    assert {"revisit-nano", "revisit-nano:dev", "revisit-photo"} <= set(suite_names())
    assert open_suite("revisit-nano:dev").clips[0].id == "dev-0"


def test_made_into_a_folder_and_opened_from_it(made: list[str], tmp_path: Path) -> None:
    make_suite("revisit-nano", tmp_path / "mine")
    assert open_suite(str(tmp_path / "mine")) == open_suite("revisit-nano")


@pytest.mark.parametrize("name", ["revisit-nno", "revisit-nano:tst", "revisit"])
def test_an_unknown_name_gives_the_nearest(made: list[str], name: str) -> None:
    with pytest.raises(MagbenchError, match=f"unknown suite '{name}'; did you mean: .*revisit-nano"):
        open_suite(name)
    assert made == []


def test_a_folder_that_is_not_there(made: list[str], tmp_path: Path) -> None:
    with pytest.raises(MagbenchError, match="mine: no such folder"):
        open_suite(str(tmp_path / "mine"))


def test_a_damaged_cache_says_what_to_remove(made: list[str]) -> None:
    open_suite("revisit-nano")
    folder = cache_folder() / "suites" / FOLDER
    (folder / "videos/test-0.mkv").write_bytes(b"")
    with pytest.raises(MagbenchError, match=rf"test-0\.mkv: changed.*; remove {folder} to have it made again"):
        open_suite("revisit-nano")
    shutil.rmtree(folder)
    assert len(open_suite("revisit-nano").clips) == 1


def test_two_processes_may_make_it_at_once(made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def slower(name: str, folder: Path, progress: Progress | None) -> None:
        make_suite(name, folder)
        make_suite(name, folder)

    monkeypatch.setattr(registry, "make_suite", slower)
    assert open_suite("revisit-nano").clips[0].id == "test-0"


def test_the_published_suite_is_told_from_another(made: list[str]) -> None:
    assert not is_published(open_suite("revisit-nano"))


def test_the_development_split_is_the_published_one(tmp_path: Path) -> None:
    make_suite("revisit-nano:dev", tmp_path / "dev")
    assert is_published(open_suite(str(tmp_path / "dev")))


def test_a_split_that_takes_minutes_goes_on_where_it_was_broken_off(
    made: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drawn: list[int] = []

    def clip(split: str, index: int) -> Clip:
        drawn.append(index)
        if drawn == [0, 1, 2]:
            raise KeyboardInterrupt
        return tiny_clip(f"{split}-{index}", index)

    slow = dataclasses.replace(revisit_nano.SUITE, clip=clip, counts={"test": 4}, resumed=frozenset(["test"]))
    with pytest.raises(KeyboardInterrupt):
        slow.write("test", tmp_path / "slow")
    assert not (tmp_path / "slow").exists()
    slow.write("test", tmp_path / "slow")
    assert drawn == [0, 1, 2, 2, 3]
    whole = dataclasses.replace(
        slow, resumed=frozenset(), clip=lambda split, index: tiny_clip(f"{split}-{index}", index)
    )
    whole.write("test", tmp_path / "whole")
    assert load_suite(tmp_path / "slow").digest == load_suite(tmp_path / "whole").digest
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
