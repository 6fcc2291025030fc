"""A result on the card of its model: ``.eval_results/magbench.yaml`` and, the older form, ``model-index``.

Neither form has a place for an interval: the first gets it in its notes, the second among the metric's arguments. What
says that the hub itself has verified a number is the hub's to write, never ours.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

import yaml

from magbench.core.errors import MagbenchError
from magbench.core.files import write_atomic
from magbench.core.progress import Quiet
from magbench.hub.client import Repository
from magbench.hub.push import Branch, Change, open_branch
from magbench.leaderboard.sharing.layout import README
from magbench.leaderboard.sharing.result import Result

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCardData

EVAL_RESULTS = ".eval_results/magbench.yaml"
EMPTY = "---\n{}\n---\n"
SOURCE = "magbench board"
DIGITS = 4


def write_card(result: Result, out: Path, readme: str = EMPTY, others: str = "") -> None:
    """Write both forms into ``out``.

    Args:
        readme: the model's card as it is.
        others: its ``.eval_results/magbench.yaml`` as it is; results of other boards stay.

    Raises:
        MagbenchError: the card or its results cannot be read.
    """
    write_atomic(out / EVAL_RESULTS, _eval_results(result, others))
    write_atomic(out / README, _model_index(result, readme))


def offer_card(result: Result, model: str, out: Path) -> Branch:
    """Write both forms into ``out``, and offer them to a model on the hub as a pull request.

    Raises:
        MagbenchError: no such model, no token, or its card cannot be read.
    """
    branch = open_branch(model, "model", f"Result of {result.submission.about.model} on {result.board}")
    there = {file.path: file for file in branch.listing.files}
    repository = Repository(model, branch.listing.revision)
    with TemporaryDirectory() as folder:
        readme, others = (
            repository.get(there[name], branch.listing, Path(folder), Quiet()).read_text(encoding="utf-8")
            if name in there
            else empty
            for name, empty in ((README, EMPTY), (EVAL_RESULTS, ""))
        )
    write_card(result, out, readme, others)
    branch.commit(Change(branch.pull, {name: out / name for name in (EVAL_RESULTS, README)}))
    branch.check()
    return branch


def _eval_results(result: Result, others: str) -> str:
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

    entry = EvalResultEntry(
        dataset_id=result.repository,
        task_id=result.board,
        value=round(result.score, DIGITS),
        date=result.submission.about.date,
        source_url=result.address,
        source_name=SOURCE,
        notes=result.notes,
    )
    try:
        kept = [one for one in yaml.safe_load(others) or [] if _about(one) != (result.repository, result.board)]
    except (yaml.YAMLError, TypeError, KeyError, AttributeError) as error:
        raise MagbenchError(f"{EVAL_RESULTS}: is not a list of results with a dataset each") from error
    return yaml.safe_dump([*kept, *eval_result_entries_to_yaml([entry])], sort_keys=False, allow_unicode=True)


def _about(entry: Any) -> tuple[str, str]:
    return entry["dataset"]["id"], entry["dataset"]["task_id"]


def _model_index(result: Result, readme: str) -> str:
    from huggingface_hub import EvalResult, ModelCard

    run, about = result.submission.run, result.submission.about
    ours = EvalResult(
        task_type="video-to-video",
        task_name="Remembering what the camera comes back to",
        dataset_type=result.repository,
        dataset_name=f"{run.suite} v{run.version}",
        dataset_config=result.board,
        dataset_split=run.split,
        metric_type="ordered_score",
        metric_name="Ordered score, frames that a window has forgotten",
        metric_value=round(result.score, DIGITS),
        metric_args={"ci95": [round(result.low, DIGITS), round(result.high, DIGITS)], "n": result.n},
        source_name=SOURCE,
        source_url=result.address,
    )
    try:
        card = ModelCard(readme)
        data = cast("ModelCardData", card.data)
        data.model_name = data.model_name or about.model
        data.eval_results = [*(one for one in data.eval_results or [] if not _same(one, ours)), ours]
        return str(card)
    except (ValueError, TypeError, AttributeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())[:200]
        raise MagbenchError(f"{README}: the model's card cannot be read ({reason})") from error


def _same(one: EvalResult, other: EvalResult) -> bool:
    return (one.unique_identifier, one.metric_type) == (other.unique_identifier, other.metric_type)
