"""What becomes of a submission: run again, run on fresh clips, withdrawn, superseded; families; numbers of papers."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from magbench.core.errors import MagbenchError
from magbench.core.progress import Quiet
from magbench.leaderboard.attestation import begin
from magbench.leaderboard.build import build, rows_of
from magbench.leaderboard.check import check
from magbench.leaderboard.papers import paper_board, read_papers
from magbench.leaderboard.rescore import rescore
from magbench.leaderboard.runs_again import draw, judge_fresh, judge_same, write_fresh
from magbench.leaderboard.submission import read_submission
from magbench.leaderboard.submit import submit
from magbench.runs.records import Record, read_parquet, write_parquet
from magbench.suites.embedded import revisit_nano
from magbench.suites.format import Suite, load_suite
from tests.leaderboard.common import TOLD, first_of, magbench_, own

ROOT = Path(__file__).parents[2]


def row_of(made: Path, here: Path, model: str = "first") -> dict[str, Any]:
    (built,) = build(here, own(made))
    return {row["model"]: row for row in rows_of(built)}[model]


def primary_shifted(records: list[Record], by: float) -> list[Record]:
    return [
        r.model_copy(update={"value": r.value + by})
        if (r.protocol, r.metric, r.region) == ("ordered", "score", "out_of_window") and r.value is not None
        else r
        for r in records
        if r.kind == "model"
    ]


def test_a_run_by_somebody_else_makes_it_reproduced(made: Path, here: Path) -> None:
    submission = read_submission(first_of(here))
    again = primary_shifted(read_parquet(submission.records), 0.0)
    found = judge_same(submission, begin(submission, "reproduced", "another", "2026-02-02"), again)
    assert found.verdict and found.largest == 0 and found.values == 3
    assert row_of(made, here)["trust"] == "reproduced" and row_of(made, here)["rank"] == 1
    assert check(first_of(here)) == []


def test_a_run_that_scores_less_puts_it_in_quarantine(made: Path, here: Path) -> None:
    submission = read_submission(first_of(here))
    again = primary_shifted(read_parquet(submission.records), -0.4)
    found = judge_same(submission, begin(submission, "reproduced", "another", "2026-02-02"), again)
    assert not found.verdict and found.largest == pytest.approx(0.4)
    row = row_of(made, here)
    assert row["trust"] == "quarantined" and "WORSE than submitted" in row["faults"][-1]


def test_a_later_finding_of_the_same_day_and_name_does_not_wipe_out_the_first(made: Path, here: Path) -> None:
    submission = read_submission(first_of(here))
    for by in (-0.4, 0.0, 0.0):
        again = primary_shifted(read_parquet(submission.records), by)
        judge_same(submission, begin(submission, "reproduced", "another", "2026-02-02"), again)
    names = [path.name for path in read_submission(first_of(here)).attestations]
    assert names == [f"another-2026-02-02-reproduced{end}.json" for end in ("-2", "-3", "")]
    assert row_of(made, here)["trust"] == "quarantined"


def test_another_revision_or_fewer_clips_are_no_reproduction(here: Path) -> None:
    submission = read_submission(first_of(here))
    records = [r for r in read_parquet(submission.records) if r.kind == "model"]
    begun = begin(submission, "reproduced", "another", "2026-02-02")
    for again, message in (
        ([r.model_copy(update={"revision": "2"}) for r in records], "is of revision '1', the run of '2'"),
        ([r for r in records if r.clip != "b"], "lacks 1 clips of 3"),
        ([r.model_copy(update={"suite_digest": "0" * 64}) for r in records], "the other run of 000000000000"),
        ([r.model_copy(update={"seed": r.seed + 1}) for r in records], "has another seed in the other run"),
        ([r.model_copy(update={"model": "else"}) for r in records], "no scores of 'first'"),
    ):
        with pytest.raises(MagbenchError, match=message):
            judge_same(submission, begun, again)


def test_fresh_clips_follow_from_content_and_number_and_are_none_of_the_suites(here: Path) -> None:
    submission = read_submission(first_of(here))
    run = submission.run.model_copy(update={"suite": revisit_nano.NAME, "split": "test"})
    submission = type(submission)(submission.folder, submission.about, run, submission.videos)
    chosen = draw(submission, revisit_nano.SUITE, "beacon 5", 42)
    assert chosen == draw(submission, revisit_nano.SUITE, "beacon 5", 42)
    other = draw(submission, revisit_nano.SUITE, "beacon 6", 42)
    assert not set(chosen) & set(other)
    assert len(set(chosen)) == 42 and min(chosen) >= revisit_nano.CLIPS["test"]
    published = [revisit_nano.clip("test", k) for k in range(3)]
    fresh = [revisit_nano.clip("test", k) for k in chosen[:3]]
    assert [(c.category, c.speed) for c in fresh] == [(c.category, c.speed) for c in published]
    assert all((a.frames != b.frames).any() for a, b in zip(fresh, published, strict=True))
    records = read_parquet(submission.records)
    write_parquet(submission.records, records[:-1])
    assert draw(submission, revisit_nano.SUITE, "beacon 5", 42) != chosen


def test_fresh_clips_are_a_suite_of_their_own(here: Path, tmp_path: Path) -> None:
    submission = read_submission(first_of(here))
    write_fresh(submission, revisit_nano.SUITE, [100, 101], tmp_path / "suite")
    written = load_suite(tmp_path / "suite")
    assert written.name == "revisit-nano-fresh" and len(written.clips) == 2
    write_fresh(submission, revisit_nano.SUITE, [100, 101], tmp_path / "suite")  # a stopped command goes on
    with pytest.raises(MagbenchError, match="holds other clips than those that are drawn now"):
        write_fresh(submission, revisit_nano.SUITE, [100, 102], tmp_path / "suite")


def test_a_suite_without_more_clips_cannot_be_asked(here: Path) -> None:
    from magbench.suites.embedded import revisit_photo

    with pytest.raises(MagbenchError, match="has no clips beyond its own"):
        draw(read_submission(first_of(here)), revisit_photo.SUITE, "1", 2)


def test_a_degraded_truth_passes_everything_but_fresh_clips(made: Path, here: Path, suite: Suite) -> None:
    """Frames made from the truth are honest videos with honest scores; on clips it never saw the model is itself."""
    submission = read_submission(first_of(here))
    assert check(first_of(here)) == []
    assert rescore(first_of(here), suite, "an auditor", "2026-02-01", progress=Quiet()).verdict
    records = [r for r in read_parquet(submission.records) if r.kind == "model"]
    begun = begin(submission, "fresh", "an auditor", "2026-02-03")
    values = [r.value for r in records if (r.metric, r.region) == ("score", "out_of_window")]
    assert judge_fresh(submission, begun, primary_shifted(records, 0.01), "beacon 5: 60, 61").verdict
    assert row_of(made, here)["trust"] == "fresh"
    low = -min(v for v in values if v is not None)
    found = judge_fresh(submission, begun, primary_shifted(records, low - 0.5), "beacon 5: 60, 61")
    assert not found.verdict and "beacon 5" in found.drawn
    assert row_of(made, here)["trust"] == "quarantined"


@pytest.mark.rare
def test_a_degraded_truth_is_caught_from_end_to_end(tmp_path: Path) -> None:
    """A 'model' that looks the published clips up and knows nothing else, submitted, rescored, and asked for more."""
    program = tmp_path / "cheat.py"
    program.write_text(
        "import torch\n"
        "from magbench import load_suite\n"
        "class Cheat:\n"
        "    name = 'cheat'\n"
        "    revision = '1'\n"
        "    def stream(self, task):\n"
        "        for clip in load_suite('revisit-nano').clips:\n"
        "            given = torch.from_numpy(clip.frames[: clip.switch]).permute(0, 3, 1, 2) / 255\n"
        "            if given.shape == task.context.shape and torch.equal(given.float(), task.context):\n"
        "                rest = torch.from_numpy(clip.frames[clip.switch :]).permute(0, 3, 1, 2).float() / 255\n"
        "                yield (rest * 0.97 + 0.01).clamp(0, 1)\n"
        "                return\n"
        "        yield task.context[-1:].repeat(task.frames - len(task.context), 1, 1, 1)\n"
        "    def memory_bytes(self):\n"
        "        return None\n"
        "def cheat(): return Cheat()\n"
    )
    spec = f"{program}:cheat"
    result = magbench_("run", "--models", f"{spec},oracle,freeze,wrong_scene", "--out", tmp_path / "run")
    assert result.exit_code == 0, result.stderr
    (tmp_path / "told.yaml").write_text(yaml.safe_dump(TOLD))
    told = ("--from", tmp_path / "told.yaml", "--to", tmp_path / "s", "--date", "2026-01-31")
    assert magbench_("submit", tmp_path / "run", "--model", "cheat", *told).exit_code == 0
    (folder,) = (path.parent for path in (tmp_path / "s").rglob("submission.yaml"))
    assert magbench_("board", "rescore", folder, "--who", "an auditor").exit_code == 0
    asked = ("--number", "beacon 5", "--n", 6, "--model", spec, "--out", tmp_path / "fresh")
    result = magbench_("board", "fresh", folder, *asked, "--who", "an auditor")
    assert result.exit_code == 1 and "WORSE than submitted" in result.stdout, result.output


def test_what_was_withdrawn_or_superseded_stays_without_a_rank(made: Path, here: Path, suite: Suite) -> None:
    first = first_of(here)
    second = next(here.rglob("second/*/submission.yaml")).parent
    for folder in (first, second):
        rescore(folder, suite, "an auditor", "2026-02-01", progress=Quiet())
    said = ("--reason", "a bug in the sampler", "--who", "somebody", "--date", "2026-02-04")
    result = magbench_("board", "notice", first, "--status", "withdrawn", *said)
    assert result.exit_code == 0, result.stderr
    row = row_of(made, here)
    assert (row["status"], row["rank"], row["trust"]) == ("withdrawn", None, "rescored")
    assert row["reason"] == "a bug in the sampler (somebody, 2026-02-04)" and row["cells"]
    assert row_of(made, here, "second")["rank"] == 1
    assert check(first) == []
    by = f"second/{second.name}"
    assert magbench_("board", "notice", first, "--status", "superseded", "--by", by, *said).exit_code == 0
    assert row_of(made, here)["superseded_by"] == by
    result = magbench_("board", "notice", first, "--status", "superseded", "--by", "nobody/1", *said)
    assert result.exit_code == 1 and "there is no submission 'nobody/1' on its board" in result.stderr
    result = magbench_("board", "notice", first, "--status", "superseded", *said)
    assert result.exit_code == 1 and "go together" in result.stderr
    assert magbench_("board", "notice", first, "--status", "quarantined", *said).exit_code == 0
    assert row_of(made, here)["trust"] == "quarantined"


def test_copies_of_one_family_do_not_lift_or_lower_others(made: Path, tmp_path: Path, suite: Suite) -> None:
    """Of one family and policy the newest has the rank; others are there, marked."""
    root = tmp_path / "s"
    for name, day in (("first", "2026-01-31"), ("second", "2026-01-30")):
        told = {**TOLD, "date": day, "family": "kin", "policy": "window"}
        rescore(submit(made / "run", name, told, root), suite, "an auditor", "2026-02-01", progress=Quiet())
    rows = {row["model"]: row for row in rows_of(build(root, own(made))[0])}
    assert (rows["first"]["variant"], rows["first"]["rank"], rows["first"]["bounds"]) == (False, 1, (1, 1))
    assert (rows["second"]["variant"], rows["second"]["rank"]) == (True, None)
    assert rows["second"]["cells"]["ordered_score_out_of_window"]["mean"] is not None
    shutil.rmtree(root)
    for name, policy in (("first", "window"), ("second", "strided")):
        told = {**TOLD, "family": "kin", "policy": policy}
        rescore(submit(made / "run", name, told, root), suite, "an auditor", "2026-02-01", progress=Quiet())
    rows = {row["model"]: row for row in rows_of(build(root, own(made))[0])}
    assert not rows["first"]["variant"] and not rows["second"]["variant"]


def test_numbers_of_papers_stand_apart_and_without_ranks() -> None:
    (papers,) = read_papers(ROOT / "leaderboards" / "papers")
    board = paper_board(papers)
    assert {row["trust"] for row in board["rows"]} == {"reported"}
    assert all(row["rank"] is None and row["source"] for row in board["rows"])
    mag = next(row for row in board["rows"] if row["model"] == "MAG" and "truth" in row["source"])
    assert mag["cells"]["legacy_psnr_all"] == {"mean": 20.77, "low": None, "high": None, "n": 0}
    assert [key for key, *_ in board["columns"]] == ["legacy_psnr_all", "legacy_ssim_all", "legacy_lpips_all"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("suite: a\nabout: b\nrows: []\n", "rows"),
        ("suite: a\nabout: b\nrows: [{model: m, source: s, scores: {beauty: 1}}]\n", "score 'beauty'"),
        ("suite: a\nabout: b\nrows: [{model: m, source: s, scores: {legacy_psnr_all: .nan}}]\n", "out of range"),
        ("suite: a\nabout: b\nrows: [{model: m, source: '', scores: {legacy_psnr_all: 1}}]\n", "source"),
    ],
)
def test_a_wrong_file_of_a_paper_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(MagbenchError, match=message) as caught:
        read_papers(tmp_path)
    assert "x.yaml" in str(caught.value) and "\n" not in str(caught.value)
