"""A model's clips shared among processes: the same bytes, and seconds only of those that were made alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from magbench.core.progress import Quiet
from magbench.generation import runner, shared
from magbench.generation.sources import find_sources
from magbench.generation.worker import TIMED, Job, make_missing
from magbench.models.guard import Interruption
from magbench.runs.failures import Failure
from magbench.runs.folder import RunFolder
from magbench.runs.generation import Generation, read_generation
from magbench.scoring.costs import costs
from magbench.suites.format import Suite
from magbench.suites.registry import open_suite
from tests import fakes

CLIPS = TIMED + 3


@pytest.mark.rare
def test_clips_that_processes_shared_have_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "WORTH_SHARING", 0.0)
    suite = open_suite("revisit-nano")
    for workers in (1, 2):
        made = runner.generate(
            suite, ["nano:window"], tmp_path / str(workers), limit=CLIPS, workers=workers, progress=Quiet()
        )
        assert made == []
    alone, together = ([_made(tmp_path / workers, clip.id) for clip in suite.clips[:CLIPS]] for workers in "12")
    assert [one.frames_sha256 for one in alone] == [one.frames_sha256 for one in together]
    assert [one.history_bytes for one in alone] == [one.history_bytes for one in together]
    assert all(one.seconds for one in alone)
    assert [bool(one.seconds) for one in together] == [True] * TIMED + [False] * (CLIPS - TIMED)
    names = [{cost.spec.name for cost in costs(one)} for one in (together[0], together[-1])]
    assert names[0] - names[1] == {"ttff_s", "block_s", "fps"}


def _made(run: Path, clip: str) -> Generation:
    made = read_generation(RunFolder(run).generation("nano:window", clip, 0))
    assert made is not None
    return made


def test_the_first_clips_are_made_here_and_what_failed_elsewhere_is_told(suite: Suite, tmp_path: Path) -> None:
    model = fakes.tiny()
    (make,) = find_sources([model], suite).values()
    clips = [replace(suite.clips[0], id=f"c{number}") for number in range(TIMED + 2)]
    jobs = [Job(clip, 0, tmp_path / clip.id) for clip in clips]
    asked: list[Sequence[Job]] = []

    def elsewhere(rest: Sequence[Job], seconds: float) -> Iterator[tuple[Sequence[Job], list[Failure]]]:
        asked.append(rest)
        yield rest, [Failure(model.name, rest[1].clip.id, 0, "no")]

    steps: list[bool] = []
    found = make_missing(make(), jobs, lambda job, failure: steps.append(failure is None), Interruption(), elsewhere)
    assert [job.clip.id for job in asked[0]] == ["c4", "c5"]
    assert [failure.clip for failure in found] == ["c5"] and steps == [True] * (TIMED + 1) + [False]
    assert [(job.folder / "generation.json").exists() for job in jobs] == [True] * TIMED + [False] * 2
