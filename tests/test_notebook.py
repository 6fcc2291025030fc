"""The notebook runs from top to bottom, and its outputs say what the text around them says."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import magbench

NOTEBOOK = Path(magbench.__file__).parents[1] / "examples/quickstart.ipynb"


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    folder = tmp_path_factory.mktemp("notebook")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
    return notebook


def texts(notebook: nbformat.NotebookNode) -> list[str]:
    """All that the code cells show, as text or HTML."""
    shown = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            shown += [output.get("text", ""), data.get("text/html", ""), data.get("text/plain", "")]
    return shown


@pytest.mark.rare
def test_it_runs_and_shows_tables_a_picture_and_progress(executed: nbformat.NotebookNode) -> None:
    outputs = [output for cell in executed.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    whole = "\n".join(texts(executed))
    assert "<progress" in whole and "generate mag: 6 of 6" in whole
    assert "brighter" in whole
    assert r"\toprule" in whole


def test_it_ships_with_its_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs for cell in cells)
    assert str(NOTEBOOK.parents[1]) not in NOTEBOOK.read_text()
