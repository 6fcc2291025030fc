"""The example of a new model, installed as anybody's package would be."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import magbench
from magbench.runs.folder import RunFolder
from magbench.runs.generation import read_frames, read_generation
from magbench.suites.format import load_suite

ROOT = Path(magbench.__file__).parents[1]
EXAMPLE = ROOT / "examples/hold_last"


EXAMPLES = ("hold_last", "metric_mse", "suite_stripes")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the examples are installed; from copies, for building writes beside the source."""
    folder = tmp_path_factory.mktemp("example")
    site = folder / "site"
    for name in EXAMPLES:
        shutil.copytree(ROOT / "examples" / name, folder / name)
    quiet = ["--quiet", "--no-index", "--disable-pip-version-check"]
    how = ["--no-deps", "--no-build-isolation", "--target", str(site)]
    sources = [str(folder / name) for name in EXAMPLES]
    subprocess.run([sys.executable, "-m", "pip", "install", *quiet, *how, *sources], check=True)
    python = Path(sys.executable).parent
    return {
        **os.environ,
        "PYTHONPATH": f"{site}{os.pathsep}{ROOT}",
        "PATH": f"{python}{os.pathsep}{os.environ['PATH']}",
    }


def test_an_installed_model_is_listed_and_run(installed: dict[str, str], suite_folder: Path, tmp_path: Path) -> None:
    models = f"hold_last,command:{EXAMPLE / 'hold_last.yaml'}"
    generate = ["generate", str(suite_folder), "--models", models, "--limit", "1", "--out", str(tmp_path / "out")]
    commands = [["ls", "models"], generate]
    code = f"from cli import main\nfor command in {commands}: main(command, standalone_mode=False)"
    done = subprocess.run([sys.executable, "-c", code], env=installed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first_line = r"^hold_last +model +Holds the last given frame: no memory, no motion\.$"
    assert re.search(first_line, done.stdout, re.MULTILINE)
    clip = load_suite(suite_folder).clip("a")
    for model, pieces in (("hold_last", [1] * 6), ("hold_last_program", [6])):
        folder = RunFolder(tmp_path / "out").generation(model, "a", 0)
        made = read_generation(folder)
        assert made is not None, done.stderr
        assert made.pieces == pieces
        assert np.array_equal(read_frames(folder, made), np.repeat(clip.frames[5:6], 6, axis=0))


def test_a_metric_and_a_suite_of_other_packages_are_used(installed: dict[str, str], tmp_path: Path) -> None:
    """The metric's column stands in the table of a run on the suite; nothing of magbench was edited."""
    run = ["run", "stripes", "--models", "hold_last,oracle", "--out", "out"]
    commands = [["ls", "suites"], ["ls", "metrics"], run]
    code = (
        "from cli import main\n"
        f"if __name__ == '__main__':\n    for command in {commands}: main(command, standalone_mode=False)"
    )
    (tmp_path / "script.py").write_text(code)
    environment = {**installed, "MAGBENCH_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "script.py"], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"^stripes +coloured stripes that slide away", done.stdout, re.MULTILINE)
    assert re.search(r"^mse +v1 +of one frame, lower is better", done.stdout, re.MULTILINE)
    rows = {row["model"]: row for row in csv.DictReader((tmp_path / "out/table.csv").open())}
    assert float(rows["oracle"]["aligned_mse_all"]) == 0
    assert float(rows["hold_last"]["aligned_mse_all"]) > 0


def test_the_documentation_shows_the_example_itself() -> None:
    text = (ROOT / "docs/models.md").read_text()
    for file in ("hold_last.py", "hold_last.yaml"):
        code = (EXAMPLE / file).read_text()
        shown = code[code.index("class") if file.endswith(".py") else code.index("name:") :]
        assert "".join(f"    {line}".rstrip() + "\n" for line in shown.splitlines()) in text, file
