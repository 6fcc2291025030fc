"""The table: means and intervals against plain arithmetic, ranks, and what happens to missing values."""

from __future__ import annotations

import numpy as np
import pytest

from magbench.analysis.clipwise import NO_VALUE, Cell, summarise
from magbench.core.errors import MagbenchError
from magbench.report.columns import MAIN, PRIMARY, PSNR
from magbench.report.tables import build_table
from magbench.runs.records import Record
from magbench.stats import bootstrap_mean, detectable
from tests.report.synthetic import CLIPS, MODELS, records

TASKS = [(clip, 0) for clip in CLIPS]
RECORDS = records()
TABLE = build_table(RECORDS, TASKS)
ROWS = {row.model: row for row in TABLE.rows}


def primary(model: str, rows: list[Record] = RECORDS) -> list[Record]:
    return [
        r for r in rows if (r.model, r.protocol, r.metric, r.region) == (model, "ordered", "score", "out_of_window")
    ]


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
        for column in TABLE.columns[:18]:
            values = [
                r.value
                for r in RECORDS
                if (r.model, r.protocol, r.metric, r.region) == (model, column.protocol, column.metric, column.region)
            ]
            cell = ROWS[model].cell(column)
            assert cell.mean == pytest.approx(np.nanmean(np.array(values, float)))
            in_window = [v for v in values if v is not None]
            assert cell.n == len(in_window) > 0


def test_the_interval_is_the_bootstrap_over_clips() -> None:
    wanted = bootstrap_mean([r.value for r in primary("mag") if r.value is not None])
    assert ROWS["mag"].primary == Cell(wanted.mean, wanted.low, wanted.high, len(CLIPS), "BCa")


def test_samples_of_a_clip_are_averaged_first() -> None:
    two = records(["mag"], samples=2)
    cell = summarise(primary("mag", two))
    by_clip = [np.mean([r.value for r in primary("mag", two) if r.clip == clip]) for clip in CLIPS]
    assert cell.n == len(CLIPS)
    assert cell.mean == pytest.approx(np.mean(by_clip))
    assert cell.low == pytest.approx(bootstrap_mean(by_clip).low)


def test_rows_are_sorted_by_the_ordered_score_out_of_window_and_only_models_are_ranked() -> None:
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
    assert row.primary == NO_VALUE
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
        cell = ROWS["strided"].speeds[PRIMARY.key][speed]
        assert cell.mean == pytest.approx(np.mean(np.array(values, float)))
        assert cell.n == ROWS["strided"].speeds[PSNR.key][speed].n == len(CLIPS) // 3


def with_copy(shift: float) -> list[Record]:
    """`zag` is `mag`, but its primary score is higher on odd clips, lower on even ones, and a little higher on all."""
    extra = []
    for r in RECORDS:
        if r.model == "mag":
            value, sign = r.value, 1 if CLIPS.index(r.clip) % 2 else -1
            if (r.protocol, r.metric, r.region) == ("ordered", "score", "out_of_window") and value is not None:
                value += shift * (sign + 0.1)
            extra.append(r.model_copy(update={"model": "zag", "revision": "1", "value": value}))
    return RECORDS + extra


@pytest.mark.parametrize("shift", [0.0, 0.02])
def test_models_that_cannot_be_told_apart_share_a_rank(shift: float) -> None:
    table = build_table(with_copy(shift), TASKS)
    ranks = {row.model: row.rank for row in table.rows}
    assert (ranks["full_history"], ranks["mag"], ranks["zag"], ranks["strided"]) == (1, 2, 2, 4)
    (pair,) = [pair for pair in table.ranking.neighbours if {pair.first, pair.second} == {"mag", "zag"}]
    assert not pair.apart
    assert len(table.ranking.pairs) == 15


def test_what_is_below_the_noise_is_not_told_apart() -> None:
    pair = next(p for p in TABLE.ranking.pairs if (p.first, p.second) == ("full_history", "mag"))
    assert pair.apart
    noisy = build_table(RECORDS, TASKS, noise=pair.found.difference.mean * 1.01)
    assert [row.rank for row in noisy.rows if row.is_model] == [1, 1, 3, 4, 5]


def test_the_smallest_detectable_difference_is_that_of_the_pairs_spread() -> None:
    spreads = [pair.found.spread for pair in TABLE.ranking.pairs]
    assert TABLE.ranking.spread == np.median(np.array(spreads, float))
    assert TABLE.ranking.detectable == detectable(len(CLIPS), float(np.median(np.array(spreads, float))))


def test_records_without_the_primary_score_give_a_table_without_ranks() -> None:
    table = build_table([r for r in RECORDS if r.protocol != "ordered"], TASKS)
    assert all(row.rank is None and row.complete for row in table.rows)
    assert {row.primary for row in table.rows} == {NO_VALUE}
    assert all(row.cell(PSNR).n == len(CLIPS) for row in table.rows)


def test_a_score_that_only_some_models_have_leaves_the_others_complete() -> None:
    extra = [
        r.model_copy(update={"protocol": "quality", "metric": "sharp"})
        for r in RECORDS
        if (r.model, r.protocol, r.metric) == ("mag", "aligned", "ssim")
    ]
    assert all(row.complete for row in build_table(RECORDS + extra, TASKS).rows)


def test_two_revisions_of_a_model_are_not_mixed() -> None:
    rows = [r.model_copy(update={"revision": "2"}) if (r.model, r.clip) == ("mag", CLIPS[0]) else r for r in RECORDS]
    with pytest.raises(MagbenchError, match="scores of mag mix revisions: 2, mag-1"):
        build_table(rows, TASKS)


def test_a_new_metric_gets_its_columns_by_itself() -> None:
    new = [
        r.model_copy(update={"metric": "sharp", "unit": "", "better": "higher"}) for r in RECORDS if r.metric == "ssim"
    ]
    table = build_table(RECORDS + new, TASKS)
    scores = tuple(column for column in MAIN if not column.is_cost and column.protocol != "retention")
    assert table.columns[: len(scores)] == scores
    assert [column.is_cost for column in table.columns] == sorted(column.is_cost for column in table.columns)
    assert {c.metric for c in table.columns if c.protocol == "aligned"} == {"psnr", "ssim", "lpips", "sharp"}
    assert all(row.complete for row in table.rows)
    assert not any(row.complete for row in build_table(RECORDS + new[:1], TASKS).rows)
