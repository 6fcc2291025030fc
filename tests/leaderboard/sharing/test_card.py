"""A result told elsewhere: on the model's card, in both forms, and as a record of Every Eval Ever."""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import fmean

import jsonschema
import pytest
import yaml
from click.testing import Result
from huggingface_hub import ModelCard, parse_eval_result_entries

from magbench.core.progress import Quiet
from magbench.leaderboard.rescore import rescore
from magbench.runs.records import read_parquet
from magbench.suites.format import Suite
from tests.hub_server import Repository
from tests.hub_writing import WritableHub
from tests.leaderboard.common import first_of, magbench_

BOARD, MODEL = "board/memory", "lab/first"
SCHEMA = json.loads((Path(__file__).parent / "every_eval_ever" / "eval.schema.json").read_text())
README = """---
license: mit
tags:
- video
model-index:
- name: First
  results:
  - task:
      type: text-to-video
    dataset:
      name: Other
      type: lab/other
    metrics:
    - type: fvd
      value: 12
---

# First

What it is.
"""
EVAL_RESULTS = """- dataset:
    id: lab/other
    task_id: default
  value: 12
"""


@pytest.fixture
def scored(here: Path, suite: Suite, hub: WritableHub) -> Path:
    """A submission that somebody has scored again."""
    assert rescore(first_of(here), suite, "an auditor", "2026-02-01", progress=Quiet()).verdict
    return first_of(here)


def card(run: Path, folder: Path, out: Path, *options: str) -> Result:
    trusted = ("--references", run / "records.parquet")
    return magbench_("board", "card", folder, "--board", BOARD, "--out", out, *trusted, *options)


def mean_of(folder: Path) -> float:
    """The ordered score over frames out of window, by hand."""
    kind = ("model", "ordered", "score", "out_of_window")
    found = [r for r in read_parquet(folder / "records.parquet") if (r.kind, r.protocol, r.metric, r.region) == kind]
    return fmean(r.value for r in found if r.value is not None)


def test_both_forms_say_score_interval_and_n(run: Path, scored: Path, tmp_path: Path) -> None:
    out = tmp_path / "card"
    result = card(run, scored, out)
    assert result.exit_code == 0, result.stderr
    text = (out / ".eval_results" / "magbench.yaml").read_text()
    (entry,) = parse_eval_result_entries(yaml.safe_load(text))
    board = scored.parents[1].name
    assert entry.value == pytest.approx(mean_of(scored), abs=1e-4)
    assert (entry.dataset_id, entry.task_id, entry.date, entry.verify_token) == (BOARD, board, "2026-01-31", None)
    assert entry.source_url is not None and entry.source_url.endswith(
        f"/datasets/{BOARD}/tree/main/submissions/{board}/first/{scored.name}"
    )
    assert entry.notes is not None
    low, high = map(float, re.findall(r"95 % interval \[([\d.]+), ([\d.]+)\], n = 3 clips", entry.notes)[0])
    assert low <= entry.value <= high and "; rescored by an auditor on 2026-02-01" in entry.notes
    (indexed,) = ModelCard((out / "README.md").read_text()).data.eval_results
    assert (indexed.metric_value, indexed.metric_args) == (entry.value, {"ci95": [low, high], "n": 3})
    assert (indexed.dataset_type, indexed.dataset_config, indexed.dataset_split) == (BOARD, board, "test")
    for path in out.rglob("*.*"):
        if path.is_file():
            assert not re.search("verif|rank", path.read_text(), re.IGNORECASE), path


def test_the_log_is_of_the_schema(run: Path, scored: Path, tmp_path: Path) -> None:
    assert card(run, scored, tmp_path / "one").exit_code == 0
    assert card(run, scored, tmp_path / "two", "--board", BOARD).exit_code == 0
    (path,) = (tmp_path / "one" / "data").rglob("*.json")
    log = json.loads(path.read_text())
    jsonschema.Draft7Validator(SCHEMA).validate(log)
    assert path.relative_to(tmp_path / "one").parts[:4] == ("data", "magbench_tiny-suite", "somebody", "first")
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.json", path.name)
    details = log["evaluation_results"][0]["score_details"]
    assert details["score"] == pytest.approx(mean_of(scored), abs=1e-9)
    assert details["uncertainty"]["num_samples"] == 3
    assert log["source_metadata"]["evaluator_relationship"] == "third_party"
    assert log["evaluation_timestamp"] == "1769817600.0"  # 2026-01-31, midnight
    assert (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes() == path.read_bytes()


def test_the_schema_would_say_so(run: Path, scored: Path, tmp_path: Path) -> None:
    assert card(run, scored, tmp_path / "card").exit_code == 0
    (path,) = (tmp_path / "card" / "data").rglob("*.json")
    log = json.loads(path.read_text())
    del log["evaluation_results"][0]["metric_config"]["max_score"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(SCHEMA).validate(log)


def test_what_nobody_has_scored_again_is_not_told(run: Path, here: Path, scored: Path, tmp_path: Path) -> None:
    (second,) = (folder for folder in here.glob("*/second/*"))
    result = card(run, second, tmp_path / "card")
    assert result.exit_code == 1 and "is reported; told elsewhere is what somebody has scored again" in result.stderr
    notice = ("--status", "withdrawn", "--reason", "an error", "--who", "us", "--date", "2026-02-02")
    assert magbench_("board", "notice", scored, *notice).exit_code == 0
    assert "is withdrawn;" in card(run, scored, tmp_path / "card").stderr
    (scored / "notice.yaml").unlink()
    path = next((scored / "attestations").iterdir())
    path.write_text(path.read_text().replace('"verdict": true', '"verdict": false'))
    result = card(run, scored, tmp_path / "card")
    assert result.exit_code == 1 and "is quarantined" in result.stderr and result.stderr.count("\n") == 1
    assert not (tmp_path / "card").exists()


def test_a_models_card_is_filled_in_by_a_pull_request(
    run: Path, scored: Path, tmp_path: Path, hub: WritableHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"README.md": README.encode(), ".eval_results/magbench.yaml": EVAL_RESULTS.encode(), "w.bin": b"1" * 2000}
    hub.repositories[MODEL] = Repository(dict(files))
    monkeypatch.setenv("HF_TOKEN", "token-of-bob")
    result = card(run, scored, tmp_path / "card", "--hub", MODEL)
    assert result.exit_code == 0, result.stderr
    assert hub.repositories[MODEL].files == files
    offered = hub.repositories[MODEL].branches["refs/pr/1"]
    assert offered["w.bin"] == files["w.bin"] and set(offered) == set(files)
    changed = ModelCard(offered["README.md"].decode())
    assert "# First\n\nWhat it is." in changed.text
    assert (changed.data.license, changed.data.tags, changed.data.model_name) == ("mit", ["video"], "First")
    assert [one.metric_type for one in changed.data.eval_results] == ["fvd", "ordered_score"]
    entries = parse_eval_result_entries(yaml.safe_load(offered[".eval_results/magbench.yaml"]))
    assert [(one.dataset_id, one.task_id) for one in entries] == [
        ("lab/other", "default"),
        (BOARD, scored.parents[1].name),
    ]
    assert f"{hub.address}/{MODEL}/discussions/1: 2 files changed" in result.stdout
    done = list(hub.commits)
    again = card(run, scored, tmp_path / "card", "--hub", MODEL)
    assert again.exit_code == 0 and "discussions/1: unchanged" in again.stdout and hub.commits == done
    (path,) = (tmp_path / "card" / "data").rglob("*.json")
    assert path.parent.relative_to(tmp_path / "card").as_posix() == f"data/magbench_tiny-suite/{MODEL}"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("README.md", "---\nmodel-index: 3\n---\n", "the model's card cannot be read"),
        (".eval_results/magbench.yaml", "value: 3\n", "is not a list of results with a dataset each"),
        (".eval_results/magbench.yaml", "a: [", "is not a list of results with a dataset each"),
    ],
)
def test_a_broken_card_is_left_alone(
    run: Path, scored: Path, tmp_path: Path, hub: WritableHub, name: str, text: str, message: str
) -> None:
    hub.repositories[MODEL] = Repository({name: text.encode()})
    result = card(run, scored, tmp_path / "card", "--hub", MODEL)
    assert result.exit_code == 1 and message in result.stderr, result.output
    assert hub.commits == []
