"""The files of a run, to be compared with those of another."""

from __future__ import annotations

import json
from pathlib import Path

from magbench.runs.folder import RunFolder


def files(folder: Path) -> dict[str, object]:
    """Every file that a shared run must have in common with one that was not: what is measured beside them apart."""
    found: dict[str, object] = {}
    run = RunFolder(folder)
    for path in sorted(run.generations.rglob("frames.mkv")):
        found[str(path.relative_to(folder))] = path.read_bytes()
    for path in run.score_files():
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        found[str(path.relative_to(folder))] = [line for line in lines if line["protocol"] != "cost"]
    return found
