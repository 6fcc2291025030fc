"""docs/columns.md says what every column of a published table is."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from magbench.report.export.columns_page import page

ROOT = Path(__file__).parents[2]


def test_the_page_is_up_to_date() -> None:
    written = (ROOT / "docs" / "columns.md").read_text(encoding="utf-8")
    assert written == page() + "\n", "make docs writes it anew"


def test_every_column_of_a_published_table_is_explained() -> None:
    text = page()
    with (ROOT / "leaderboards" / "revisit-nano" / "table.csv").open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    explained = set(re.findall(r"`(\w+)`", text.split("Every score below")[0]))
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        metrics = re.findall(r"^\| `(\w+)` \|", section, flags=re.M)
        found = re.search(r"Keys: `(\w+)_METRIC_REGION`; regions: (.*)\.$", section, flags=re.M)
        regions = re.findall(r"`(\w+)`", found[2]) if found else []
        keys = {f"{found[1]}_{metric}_{region}" for metric in metrics for region in regions} if found else set(metrics)
        keys |= {
            f"{key}_{speed}" for key in re.findall(r"`(\w+)_SPEED`", section) for speed in ("slow", "medium", "fast")
        }
        explained |= {f"{key}{end}" for key in keys for end in ("", "_low", "_high", "_n")}
    assert set(header) <= explained, sorted(set(header) - explained)
