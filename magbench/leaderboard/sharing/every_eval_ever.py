"""A result in the form of Every Eval Ever (EvalEval Coalition, schema 0.3.0), a shared store of evaluation results.

https://github.com/evaleval/every_eval_ever
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

from magbench.core.files import write_atomic
from magbench.leaderboard.sharing.result import Result
from magbench.report.columns import PRIMARY

SCHEMA = "0.3.0"
RELATION = {"author": "first_party", "third party": "third_party"}


def write_log(result: Result, model: str | None, out: Path) -> Path:
    """Write the result below ``out``, where the store has it: ``data/SUITE/DEVELOPER/MODEL/UUID.json``.

    Args:
        model: ORG/MODEL on the hub; None: named by who submitted it.
    """
    log = eval_log(result, model)
    identity = hashlib.sha256(log["evaluation_id"].encode()).digest()[:16]
    folder = out / "data" / f"magbench_{result.submission.run.suite}" / _model(result, model)
    path = folder / f"{UUID(bytes=identity, version=4)}.json"
    write_atomic(path, json.dumps(log, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    return path


def eval_log(result: Result, model: str | None) -> dict[str, Any]:
    """The result as the schema has it. Times are the days that the submission and its attestation name."""
    about, run = result.submission.about, result.submission.run
    name = _model(result, model)
    scored = _epoch(max(one.date for one in result.attestations))
    return {
        "schema_version": SCHEMA,
        "evaluation_id": f"magbench_{run.suite}/{name}/{scored}",
        "evaluation_timestamp": _epoch(about.date),
        "retrieved_timestamp": scored,
        "source_metadata": {
            "source_name": f"magbench board {result.repository}",
            "source_type": "evaluation_run",
            "source_organization_name": result.repository.partition("/")[0],
            "evaluator_relationship": RELATION[about.relationship],
            "additional_details": {
                "submission": result.address,
                "submitted_by": about.submitter,
                "trust": result.trust,
                "found_again": ", ".join(f"{one.kind} by {one.who} on {one.date}" for one in result.attestations),
                "training_data": about.training_data,
            },
        },
        "eval_library": {
            "name": "magbench",
            "version": about.magbench_version,
            "additional_details": {"commit": about.magbench_commit or "unknown"},
        },
        "model_info": {
            "name": about.model,
            "id": name,
            "developer": name.partition("/")[0],
            "additional_details": {
                "deployment_type": "self_deployed" if about.weights.url or about.code.url else "unknown",
                "model_availability": "open_weights" if about.weights.url else "unknown",
                "revision": about.revision,
                "licence": about.licence,
                "policy": about.policy or "unknown",
            },
        },
        "evaluation_results": [_result(result)],
    }


def _result(result: Result) -> dict[str, Any]:
    run = result.submission.run
    spec = PRIMARY.spec
    assert spec is not None
    return {
        "evaluation_result_id": f"{result.board}/{PRIMARY.key}",
        "evaluation_name": f"magbench.{run.suite}.{run.split}",
        "source_data": {
            "dataset_name": f"{run.suite} v{run.version}",
            "source_type": "other",
            "additional_details": {"split": run.split, "sha256": run.digest},
        },
        "metric_config": {
            "evaluation_description": "Whether a video model still shows the place as it was when the camera returns",
            "metric_id": "magbench.ordered_score",
            "metric_name": "ordered score over frames that a window has forgotten",
            "metric_kind": "similarity",
            "metric_unit": "proportion",
            "metric_parameters": {"protocol_version": spec.protocol_version, "metric_version": spec.version},
            "lower_is_better": False,
            "score_type": "continuous",
            "min_score": 0,
            "max_score": 1,
        },
        "score_details": {
            "score": result.score,
            "uncertainty": {
                "confidence_interval": {
                    "lower": result.low,
                    "upper": result.high,
                    "confidence_level": 0.95,
                    "method": "bootstrap over clips",
                },
                "num_samples": result.n,
            },
        },
    }


def _model(result: Result, model: str | None) -> str:
    """DEVELOPER/MODEL, of letters that a path may have."""
    about = result.submission.about
    return model or f"{_plain(about.submitter)}/{_plain(about.model)}"


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.") or "unknown"


def _epoch(day: str) -> str:
    return str(datetime.fromisoformat(day).replace(tzinfo=timezone.utc).timestamp())
