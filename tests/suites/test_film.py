"""Films along a plane whose true overlap is plain geometry: found, drawn, mended, and refused where nothing returns."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from numpy.typing import NDArray

from cli import main
from magbench.core.errors import MagbenchError
from magbench.suites.film import Corrections, clip_of, find
from magbench.suites.find_return import Looked, Seen, find_turn, find_way, look, see, spread
from magbench.suites.format import load_suite
from magbench.suites.worlds.canvas import make_canvas, render
from magbench.video.io import write_lossless
from magbench.video.overlap import features, overlap, small_grey

SIDE, TURN, LENGTH = 128, 30, 63
WIDE = 3.0
"""Times the canvas at scale 1 that a view covers: enough to see in 128 pixels."""


def places(returns: bool) -> NDArray[np.float64]:
    """(T, 3) cameras: out, and back a little faster, never on the same spot."""
    frame = np.arange(LENGTH)
    back = np.where(frame <= TURN, frame, TURN - 1.1 * (frame - TURN)) if returns else frame
    shake = np.random.default_rng(1).normal(0, 0.01, (LENGTH, 2))
    x, y = 0.08 * back + shake[:, 0], 0.02 * back + shake[:, 1]
    return np.stack([4 + WIDE * x, 6 + WIDE * y, np.full(LENGTH, np.log(WIDE))], axis=1)


def shoot(cameras: NDArray[np.float64]) -> NDArray[np.uint8]:
    canvas = torch.from_numpy(make_canvas(np.random.default_rng(9))).permute(2, 0, 1)[None].float() / 255
    film = render(canvas, torch.from_numpy(cameras)[None], (SIDE, SIDE))[0].permute(0, 2, 3, 1).numpy() * 255
    noise = np.random.default_rng(2).normal(0, 3, film.shape)
    return (film + noise).clip(0, 255).astype(np.uint8)


def shown(cameras: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T, T) share of each view, a square of side ``WIDE``, that another shows."""
    apart = np.abs(cameras[:, None, :2] - cameras[None, :, :2])
    return np.prod(np.maximum(0, 1 - apart / WIDE), axis=-1)


@pytest.fixture(scope="module")
def returning() -> NDArray[np.uint8]:
    return shoot(places(returns=True))


@pytest.fixture(scope="module")
def looked(returning: NDArray[np.uint8]) -> Looked:
    return look(returning)


def test_the_share_is_that_of_the_area(returning: NDArray[np.uint8]) -> None:
    true = shown(places(returns=True))
    for one, other in ((0, 5), (30, 24), (40, 20)):
        found = overlap(features(small_grey(returning[one])), features(small_grey(returning[other])))
        assert found.share == pytest.approx(true[one, other], abs=0.06)
        assert found.back == pytest.approx(true[other, one], abs=0.06)
        assert found.confidence > 0.8
    first, last, dark = (features(small_grey(each)) for each in (returning[0], returning[30], 0 * returning[0]))
    assert overlap(first, last).share == overlap(first, last).alike == 0
    assert overlap(first, dark).confidence == overlap(first, dark).alike == 0


def test_the_turn_and_the_map_are_found(looked: Looked) -> None:
    way = find_way(looked)
    assert abs(find_turn(looked, way) - TURN) <= 3
    true, mine = shown(places(returns=True)), spread(see(looked, way), LENGTH)
    asked = np.zeros((LENGTH, LENGTH), bool)
    asked[TURN + 3 :, : TURN - 3] = True
    said, so = mine[asked] >= 0.5, true[asked] >= 0.5
    assert (said & so).sum() / said.sum() >= 0.95
    assert (said & so).sum() / so.sum() >= 0.9
    assert np.abs(mine - true)[asked & (true > 0.4)].mean() < 0.05


def test_between_frames_looked_at_a_ridge_stays_a_ridge() -> None:
    """Out at an even pace and back at the same: a square of known shares has its ridge along either diagonal."""
    place = 0.05 * (30 - np.abs(np.arange(61) - 30))
    true = np.tril(np.clip(1 - np.abs(place[:, None] - place), 0, 1), -1)
    known = np.arange(0, 61, 3)
    found = spread(Seen(known, true[np.ix_(known, known)], np.ones((21, 21))), 61)
    inside = np.tri(61, k=-1, dtype=bool) & (np.abs(place[:, None] - place) < 0.7)  # no corner there shows nothing
    assert np.abs(found - true)[inside].max() < 1e-9


def test_a_film_that_never_returns_is_refused() -> None:
    away = shoot(places(returns=False))
    with pytest.raises(MagbenchError, match="the camera does not come back: 0 of 21 frames looked at"):
        find("away", away)


def test_a_clip_knows_what_was_seen_and_corrections_are_heard(returning: NDArray[np.uint8]) -> None:
    found = find("a", returning)
    assert (found.switch + 3) % 12 == 0 and TURN < found.switch < LENGTH
    clip = clip_of(found, 16)
    true = shown(places(returns=True))
    for frame in range(clip.switch, LENGTH):
        assert true[frame, clip.revisit[frame]] > 0.5
    assert (clip.revisit[: clip.switch] == -1).all()
    told = Corrections(turn=28, switch=51, pairs={(55, 40): 1.0, (56, int(clip.revisit[56])): 0.0})
    mended = find("a", returning, told)
    assert (mended.turn, mended.switch) == (28, 51)
    assert clip_of(mended, 16).revisit[55] == 40
    assert mended.overlap[56, clip.revisit[56]] == 0


def test_the_command_writes_a_suite_sheets_and_names_what_was_left_out(
    returning: NDArray[np.uint8], tmp_path: Path
) -> None:
    films, out = tmp_path / "films", tmp_path / "mine"
    films.mkdir()
    write_lossless(films / "home.mkv", returning[:, :, 16:112], 32)  # upright
    write_lossless(films / "still.mkv", returning[:1].repeat(LENGTH, 0)[:, :, 16:112], 32)
    table = tmp_path / "mended.csv"
    table.write_text("video,what,frame,earlier\nhome,switch,21,\n")
    line = ["suite", "film", str(films), str(out), "--size", "48x64", "--window", "9", "--fps", "32"]
    result = CliRunner().invoke(main, [*line, "--corrections", str(table)])
    assert result.exit_code != 0  # the switch lies before the turn, and the other film stands still
    assert "no film returns; the first:" in result.output and "a model would start at frame 21" in result.output
    result = CliRunner().invoke(main, line)
    assert result.exit_code == 0, result.output
    assert "still.mkv: the camera does not come back" in result.output
    (clip,) = load_suite(out).clips
    assert (clip.size, clip.id, len(clip), clip.fps) == ((64, 48), "home", LENGTH, 32)
    assert clip.out_of_window(9)[clip.switch :].any()
    page = cv2.imread(str(tmp_path / "mine-sheets" / "home.png"))
    assert page is not None and page.shape[1] > 300


def test_a_table_that_means_nothing_is_refused(returning: NDArray[np.uint8], tmp_path: Path) -> None:
    films = tmp_path / "films"
    films.mkdir()
    write_lossless(films / "home.mkv", returning[:30], 16)
    table = tmp_path / "mended.csv"
    for row, message in (("hime,turn,3,", "unknown video 'hime'"), ("home,trun,3,", "unknown correction 'trun'")):
        table.write_text(f"video,what,frame,earlier\n{row}\n")
        line = ["suite", "film", str(films), str(tmp_path / "out"), "--corrections", str(table)]
        result = CliRunner().invoke(main, line)
        assert result.exit_code != 0 and message in result.output
