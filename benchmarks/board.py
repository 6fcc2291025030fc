"""A board of many simulated models, from submissions on disk: time, memory, and what its ranks are worth.

    python benchmarks/board.py --models 500

Each model is the published `mag` with its ordered scores scaled, clip by clip. Models 0 and 1 are the same but for
noise; model 2 is truly above model 3 by twice what one comparison of 42 clips detects.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import shutil
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from magbench.core.files import file_sha256
from magbench.leaderboard.build import build, rows_of
from magbench.leaderboard.own import read_references
from magbench.leaderboard.page import write_page
from magbench.leaderboard.submission import board_name, folder_name, read_submission
from magbench.runs.records import read_table
from magbench.stats import detectable

ROOT = Path(__file__).parents[1] / "leaderboards"
SPREAD = 0.14
"""Standard deviation of a model's score on a clip over the scene's: as much as published models differ."""


def simulate(root: Path, models: int, seed: int) -> None:
    """Write ``models`` submissions with attestations below ``root``."""
    source = next((ROOT / "submissions").glob("*/mag/*"))
    submission = read_submission(source)
    table = read_table(source / "records.parquet")
    kinds = np.array(table.column("kind").to_pylist())
    references = table.filter(pa.array(kinds == "reference"))
    own = table.filter(pa.array(kinds == "model")).to_pylist()
    clips = sorted({row["clip"] for row in own})
    random = np.random.default_rng(seed)
    apart = detectable(len(clips), SPREAD * np.sqrt(2))
    assert apart is not None
    levels = np.linspace(0.3, 0.9, models)
    levels[1], levels[2] = levels[0], levels[3] + 2 * apart
    videos = json.loads((source / "videos.json").read_text())
    attestation = json.loads(next((source / "attestations").glob("*.json")).read_text())
    for number, level in enumerate(levels):
        name = f"model{number:03d}"
        factor = dict(zip(clips, np.clip(level + SPREAD * random.standard_normal(len(clips)), 0.05, 1), strict=True))
        digest = {clip: hashlib.sha256(f"{name} {clip}".encode()).hexdigest() for clip in clips}
        mine = [_scaled(row, name, float(factor[row["clip"]]), digest[row["clip"]]) for row in own]
        about = submission.about.model_copy(update={"model": name, "family": name, "submitter": name})
        folder = root / board_name(submission.run) / folder_name(about)
        folder.mkdir(parents=True)
        (folder / "submission.yaml").write_text(yaml.safe_dump(about.model_dump()))
        for same in ("run.json", "noise.json"):
            shutil.copyfile(source / same, folder / same)
        whole = pa.concat_tables([pa.Table.from_pylist(mine, schema=table.schema), references])
        pq.write_table(whole, folder / "records.parquet")
        hashed = {
            key: {**entry, "path": "", "frames_sha256": digest[key.rpartition("@")[0]]} for key, entry in videos.items()
        }
        (folder / "videos.json").write_text(json.dumps(hashed))
        (folder / "attestations").mkdir()
        found = {**attestation, "records_sha256": file_sha256(folder / "records.parquet")}
        (folder / "attestations" / "simulation-2026-01-01.json").write_text(json.dumps(found))


def _scaled(row: dict[str, object], name: str, factor: float, digest: str) -> dict[str, object]:
    changed = {**row, "model": name, "generation_sha256": digest}
    if (row["protocol"], row["metric"]) == ("ordered", "score") and row["value"] is not None:
        changed["value"] = float(row["value"]) * factor  # type: ignore[arg-type]
        if row["per_frame"] is not None:
            changed["per_frame"] = [float(value) * factor for value in row["per_frame"]]  # type: ignore[attr-defined]
    return changed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        writer = get_context("spawn").Process(
            target=simulate, args=(Path(folder) / "submissions", asked.models, asked.seed)
        )
        writer.start()  # a process of its own, so that its memory is not counted
        writer.join()
        start, used = time.perf_counter(), time.process_time()
        own = read_references(sorted(ROOT.glob("*/records.parquet")))
        (board,) = build(Path(folder) / "submissions", own, print)
        page = write_page([board], Path(folder) / "page")
        seconds, used = time.perf_counter() - start, time.process_time() - used
        size = sum(path.stat().st_size for path in page.parent.rglob("*") if path.is_file())
        rows = {row["model"]: row for row in rows_of(board)}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{asked.models} models: {seconds:.0f} s, {used:.0f} s of processor time, {peak:.2f} GB")
    print(f"page: {size / 2**20:.1f} MB")
    print("equal models:", rows["model000"]["bounds"], rows["model001"]["bounds"])
    print("twice the detectable difference:", rows["model002"]["bounds"], rows["model003"]["bounds"])
    pairs = {frozenset((pair.first, pair.second)): pair for pair in board.ranked.ranking.pairs}
    pair = pairs[frozenset(("model002", "model003"))]
    difference = pair.found.difference
    print(f"told apart: {pair.apart}, {difference.mean:.3f} [{difference.low:.3f}, {difference.high:.3f}]", end="")
    print(f", corrected p {pair.corrected_p:.2g}, noise level {board.ranked.noise}")


if __name__ == "__main__":
    main()
