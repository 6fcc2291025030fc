"""Every text of a submission made to do harm, from the folder to the terminal, the page and the data."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from magbench.core.text import UNSEEN
from tests.leaderboard.common import TOLD, magbench_

TEXTS = {
    "html": "</script><script>alert(1)</script><img src=x onerror=alert(2)>'\"",
    "terminal": "\x1b[2J\x1b]0;title\x07 \u202eturned\u202c\u2028next\nerror: all is well",
}
FREE = ("submitter", "licence", "training_data", "family", "policy", "samples", "conversions", "command", "machine")


@pytest.mark.parametrize("kind", TEXTS)
def test_every_field_is_text_wherever_it_is_shown(made: Path, tmp_path: Path, kind: str) -> None:
    text = TEXTS[kind]
    artifact = {"url": f"https://example.org/{text}", "commit": text, "sha256": text}
    told = {**TOLD, **{field: f"{field} {text}" for field in FREE}, "weights": artifact, "code": artifact}
    (tmp_path / "told.yaml").write_text(json.dumps(told))
    root, trusted = tmp_path / "submissions", ("--references", made / "run" / "records.parquet")
    made_here = magbench_("submit", made / "run", "--model", "first", "--from", tmp_path / "told.yaml", "--to", root)
    checked = magbench_("board", "check", root, *trusted)
    (folder,) = (path.parent for path in root.rglob("submission.yaml"))
    noticed = magbench_("board", "notice", folder, "--status", "withdrawn", "--reason", text, "--who", f"who {text}")
    built = magbench_("board", "build", root, "--out", tmp_path / "page", "--suite", made / "suite", *trusted)
    for result in (made_here, checked, noticed, built):
        assert result.exit_code == 0 and not UNSEEN.search(result.output), result.output
    pages = [path.read_text(encoding="utf-8") for path in (tmp_path / "page").rglob("*.html")]
    assert len(pages) == 2
    for page in pages:
        assert not UNSEEN.search(page) and "<img" not in page and "alert(1)<" not in page
        scripts = re.findall(r"<script[^>]*>", page)
        assert all(re.fullmatch(r'<script src="\w+\.js">', script) for script in scripts)
    assert all(f"{field} " in pages[1] + pages[0] for field in FREE)
    board, *_ = json.loads((tmp_path / "page" / "board.json").read_text())
    (row,) = (row for row in board["rows"] if row["model"] == "first")
    assert row["policy"] == told["policy"] and row["reason"].startswith(text)
