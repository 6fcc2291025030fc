"""Ablations that train nothing: what each setting keeps, by hand, and that a name stands for one model."""

from __future__ import annotations

import pytest

from baselines.ablations import ABLATIONS, OneOfBlock, Trained
from mag_model.memory.masks import kept_frames

KEPT = {
    ("recent", "0"): [2, 5, 8, 11],
    ("recent", "1"): [2, 5, 8, 9, 10, 11],
    ("recent", "2"): [2, 5, 6, 7, 8, 9, 10, 11],
    ("sink", "0"): [2, 5, 8, 11],
    ("sink", "1"): [0, 2, 5, 8, 11],
    ("sink", "2 (whole)"): [0, 1, 2, 5, 8, 11],
    ("kept", "first"): [0, 3, 6, 9],
    ("kept", "middle"): [1, 4, 7, 10],
    ("kept", "last"): [2, 5, 8, 11],
}


@pytest.mark.parametrize(("name", "setting"), KEPT)
def test_every_line_of_a_setting_keeps_the_same_frames(name: str, setting: str) -> None:
    for models in ABLATIONS[name].lines.values():
        assert kept_frames(models[setting].policy, 4, 3).tolist() == KEPT[name, setting]


def test_who_writes_is_all_that_differs_along_a_line_of_writers() -> None:
    for models in ABLATIONS["writer"].lines.values():
        assert len({model.generator for model in models.values()}) == 1
        assert [model.writer for model in models.values()] == ["memory", "joint", "base"]
        assert {tuple(kept_frames(model.policy, 4, 3).tolist()) for model in models.values()} == {(2, 5, 8, 11)}


@pytest.mark.parametrize("name", ABLATIONS)
def test_lines_have_the_reference_and_the_same_settings(name: str) -> None:
    ablation = ABLATIONS[name]
    settings = {tuple(models) for models in ablation.lines.values()}
    assert len(settings) == 1
    assert ablation.head.reference in settings.pop()


def test_a_name_stands_for_one_model() -> None:
    """Ablations share a run, so that what two of them ask for is made once."""
    found: dict[str, Trained] = {}
    for ablation in ABLATIONS.values():
        for model in ablation.models:
            assert found.setdefault(model.name, model) == model


def test_a_model_has_the_name_of_its_folder() -> None:
    assert Trained("x", OneOfBlock(1), "joint", "memory").model().name == "x"
