"""Discovery of models and references."""

from __future__ import annotations

from pathlib import Path

import pytest

from magbench.core.errors import MagbenchError
from magbench.core.seeds import task_seed
from magbench.models.registry import kind_of, load_model, load_reference, model_names, reference_names


def test_a_registered_model_is_found(registered: None) -> None:
    assert "tiny" in model_names()
    assert load_model("tiny").name == "tiny"
    assert kind_of("tiny") == "model"


def test_references_are_not_models(registered: None) -> None:
    assert "oracle" in reference_names()
    assert "oracle" not in model_names()
    assert kind_of("oracle") == "reference"
    assert load_reference("oracle").name == "oracle"


def test_an_unknown_name_gives_the_nearest(registered: None) -> None:
    with pytest.raises(MagbenchError, match=r"unknown model 'tinny'; did you mean: tiny"):
        load_model("tinny")
    with pytest.raises(MagbenchError, match=r"unknown model 'orakel'; did you mean: oracle"):
        kind_of("orakel")
    with pytest.raises(MagbenchError, match=r"unknown reference 'frieze'; did you mean: freeze"):
        load_reference("frieze")


def test_a_model_must_answer_to_its_name(registered: None) -> None:
    with pytest.raises(MagbenchError, match="model 'misnamed' calls itself 'another'"):
        load_model("misnamed")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("[magbench.models]\ntiny = other:thing", "'tiny' of magbench.models is there twice"),
        (
            "[magbench.references]\ntiny = other:thing",
            "'tiny' is registered both as a model and as a reference",
        ),
    ],
)
def test_one_name_means_one_thing(
    registered: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: str, message: str
) -> None:
    info = tmp_path / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(lines + "\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(MagbenchError, match=message):
        kind_of("tiny")


def test_a_name_becomes_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "odd-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[magbench.models]\n../up = other:thing\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(MagbenchError, match=r"model name '\.\./up' may only hold"):
        kind_of("../up")


def test_seeds_stay_what_they_were() -> None:
    assert task_seed("a", 0) == 2094208460854361235
    assert len({task_seed(clip, sample) for clip in "abc" for sample in range(5)}) == 15
    assert 0 <= task_seed("a", 1) < 2**63
