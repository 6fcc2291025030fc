"""A plain official folder as a suite: cut as the official loader cuts, with the turn found, and every fault named."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from magbench.core.errors import MagbenchError
from magbench.core.progress import Quiet
from magbench.generation.runner import generate
from magbench.scoring.score import score
from magbench.suites.clip import NO_REVISIT
from magbench.suites.official import folder as official_folder
from magbench.suites.official.folder import open_official
from magbench.video.io import read_video
from tests.encode import encode
from tests.suites.test_turn import pan, there_and_back

LENGTH = 45  # frames in a file; the official rule keeps all, and starts the model at 33
HEADER = ["video_path", "raw_caption", "duration(sec)"]
ROWS = [["videos/one.mp4", 'A wall, "red"', "2.8125"], ["videos/two 2.mp4", "", "2.8125"]]


def write_table(folder: Path, rows: list[list[str]], header: list[str] = HEADER, name: str = "bench.csv") -> None:
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Two videos: a mirror, and one that goes on and on."""
    folder = tmp_path_factory.mktemp("made")
    mirror = encode(folder / "one.mp4", there_and_back(23, 22, 0))
    away = encode(folder / "two.mp4", pan(LENGTH + 3, seed=5))
    return {"videos/one.mp4": mirror.read_bytes(), "videos/two 2.mp4": away.read_bytes()}


@pytest.fixture
def folder(tmp_path: Path, made: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAGBENCH_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "official"
    for file, content in made.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(content)
    write_table(root, ROWS)
    return root


def test_clips_are_cut_as_officially(folder: Path) -> None:
    suite = open_official(folder)
    assert (suite.name, suite.split, suite.fps, suite.window) == ("mag-bench", "test", 16, 81)
    one, two = suite.clips
    assert [clip.id for clip in suite.clips] == ["one", "two_2"]
    assert (one.caption, one.switch, len(one), one.size, one.pose) == ('A wall, "red"', 33, LENGTH, (48, 80), None)
    assert np.array_equal(one.frames, read_video(folder / "videos/one.mp4"))
    assert (two.caption, len(two)) == ("", LENGTH)
    assert np.array_equal(two.frames, read_video(folder / "videos/two 2.mp4")[:LENGTH])


def test_a_mirror_has_revisits_and_another_video_has_none(folder: Path) -> None:
    one, two = open_official(folder).clips
    assert one.revisit[:23].tolist() == [NO_REVISIT] * 23
    assert one.revisit[23:].tolist() == list(range(21, -1, -1))
    assert one.gap[44] == 44
    assert set(two.revisit) == {NO_REVISIT}


def test_each_video_is_decoded_once_for_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_official(folder)
    monkeypatch.setattr(official_folder, "open_video", lambda *_: pytest.fail("decoded again"))
    assert open_official(folder) == first
    monkeypatch.undo()
    monkeypatch.setenv("MAGBENCH_CACHE", str(folder.parent / "cache"))
    for kept in (folder.parent / "cache/official").iterdir():
        kept.write_text("{")
    assert open_official(folder) == first


def test_what_decides_a_score_decides_the_digest(folder: Path) -> None:
    first = open_official(folder).digest
    write_table(folder, [[ROWS[0][0], "another caption", ROWS[0][2]], ROWS[1]])
    second = open_official(folder).digest
    (folder / "videos/one.mp4").write_bytes((folder / "videos/two 2.mp4").read_bytes())
    assert len({first, second, open_official(folder).digest}) == 3


def test_the_table_is_found_by_its_columns(folder: Path) -> None:
    (folder / "bench.csv").unlink()
    (folder / "inner").mkdir()
    (folder / "videos").rename(folder / "inner/videos")
    wider = [["7", *row] for row in ROWS]
    write_table(folder / "inner", wider, ["id", *HEADER])
    write_table(folder, [["a", "b"]], ["file", "raw_caption"], "other.csv")
    (folder / "latin.csv").write_bytes(b"n\xe4me\n")
    assert [clip.id for clip in open_official(folder).clips] == ["one", "two_2"]


def test_it_is_generated_and_scored_as_any_suite(folder: Path, registered: None, tmp_path: Path) -> None:
    suite = open_official(folder)
    assert generate(suite, ["oracle", "freeze"], tmp_path / "out", progress=Quiet()) == []
    assert score(suite, tmp_path / "out", progress=Quiet()) == []


def several_tables(folder: Path) -> None:
    write_table(folder, ROWS, name="again.csv")


def no_table(folder: Path) -> None:
    (folder / "bench.csv").unlink()


def no_rows(folder: Path) -> None:
    write_table(folder, [])


def missing_column(folder: Path) -> None:
    write_table(folder, [row[:1] + row[2:] for row in ROWS], ["video_path", "duration(sec)"])


def repeated_column(folder: Path) -> None:
    write_table(folder, [[*row, "1"] for row in ROWS], [*HEADER, "duration(sec)"])


def short_row(folder: Path) -> None:
    write_table(folder, [ROWS[0], ROWS[1][:2]])


def row(*values: str) -> Callable[[Path], None]:
    return lambda folder: write_table(folder, [ROWS[0], list(values)])


def duplicate_stem(folder: Path) -> None:
    (folder / "more").mkdir()
    (folder / "more/one.mkv").write_bytes((folder / "videos/one.mp4").read_bytes())
    write_table(folder, [ROWS[0], ["more/one.mkv", "", "2.8125"]])


def link_out(folder: Path) -> None:
    path = folder / "videos/two 2.mp4"
    outside = path.rename(folder.parent / "outside.mp4")
    path.symlink_to(outside)


def folder_that_leads_out(folder: Path) -> None:
    outside = (folder / "videos").rename(folder.parent / "outside")
    (folder / "videos").symlink_to(outside)


def table_that_leads_out(folder: Path) -> None:
    outside = (folder / "bench.csv").rename(folder.parent / "outside.csv")
    (folder / "bench.csv").symlink_to(outside)


def replace_video(frames: np.ndarray, rate: int = 16) -> Callable[[Path], None]:
    return lambda folder: encode(folder / "videos/two 2.mp4", frames, rate=rate) and None


def cut_video(folder: Path) -> None:
    path = folder / "videos/two 2.mp4"
    path.write_bytes(path.read_bytes()[:-3000])


def no_cache(folder: Path) -> None:
    (folder.parent / "cache").write_text("a file")


TWO = "videos/two 2.mp4"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (several_tables, r"official: several CSVs have the official columns: again\.csv, bench\.csv$"),
        (no_table, r"official: holds no CSV$"),
        (no_rows, r"bench\.csv: has no clip$"),
        (missing_column, r"bench\.csv: column 'raw_caption' is missing$"),
        (repeated_column, r"bench\.csv: column 'duration\(sec\)' stands there twice$"),
        (short_row, r"bench\.csv: line 3: 2 values in 3 columns$"),
        (row("videos/one.mp4", "", "2.8125"), r"bench\.csv: line 3: clip 'one' is there twice$"),
        (duplicate_stem, r"bench\.csv: line 3: clip 'one' is there twice$"),
        (row("videos/three.mp4", "", "3"), r"bench\.csv: line 3: video 'videos/three\.mp4' is missing$"),
        (row("", "", "3"), r"bench\.csv: line 3: video '' is missing$"),
        (row("videos", "", "3"), r"bench\.csv: line 3: video 'videos' is missing$"),
        (row("../outside.mp4", "", "3"), r"official: file '\.\./outside\.mp4' leads out of the folder$"),
        (row("videos/../../x.mp4", "", "3"), r"file 'videos/\.\./\.\./x\.mp4' leads out of the folder$"),
        (row("/etc/passwd", "", "3"), r"official: file '/etc/passwd' leads out of the folder$"),
        (link_out, r"official: file 'videos/two 2\.mp4' leads out of the folder$"),
        (folder_that_leads_out, r"official: file 'videos/one\.mp4' leads out of the folder$"),
        (table_that_leads_out, r"official: file 'bench\.csv' leads out of the folder$"),
        (row(TWO, "", "soon"), r"bench\.csv: line 3: duration\(sec\) 'soon' is not a number$"),
        (row(TWO, "", "nan"), r"bench\.csv: line 3: duration\(sec\) 'nan' is not a number$"),
        (row(TWO, "", "-1"), r"line 3: video videos/two 2\.mp4 has duration\(sec\) -1\.0; it must be positive$"),
        (row(TWO, "", "4"), r"line 3: video videos/two 2\.mp4 switch_frame 57 exceeds total frames 45$"),
        (replace_video(pan(14)), r"line 3: video videos/two 2\.mp4 has not enough frames 9$"),
        (replace_video(pan(LENGTH), 24), r"two 2\.mp4: has 24 frames per second, 16 wanted$"),
        (cut_video, r"two 2\.mp4: (cannot be decoded|declares 48 frames)"),
        (no_cache, r"cache/official/\w+\.json: cannot be written \(.*\); MAGBENCH_CACHE names another$"),
    ],
)
def test_every_fault_is_named(folder: Path, damage: Callable[[Path], None], message: str) -> None:
    damage(folder)
    with pytest.raises(MagbenchError, match=message) as caught:
        open_official(folder)
    assert "\n" not in str(caught.value)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(MagbenchError, match="nowhere: no such folder$"):
        open_official(tmp_path / "nowhere")
