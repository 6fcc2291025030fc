"""The Python API: what it gives back, what it raises, and the examples of its page."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

import magbench
from magbench.core.errors import MagbenchError, NothingDone
from magbench.suites.format import Suite
from magbench.video.io import write_lossless

ROOT = Path(magbench.__file__).parents[1]
PAGE = ROOT / "docs/api.md"


class HoldLast:
    """Holds the last given frame."""

    name, revision = "hold_last", "1"

    def stream(self, task: magbench.Task) -> Iterator[Tensor]:
        for _ in range(task.frames - len(task.context)):
            yield task.context[-1:]


class Broken:
    """Fails on one clip."""

    name, revision = "broken", "1"

    def stream(self, task: magbench.Task) -> Iterator[Tensor]:
        if '"b"' in task.prompt:
            raise RuntimeError("no idea what b is")
        yield torch.zeros(task.frames - len(task.context), *task.context.shape[1:])


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(registered: None, suite: Suite) -> magbench.Results:
    return magbench.evaluate(["tiny", "oracle", "noise", HoldLast()], suite, out="out")


def test_names_and_objects_stand_in_one_table(run: magbench.Results) -> None:
    assert run.failures == ()
    assert sorted(run.models) == ["hold_last", "tiny"]
    table = run.table()
    assert isinstance(table, pd.DataFrame)
    assert set(table.index) == {"hold_last", "tiny", "oracle", "noise"}
    written = pd.read_csv("out/table.csv").set_index("model")
    for column in ("ordered_score_out_of_window", "ordered_score_out_of_window_low", "aligned_psnr_all", "block_s"):
        assert np.array_equal(table[column].astype(float), written.loc[table.index, column], equal_nan=True), column
    low, high = table.rank_low, table.rank_high
    ranked = table[table["rank"].notna()]
    assert ((low[ranked.index] >= 1) & (high[ranked.index] <= len(ranked)) & (low <= high)[ranked.index]).all()


def test_records_are_a_row_a_score(run: magbench.Results, suite: Suite) -> None:
    records = run.records()
    chosen = records[(records.model == "oracle") & (records.protocol == "aligned") & (records.region == "all")]
    assert sorted(chosen.metric.unique()) == ["lpips", "psnr", "ssim"]
    assert chosen[chosen.metric == "ssim"].value.tolist() == pytest.approx([1.0] * len(suite.clips), abs=1e-6)
    assert set(records.suite_digest) == {suite.digest}


def test_a_comparison_is_a_frame_with_a_verdict(run: magbench.Results) -> None:
    compared = run.compare("tiny", "hold_last")
    means = run.table()["aligned_psnr_out_of_window"]
    line = compared[compared.key == "aligned_psnr_out_of_window"].iloc[0]
    assert line.difference == pytest.approx(means["tiny"] - means["hold_last"], abs=1e-9)
    assert line.n == 3
    assert {"low", "high", "p", "p_holm", "verdict"} <= set(compared.columns)
    with pytest.raises(MagbenchError, match="unknown model in out 'tinny'; did you mean: tiny"):
        run.compare("tinny", "oracle")


def test_a_run_is_opened_again(run: magbench.Results) -> None:
    again = magbench.open_run("out")
    pd.testing.assert_frame_equal(again.table(), run.table())
    pd.testing.assert_frame_equal(again.records(), run.records())
    assert again.to_markdown() == run.to_markdown()


def test_a_published_run_is_opened() -> None:
    folder = ROOT / "leaderboards/revisit-nano"
    table = magbench.open_run(folder).table()
    written = pd.read_csv(folder / "table.csv").set_index("model")
    score = "ordered_score_out_of_window"
    assert np.array_equal(table[score], written.loc[table.index, score])
    assert table["rank"].dropna().astype(int).to_dict() == written["rank"].dropna().astype(int).to_dict()


def test_exports_name_every_model(run: magbench.Results) -> None:
    for text in (run.to_markdown(), run.to_latex(), run.to_html()):
        assert "tiny" in text
        assert re.search(r"hold(\\_|_)last", text)
    assert r"\toprule" in run.to_latex()
    assert run._repr_html_().startswith("<table")


def test_what_failed_is_in_the_result_and_the_rest_is_done(registered: None, suite: Suite) -> None:
    run = magbench.evaluate(["tiny", Broken()], suite, out="out")
    assert [(failure.model, failure.clip) for failure in run.failures] == [("broken", "b")]
    assert "no idea what b is" in run.failures[0].message
    assert run.table().loc["tiny", "clips"] == 3


def test_it_raises_only_where_nothing_could_be_done(registered: None, suite: Suite) -> None:
    with pytest.raises(NothingDone, match="1 failed, the first: unloadable: FileNotFoundError") as caught:
        magbench.evaluate(["unloadable"], suite, out="out")
    assert len(caught.value.failures) == 1
    with pytest.raises(MagbenchError, match="unknown model 'tinny'"):
        magbench.evaluate(["tinny"], suite, out="elsewhere")
    assert not Path("elsewhere").exists()
    with pytest.raises(MagbenchError, match="nowhere: holds neither scores nor records.parquet"):
        magbench.open_run("nowhere")


def test_finished_videos_are_scored(registered: None, suite: Suite) -> None:
    for clip in suite.clips:
        write_lossless(Path("videos") / f"{clip.id}.mkv", clip.frames[clip.switch :], suite.fps)
    run = magbench.score(suite, "videos", "mine", out="out")
    assert run.models == ["mine"]
    assert run.table().loc["mine", "aligned_psnr_all"] == 100.0


def test_every_public_name_is_there_and_on_the_page() -> None:
    text = PAGE.read_text()
    for name in magbench.__all__:
        assert getattr(magbench, name) is not None
        assert name == "__version__" or re.search(rf"`{name}\b", text), name
    assert set(magbench.__all__) <= set(dir(magbench))
    with pytest.raises(AttributeError, match="no attribute 'evalute'"):
        magbench.evalute  # noqa: B018


def test_the_import_loads_nothing_heavy() -> None:
    heavy = ("torch", "numpy", "pandas", "matplotlib", "pydantic", "rich", "click", "av", "cv2", "yaml")
    code = f"import sys, magbench; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"


def test_the_package_says_that_it_is_typed() -> None:
    for package in ("magbench", "mag_model", "baselines"):
        assert (ROOT / package / "py.typed").is_file()


@pytest.mark.rare
def test_the_examples_of_the_page_run() -> None:
    """In order, in one place, as a reader would type them."""
    suite = magbench.load_suite("revisit-nano")
    for clip in suite.clips:
        write_lossless(Path("my_videos") / f"{clip.id}.mkv", clip.frames[clip.switch :], suite.fps)
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 7
    script = "if __name__ == '__main__':\n" + re.sub(r"^(?=.)", "    ", "".join(blocks), flags=re.MULTILINE)
    Path("examples.py").write_text(script)
    done = subprocess.run(
        [sys.executable, "examples.py"], capture_output=True, text=True, check=False, env={**_environment()}
    )
    assert done.returncode == 0, done.stderr
    assert "did you mean: mag" in done.stdout
    assert magbench.open_run("runs/first").models[0] == "mag"
    shutil.rmtree("runs")


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(ROOT)}
