"""A table of so many records, from Parquet: python -m benchmarks.many_rows [ROWS] [FOLDER]

Writes a published folder of about ROWS made-up records (20 models, 4 samples a clip, 50 scores; those of all frames
with eight frames each). Then, in a process of its own, opens it as `magbench.open_run` does and prints the main table's
first line, seconds of processor time, and the most memory that the process held. FOLDER: where the file is kept;
without, it is removed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

from magbench.report.columns import specs
from magbench.runs.folder import RunFolder
from magbench.runs.records import Record

MODELS, SAMPLES, SCORES, FRAMES = 20, 4, 50, 8
REGIONS = ("all", "out_of_window", "in_window")


def write(path: Path, rows: int) -> int:
    """Write the file, one group of rows a model and score; returns how many rows it has."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    clips = max(2, rows // (MODELS * SAMPLES * SCORES))
    each = clips * SAMPLES
    rng = np.random.default_rng(0)
    scores = [(spec, region) for spec in specs().values() for region in REGIONS][:SCORES]
    names = pa.array([f"clip-{number // SAMPLES:05d}" for number in range(each)])
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = None
    for model in range(MODELS):
        for spec, region in scores:
            said: dict[str, Any] = {
                "suite": "made-up",
                "suite_version": 1,
                "suite_digest": "0" * 64,
                "split": "test",
                "model": f"model-{model:02d}",
                "revision": "1",
                "kind": "model",
                "category": "pan",
                "speed": "slow",
                "seed": 1,
                "protocol": spec.protocol,
                "metric": spec.name,
                "metric_version": spec.version,
                "protocol_version": spec.protocol_version,
                "unit": spec.unit,
                "better": spec.better,
                "region": region,
                "n": FRAMES,
                "generation_sha256": "1" * 64,
                "magbench_version": "1",
                "conversions": "",
            }
            frames = rng.random((each, FRAMES)) + model / 50
            lists = [
                pa.array(list(kind)) if region == "all" else None
                for kind in (frames, *[np.ones(frames.shape, np.int64)] * 2)
            ]
            columns = {name: pa.repeat(pa.scalar(value), each) for name, value in said.items()}
            columns |= {"clip": names, "sample": pa.array(np.arange(each) % SAMPLES), "value": pa.array(frames.mean(1))}
            for name, kind, values in zip(
                ("per_frame", "frame", "gap"), (pa.float64(), pa.int64(), pa.int64()), lists, strict=True
            ):
                columns[name] = pa.nulls(each, pa.list_(kind)) if values is None else values.cast(pa.list_(kind))
            columns |= {
                name: pa.nulls(each, kind)
                for name, kind in (("device", pa.string()), ("machine", pa.string()), ("disturbed", pa.bool_()))
            }
            table = pa.table({name: columns[name] for name in Record.model_fields})
            writer = writer or pq.ParquetWriter(path, table.schema)
            writer.write_table(table)
    assert writer is not None
    writer.close()
    return each * len(scores) * MODELS


def show(folder: Path) -> None:
    """Open the folder and print what it took."""
    from magbench.results import Results

    lines = Results(folder).to_markdown().splitlines()
    status = Path("/proc/self/status").read_text()
    peak = next(int(line.split()[1]) / 1e3 for line in status.splitlines() if line.startswith("VmHWM:"))
    print(lines[2][:100])
    print(f"{len(lines) - 2} models: {time.process_time():.0f} s of processor time, peak {peak:.0f} MB", flush=True)


@click.command()
@click.argument("rows", default=10_000_000)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
def main(rows: int, folder: Path | None) -> None:
    """Write about ROWS records and open them."""
    with tempfile.TemporaryDirectory() as temporary:
        place = folder or Path(temporary)
        path = RunFolder(place).records
        written = write(path, rows)
        print(f"{written} rows, {path.stat().st_size / 1e6:.0f} MB", flush=True)
        subprocess.run([sys.executable, "-m", "benchmarks.many_rows", "--show", str(place)], check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--show"]:
        show(Path(sys.argv[2]))
    else:
        main()
