"""A metric is raised: stored videos are scored again, the board as it stood stays, and nothing submitted changes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import Result

from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256
from magbench.leaderboard.build import build, rows_of
from magbench.leaderboard.check import check
from magbench.leaderboard.earlier import keep, read_earlier
from magbench.leaderboard.own import read_references
from magbench.leaderboard.submission import find_submissions, read_submission
from magbench.report.columns import SCORED
from magbench.runs.records import Record, read_parquet, write_parquet
from tests.leaderboard.common import magbench_

FAIR = tuple(SCORED)


def as_of_an_older_metric(folder: Path) -> None:
    """Records as if the ordered score had been another one: an older version, half the value."""

    def older(r: Record) -> Record:
        if r.protocol != "ordered" or r.value is None:
            return r.model_copy(update={"protocol_version": 0}) if r.protocol == "ordered" else r
        halved = None if r.per_frame is None else [value / 2 for value in r.per_frame]
        return r.model_copy(update={"protocol_version": 0, "value": r.value / 2, "per_frame": halved})

    path = folder / "records.parquet"
    write_parquet(path, [older(r) for r in read_parquet(path)])


def without_videos(folder: Path) -> None:
    listed = json.loads((folder / "videos.json").read_text())
    (folder / "videos.json").write_text(json.dumps({name: {**entry, "path": ""} for name, entry in listed.items()}))
    shutil.rmtree(folder / "videos")


def fair(folder: Path) -> dict[tuple[str, ...], Record]:
    records = read_parquet(read_submission(folder).records, "model")
    return {(r.clip, r.protocol, r.metric, r.region): r for r in records if r.protocol in FAIR}


@pytest.fixture
def raised(made: Path, here: Path, tmp_path: Path) -> dict[str, Path]:
    """Two submissions of an older metric, one without videos, and the page of the board as it stands."""
    folders = {folder.parent.name: folder for folder in find_submissions(here)}
    trusted = ("--references", made / "run" / "records.parquet")
    assert magbench_("board", "build", here, "--out", tmp_path / "page", "--clips", 0, *trusted).exit_code == 0
    for folder in folders.values():
        as_of_an_older_metric(folder)
    without_videos(folders["second"])
    return folders


def renew(made: Path, here: Path, tmp_path: Path, *more: object) -> Result:
    kept = ("--page", tmp_path / "page", "--keep", tmp_path / "earlier", "--tag", "ordered-0", "--about", "Raised.")
    trusted = ("--references", made / "run" / "records.parquet", "--suite", made / "suite")
    return magbench_("board", "renew", here, *kept, *trusted, "--who", "the board", "--date", "2026-03-01", *more)


def test_videos_are_scored_again_and_what_was_submitted_stays(
    made: Path, here: Path, tmp_path: Path, raised: dict[str, Path]
) -> None:
    before = {name: file_sha256(folder / "records.parquet") for name, folder in raised.items()}
    assert any("of version (0," in str(fault) for fault in check(raised["first"]))
    result = renew(made, here, tmp_path, "--videos", made / "run")
    assert result.exit_code == 0, result.output
    originals = {folder.parent.name: folder for folder in find_submissions(made / "submissions")}
    for name, folder in raised.items():
        assert check(folder) == [] and file_sha256(folder / "records.parquet") == before[name]
        new, wanted = fair(folder), fair(originals[name])
        assert new.keys() == wanted.keys()
        for key, record in new.items():
            assert record.value == pytest.approx(wanted[key].value, abs=1e-6), key
            assert record.protocol_version == wanted[key].protocol_version
    rows = {row["model"]: row for row in rows_of(build(here, read_references([made / "run" / "records.parquet"]))[0])}
    assert {rows[name]["trust"] for name in raised} == {"rescored"}
    assert {rows[name]["rank"] for name in raised} <= {1, 2}
    again = renew(made, here, tmp_path)
    assert again.exit_code == 1 and "is of today's metrics already" in again.output


def test_the_board_as_it_stood_is_a_table_of_its_own(
    made: Path, here: Path, tmp_path: Path, raised: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    stood = json.loads((tmp_path / "page" / "board.json").read_text())
    renew(made, here, tmp_path, "--videos", made / "run")
    (kept,) = read_earlier(tmp_path / "earlier")
    assert kept.tag == "ordered-0" and len(kept.boards) == 1
    for row, was in zip(kept.boards[0].rows, stood[0]["rows"], strict=True):
        assert (row.model, row.trust, row.rank) == (was["model"], was["trust"], was.get("rank"))
        assert {key: cell.mean for key, cell in row.cells.items()} == {k: c["mean"] for k, c in was["cells"].items()}
    shutil.move(tmp_path / "earlier", tmp_path / "leaderboards" / "earlier")
    monkeypatch.chdir(tmp_path)
    trusted = ("--references", made / "run" / "records.parquet")
    assert magbench_("board", "build", here, "--out", tmp_path / "new", "--clips", 0, *trusted).exit_code == 0
    boards = json.loads((tmp_path / "new" / "board.json").read_text())
    assert [board["board"].endswith(", ordered-0") for board in boards] == [False, True]
    assert "As it stood. Raised." in (tmp_path / "new" / "index.html").read_text()


def test_a_submission_whose_videos_are_not_at_hand_is_named_and_the_others_go_on(
    made: Path, here: Path, tmp_path: Path, raised: dict[str, Path]
) -> None:
    result = renew(made, here, tmp_path)
    assert result.exit_code == 1 and "1 of 2 submissions could not be scored again" in result.output
    assert "second" in result.output and "see --videos" in result.output
    assert check(raised["first"]) == [] and not (raised["second"] / "renewed").exists()


def test_references_of_an_older_metric_are_refused(
    made: Path, here: Path, tmp_path: Path, raised: dict[str, Path]
) -> None:
    result = renew(made, here, tmp_path, "--references", raised["first"] / "records.parquet")
    assert result.exit_code == 1 and "references are of older metrics too (ordered" in result.output


def test_a_tag_is_a_name_and_what_is_kept_is_never_written_over(tmp_path: Path) -> None:
    page = tmp_path / "page"
    page.mkdir()
    board = {"board": "a", "columns": [], "rows": [], "noise": None}
    (page / "board.json").write_text(json.dumps([board]))
    for tag in ("", "../x", "a b", "x" * 50):
        with pytest.raises(MagbenchError, match="is not a tag"):
            keep(page, tmp_path, tag, "why")
    first = keep(page, tmp_path, "one", "why").read_bytes()
    (page / "board.json").write_text(json.dumps([{**board, "board": "b"}]))
    assert keep(page, tmp_path, "one", "why").read_bytes() == first
    (page / "board.json").write_text(json.dumps([{**board, "about": "a paper's"}]))
    with pytest.raises(MagbenchError, match="holds no board of submissions"):
        keep(page, tmp_path, "two", "why")


@pytest.mark.parametrize(
    "text",
    [
        '{"tag": "a", "about": "b", "boards": []}',
        '{"tag": "a", "about": "b", "boards": [{"board": "x", "columns": [], "rows": [{"model": "m", "trust": "z"}]}]}',
        "[1]",
        "{",
    ],
)
def test_a_damaged_file_of_an_earlier_board_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(MagbenchError, match=r"x\.json") as caught:
        read_earlier(tmp_path)
    assert "\n" not in str(caught.value)


def test_hashes_alone_are_scored_again_by_the_videos_of_a_run(made: Path, tmp_path: Path) -> None:
    told = tmp_path / "told.yaml"
    told.write_text("{submitter: s, relationship: author, licence: MIT, training_data: none}")
    to = ("--from", told, "--to", tmp_path / "s", "--date", "2026-01-31")
    assert magbench_("submit", made / "run", "--model", "first", *to, "--carry", 0).exit_code == 0
    (folder,) = find_submissions(tmp_path / "s")
    assert not (folder / "videos").exists() and check(folder) == []
    again = ("board", "rescore", folder, "--suite", made / "suite", "--who", "the board", "--date", "2026-02-01")
    assert "only its hash; see --videos" in magbench_(*again).output
    result = magbench_(*again, "--videos", made / "run")
    assert result.exit_code == 0 and "the same, " in result.output
