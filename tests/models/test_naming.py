"""Every way to name a model, and what is said where it stands for none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from magbench.core.errors import MagbenchError
from magbench.core.progress import Quiet
from magbench.generation.runner import generate
from magbench.models.naming import resolve
from magbench.models.protocol import Task
from magbench.runs.folder import RunFolder
from magbench.runs.generation import read_frames, read_generation
from magbench.suites.format import Suite

CODE = """
import helper

class Held:
    name = "held"

    def generate(self, task):
        return task.context[-1:].repeat(task.frames - len(task.context), 1, 1, 1) * helper.ONE

def factory():
    model = Held()
    model.name = "factory"
    return model

instance = Held()

class NeedsMore:
    def __init__(self, weights):
        self.weights = weights

    def stream(self, task):
        yield task.context

class Nothing:
    pass
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "helper.py").write_text("ONE = 1.0\n")
    path = folder / "my_model.py"
    path.write_text(CODE)
    return path


@pytest.mark.parametrize(("name", "called"), [("Held", "held"), ("factory", "factory"), ("instance", "held")])
def test_a_class_a_function_and_an_instance_in_a_file(script: Path, name: str, called: str) -> None:
    candidate = resolve(f"{script}:{name}")
    assert (candidate.name, candidate.kind) == (called, "model")
    model = candidate.load()
    assert model.name == called
    assert model.revision.startswith("code ")
    assert model.memory_bytes() is None


def test_changed_code_is_another_revision(script: Path) -> None:
    before = resolve(f"{script}:Held").load().revision
    script.write_text(CODE + "# changed\n")
    assert resolve(f"{script}:Held").load().revision != before


def test_a_name_in_an_importable_module() -> None:
    candidate = resolve("tests.fakes:tiny")
    assert candidate.name == "tiny"
    assert candidate.load().revision == "1"


def test_a_model_that_makes_whole_videos_is_run(script: Path, suite: Suite, tmp_path: Path) -> None:
    """It is said to have made one piece, so there is no latency by block."""
    assert generate(suite, [f"{script}:Held"], tmp_path / "out", progress=Quiet()) == []
    clip, folder = suite.clips[0], RunFolder(tmp_path / "out").generation("held", "a", 0)
    made = read_generation(folder)
    assert made is not None and made.pieces == [len(clip) - clip.switch]
    assert np.array_equal(read_frames(folder, made), np.repeat(clip.frames[5:6], 6, axis=0))


def test_an_object_is_a_model(suite: Suite, tmp_path: Path) -> None:
    class Whole:
        """Gives the given frames back too."""

        name, revision = "whole", "3"

        def generate(self, task: Task) -> Any:
            return torch.cat([task.context, task.context[-1:].repeat(task.frames - len(task.context), 1, 1, 1)])

    candidate = resolve(Whole())
    assert candidate.name == "whole"
    assert generate(suite, [Whole()], tmp_path, progress=Quiet()) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("{folder}/none.py:Held", "none.py: no such file"),
        ("{script}:Hold", "unknown name 'Hold'; did you mean: Held"),
        ("{script}:Nothing", "has neither stream\\(task\\) nor generate\\(task\\)"),
        ("{script}:NeedsMore", "'NeedsMore' cannot be made without arguments"),
        ("no.such.module:Model", "neither of a registered family nor in a module that can be imported"),
        ("windw", "unknown model 'windw'; did you mean: window"),
        ("nano:windw", "unknown policy 'windw'; did you mean: window"),
        ("nano:nowhere/+mag", "no such folder of weights"),
    ],
)
def test_what_stands_for_nothing_is_one_line(script: Path, name: str, message: str) -> None:
    with pytest.raises(MagbenchError, match=message) as caught:
        resolve(name.format(script=script, folder=script.parent)).load()
    assert "\n" not in str(caught.value)


def test_two_models_of_one_name_are_refused(script: Path, suite: Suite, tmp_path: Path) -> None:
    with pytest.raises(MagbenchError, match="another of these models is called 'held' too"):
        generate(suite, [f"{script}:Held", f"{script}:instance"], tmp_path / "out", progress=Quiet())


def test_a_name_that_is_taken_is_refused(script: Path) -> None:
    script.write_text(CODE.replace('name = "held"', 'name = "window"'))
    with pytest.raises(MagbenchError, match="'window' is a registered model's"):
        resolve(f"{script}:Held")
