"""A table of records that are looked at a few rows at a time is the table of all of them."""

from __future__ import annotations

import math
import weakref
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from magbench.analysis import sources
from magbench.analysis.sources import read_folder
from magbench.core.errors import MagbenchError
from magbench.core.progress import Quiet
from magbench.generation.runner import generate
from magbench.report.report import SHOWN, report, summarise
from magbench.report.sides import open_sides
from magbench.report.tables import build_table
from magbench.results import Results
from magbench.runs import records as records_module
from magbench.runs.folder import RunFolder
from magbench.runs.records import Record, read_parquet, read_records, write_parquet
from magbench.scoring.score import score
from magbench.suites.format import Suite

pytestmark = pytest.mark.usefixtures("registered")

ROW: dict[str, Any] = {
    "suite": "tiny",
    "suite_version": 1,
    "suite_digest": "0" * 64,
    "split": "test",
    "model": "mine",
    "revision": "1",
    "kind": "model",
    "clip": "a",
    "category": "pan",
    "speed": "slow",
    "sample": 0,
    "seed": 5,
    "protocol": "ordered",
    "metric": "score",
    "metric_version": 1,
    "unit": "",
    "better": "higher",
    "region": "out_of_window",
    "value": 0.5,
    "n": 2,
    "generation_sha256": "1" * 64,
    "magbench_version": "1",
}
TIMED = ROW | {"protocol": "cost", "metric": "block_s", "unit": "s", "better": "lower", "region": "all"}
INSIDE = ROW | {"region": "in_window"}


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_module, "BATCH", 7)
    monkeypatch.setattr(records_module, "GROUP", 5000)


def written(folder: Path, rows: list[dict[str, Any]]) -> Path:
    folder.mkdir(exist_ok=True)
    write_parquet(RunFolder(folder).records, [Record(**row) for row in rows])
    return folder


def both(folder: Path) -> tuple[Any, Any]:
    rows = read_folder(folder)
    return summarise(folder), build_table(rows, sorted({(row.clip, row.sample) for row in rows}))


def test_the_table_of_a_published_run(suite: Suite, tmp_path: Path) -> None:
    out, published = tmp_path / "out", tmp_path / "published"
    assert generate(suite, ["tiny", "oracle", "wrong_scene"], out, seeds=2, progress=Quiet()) == []
    assert score(suite, out, progress=Quiet()) == []
    reported = report(suite, out)
    one, whole = both(out)
    assert one == whole == reported
    assert len(one.rows) == 3
    published.mkdir()
    RunFolder(out).records.rename(RunFolder(published).records)
    one, whole = both(published)
    assert one == whole == reported
    assert Results(published).summary == whole


def test_a_report_holds_the_records_of_one_video(suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert generate(suite, ["tiny", "oracle", "wrong_scene"], tmp_path, seeds=2, progress=Quiet()) == []
    assert score(suite, tmp_path, progress=Quiet()) == []
    held: list[weakref.ref[Record]] = []
    most = []

    def watched(path: Path) -> list[Record]:
        there = [record for record in (ref() for ref in held) if record is not None]
        most.append(sum(not any(asks(record) for asks in SHOWN) for record in there))
        found = read_records(path)
        held.extend(map(weakref.ref, found))
        return found

    monkeypatch.setattr(sources, "read_records", watched)
    report(suite, tmp_path)
    a_video = max(len(read_records(file)) for file in RunFolder(tmp_path).score_files())
    assert len(most) > 3
    assert max(most) <= 2 * a_video  # the one before may be there while the next is read
    assert len(read_parquet(RunFolder(tmp_path).records)) > len(most) * a_video / 2


def test_samples_timings_and_words_that_differ(tmp_path: Path) -> None:
    rows = [INSIDE, INSIDE | {"model": "other", "conversions": "cut"}]
    for number in range(40):
        clip, sample, model = f"c{number % 5}", number % 3, ("mine", "other")[number % 2]
        of = {"clip": clip, "sample": sample, "model": model, "conversions": "" if model == "mine" else "cut"}
        rows.append(ROW | of | {"value": number / 7, "speed": ("slow", "fast")[number % 5 % 2]})
        place = {
            "device": (None, "card")[number % 4 == 0],
            "machine": "m",
            "disturbed": (None, True, False)[number % 3],
        }
        rows.append(TIMED | of | place | {"value": None if number == 6 else number / 3, "n": 0 if number == 6 else 1})
    one, whole = both(written(tmp_path, rows))
    assert one == whole
    assert [row.timings.elsewhere for row in one.rows] == [row.timings.elsewhere for row in whole.rows] != [0, 0]


def test_a_file_without_what_follows_from_scores_is_read_whole(tmp_path: Path) -> None:
    folder = written(tmp_path, [ROW | {"region": "all"}])
    one, whole = both(folder)
    assert one == whole
    assert one.models == Results(folder).models == ["mine"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"value": [math.nan] * 3}, "row 1: value is not finite"),
        ({"value": [0.5, 0.5, None]}, "row 3: value and n do not fit"),
        ({"n": [2, -1, 2]}, "row 2: value and n do not fit"),
        ({"sample": [0, 0, -1]}, "row 3: n or sample"),
        ({"sample": ["0"] * 3}, "column sample is string"),
        ({"clip": [None] * 3}, "column clip is null with 3 gaps"),
        ({"region": ["all", "outside", "all"]}, "region 'outside' is unknown"),
        ({"kind": ["model", "model", "reference"]}, "mix revisions"),
        ({"surprise": [1] * 3}, "'surprise' is extra"),
    ],
)
def test_a_row_that_is_no_record_is_refused(tmp_path: Path, change: dict[str, list[Any]], said: str) -> None:
    table = pa.Table.from_pylist([INSIDE] * 3)
    for name, values in change.items():
        if name in table.column_names:
            table = table.drop_columns(name)
        table = table.append_column(name, pa.array(values))
    pq.write_table(table, RunFolder(tmp_path).records)
    with pytest.raises(MagbenchError, match=said):
        summarise(tmp_path)


def test_one_model_is_read_alone(tmp_path: Path) -> None:
    retained = ROW | {"protocol": "retention", "metric": "lpips"}
    rows = [{**row, "model": model} for model in ("mine", "other") for row in (ROW, INSIDE, retained)]
    folder = written(tmp_path, rows)
    path = RunFolder(folder).records
    assert read_parquet(path, model="other") == [record for record in read_parquet(path) if record.model == "other"]
    assert read_parquet(path, model="nobody") == []
    assert {record.model for record in read_folder(folder, "mine")} == {"mine"}
    first, second = open_sides("mine", "other", folder)
    assert {record.model for record in (*first.records, *second.records)} == {"mine", "other"}
    with pytest.raises(MagbenchError, match="nobody"):
        open_sides("mine", "nobody", folder)
