"""What is published: the tables follow from the records, the README shows them, and the shipped weights make them."""

from __future__ import annotations

import json
from itertools import dropwhile, islice, takewhile
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import torch

from magbench.generation.sources import make_task
from magbench.metrics import aligned
from magbench.models.references import CHEATS
from magbench.models.registry import load_model
from magbench.runs.records import Record, read_parquet
from magbench.suites.embedded.revisit_nano import CLIPS, DIGEST, WINDOW, clips
from magbench.video.io import to_float, to_uint8

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "leaderboards" / "revisit-nano"
MODELS = {"full_history", "mag", "strided", "window", "window_sink"}


@pytest.fixture(scope="module")
def table() -> dict[str, Any]:
    return json.loads((FOLDER / "table.json").read_text())


@pytest.fixture(scope="module")
def rows(table: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["model"]: row for row in table["rows"]}


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return read_parquet(FOLDER / "records.parquet")


def _psnr(records: list[Record], model: str, speed: str | None = None) -> float:
    return _mean(records, model, "aligned", "psnr", speed)


def _mean(records: list[Record], model: str, protocol: str, metric: str, speed: str | None = None) -> float:
    """Mean over clips, out of window."""
    wanted = (model, protocol, metric, "out_of_window")
    return fmean(
        record.value
        for record in records
        if (record.model, record.protocol, record.metric, record.region) == wanted
        and record.value is not None
        and speed in (None, record.speed)
    )


def test_every_model_was_scored_on_every_clip(rows: dict[str, dict[str, Any]], table: dict[str, Any]) -> None:
    assert set(rows) >= MODELS
    assert all(row["complete"] and row["clips"] == CLIPS["test"] for row in rows.values())
    assert table["provenance"]["suite_digest"] == DIGEST["test"]


def test_the_table_follows_from_the_records(rows: dict[str, dict[str, Any]], records: list[Record]) -> None:
    for model, row in rows.items():
        assert row["aligned_psnr_out_of_window"] == pytest.approx(_psnr(records, model))
        for speed in ("slow", "medium", "fast"):
            assert row[f"aligned_psnr_out_of_window_{speed}"] == pytest.approx(_psnr(records, model, speed))


def test_who_remembers(records: list[Record]) -> None:
    """The order that gives the table its meaning: references where they belong, forgetting far below remembering."""
    scores = {model: _psnr(records, model) for model in {record.model for record in records}}
    assert max(scores, key=lambda model: scores[model]) == "oracle"
    play_true_frames = {"stalled", "leave_again"}  # each has 100 dB, whatever comes after it
    cheats = {make().name for make in CHEATS} - play_true_frames
    assert len(cheats & scores.keys()) >= 8  # a new one gets its row when the board is made again
    assert all(scores[cheat] < scores["mag"] for cheat in cheats & scores.keys())
    assert scores["codec"] >= 30
    assert scores["full_history"] >= scores["codec"] - 3
    assert scores["window"] <= scores["full_history"] - 10
    assert min(scores["full_history"], scores["mag"]) > scores["strided"] > scores["window_sink"] > scores["window"]


def test_no_cheat_wins_the_ordered_score(records: list[Record]) -> None:
    scores = {model: _mean(records, model, "ordered", "score") for model in {record.model for record in records}}
    assert max(scores, key=lambda model: scores[model]) == "oracle"
    cheats = {make().name for make in CHEATS} & scores.keys()
    assert len(cheats) >= 10
    assert all(scores[cheat] < scores["mag"] for cheat in cheats)


def test_mag_is_within_one_decibel_of_full_history(records: list[Record]) -> None:
    assert _psnr(records, "mag") >= _psnr(records, "full_history") - 1


def test_a_trained_writer_is_worth_three_decibels_on_fast_cameras(records: list[Record]) -> None:
    assert _psnr(records, "strided", "fast") <= _psnr(records, "mag", "fast") - 3


def test_the_readme_shows_the_published_table(rows: dict[str, dict[str, Any]]) -> None:
    published = (FOLDER / "table.md").read_text().splitlines()
    shown = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("|")]
    from_table_on = dropwhile(lambda line: not line.startswith("|"), published)
    main_table = list(takewhile(lambda line: line.startswith("|"), from_table_on))
    assert len(main_table) > 2 + len(MODELS)
    for line in main_table:
        assert line in shown


@pytest.mark.parametrize("name", ["mag", "window"])
def test_the_shipped_weights_make_the_published_scores(name: str, records: list[Record]) -> None:
    """On another processor sums are rounded otherwise; the noise is the same, so scores hardly move."""
    model = load_model(name)
    for clip in islice(clips("test"), 2):
        made = torch.cat(list(model.stream(make_task(clip, 0))))
        scores = aligned(to_float(to_uint8(made)), to_float(clip.frames[clip.switch :]))["psnr"]
        wanted = next(
            record.value
            for record in records
            if (record.model, record.clip, record.protocol, record.metric, record.region)
            == (name, clip.id, "aligned", "psnr", "out_of_window")
        )
        assert scores[clip.out_of_window(WINDOW)[clip.switch :]].mean() == pytest.approx(wanted, abs=0.05)
