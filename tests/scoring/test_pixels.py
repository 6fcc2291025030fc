"""Seen, out-of-window and new pixels are told apart by their gaps, in records and in their identities."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from magbench.core.progress import Quiet
from magbench.generation.runner import generate
from magbench.runs.records import read_records
from magbench.scoring.score import score
from magbench.suites.clip import Clip
from magbench.suites.format import load_suite, write_suite
from tests.conftest import FRAMES, HEADER, SIZE, SWITCH

pytestmark = pytest.mark.usefixtures("registered")


def test_each_choice_of_pixels_has_its_records(tmp_path: Path, clips: list[Clip]) -> None:
    gap = np.zeros((FRAMES, SIZE, SIZE), np.uint16)
    gap[SWITCH:, :, :16] = 2  # left half: seen, within the window of 4
    gap[SWITCH:, :16, :16] = 4  # of it the upper half: out of window
    gap[-1] = 0  # the last frame shows only what is new
    write_suite(tmp_path / "suite", [replace(clips[0], pixel_gap=gap), clips[1]], **HEADER)
    suite, out = load_suite(tmp_path / "suite"), tmp_path / "out"
    generate(suite, ["freeze"], out, progress=Quiet())
    assert score(suite, out, progress=Quiet()) == []
    by_clip = {path.stem: read_records(path) for path in out.glob("scores/*/*.jsonl")}
    first, second = (by_clip[name] for name in sorted(by_clip))
    assert not [record for record in second if record.protocol in ("seen_pixels", "new_pixels")]
    found = {(r.protocol, r.metric, r.region): r for r in first if r.protocol in ("seen_pixels", "new_pixels")}
    assert {(protocol, region) for protocol, _, region in found} == {
        ("seen_pixels", "all"),
        ("seen_pixels", "out_of_window"),
        ("new_pixels", "all"),
    }
    truth = clips[0].frames[SWITCH:].astype(np.float64) / 255
    apart = (truth - clips[0].frames[SWITCH - 1] / 255.0) ** 2  # `freeze` shows the last given frame
    ones = {
        ("seen_pixels", "all"): apart[:5, :, :16],
        ("seen_pixels", "out_of_window"): apart[:5, :16, :16],
        ("new_pixels", "all"): apart[:5, :, 16:],
    }
    for (protocol, region), error in ones.items():
        record = found[protocol, "psnr", region]
        wanted = np.minimum(100, -10 * np.log10(np.maximum(error.mean(axis=(1, 2, 3)), 1e-12)))
        if protocol == "new_pixels":
            wanted = np.append(wanted, -10 * np.log10(apart[5].mean()))
        assert record.value == pytest.approx(wanted.mean(), abs=1e-3)
        assert record.n == len(wanted)
    before = {path: path.read_bytes() for path in out.glob("scores/*/*")}
    assert score(suite, out, progress=Quiet()) == []
    assert {path: path.read_bytes() for path in out.glob("scores/*/*")} == before
