"""Fixtures that several rooms use: a suite of three tiny clips, and a package that registers fake models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from magbench.suites.clip import NO_REVISIT, Clip
from magbench.suites.format import Suite, load_suite, write_suite
from tests import fakes

FRAMES, SWITCH, SIZE = 12, 6, 32
HEADER: dict[str, Any] = {
    "name": "tiny-suite",
    "version": 1,
    "split": "test",
    "fps": 16,
    "window": 4,
    "licence": "CC0-1.0",
}


def tiny_clip(clip_id: str, number: int) -> Clip:
    """Twelve frames that go and come back: frame t of the return is frame 11 - t."""
    rng = np.random.default_rng(number)
    away = rng.integers(0, 256, (SWITCH, SIZE, SIZE, 3), dtype=np.uint8)
    pose = rng.normal(size=(SWITCH, 3))
    revisit = np.full(FRAMES, NO_REVISIT)
    revisit[SWITCH:] = np.arange(SWITCH)[::-1]
    return Clip(
        id=clip_id,
        caption=f'clip "{clip_id}", über\nall',
        category="pan",
        speed="slow",
        fps=16,
        switch=SWITCH,
        frames=np.concatenate([away, away[::-1]]),
        pose=np.concatenate([pose, pose[::-1]]),
        revisit=revisit,
    )


@pytest.fixture(autouse=True)
def timed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No stream is begun again because the machine that runs the tests is busy."""
    monkeypatch.setattr("magbench.generation.worker.AGAIN", 0)


@pytest.fixture(scope="session")
def clips() -> list[Clip]:
    return [tiny_clip(clip_id, number) for number, clip_id in enumerate("abc")]


@pytest.fixture
def suite_folder(tmp_path: Path, clips: list[Clip]) -> Path:
    """A freshly written suite, to be damaged at will."""
    folder = tmp_path / "suite"
    write_suite(folder, clips, **HEADER)
    return folder


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory, clips: list[Clip]) -> Suite:
    folder = tmp_path_factory.mktemp("suites") / "tiny"
    write_suite(folder, clips, **HEADER)
    return load_suite(folder)


@pytest.fixture
def registered(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The models of ``fakes`` and magbench's references are installed."""
    folder = tmp_path_factory.mktemp("site")
    fakes.register(folder)
    monkeypatch.syspath_prepend(str(folder))
