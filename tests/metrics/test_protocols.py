"""The protocols against the official scorer: every pair of the golden values."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from magbench.core.errors import MagbenchError
from magbench.metrics import LEGACY_BF16, PROTOCOLS, LegacyScores, Pair, Truth, aligned, legacy, ordered
from magbench.suites.official.protocol import official_cut

VISIBLE = 60  # dB; above, a PSNR is float rounding
PAIRS = ["noisy", "frozen", "slow", "away"]


def official_pair(golden: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (pair for pair in golden["pairs"] if pair["kind"] == name)
    return dict(found)


def assert_scores(ours: LegacyScores, official: dict[str, Any]) -> None:
    assert ours.lpips == pytest.approx(official["lpips"], abs=1e-6)
    assert ours.ssim == pytest.approx(official["ssim"], abs=1e-5)
    assert ours.psnr == pytest.approx(official["psnr"], abs=1e-4)


def assert_decibels(ours: NDArray[np.float64], official: list[float]) -> None:
    expected = np.array(official)
    seen = expected < VISIBLE
    np.testing.assert_allclose(ours[seen], expected[seen], rtol=0, atol=1e-4)
    assert (ours[~seen] > VISIBLE).all()


@pytest.mark.parametrize("name", PAIRS)
def test_legacy_equals_the_official_scorer(
    name: str, golden: dict[str, Any], golden_frames: Callable[[str], Tensor]
) -> None:
    official = official_pair(golden, name)
    extra = official["fp32_extra"]
    ours = legacy(golden_frames(name), golden_frames("ground_truth"))
    assert_scores(ours, official["fp32"])
    clear = np.array(extra["gap_best_to_second"]) > 1e-6
    np.testing.assert_array_equal(ours.match[clear], np.array(official["fp32"]["sim_indices"])[clear])
    assert_decibels(ours.per_frame["psnr"], extra["psnr_per_frame"])
    np.testing.assert_allclose(ours.per_frame["ssim"], extra["ssim_per_frame"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(ours.per_frame["lpips"], extra["min_per_frame"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", PAIRS)
def test_legacy_bf16_equals_the_official_script(
    name: str, golden: dict[str, Any], golden_frames: Callable[[str], Tensor]
) -> None:
    official = official_pair(golden, name)
    ours = legacy(golden_frames(name), golden_frames("ground_truth"), truth_dtype=torch.bfloat16)
    assert_scores(ours, official["bf16gt"])
    assert ours.match.tolist() == official["bf16gt"]["sim_indices"]
    assert_decibels(ours.per_frame["psnr"], official["bf16gt_psnr_per_frame"])


@pytest.mark.parametrize("name", PAIRS)
def test_aligned_equals_the_official_metrics_frame_by_frame(
    name: str, golden: dict[str, Any], golden_frames: Callable[[str], Tensor], golden_folder: Path
) -> None:
    official = official_pair(golden, name)["fp32_extra"]["aligned"]
    ours = aligned(golden_frames(name), golden_frames("ground_truth"))
    assert ours["ssim"].mean() == pytest.approx(official["ssim"], abs=1e-5)
    assert ours["lpips"].mean() == pytest.approx(official["lpips"], abs=1e-6)
    with np.load(golden_folder / "lpips_matrices.npz") as archive:
        np.testing.assert_allclose(ours["lpips"], archive[f"synth_pan__{name}"].diagonal(), rtol=0, atol=1e-6)
    if ours["psnr"].max() < VISIBLE:
        assert ours["psnr"].mean() == pytest.approx(official["psnr"], abs=1e-4)


def decode(path: Path) -> NDArray[np.uint8]:
    """(T, H, W, 3) RGB."""
    import av

    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def test_legacy_of_a_finished_video(golden: dict[str, Any], golden_folder: Path) -> None:
    (official,) = golden["mp4"]
    clip = golden["clip"]
    raw = decode(golden_folder / clip["video"])
    cut = official_cut(clip["video"], len(raw), clip["duration"])
    assert (cut.frames, cut.switch) == (clip["frames"], clip["switch_frame"])
    truth = raw[: cut.frames]
    gen = decode(golden_folder / f"{official['id']}.mp4")
    assert hashlib.sha256(truth.tobytes()).hexdigest() == clip["decoded_uint8_THWC_sha256"]
    assert hashlib.sha256(gen.tobytes()).hexdigest() == official["decoded_uint8_THWC_sha256"]
    returns = (torch.from_numpy(video[cut.switch :]) for video in (gen, truth))
    gen01, truth01 = (frames.permute(0, 3, 1, 2).float() / 255 for frames in returns)
    for dtype, key in ((torch.float32, "fp32"), (torch.bfloat16, "bf16gt")):
        ours = legacy(gen01, truth01, truth_dtype=dtype)
        assert_scores(ours, official[key])
        assert ours.match.tolist() == official[key]["sim_indices"]
    means = {name: aligned(gen01, truth01)[name].mean() for name in official["aligned"]}
    assert means == pytest.approx(official["aligned"], abs=1e-5)


def test_legacy_unit_values(unit_frames: tuple[Tensor, Tensor], golden: dict[str, Any]) -> None:
    score, match = golden["unit"]["find_match"]
    ours = legacy(*unit_frames)
    assert ours.lpips == pytest.approx(score, abs=1e-6)
    assert ours.match.tolist() == match


def test_an_infinite_mean_is_reported_as_100(unit_frames: tuple[Tensor, Tensor], golden: dict[str, Any]) -> None:
    gen, truth = (frames.clone() for frames in unit_frames)
    black = torch.zeros_like(gen)  # survives the way to [-1, 1] and back without rounding
    assert legacy(black, black).psnr == golden["unit"]["psnr_identical"]
    gen[0] = truth[0] = 0
    scores = legacy(gen, truth)
    assert scores.psnr == golden["unit"]["psnr_one_frame_identical"]
    assert scores.per_frame["psnr"][0] == 100 > scores.per_frame["psnr"][1]
    (metric,) = (metric for metric in PROTOCOLS["legacy"].metrics if metric.name == "psnr")
    assert metric.average(scores.per_frame["psnr"]) == 100
    assert metric.average(scores.per_frame["psnr"][1:]) == scores.per_frame["psnr"][1:].mean()


def test_the_first_of_equal_frames_is_matched() -> None:
    frame = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    assert legacy(frame.repeat(4, 1, 1, 1), frame.repeat(4, 1, 1, 1)).match.tolist() == [0, 0, 0, 0]


def test_a_reversed_return_wins_the_free_match_and_loses_when_aligned(
    golden_frames: Callable[[str], Tensor],
) -> None:
    truth = golden_frames("ground_truth")
    backwards = truth.flip(0)
    assert legacy(backwards, truth).lpips == 0
    assert aligned(backwards, truth)["lpips"].mean() > 0.3


def test_nan_and_missing_frames_are_refused(unit_frames: tuple[Tensor, Tensor]) -> None:
    gen, truth = unit_frames
    nan = gen.clone()
    nan[0, 0, 0, 0] = torch.nan
    for score in (aligned, legacy, ordered):
        with pytest.raises(MagbenchError, match="found nan"):
            score(nan, truth)
        with pytest.raises(MagbenchError, match="4 generated frames, but 5"):
            score(gen[:4], truth)
        with pytest.raises(MagbenchError, match="generated frames are 64x79, ground-truth frames 64x80"):
            score(gen[..., :79], truth)


def test_every_protocol_gives_every_metric_for_every_frame() -> None:
    gen = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    for name, protocol in {**PROTOCOLS, "legacy_bf16": LEGACY_BF16}.items():
        assert protocol.name == name
        scores = protocol.score(Pair(gen, Truth(gen.flip(0))))
        assert list(scores) == [metric.name for metric in protocol.metrics]
        for values in scores.values():
            assert values is not None
            assert (values.shape, values.dtype) == ((3,), np.float64)


@pytest.mark.parametrize("name", PAIRS)
def test_what_protocols_share_is_what_each_gives_alone(name: str, golden_frames: Callable[[str], Tensor]) -> None:
    """Also in bytes: frames as they come from a video."""
    gen, truth = golden_frames(name), golden_frames("ground_truth")
    pair = Pair((gen * 255).round().to(torch.uint8), Truth((truth * 255).round().to(torch.uint8)))
    for protocol, alone in (("aligned", aligned(gen, truth)), ("legacy", legacy(gen, truth).per_frame)):
        shared = PROTOCOLS[protocol].score(pair)
        for metric, values in alone.items():
            np.testing.assert_array_equal(shared[metric], values)


def test_a_truth_serves_many_pairs(golden_frames: Callable[[str], Tensor]) -> None:
    truth = Truth(golden_frames("ground_truth"))
    for name in PAIRS:
        first = PROTOCOLS["ordered"].score(Pair(golden_frames(name), truth))["score"]
        again = PROTOCOLS["ordered"].score(Pair(golden_frames(name), Truth(golden_frames("ground_truth"))))["score"]
        np.testing.assert_array_equal(first, again)
