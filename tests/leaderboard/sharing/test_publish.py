"""A board on the hub, by the real client: published, gone on with, refused, fetched back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import Result

from magbench.core.progress import Quiet
from magbench.leaderboard.rescore import rescore
from magbench.leaderboard.sharing import publish as publishing
from magbench.leaderboard.submission import find_submissions
from magbench.suites.format import Suite
from tests.hub_server import Repository
from tests.hub_writing import WritableHub
from tests.leaderboard.common import first_of, magbench_

NAME = "board/memory"


def publish(run: Path, here: Path, *options: str) -> Result:
    trusted = ("--references", run / "records.parquet")
    return magbench_("board", "publish", here, "--hub", NAME, "--page", here.parent / "page", *trusted, *options)


def build(run: Path, here: Path) -> None:
    trusted = ("--references", run / "records.parquet")
    assert magbench_("board", "build", here, "--out", here.parent / "page", *trusted).exit_code == 0


def data_set(hub: WritableHub) -> Repository:
    found = hub.find("datasets", NAME)
    assert found is not None
    return found


def space(hub: WritableHub) -> Repository:
    found = hub.find("spaces", NAME)
    assert found is not None
    return found


def local(here: Path) -> dict[str, bytes]:
    """What the data set should hold of the submissions."""
    return {f"submissions/{p.relative_to(here).as_posix()}": p.read_bytes() for p in here.rglob("*") if p.is_file()}


def test_a_board_is_published_and_publishing_again_changes_nothing(
    run: Path, here: Path, page: Path, hub: WritableHub
) -> None:
    result = publish(run, here)
    assert result.exit_code == 0, result.stderr
    files = data_set(hub).files
    assert {path: files[path] for path in files if path.startswith("submissions/")} == local(here)
    assert f"data set: {len(local(here)) + 1} files changed" in result.stdout
    served = dict(space(hub).files)
    front = yaml.safe_load(served.pop("README.md").decode().split("---")[1])
    assert (front["sdk"], front["app_file"], front["datasets"]) == ("static", "index.html", [NAME])
    own = {path.relative_to(page).as_posix(): path.read_bytes() for path in page.rglob("*") if path.is_file()}
    assert served.pop(".gitattributes") and served == own  # the template's own style is gone
    assert f"{hub.address}/datasets/{NAME}\n" in result.stdout and f"{hub.address}/spaces/{NAME}\n" in result.stdout
    done = list(hub.commits)
    again = publish(run, here)
    assert again.exit_code == 0 and again.stdout.count("unchanged, commit") == 2, again.output
    assert hub.commits == done


def test_what_comes_back_at_the_commit_passes(
    run: Path, here: Path, page: Path, hub: WritableHub, tmp_path: Path
) -> None:
    from huggingface_hub import HfApi

    assert publish(run, here).exit_code == 0
    commit = data_set(hub).commit
    data_set(hub).past[commit] = dict(data_set(hub).files)
    data_set(hub).files.clear()  # the branch moves on, the commit stays
    HfApi(endpoint=hub.address).snapshot_download(
        NAME, repo_type="dataset", revision=commit, local_dir=tmp_path / "back", cache_dir=tmp_path / "hf"
    )
    trusted = ("--references", run / "records.parquet")
    result = magbench_("board", "check", tmp_path / "back", *trusted)
    assert result.exit_code == 0 and result.stdout.count("ok  ") == 2, result.output
    back = tmp_path / "back" / "submissions"
    assert {p.relative_to(back): p.read_bytes() for p in back.rglob("*") if p.is_file()} == {
        p.relative_to(here): p.read_bytes() for p in here.rglob("*") if p.is_file()
    }


def test_a_broken_upload_goes_on(run: Path, here: Path, page: Path, hub: WritableHub) -> None:
    hub.room = 3
    result = publish(run, here)
    assert result.exit_code == 1 and "The same command goes on from there" in result.stderr, result.output
    assert result.stderr.strip().splitlines()[-1].startswith("error: ")
    assert not any(path.startswith("submissions/") for path in data_set(hub).files)  # whole or not there
    arrived = set(hub.store)
    assert 0 < len(arrived) <= 3  # files are sent side by side
    before = len(hub.sent)
    hub.room = None
    again = publish(run, here)
    assert again.exit_code == 0, again.stderr
    assert {path: data for path, data in data_set(hub).files.items() if path.startswith("submissions/")} == local(here)
    assert not arrived & set(hub.sent[before:])  # what had arrived was not sent again


def test_a_page_hides_nobodys_result(run: Path, here: Path, page: Path, hub: WritableHub) -> None:
    assert publish(run, here).exit_code == 0
    shutil.rmtree(first_of(here).parent)
    build(run, here)
    lost = publish(run, here)
    assert lost.exit_code == 1 and "1 submissions that are not here, first" in lost.stderr


def test_a_moved_parent_is_a_conflict(run: Path, here: Path, page: Path, hub: WritableHub) -> None:
    def somebody() -> None:
        data_set(hub).files["notes.md"] = b"mine"
        hub.before_commit = None

    hub.before_commit = somebody
    result = publish(run, here)
    assert result.exit_code == 1
    assert "somebody else changed it meanwhile; run the same command again" in result.stderr
    assert set(data_set(hub).files) == {".gitattributes", "notes.md"}
    assert publish(run, here).exit_code == 0
    assert data_set(hub).files["notes.md"] == b"mine"


def test_a_large_board_goes_up_in_several_commits_of_whole_submissions(
    run: Path, here: Path, page: Path, hub: WritableHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "FILES", 10)

    def somebody() -> None:
        if len(hub.commits) == 2:  # what this is, the first submission, and now the second
            data_set(hub).files["notes.md"] = b"mine"
            hub.before_commit = None

    hub.before_commit = somebody
    result = publish(run, here)
    assert result.exit_code == 1 and "somebody else changed it meanwhile" in result.stderr
    there = [path for path in data_set(hub).files if path.startswith("submissions/")]
    assert {path.split("/")[2] for path in there} == {"first"} and len(there) == 8
    arrived, before = set(hub.store), len(hub.sent)
    assert publish(run, here).exit_code == 0
    assert {path: data for path, data in data_set(hub).files.items() if path.startswith("submissions/")} == local(here)
    assert not arrived & set(hub.sent[before:])


def test_what_did_not_arrive_is_named(run: Path, here: Path, page: Path, hub: WritableHub) -> None:
    """A hub that says yes and keeps something else, as one with a .gitignore does."""
    hub.ignored.add("videos.json")
    result = publish(run, here)
    assert result.exit_code == 1 and "videos.json is not on the hub as it is here" in result.stderr


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("token-of-bob", "your token may not write there; see --pr"),
        ("nobody's", "the token is not valid; log in with `hf auth login`"),
        ("", "no token; log in with `hf auth login`, or set HF_TOKEN"),
    ],
)
def test_who_may_not_write_is_told(
    run: Path, here: Path, page: Path, hub: WritableHub, monkeypatch: pytest.MonkeyPatch, token: str, message: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    result = publish(run, here)
    assert result.exit_code == 1 and message in result.stderr, result.output
    assert result.stderr.count("\n") == 1 and hub.commits == []


def test_as_a_pull_request(
    run: Path, here: Path, page: Path, hub: WritableHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(first_of(here), here.parent / "kept" / first_of(here).relative_to(here))
    shutil.rmtree(first_of(here).parent)
    build(run, here)
    assert publish(run, here).exit_code == 0
    shutil.copytree(here.parent / "kept", here, dirs_exist_ok=True)
    build(run, here)
    before = dict(data_set(hub).files)
    monkeypatch.setenv("HF_TOKEN", "token-of-bob")
    result = publish(run, here, "--pr")
    assert result.exit_code == 0, result.stderr
    assert data_set(hub).files == before and len(find_submissions(here)) == 2
    assert [(pull.kind, pull.author) for pull in hub.pulls] == [("datasets", "bob"), ("spaces", "bob")]
    assert f"{hub.address}/datasets/{NAME}/discussions/1" in result.stdout
    assert publish(run, here, "--pr").stdout.count("unchanged, commit") == 2 and len(hub.pulls) == 2
    for pull in hub.pulls:
        hub.merge(pull)
    monkeypatch.setenv("HF_TOKEN", "token-of-ann")
    assert publish(run, here).stdout.count("unchanged, commit") == 2


def test_a_submission_there_is_never_changed(run: Path, here: Path, page: Path, hub: WritableHub) -> None:
    assert publish(run, here).exit_code == 0
    path = first_of(here) / "videos.json"
    path.write_text(path.read_text() + " ")
    before = dict(data_set(hub).files)
    result = publish(run, here)
    assert result.exit_code == 1 and "a submission is never changed, submit another revision" in result.stderr
    assert data_set(hub).files == before


def test_what_cannot_be_read_is_not_published(run: Path, here: Path, page: Path, hub: WritableHub) -> None:
    (first_of(here) / "run.json").write_text("{")
    result = publish(run, here)
    assert result.exit_code == 1 and "1 submissions cannot be used, nothing is published; first: " in result.stderr
    assert hub.commits == [] and result.stderr.count("\n") == 1


def test_a_later_notice_takes_the_place_of_an_earlier_one(run: Path, here: Path, hub: WritableHub) -> None:
    for reason in ("an error", "another error"):
        notice = ("--status", "withdrawn", "--reason", reason, "--who", "us", "--date", "2026-02-02")
        assert magbench_("board", "notice", first_of(here), *notice).exit_code == 0
        build(run, here)
        assert publish(run, here).exit_code == 0
    (text,) = (data for path, data in data_set(hub).files.items() if path.endswith("/notice.yaml"))
    assert b"another error" in text


def test_an_old_page_is_not_published(run: Path, here: Path, page: Path, hub: WritableHub, suite: Suite) -> None:
    assert rescore(first_of(here), suite, "an auditor", "2026-02-01", progress=Quiet()).verdict
    result = publish(run, here)
    assert result.exit_code == 1 and "`magbench board build` makes it" in result.stderr
    shutil.rmtree(page)
    assert "is not of these submissions as they are now" in publish(run, here).stderr and hub.commits == []
