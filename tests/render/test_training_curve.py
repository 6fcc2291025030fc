"""The training curve: drawn from a log, and a broken log is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from magbench.core.errors import MagbenchError
from magbench.render.training_curve import draw_curve, round_numbers


def test_a_log_becomes_a_picture(tmp_path: Path) -> None:
    lines = [{"step": n, "steps": 30, "loss": 1 / n, "seconds": n} for n in (10, 20, 30)]
    lines.insert(2, {"step": 20, "return": 21.5, "return_fast": 19.0})
    log = tmp_path / "base.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    draw_curve(log, tmp_path / "base.png")
    assert (tmp_path / "base.png").read_bytes().startswith(b"\x89PNG")


def test_a_log_of_scores_alone_has_no_empty_axes(tmp_path: Path) -> None:
    log = tmp_path / "base.jsonl"
    log.write_text('{"step": 20, "return": 21.5}\n')
    draw_curve(log, tmp_path / "base.png")
    with Image.open(tmp_path / "base.png") as image:
        assert image.width == 9.0 * 150


@pytest.mark.parametrize(
    ("low", "high"), [(0.03, 0.9), (0.4, 0.9), (0.21, 0.29), (1e-5, 3.0), (1e-12, 1.0), (6.1, 900)]
)
def test_ticks_are_a_few_round_numbers(low: float, high: float) -> None:
    found = round_numbers(low, high)
    assert 2 <= len(found) <= 8
    assert found == sorted(set(found)) and low <= found[0] and found[-1] <= high
    assert all(len(f"{value:.6g}".strip("0").replace(".", "").strip("0")) <= 5 for value in found)


def test_a_broken_log_is_named(tmp_path: Path) -> None:
    log = tmp_path / "base.jsonl"
    log.write_text('{"step": 1, "loss": 0.5, "seconds": 1}\n{"step"')
    with pytest.raises(MagbenchError, match="base.jsonl: not a training log"):
        draw_curve(log, tmp_path / "base.png")
