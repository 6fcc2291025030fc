"""How long the board's page takes to sort and to filter a table of many rows, in a real browser, layout included.

    python benchmarks/page_sort.py --rows 1000

Needs Chromium and playwright. Times are from the click to the frame after it, each column once in both directions.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import sync_playwright

from magbench.leaderboard.page import claim, write_contents
from magbench.leaderboard.site.content import Content
from magbench.report.columns import MAIN
from magbench.report.grids import title

TIMED = """
(act) => new Promise((done) => {
  const start = performance.now();
  act === "clear" ? (document.getElementById("text").value = "") : 0;
  const target = act === "filter" || act === "clear" ? document.getElementById("text") : null;
  if (act === "filter") target.value = "model1";
  if (target) target.dispatchEvent(new Event("input", {bubbles: true}));
  else document.querySelector(`th[data-key="${act}"] button`).click();
  document.body.getBoundingClientRect();
  const script = performance.now() - start;
  requestAnimationFrame(() => setTimeout(() => done([script, performance.now() - start])));
})
"""


def write(rows: int, out: Path) -> Path:
    """A page of one board with so many rows of random values."""
    draw = random.Random(0)
    columns = [(column.key, title(column), column.unit, column.better) for column in MAIN]
    found = [
        {
            "model": f"model{number}",
            "trust": "rescored",
            "rank": number + 1,
            "bounds": [number + 1, number + 1],
            "complete": True,
            "cells": {key: {"mean": draw.random(), "low": 0.0, "high": 1.0, "n": 42} for key, *_ in columns},
        }
        for number in range(rows)
    ]
    claim(out)
    board = Content("many", "many", columns, found, None, {}, {}, {}, [], 0)
    return write_contents([board], [], out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1000)
    asked = parser.parse_args()
    found: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = write(asked.rows, Path(folder) / "page")
        options: dict[str, Any] = {"executable_path": shutil.which("chromium"), "args": ["--no-sandbox"]}
        browser = playwright.chromium.launch(**options)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(page_file.as_uri())
        keys = page.eval_on_selector_all("th[data-key]:has(button)", "heads => heads.map(head => head.dataset.key)")
        for key in [*keys, "filter", "clear"]:
            for _ in range(2):
                script, shown = page.evaluate(TIMED, key)
                found.setdefault("filter" if key in ("filter", "clear") else "sort", []).append((script, shown))
        browser.close()
    print(f"{asked.rows} rows; ms until script and layout are done, and until the next frame: median, largest")
    for what, times in found.items():
        scripts, frames = zip(*times, strict=True)
        print(f"{what}: {median(scripts):.0f}, {max(scripts):.0f}; {median(frames):.0f}, {max(frames):.0f}")


if __name__ == "__main__":
    main()
