"""The schema of a result, and its two file formats."""

from __future__ import annotations

import json
import math
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from magbench.core.errors import MagbenchError
from magbench.report.streaming import stream
from magbench.runs.records import Record, read_parquet, read_records, write_parquet, write_records

PLAIN: dict[str, Any] = {
    "suite": "revisit-nano",
    "suite_version": 1,
    "suite_digest": "d" * 64,
    "split": "test",
    "model": "mag",
    "revision": "0.1.0-abc",
    "kind": "model",
    "clip": "00-pan-slow",
    "category": "pan",
    "speed": "slow",
    "sample": 0,
    "seed": 2**63 - 1,
    "protocol": "aligned",
    "protocol_version": 1,
    "metric": "psnr",
    "metric_version": 1,
    "unit": "dB",
    "better": "higher",
    "region": "all",
    "value": 0.1 + 0.2,
    "n": 3,
    "per_frame": [20.0, 1 / 3, 21.5],
    "frame": [24, 25, 26],
    "gap": [1, -1, 5],
    "generation_sha256": "e" * 64,
    "magbench_version": "0.1.0",
}
BARE = PLAIN | {"per_frame": None, "frame": None, "gap": None, "region": "out_of_window"}
EMPTY = BARE | {"value": None, "n": 0}
COST = PLAIN | {"protocol": "cost", "metric": "block_s", "gap": None, "unit": "s", "better": "lower"}
RECORDS = [Record(**fields) for fields in (PLAIN, BARE, EMPTY, COST)]


def test_json_lines_come_back_exactly(tmp_path: Path) -> None:
    path = tmp_path / "scores/mag/a@0.jsonl"
    write_records(path, RECORDS)
    assert read_records(path) == RECORDS
    assert len(path.read_text().splitlines()) == len(RECORDS)
    assert [file.name for file in path.parent.iterdir()] == ["a@0.jsonl"]


@pytest.mark.parametrize("records", [RECORDS, [RECORDS[2]]], ids=["all", "without any value"])
def test_parquet_comes_back_exactly(tmp_path: Path, records: list[Record]) -> None:
    path = tmp_path / "records.parquet"
    write_parquet(path, records)
    assert read_parquet(path) == records
    for kind in ("model", "reference"):
        assert read_parquet(path, kind) == [record for record in records if record.kind == kind]
    assert [file.name for file in tmp_path.iterdir()] == ["records.parquet"]


@pytest.mark.parametrize(
    "change",
    [
        {"value": math.nan},
        {"value": math.inf},
        {"per_frame": [1.0, math.nan, 2.0]},
        {"value": None},
        {"n": 0},
        {"n": -1},
        {"kind": "canary"},
        {"better": "more"},
        {"region": "somewhere"},
        {"region": "out_of_window"},
        {"frame": [24, 25]},
        {"gap": [1]},
        {"frame": None, "gap": None},
        {"value": "20"},
        {"extra": 1},
    ],
    ids=str,
)
def test_what_cannot_be_a_result(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Record(**(PLAIN | change))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: broken JSON"),
        ("", "line 2: broken JSON"),
        (json.dumps(PLAIN | {"n": "three"}), "line 2: n: .* not 'three'"),
        (
            json.dumps({key: value for key, value in PLAIN.items() if key != "clip"}),
            "line 2: clip: Field required",
        ),
        (json.dumps(PLAIN | {"value": math.nan}), "line 2: broken JSON \\(NaN is no number\\)"),
        (json.dumps(PLAIN | {"n": 0}), r"line 2: .*value 0\.3\d* with n 0"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "a@0.jsonl"
    path.write_text(f"{RECORDS[0].model_dump_json()}\n{line}\n")
    with pytest.raises(MagbenchError, match=rf"a@0\.jsonl: {message}") as caught:
        read_records(path)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for read in (read_records, read_parquet):
        with pytest.raises(MagbenchError, match="nowhere: cannot be read"):
            read(tmp_path / "nowhere")
    (tmp_path / "text.parquet").write_text("not parquet")
    with pytest.raises(MagbenchError, match=r"text\.parquet: cannot be read"):
        read_parquet(tmp_path / "text.parquet")


def test_text_that_is_no_text_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    write_parquet(path, RECORDS)
    table = pq.read_table(path)
    place = table.column_names.index("clip")
    broken = pa.array([b"a\xff"] * len(table), pa.binary()).view(pa.string())
    pq.write_table(table.set_column(place, "clip", broken), path)
    own = partial(read_parquet, model=RECORDS[0].model)
    for read in (read_parquet, own, stream):
        with pytest.raises(MagbenchError, match=r"x\.parquet: .*cannot be read \(") as caught:
            read(path)
        assert "\n" not in str(caught.value)
