"""The player shows what was submitted, or made in a run: the very frames, beside the truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from magbench.suites.format import Suite
from magbench.video.io import read_video
from tests.leaderboard.common import first_of, magbench_


def test_the_player_shows_the_frames_of_the_submissions(made: Path, tmp_path: Path) -> None:
    result = magbench_(
        *("board", "build", made / "submissions", "--out", tmp_path / "page", "--suite", made / "suite"),
        *("--references", made / "run" / "records.parquet", "--clips", 2),
    )
    assert result.exit_code == 0, result.stderr
    data = player_data(tmp_path / "page")
    assert [(clip["clip"], [row["name"] for row in clip["shown"]]) for clip in data["clips"]] == [
        ("a", ["first", "second"]),
        ("c", ["first", "second"]),
    ]
    assert "of each suite at most 2 clips" in (tmp_path / "page" / "index.html").read_text().lower()
    stored = read_video(first_of(made / "submissions") / "videos" / "c@0.mkv")
    assert (cut(tmp_path / "page", data["clips"][1]["shown"][0]["sheet"]) == stored[-6:]).all()


def test_a_run_is_watched_with_its_references_and_the_truth(made: Path, suite: Suite, tmp_path: Path) -> None:
    result = magbench_("view", made / "run", "--suite", made / "suite", "--out", tmp_path / "page")
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path / 'page' / 'index.html'}\n"), result.stderr
    data = player_data(tmp_path / "page")
    (a, *_), names = data["clips"], ["first", "second", "freeze", "noise", "oracle", "wrong_scene"]
    assert [clip["clip"] for clip in data["clips"]] == ["a", "b", "c"] and [row["name"] for row in a["shown"]] == names
    truth = suite.clip("a").frames
    assert (cut(tmp_path / "page", a["truth"]) == truth).all()
    assert (cut(tmp_path / "page", a["shown"][4]["sheet"]) == truth[6:]).all()
    oracle = a["shown"][4]["curves"]
    assert oracle["ordered_score_out_of_window"] == [1.0] * 6 and oracle["aligned_lpips_out_of_window"] == [0.0] * 6
    again = magbench_("view", made / "run", "--suite", "revisit-nano", "--out", tmp_path / "page")
    assert again.exit_code == 1 and "is of a suite with digest" in again.stderr


def player_data(page: Path) -> dict[str, Any]:
    """What the player reads."""
    text = (page / "clips.js").read_text(encoding="utf-8").partition("magbenchClips = ")[2].strip().rstrip(";")
    found: dict[str, Any] = json.loads(text)
    return found


def cut(page: Path, sheet: dict[str, Any]) -> NDArray[np.uint8]:
    """The frames of a sheet."""
    with Image.open(page / sheet["src"]) as image:
        pixels = np.asarray(image.convert("RGB"))
    wide, high = sheet["width"], sheet["height"]
    places = [
        (i // sheet["columns"] * sheet["down"], i % sheet["columns"] * sheet["across"]) for i in range(sheet["frames"])
    ]
    return np.stack([pixels[y : y + high, x : x + wide] for y, x in places])
