"""The contact sheet shows the models of the run, strangers too, best first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from magbench.core.errors import MagbenchError
from magbench.models.meter import Metered
from magbench.render.theme import DARK, LIGHT, Theme
from magbench.report import sheet
from magbench.report.sheet import Sheet, SheetRow, draw_sheet
from magbench.report.tables import Table, build_table
from magbench.runs.folder import RunFolder
from magbench.runs.generation import write_generation
from magbench.runs.records import Record
from magbench.suites.format import Suite
from tests.report.synthetic import SWITCH, records


def run_of(suite: Suite, folder: RunFolder, names: list[str], missing: str = "") -> tuple[Table, list[Record]]:
    """Models that show the truth, each a little worse than the one before; ``missing`` lacks the first fast clip."""
    rows: list[Record] = []
    fast = next(clip.id for clip in suite.clips if clip.speed == "fast")
    for i, name in enumerate(names):
        for clip in suite.clips:
            if name == missing and clip.id == fast:
                continue
            for record in records(["strided"], [clip.id]):
                worse = None if record.value is None else record.value - 0.01 * i
                rows.append(record.model_copy(update={"model": name, "value": worse}))
            frames = clip.frames[SWITCH:]
            metered = Metered(frames, [len(frames)], [0.1], None, None, "cpu", None)
            where = folder.generation(name, clip.id, 0)
            write_generation(where, metered, clip, model=name, revision="strided-1", kind="model", sample=0)
    return build_table(rows, [(clip.id, 0) for clip in suite.clips]), rows


def draw(*run: Any) -> None:
    """Draw the sheet of a run in this process."""
    for drawing in sheet.drawings(*run):
        drawing()


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[Path, Sheet]:
    """The sheets that were drawn, by file; each file is a dash."""
    found: dict[Path, Sheet] = {}

    def keep(content: Sheet, theme: Theme, path: Path) -> None:
        found[path] = content
        path.write_bytes(b"-")

    monkeypatch.setattr(sheet, "draw_sheet", keep)
    return found


def test_a_strangers_model_has_a_row(suite: Suite, drawn: dict[Path, Sheet], tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    table, rows = run_of(suite, folder, ["somebody_elses", "another"])
    draw(suite, folder, suite.clips, table, rows)
    assert [path.name for path in drawn] == ["sheet.png", "sheet_dark.png"]
    content = drawn[folder.sheet]
    assert [row.name for row in content.rows] == ["ground truth", "somebody_elses", "another"]
    clip = next(clip for clip in suite.clips if clip.speed == "fast")
    for row in content.rows:
        assert np.array_equal(row.given, clip.frames[SWITCH - 1]) and np.array_equal(row.frames, clip.frames[SWITCH:])
    assert "models" not in content.caption


def test_the_best_have_rows_and_the_others_are_counted(
    suite: Suite,
    drawn: dict[Path, Sheet],
    tmp_path: Path,
) -> None:
    folder = RunFolder(tmp_path)
    names = [f"model{i:02d}" for i in range(10)]
    table, rows = run_of(suite, folder, names)
    draw(suite, folder, suite.clips, table, rows)
    content = drawn[folder.sheet]
    assert [row.name for row in content.rows[1:]] == names[:8]
    assert content.caption.endswith("8 of 10 models: those of your own, then the best.")


def test_a_clip_that_most_models_have_is_shown(suite: Suite, drawn: dict[Path, Sheet], tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    table, rows = run_of(suite, folder, ["one", "two"], missing="two")
    draw(suite, folder, suite.clips, table, rows)
    content = drawn[folder.sheet]
    assert [row.name for row in content.rows] == ["ground truth", "one", "two"]
    second = [clip.id for clip in suite.clips if clip.speed == "fast"][1]
    assert f"clip {second};" in content.caption


def test_a_sheet_without_models_is_taken_away(suite: Suite, drawn: dict[Path, Sheet], tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    table, rows = run_of(suite, folder, ["one"])
    draw(suite, folder, suite.clips, table, rows)
    reference = [record.model_copy(update={"kind": "reference"}) for record in rows]
    draw(suite, folder, suite.clips, build_table(reference, [(clip.id, 0) for clip in suite.clips]), reference)
    assert not folder.sheet.exists() and not (tmp_path / "sheet_dark.png").exists()


def test_scores_without_a_video_are_an_error(suite: Suite, drawn: dict[Path, Sheet], tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    table, rows = run_of(suite, folder, ["one"])
    for file in folder.generations.rglob("generation.json"):
        file.unlink()
    with pytest.raises(MagbenchError, match="has scores but no finished generation"):
        draw(suite, folder, suite.clips, table, rows)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_same_sheet_gives_the_same_bytes(theme: Theme, tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (12, 16, 24, 3), np.uint8)
    rows = (SheetRow("ground truth", "", frames[0], frames), SheetRow("wan:a+b:c=3", "20.1 dB", frames[0], frames))
    content = Sheet("A title", "A caption\nof two lines", ("1",) * 12, (False, True) * 6, rows)
    for name in ("a.png", "b.png"):
        draw_sheet(content, theme, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_the_users_own_models_are_always_shown() -> None:
    many = [*sheet.model_names(), *(f"own{i}" for i in range(5))]
    found = sheet.chosen(many)
    assert len(found) == sheet.MODELS and set(found) >= {f"own{i}" for i in range(5)}
    assert found == [name for name in many if name in found]
