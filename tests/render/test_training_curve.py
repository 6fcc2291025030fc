"""The training curve: drawn from a log, and a broken log is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from magbench.core.errors import MagbenchError
from magbench.render.training_curve import draw_curve


def test_a_log_becomes_a_picture(tmp_path: Path) -> None:
    lines = [{"step": n, "steps": 30, "loss": 1 / n, "seconds": n} for n in (10, 20, 30)]
    lines.insert(2, {"step": 20, "return": 21.5, "return_fast": 19.0})
    log = tmp_path / "base.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    draw_curve(log, tmp_path / "base.png")
    assert (tmp_path / "base.png").read_bytes().startswith(b"\x89PNG")


def test_a_broken_log_is_named(tmp_path: Path) -> None:
    log = tmp_path / "base.jsonl"
    log.write_text('{"step": 1, "loss": 0.5, "seconds": 1}\n{"step"')
    with pytest.raises(MagbenchError, match="base.jsonl: not a training log"):
        draw_curve(log, tmp_path / "base.png")
