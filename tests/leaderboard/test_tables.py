"""The table: means and intervals against plain arithmetic, ranks, and what happens to missing values."""

from __future__ import annotations

import numpy as np
import pytest

from magbench.errors import MagbenchError
from magbench.leaderboard.tables import Cell, build_table, summarise
from magbench.records import Record
from magbench.stats import bootstrap_mean
from tests.leaderboard.synthetic import CLIPS, MODELS, records

TASKS = [(clip, 0) for clip in CLIPS]
RECORDS = records()
TABLE = build_table(RECORDS, TASKS)
ROWS = {row.model: row for row in TABLE.rows}


def primary(model: str, rows: list[Record] = RECORDS) -> list[Record]:
    return [r for r in rows if (r.model, r.protocol, r.metric, r.region) == (model, "aligned", "psnr", "out_of_window")]


def without_values(rows: list[Record], model: str, clips: list[str]) -> list[Record]:
    """The records of some clips say that no frame is out of window."""
    return [
        r.model_copy(update={"value": None, "n": 0})
        if r.model == model and r.clip in clips and r.region == "out_of_window"
        else r
        for r in rows
    ]


def test_every_mean_is_the_mean_over_clips() -> None:
    for model in MODELS:
        for column in TABLE.columns[:12]:
            values = [
                r.value
                for r in RECORDS
                if (r.model, r.protocol, r.metric, r.region) == (model, column.protocol, column.metric, column.region)
            ]
            cell = ROWS[model].cell(column)
            assert cell.mean == pytest.approx(np.mean(np.array(values, float)))
            assert cell.n == len(CLIPS)


def test_the_interval_is_the_bootstrap_over_clips() -> None:
    wanted = bootstrap_mean([r.value for r in primary("mag") if r.value is not None])
    assert ROWS["mag"].primary == Cell(wanted.mean, wanted.low, wanted.high, len(CLIPS))


def test_samples_of_a_clip_are_averaged_first() -> None:
    two = records(["mag"], samples=2)
    cell = summarise(primary("mag", two))
    by_clip = [np.mean([r.value for r in primary("mag", two) if r.clip == clip]) for clip in CLIPS]
    assert cell.n == len(CLIPS)
    assert cell.mean == pytest.approx(np.mean(by_clip))
    assert cell.low == pytest.approx(bootstrap_mean(by_clip).low)


def test_rows_are_sorted_by_out_of_window_psnr_and_only_models_are_ranked() -> None:
    means = [row.primary.mean or 0 for row in TABLE.rows]
    assert means == sorted(means, reverse=True)
    ranked = [(row.model, row.rank) for row in TABLE.rows if row.is_model]
    assert ranked == [("full_history", 1), ("mag", 2), ("strided", 3), ("window_sink", 4), ("window", 5)]
    assert all(row.rank is None for row in TABLE.rows if not row.is_model)


def test_every_canary_stands_below_mag() -> None:
    order = [row.model for row in TABLE.rows]
    assert order[0] == "oracle"
    for canary in ("freeze", "reversed", "wrong_scene", "mean_frame", "noise"):
        assert order.index(canary) > order.index("mag")


def test_a_model_that_lacks_a_clip_is_last_and_unranked() -> None:
    rows = [r for r in RECORDS if (r.model, r.clip) != ("full_history", CLIPS[3])]
    table = build_table(rows, TASKS)
    last = table.rows[-1]
    assert (last.model, last.complete, last.rank) == ("full_history", False, None)
    assert (last.clips, last.expected) == (len(CLIPS) - 1, len(CLIPS))
    assert [row.rank for row in table.rows if row.model == "mag"] == [1]


def test_a_clip_that_lacks_one_score_or_one_sample_does_not_count() -> None:
    rows = [r for r in RECORDS if (r.model, r.clip, r.metric) != ("mag", CLIPS[0], "lpips")]
    assert [r.clips for r in build_table(rows, TASKS).rows if r.model == "mag"] == [len(CLIPS) - 1]
    tasks = [(clip, sample) for clip in CLIPS for sample in range(2)]
    assert not any(row.complete for row in build_table(RECORDS, tasks).rows)


def test_no_value_stays_no_value() -> None:
    some = build_table(without_values(RECORDS, "mag", CLIPS[:4]), TASKS)
    (row,) = [row for row in some.rows if row.model == "mag"]
    left = [r.value for r in primary("mag") if r.clip not in CLIPS[:4]]
    assert row.complete
    assert row.primary.n == len(CLIPS) - 4
    assert row.primary.mean == pytest.approx(np.mean(np.array(left, float)))
    none = build_table(without_values(RECORDS, "mag", CLIPS), TASKS)
    (row,) = [row for row in none.rows if row.model == "mag"]
    assert row.primary == Cell(None, None, None, 0)
    assert row.rank is None
    assert none.rows[-1].model == "mag"


def test_one_clip_has_a_mean_but_no_interval() -> None:
    table = build_table(records(["mag"], CLIPS[:1]), TASKS[:1])
    cell = table.rows[0].primary
    assert cell.mean is not None
    assert (cell.low, cell.high, cell.n) == (None, None, 1)


def test_speeds_are_means_over_their_clips() -> None:
    assert TABLE.speeds == ("slow", "medium", "fast")
    for speed in TABLE.speeds:
        values = [r.value for r in primary("strided") if r.speed == speed]
        assert ROWS["strided"].speeds[speed].mean == pytest.approx(np.mean(np.array(values, float)))
        assert ROWS["strided"].speeds[speed].n == len(CLIPS) // 3


def test_equal_models_share_a_rank() -> None:
    rows = RECORDS + [r.model_copy(update={"model": "zag"}) for r in RECORDS if r.model == "mag"]
    table = build_table([r.model_copy(update={"revision": "1"}) for r in rows], TASKS)
    ranks = {row.model: row.rank for row in table.rows}
    assert (ranks["mag"], ranks["zag"], ranks["strided"]) == (2, 2, 4)


def test_two_revisions_of_a_model_are_not_mixed() -> None:
    rows = [r.model_copy(update={"revision": "2"}) if (r.model, r.clip) == ("mag", CLIPS[0]) else r for r in RECORDS]
    with pytest.raises(MagbenchError, match="scores of mag mix revisions: 2, mag-1"):
        build_table(rows, TASKS)


def test_a_new_metric_gets_its_columns_by_itself() -> None:
    new = [
        r.model_copy(update={"metric": "sharp", "unit": "", "better": "higher"}) for r in RECORDS if r.metric == "ssim"
    ]
    table = build_table(RECORDS + new, TASKS)
    assert [c.metric for c in table.columns if c.is_primary_region] == ["psnr", "ssim", "lpips", "sharp"]
    assert all(row.complete for row in table.rows)
    assert not any(row.complete for row in build_table(RECORDS + new[:1], TASKS).rows)
