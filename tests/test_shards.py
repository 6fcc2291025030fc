"""Shares of a run, made in any order and by any number of processes, give what one process gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli
from tests.run_files import files

MODELS = "tiny,noise,oracle,wrong_scene,mean_frame"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def magbench_(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


@pytest.fixture
def whole(registered: None, suite_folder: Path) -> dict[str, object]:
    assert magbench_("run", suite_folder, "--models", MODELS, "--out", "whole").exit_code == 0
    return files(Path("whole"))


@pytest.mark.parametrize("count", [2, 5])
def test_shares_in_any_order_give_what_one_process_gives(
    whole: dict[str, object], suite_folder: Path, count: int
) -> None:
    for index in reversed(range(1, count + 1)):
        shard = ("--out", "shared", "--shard", f"{index}/{count}")
        assert magbench_("generate", suite_folder, "--models", MODELS, *shard).exit_code == 0
    for index in range(1, count + 1):
        assert magbench_("score", suite_folder, "--out", "shared", "--shard", f"{index}/{count}").exit_code == 0
    made = {path: path.stat().st_mtime_ns for path in Path("shared").rglob("*.mkv")}
    collected = magbench_("run", suite_folder, "--models", MODELS, "--out", "shared")
    assert collected.exit_code == 0, collected.output
    assert files(Path("shared")) == whole
    assert made == {path: path.stat().st_mtime_ns for path in Path("shared").rglob("*.mkv")}


def test_one_share_makes_its_part_only(registered: None, suite_folder: Path) -> None:
    assert magbench_("generate", suite_folder, "--models", "tiny", "--out", "out", "--shard", "2/3").exit_code == 0
    made = sorted(path.parent.name for path in Path("out/generations").rglob("frames.mkv"))
    assert made == ["b@0"]


@pytest.mark.parametrize("shard", ["3/2", "0/2", "x"])
def test_what_is_no_share_is_one_line(registered: None, suite_folder: Path, shard: str) -> None:
    result = magbench_("generate", suite_folder, "--models", "tiny", "--out", "out", "--shard", shard)
    assert result.exit_code == 2
    assert f"shard '{shard}'" in result.stderr or f"shard {shard}: " in result.stderr
    assert not Path("out").exists()
