"""Fetching the official data: from a hub on this machine, broken off, changed, moved on, and without any network."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from magbench.core.errors import MagbenchError
from magbench.hub.cache import cache_folder
from magbench.suites.official import fetch
from magbench.suites.registry import open_suite, suite_lines
from magbench.video.io import write_lossless
from tests.hub_server import HubServer, Repository, serve

LENGTH, SWITCH = 45, 33
NAMES = ("one", "two")


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Two videos that go and come back, as files."""
    folder = tmp_path_factory.mktemp("videos")
    made = {}
    for number, name in enumerate(NAMES):
        away = np.random.default_rng(number).integers(0, 256, (LENGTH // 2 + 1, 16, 16, 3), dtype=np.uint8)
        write_lossless(folder / f"{name}.mkv", np.concatenate([away, away[-2::-1]]), 16)
        made[name] = (folder / f"{name}.mkv").read_bytes()
    return made


def table(prefix: str = "videos/") -> bytes:
    rows = [f"{prefix}{name}.mkv,a {name},{LENGTH / 16}" for name in NAMES]
    return "\n".join(["video_path,raw_caption,duration(sec)", *rows, ""]).encode()


def repository(videos: dict[str, bytes], csv: str = "bench/test.csv") -> dict[str, bytes]:
    files = {f"bench/videos/{name}.mkv": content for name, content in videos.items()}
    return {csv: table(), "other.csv": b"a,b\n1,2\n", "weights.bin": b"large" * 1000, **files}


@pytest.fixture
def there(videos: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A hub with the data, an empty cache, and nothing that waits."""
    monkeypatch.setenv("MAGBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with serve({fetch.REPOSITORY: Repository(repository(videos), kind="datasets")}) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.address)
        yield served


@pytest.fixture
def mag(there: HubServer) -> Repository:
    """The repository on that hub."""
    return there.repositories[fetch.REPOSITORY]


def move_on(mag: Repository, files: dict[str, bytes]) -> None:
    """A new commit on main; the one before stays."""
    mag.branches["before"], mag.files = mag.files, files


def fetch_now(revision: str | None = None, csv: str | None = None, videos: str | None = None) -> fetch.Fetched:
    return fetch.fetch(cache_folder(), revision=revision, csv=csv, videos=videos)


@pytest.mark.parametrize("kind", ["dataset", "model"])
def test_what_the_table_names_is_fetched_and_opens_as_a_suite(there: HubServer, mag: Repository, kind: str) -> None:
    mag.kind = f"{kind}s"
    held = fetch_now()
    assert (held.part.revision, held.lock.kind, held.complete) == (mag.commit, kind, True)
    assert held.part.choices == {"csv": "bench/test.csv", "videos": "bench"}
    assert "weights.bin" not in [path for path, _ in there.asked]
    suite = open_suite("mag-bench")
    assert [(clip.id, clip.caption, len(clip), clip.switch) for clip in suite.clips] == [
        (name, f"a {name}", LENGTH, SWITCH) for name in NAMES
    ]
    assert suite.clips[0].revisit[-1] == 0
    assert (dict(suite_lines())["mag-bench"]).endswith(f"fetched, commit {mag.commit[:12]}")
    assert sorted(path.name for path in held.folder.iterdir()) == ["data", "lock.json"]


def test_once_fetched_no_network_is_needed(there: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fetch_now()
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    there.requests.clear()
    assert fetch_now() == first
    assert len(open_suite("mag-bench").clips) == 2
    assert there.requests == []


def test_a_transfer_that_stops_goes_on_at_its_byte(there: HubServer, videos: dict[str, bytes]) -> None:
    kept = len(videos["one"]) // 2
    there.cuts["bench/videos/one.mkv"] = [kept]
    assert fetch_now().complete
    assert [first for path, first in there.asked if path == "bench/videos/one.mkv"] == [0, kept]


def test_a_fetch_that_broke_off_goes_on_with_the_commit_that_it_began(
    there: HubServer, mag: Repository, videos: dict[str, bytes]
) -> None:
    begun = mag.commit
    kept = len(videos["two"]) // 2
    there.cuts["bench/videos/two.mkv"] = [kept, 0]
    with pytest.raises(MagbenchError, match="two.mkv: .*the same command goes on") as caught:
        fetch_now()
    assert "\n" not in str(caught.value)
    with pytest.raises(MagbenchError, match="fetched in part; magbench suite fetch mag-bench goes on"):
        open_suite("mag-bench")
    there.cuts.clear()
    there.asked.clear()
    move_on(mag, {**repository(videos), "bench/videos/one.mkv": b"another"})
    assert fetch_now().part.revision == begun
    assert there.asked == [("bench/videos/two.mkv", kept)]


def test_a_changed_or_missing_file_is_told_and_mended(there: HubServer) -> None:
    path = fetch_now().data / "videos/one.mkv"
    good = path.read_bytes()
    path.write_bytes(good[:-1] + b"?")
    for use in (fetch_now, lambda: open_suite("mag-bench")):
        with pytest.raises(MagbenchError, match=r"one\.mkv: changed, .*remove it"):
            use()
    path.unlink()
    with pytest.raises(MagbenchError, match=r"one\.mkv: is missing"):
        open_suite("mag-bench")
    fetch_now()
    assert path.read_bytes() == good


def test_a_file_that_is_not_what_the_hub_promised_is_refused(there: HubServer) -> None:
    there.spoiled = {"bench/videos/one.mkv"}
    with pytest.raises(MagbenchError, match=r"one\.mkv: came as .*it was removed"):
        fetch_now()
    there.spoiled.clear()
    assert fetch_now().complete


def test_a_revision_is_fetched_once_and_never_moves(mag: Repository, videos: dict[str, bytes]) -> None:
    first = mag.commit
    move_on(mag, {**repository(videos), "bench/videos/one.mkv": b"another"})
    assert fetch_now(first).part.revision == first
    assert fetch_now().part.revision == first
    for options in ({"revision": mag.commit}, {"revision": "main"}, {"csv": "x.csv"}, {"videos": ""}):
        with pytest.raises(MagbenchError, match="remove it to fetch another"):
            fetch_now(**options)


def test_paths_that_cannot_be_found_can_be_given(mag: Repository, videos: dict[str, bytes]) -> None:
    moved = {f"clips/all/{name}.mkv": content for name, content in videos.items()}
    mag.files = {"a.csv": table(""), "b.csv": table(""), **moved, "more.zip": b""}
    with pytest.raises(MagbenchError, match=r"several CSVs .* --csv: a\.csv, b\.csv"):
        fetch_now()
    with pytest.raises(
        MagbenchError, match=r"2 of 2 videos .*'one\.mkv'; name .* --videos; it has archives \(more\.zip\)"
    ):
        fetch_now(csv="b.csv")
    assert fetch_now(csv="b.csv", videos="clips/all").complete
    assert len(open_suite("mag-bench").clips) == 2


@pytest.mark.parametrize(
    ("files", "options", "words"),
    [
        ({"bench/test.csv": b"video_path,caption\nx,y\n"}, {}, "no CSV has the columns video_path"),
        ({"bench/test.csv": b"video_path,raw_caption,duration(sec)\n"}, {}, "has no clip"),
        ({"bench/test.csv": table("../../")}, {}, "videos are not below"),
        ({}, {"csv": "none.csv"}, "has no file 'none.csv'"),
        ({}, {"revision": "elsewhere"}, "has no revision 'elsewhere'"),
    ],
)
def test_what_cannot_be_used_is_said(
    mag: Repository, files: dict[str, bytes], options: dict[str, str], words: str
) -> None:
    mag.files |= files
    with pytest.raises(MagbenchError, match=words.replace("(", r"\(")):
        fetch_now(**options)
    assert fetch.find(cache_folder()) is None


def test_no_such_repository(mag: Repository) -> None:
    mag.kind = "spaces"
    with pytest.raises(MagbenchError, match="has no data set or model xilluill/MAG"):
        fetch_now()


def test_no_network_is_one_clear_line(there: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(
        MagbenchError, match=r"http://127\.0\.0\.1:9: cannot list xilluill/MAG .*mag-bench:DIR"
    ) as caught:
        fetch_now()
    assert "\n" not in str(caught.value)
    with pytest.raises(MagbenchError, match="not fetched yet: magbench suite fetch mag-bench"):
        open_suite("mag-bench")


def test_a_damaged_or_older_lock_file_is_said(there: HubServer) -> None:
    lock = fetch_now().folder / "lock.json"
    good = json.loads(lock.read_text())
    lock.write_text(json.dumps({**good, "kind": 3}))
    with pytest.raises(MagbenchError, match=r"lock\.json: not a whole lock file \(kind: .*remove .* and fetch again"):
        open_suite("mag-bench")
    older = {"repository": fetch.REPOSITORY, "kind": "dataset", "asked": "main", "commit": "0" * 40, "files": {}}
    lock.write_text(json.dumps(older))
    with pytest.raises(MagbenchError, match=r"lock\.json: not a whole lock file .*fetch again"):
        fetch_now()


def test_a_small_file_that_was_lost_must_come_back_as_it_was(there: HubServer, mag: Repository) -> None:
    """The hub tells no sha256 of small files; the lock file knows it from the first time."""
    held = fetch_now()
    (held.data / "test.csv").unlink()
    there.spoiled = {"bench/test.csv"}
    with pytest.raises(MagbenchError, match=r"test\.csv: came as sha256"):
        fetch_now()
    there.spoiled.clear()
    assert fetch_now() == held
