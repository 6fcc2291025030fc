"""From a finished run to a checked submission and a board; and whatever somebody may have changed on the way."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256
from magbench.core.progress import Quiet
from magbench.leaderboard.build import build, rows_of
from magbench.leaderboard.check import check_all
from magbench.leaderboard.page import write_page
from magbench.leaderboard.rescore import rescore
from magbench.leaderboard.submission import find_submissions
from magbench.leaderboard.submit import submit
from magbench.runs.records import Record, read_parquet, write_parquet
from magbench.suites.format import Suite
from magbench.video.io import read_video, write_lossless
from tests.leaderboard.common import TOLD, first_of, magbench_, own


def faults(made: Path, root: Path, name: str = "first") -> list[str]:
    """The errors of one submission among those that are there."""
    found = {checked.folder.parent.name: checked for checked in check_all(find_submissions(root), own(made))}
    return [str(fault) for fault in found[name].faults if fault.severity == "error"]


def test_an_honest_submission_passes(made: Path, here: Path) -> None:
    assert faults(made, here) == faults(made, here, "second") == []
    result = magbench_("board", "check", here, "--references", made / "run" / "records.parquet")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.count("ok  ") == 2


Change = Callable[[Path], None]


def records(change: Callable[[Record], Record | None]) -> Change:
    def apply(folder: Path) -> None:
        found = [changed for r in read_parquet(folder / "records.parquet") if (changed := change(r)) is not None]
        write_parquet(folder / "records.parquet", found)

    return apply


def where(r: Record, protocol: str, metric: str, region: str = "all", clip: str = "a", kind: str = "model") -> bool:
    return (r.protocol, r.metric, r.region, r.clip, r.kind) == (protocol, metric, region, clip, kind)


def raised(protocol: str, metric: str, region: str = "all", to: float = 0.999) -> Change:
    return records(lambda r: r.model_copy(update={"value": to}) if where(r, protocol, metric, region) else r)


def described(**fields: Any) -> Change:
    def apply(folder: Path) -> None:
        path = folder / "submission.yaml"
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **fields}))

    return apply


def run_json(**fields: Any) -> Change:
    def apply(folder: Path) -> None:
        path = folder / "run.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))

    return apply


def videos(change: Callable[[dict[str, Any]], None]) -> Change:
    def apply(folder: Path) -> None:
        path = folder / "videos.json"
        found = json.loads(path.read_text())
        change(found)
        path.write_text(json.dumps(found))

    return apply


def all_of_model(**fields: Any) -> Change:
    return records(lambda r: r.model_copy(update=fields) if r.kind == "model" else r)


def swapped_references(folder: Path) -> None:
    swap = {"oracle": "noise", "noise": "oracle"}
    records(lambda r: r.model_copy(update={"model": swap.get(r.model, r.model)}))(folder)


def other_model_frames(folder: Path) -> None:
    other = next(f for f in find_submissions(folder.parents[1]) if f.parent.name == "second")
    stolen = {r.clip: r.generation_sha256 for r in read_parquet(other / "records.parquet") if r.kind == "model"}
    records(lambda r: r.model_copy(update={"generation_sha256": stolen[r.clip]}) if r.kind == "model" else r)(folder)
    videos(lambda v: [v[f"{c}@0"].update(frames_sha256=h) for c, h in stolen.items()])(folder)  # type: ignore[func-returns-value]


def spoiled_video(folder: Path) -> None:
    path = folder / "videos" / "a@0.mkv"
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def link(folder: Path) -> None:
    (folder / "videos" / "a@0.mkv").unlink()
    (folder / "videos" / "a@0.mkv").symlink_to("/etc/passwd")


TAMPERED: dict[str, tuple[Change, str]] = {
    "a score raised": (raised("ordered", "score"), "is not the mean of its frames"),
    "coverage raised": (raised("ordered", "coverage"), "is not the mean of its frames"),
    "PSNR raised": (raised("aligned", "psnr", to=60.0), "is not the mean of its frames"),
    "SSIM raised": (raised("aligned", "ssim"), "is not the mean of its frames"),
    "LPIPS lowered": (raised("aligned", "lpips", to=0.0), "is not the mean of its frames"),
    "out of window raised": (raised("ordered", "score", "out_of_window"), "is not the mean of its frames out of"),
    "above its coverage": (
        records(
            lambda r: r.model_copy(update={"value": 1.0, "per_frame": [1.0] * 6}) if where(r, "ordered", "score") else r
        ),
        "is above its coverage",
    ),
    "a score above one": (raised("ordered", "score", to=1.5), "is out of range"),
    "PSNR above its cap": (raised("aligned", "psnr", "out_of_window", to=120.0), "is out of range"),
    "free match above aligned": (raised("legacy", "lpips", to=5.0), "which the free match cannot be"),
    "a clip dropped": (
        records(lambda r: None if r.clip == "b" and r.kind == "model" else r),
        "1 of 3 clips are missing",
    ),
    "a clip dropped everywhere": (records(lambda r: None if r.clip == "b" else r), "1 of 3 clips are missing"),
    "one score of a clip dropped": (
        records(lambda r: None if where(r, "aligned", "ssim") else r),
        "aligned ssim all: 1 of 3 clips are missing",
    ),
    "a score dropped": (
        records(lambda r: None if r.metric == "ssim" and r.kind == "model" else r),
        "no aligned ssim over",
    ),
    "a clip renamed": (
        records(lambda r: r.model_copy(update={"clip": "z"}) if r.clip == "b" and r.kind == "model" else r),
        "z is no clip of the board",
    ),
    "another sample": (
        records(lambda r: r.model_copy(update={"sample": 1}) if r.clip == "b" and r.kind == "model" else r),
        "1 of 3 clips are missing",
    ),
    "two revisions": (
        records(lambda r: r.model_copy(update={"revision": "9"}) if r.clip == "b" and r.kind == "model" else r),
        "revision '9', submission.yaml says",
    ),
    "another revision declared": (described(revision="2"), "revision '1', submission.yaml says '2'|should be called"),
    "another name": (all_of_model(model="better"), "model 'better', submission.yaml says 'first'"),
    "another suite": (all_of_model(suite="other"), "suite 'other', run.json says"),
    "another digest": (all_of_model(suite_digest="0" * 64), "suite_digest '000"),
    "run.json of another suite": (run_json(digest="0" * 64), "should be called|run.json says"),
    "run.json of a part": (run_json(limit=3), "a submission has every clip"),
    "older metric": (
        records(lambda r: r.model_copy(update={"metric_version": 1}) if r.metric == "lpips" else r),
        "is of version .*, score it again",
    ),
    "newer protocol": (
        records(lambda r: r.model_copy(update={"protocol_version": 9}) if r.protocol == "ordered" else r),
        "is of version",
    ),
    "direction turned": (
        records(lambda r: r.model_copy(update={"better": "higher"}) if r.metric == "lpips" else r),
        "another unit or direction",
    ),
    "references swapped": (swapped_references, "reference .* the board's is"),
    "references raised": (
        records(lambda r: r.model_copy(update={"value": 0.5}) if r.kind == "reference" and r.metric == "ssim" else r),
        "is not the mean of its frames|the board's is",
    ),
    "no references": (records(lambda r: r if r.kind == "model" else None), "holds no reference"),
    "no oracle": (records(lambda r: None if r.model == "oracle" else r), "holds no record of the oracle"),
    "the truth's frames": (
        records(
            lambda r: (
                r.model_copy(update={"generation_sha256": "x"})
                if r.kind == "reference" and r.model == "oracle"
                else r.model_copy(update={"generation_sha256": "x"})
                if r.kind == "model"
                else r
            )
        ),
        "its frames are not those of the records",
    ),
    "another model's frames": (other_model_frames, "has the frames of second/"),
    "a video spoiled": (spoiled_video, "is not the file that videos.json lists"),
    "a video removed": (lambda folder: (folder / "videos" / "a@0.mkv").unlink(), "is missing"),
    "a video more": (lambda folder: (folder / "videos" / "z@0.mkv").write_bytes(b"x"), "is not listed in videos.json"),
    "a video unlisted": (videos(lambda v: v.pop("a@0")), "not the videos of the records"),
    "a path out": (videos(lambda v: v["a@0"].update(path="../../x.mkv")), "leads out of the submission"),
    "a link": (link, "is a link"),
    "a program": (lambda folder: (folder / "evaluate.py").write_text("1"), "is not part of a submission"),
    "a table": (lambda folder: (folder / "table.csv").write_text("1"), "is not part of a submission"),
    "a field more": (described(rank=1), "rank"),
    "a field less": (described(licence=""), "licence"),
    "no date": (described(date="yesterday"), "is not a date"),
    "broken records": (lambda folder: (folder / "records.parquet").write_bytes(b"PAR1"), "cannot be read"),
    "not a number": (
        lambda folder: (folder / "run.json").write_text((folder / "run.json").read_text().replace("1", "NaN", 1)),
        "broken JSON",
    ),
    "records twice": (
        lambda folder: write_parquet(
            folder / "records.parquet", [r for r in read_parquet(folder / "records.parquet") for _ in range(2)]
        ),
        "is there twice",
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_tampering_is_found(made: Path, here: Path, what: str) -> None:
    change, message = TAMPERED[what]
    folder = first_of(here)
    change(folder)
    found = [
        str(fault)
        for checked in check_all(find_submissions(here), own(made))
        for fault in checked.faults
        if checked.folder == folder and fault.severity == "error"
    ]
    assert any(re.search(message, fault) for fault in found), found
    assert all("\n" not in fault for fault in found)


def test_scores_that_do_not_come_out_again_are_found(made: Path, here: Path, suite: Suite) -> None:
    """Everything is changed so that the records agree with themselves: only scoring again tells."""
    folder = first_of(here)

    def better(r: Record) -> Record:
        if r.kind != "model" or (r.protocol, r.metric) != ("aligned", "ssim") or r.value is None:
            return r
        per_frame = None if r.per_frame is None else [v + 0.1 for v in r.per_frame]
        return r.model_copy(update={"value": r.value + 0.1, "per_frame": per_frame})

    records(better)(folder)
    assert faults(made, here) == []
    found = rescore(folder, suite, "an auditor", "2026-02-01", progress=Quiet())
    assert not found.verdict and found.largest == pytest.approx(0.1, abs=0.02) and "aligned ssim" in found.where
    (built,) = build(here, own(made))
    assert {entry.label: entry.trust for entry in built.entries}["first"] == "quarantined"


def test_other_frames_under_the_listed_hash_are_found(made: Path, here: Path, suite: Suite) -> None:
    folder = first_of(here)
    path = folder / "videos" / "a@0.mkv"
    write_lossless(path, 255 - read_video(path), 16)
    videos(lambda v: v["a@0"].update(sha256=file_sha256(path)))(folder)
    assert faults(made, here) == []
    with pytest.raises(MagbenchError, match="its frames are not those of the records"):
        rescore(folder, suite, "an auditor", "2026-02-01", progress=Quiet())


def test_only_what_was_rescored_has_a_rank(made: Path, here: Path, suite: Suite) -> None:
    (built,) = build(here, own(made))
    assert [(row["model"], row["trust"], row["rank"]) for row in rows_of(built)[:2]] == [
        ("first", "reported", None),
        ("second", "reported", None),
    ]
    found = rescore(first_of(here), suite, "an auditor", "2026-02-01", progress=Quiet())
    assert found.verdict and found.largest < 1e-6 and found.values > 40
    (built,) = build(here, own(made))
    rows = {row["model"]: row for row in rows_of(built)}
    assert (rows["first"]["trust"], rows["first"]["rank"], rows["first"]["bounds"]) == ("rescored", 1, (1, 1))
    assert (rows["second"]["trust"], rows["second"]["rank"]) == ("reported", None)
    records(lambda r: r.model_copy(update={"magbench_version": "0"}))(first_of(here))
    (built,) = build(here, own(made))  # the attestation is of other records
    assert {row["model"]: row["trust"] for row in rows_of(built)}["first"] == "reported"


def test_the_same_submissions_give_the_same_page(made: Path, here: Path, tmp_path: Path) -> None:
    write_page(build(here, own(made)), tmp_path / "one")
    moved = tmp_path / "elsewhere"
    for folder in reversed(find_submissions(here)):
        shutil.copytree(folder, moved / folder.relative_to(here))
    for path in moved.rglob("*"):
        os.utime(path, (0, 0))
    write_page(build(moved, own(made)), tmp_path / "two")
    files = [path for path in sorted((tmp_path / "one").rglob("*")) if path.is_file()]
    assert len(files) == len([path for path in (tmp_path / "two").rglob("*") if path.is_file()]) > 8
    for path in files:
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_hostile_text_is_shown_as_text_and_nothing_is_asked_of_the_network(made: Path, tmp_path: Path) -> None:
    told = {**TOLD, "submitter": HOSTILE, "licence": HOSTILE, "training_data": HOSTILE, "policy": HOSTILE}
    submit(made / "run", "first", {**told, "family": HOSTILE, "command": HOSTILE}, tmp_path / "s")
    page = write_page(build(tmp_path / "s", own(made)), tmp_path / "page")
    elements = Elements()
    elements.feed(page.read_text(encoding="utf-8"))
    assert HOSTILE in elements.text
    scripts = [attributes.get("src") for tag, attributes in elements.found if tag == "script"]
    assert scripts == ["link.js", "board.js"]
    assert not any(
        tag == "img" or any(name.startswith("on") for name in attributes) for tag, attributes in elements.found
    )
    for path in page.parent.rglob("*.*"):
        text = path.read_text(encoding="utf-8").replace(HOSTILE, "")
        assert not re.search(r"(https?:)?//[a-z]+\.[a-z]", text.replace("http://www.w3.org/2000/svg", "")), path


def test_what_is_missing_is_said(made: Path, tmp_path: Path) -> None:
    for told, model, message in (
        ({**TOLD, "licence": ""}, "first", "not told: licence"),
        (TOLD, "nobody", "has no scores of a model 'nobody' but of first, second"),
        ({**TOLD, "relationship": "friend"}, "first", "relationship"),
        (TOLD, "oracle", "has no scores of a model 'oracle'"),
    ):
        with pytest.raises(MagbenchError, match=message):
            submit(made / "run", model, told, tmp_path / "s")
    submit(made / "run", "first", TOLD, tmp_path / "s")
    with pytest.raises(MagbenchError, match="is there already; a submission is never changed"):
        submit(made / "run", "first", TOLD, tmp_path / "s")
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "mine.txt").write_text("mine")
    with pytest.raises(MagbenchError, match=r"holds 'mine\.txt', which is not of a board"):
        write_page(build(tmp_path / "s", own(made)), tmp_path / "page")


def test_three_commands_lead_from_a_run_to_the_page(made: Path, tmp_path: Path) -> None:
    (tmp_path / "told.yaml").write_text(yaml.safe_dump(TOLD))
    told = ("--from", tmp_path / "told.yaml", "--to", tmp_path / "s")
    assert magbench_("submit", made / "run", "--model", "first", *told).exit_code == 0
    trusted = ("--references", made / "run" / "records.parquet")
    assert magbench_("board", "check", tmp_path / "s", *trusted).exit_code == 0
    result = magbench_("board", "build", tmp_path / "s", "--out", tmp_path / "page", *trusted)
    assert result.exit_code == 0, result.stderr
    assert "0 rescored, 1 reported, 0 quarantined" in result.stdout
    assert (tmp_path / "page" / "index.html").is_file()


def test_the_first_submission_does_not_decide_what_the_truth_is(made: Path, here: Path) -> None:
    """Its references are only compared: the table has the board's own."""
    records(
        lambda r: (
            r.model_copy(update={"value": 0.3, "per_frame": None, "frame": None, "gap": None})
            if r.kind == "reference" and r.protocol == "ordered" and r.value is not None
            else r
        )
    )(first_of(here))
    (built,) = build(here, own(made))
    rows = {row["model"]: row for row in rows_of(built)}
    assert rows["first"]["trust"] == "quarantined" and rows["second"]["trust"] == "reported"
    assert rows["oracle"]["cells"]["ordered_score_out_of_window"]["mean"] == 1.0


def test_one_broken_submission_costs_the_others_nothing(made: Path, here: Path, tmp_path: Path) -> None:
    for name, text in (("run.json", '{"suite": 3}'), ("videos.json", '{"a": {}}'), ("submission.yaml", "a: &x [*x]")):
        folder = tmp_path / name / "submissions"
        shutil.copytree(here, folder)
        (first_of(folder) / name).write_text(text)
        trusted = ("--references", made / "run" / "records.parquet")
        result = magbench_("board", "build", folder, "--out", tmp_path / name / "page", *trusted)
        assert result.exit_code == 1 and f"left out: {first_of(folder)}" in result.stderr, result.stderr
        assert "Traceback" not in result.output and result.output.count("\n") < 8
        assert "second" in (tmp_path / name / "page" / "index.html").read_text()


def test_of_two_with_the_same_frames_the_later_is_at_fault(made: Path, here: Path) -> None:
    copied = here / first_of(here).parents[1].name / "copy"
    shutil.copytree(first_of(here).parent, copied)
    (folder,) = copied.iterdir()
    records(lambda r: r.model_copy(update={"model": "copy"}) if r.kind == "model" else r)(folder)
    described(model="copy", date="2026-02-01")(folder)
    folder.rename(folder.with_name(folder.name.replace("2026-01-31", "2026-02-01")))
    assert faults(made, here) == []
    assert any("has the frames of first/" in fault for fault in faults(made, here, "copy"))


def test_nobody_attests_his_own_submission(made: Path, here: Path, suite: Suite) -> None:
    assert rescore(first_of(here), suite, "Somebody ", "2026-02-01", progress=Quiet()).verdict
    assert any("is by 'Somebody ', who submitted it" in fault for fault in faults(made, here))


@pytest.mark.parametrize(("who", "date"), [("", "2026-02-01"), ("me", "2026-02-31"), ("me", "today")])
def test_an_attestation_has_a_name_and_a_day(here: Path, suite: Suite, who: str, date: str) -> None:
    with pytest.raises(MagbenchError):
        rescore(first_of(here), suite, who, date, progress=Quiet())
    assert not (first_of(here) / "attestations").exists()
