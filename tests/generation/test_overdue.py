"""A model that does not come to an end is named, with its clip, while it hangs."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from torch import Tensor

from magbench.core.progress import Quiet
from magbench.generation import overdue
from magbench.generation.runner import generate
from magbench.models.protocol import Task
from magbench.suites.format import Suite
from tests import fakes


class Heard(io.StringIO):
    """A stderr that says when a line has come."""

    def __init__(self) -> None:
        super().__init__()
        self.line = threading.Event()

    def write(self, text: str) -> int:
        written = super().write(text)
        if "\n" in text:
            self.line.set()
        return written


def test_a_model_that_hangs_is_named(
    suite: Suite, tmp_path: Path, registered: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Heard()

    def hanging(task: Task) -> Iterator[Tensor]:
        assert heard.line.wait(60)
        yield from fakes.noisy(task)

    monkeypatch.setattr("sys.stderr", heard)
    monkeypatch.setattr(overdue, "HINT_S", 0.0)
    assert generate(suite, [fakes.Fake("slow", hanging)], tmp_path, limit=1, progress=Quiet()) == []
    first = heard.getvalue().splitlines()[0]
    assert first.startswith(f"slow: clip {suite.clips[0].id}, sample 0 has taken 0 s")
    assert "--isolate" in first


def test_nothing_is_said_of_a_video_that_ends(
    suite: Suite, tmp_path: Path, registered: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Heard()
    monkeypatch.setattr("sys.stderr", heard)
    assert generate(suite, [fakes.Fake("quick", fakes.noisy)], tmp_path, limit=1, progress=Quiet()) == []
    assert heard.getvalue() == ""
