"""``mag-bench`` from its hub: one commit, recorded in a lock file, checked by sha256, offline once it is there.

How the repository is laid out is not known beforehand: the table is found by its official columns, and the videos where
``video_path`` leads from the table's folder or one above it. Only these files are fetched. They become a plain official
folder, ``hub/mag-bench/data`` in the cache. ``lock.json`` beside it says which commit they are from, which files are
wanted, and the sha256 of each that has arrived; whoever repeats the command goes on with that very commit.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256, write_atomic
from magbench.core.rows import read_header, read_rows
from magbench.suites.format import inside
from magbench.suites.official.lock import COMMAND, Lock, Places, Wanted, places, read_lock

if TYPE_CHECKING:
    from huggingface_hub import HfApi

REPOSITORY = "xilluill/MAG"
REVISION = "main"
"""Asked for where nobody asks for another: which commit it is at the first fetch is recorded, and stays."""

COLUMNS = ("video_path", "raw_caption", "duration(sec)")
KINDS = ("dataset", "model")
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".7z", ".rar")


def fetch(
    cache: Path,
    *,
    revision: str | None = None,
    csv: str | None = None,
    videos: str | None = None,
    step: Callable[[int, int, str], None] = lambda done, total, file: None,
) -> Lock:
    """Fetch what is missing; with everything there, only check it, without a network.

    Args:
        cache: magbench's cache folder.
        revision: commit, tag or branch; a branch is resolved once.
        csv: the table's path in the repository, instead of looking for it.
        videos: folder of the repository in which ``video_path`` starts, instead of looking for it.
        step: called after each file with how many are there, of how many, and which.
    """
    where = places(cache)
    lock = read_lock(where)
    if lock is None:
        lock = _plan(where, revision or REVISION, csv, videos)
        write_atomic(where.lock, lock.model_dump_json(indent=1) + "\n")
    else:
        _same(where, lock, revision, csv, videos)
    for number, target in enumerate(sorted(lock.files), 1):
        lock = _complete(where, lock, target)
        step(number, len(lock.files), target)
    shutil.rmtree(where.arriving, ignore_errors=True)
    return lock


def fetched(cache: Path) -> Path:
    """The fetched official folder, every file checked against the lock file. Needs no network."""
    where = places(cache)
    lock = read_lock(where)
    if lock is None:
        raise MagbenchError(f"suite mag-bench is not fetched yet: {COMMAND}; or name a copy: mag-bench:DIR")
    if not lock.complete:
        raise MagbenchError(f"{where.folder}: is fetched in part; {COMMAND} goes on")
    for target, file in sorted(lock.files.items()):
        path = inside(where.data, target)
        if not path.is_file():
            raise MagbenchError(f"{path}: is missing; {COMMAND} fetches it again")
        _check(path, file)
    return where.data


def state(cache: Path) -> str:
    """A few words for `magbench ls suites`."""
    lock = read_lock(places(cache))
    if lock is None:
        return f"not fetched ({COMMAND})"
    return f"{'fetched' if lock.complete else 'fetched in part'}, commit {lock.commit[:12]}"


def _same(where: Places, lock: Lock, revision: str | None, csv: str | None, videos: str | None) -> None:
    """What is asked for now is what the lock file records."""
    asked = (
        ("revision", revision, (lock.commit, lock.asked)),
        ("csv", csv, (lock.csv,)),
        ("videos", videos, (lock.videos,)),
    )
    for option, value, known in asked:
        if value is not None and value not in known:
            raise MagbenchError(
                f"{where.folder}: was fetched with {option} {known[0]}, not {value}; remove it to fetch another"
            )


def _plan(where: Places, revision: str, csv: str | None, videos: str | None) -> Lock:
    """Ask the hub for the commit and its files, and find the table and the videos among them."""
    api = _api()
    kind, commit = _resolve(api, revision)
    files = _tree(api, kind, commit)
    table = _find_table(where, kind, commit, files, csv)
    names = [row.text("video_path") for row in read_rows(_arrived(where, table), COLUMNS, None)]
    base = _find_base(table, names, files, videos)
    wanted = {PurePosixPath(table).name: Wanted(source=table, told=files[table])}
    for name in names:
        inside(where.data, name)
        source = _below(base, name)
        wanted[str(PurePosixPath(name))] = Wanted(source=source, told=files[source])
    return Lock(repository=REPOSITORY, kind=kind, asked=revision, commit=commit, csv=table, videos=base, files=wanted)


def _api() -> HfApi:
    from huggingface_hub import HfApi
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    return HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, library_name="magbench")


def _resolve(api: HfApi, revision: str) -> tuple[str, str]:
    """(kind of repository, commit)."""
    from huggingface_hub.errors import RepositoryNotFoundError

    with _plainly(api.endpoint):
        for kind in KINDS:
            try:
                commit = api.repo_info(REPOSITORY, repo_type=kind, revision=revision).sha
            except RepositoryNotFoundError:
                continue
            if commit is None:
                raise MagbenchError(f"{api.endpoint}: names no commit of {REPOSITORY} at '{revision}'")
            return kind, commit
    raise MagbenchError(f"{api.endpoint}: has no data set or model {REPOSITORY}, or does not show it to you")


def _tree(api: HfApi, kind: str, commit: str) -> dict[str, str | None]:
    """Path of every file -> its sha256, None for small ones, of which the hub keeps another hash."""
    from huggingface_hub.hf_api import RepoFile

    with _plainly(api.endpoint):
        entries = list(api.list_repo_tree(REPOSITORY, repo_type=kind, revision=commit, recursive=True))
    found = [entry for entry in entries if isinstance(entry, RepoFile)]
    return {file.path: file.lfs.sha256 if file.lfs else None for file in found}


def _find_table(where: Places, kind: str, commit: str, files: dict[str, str | None], csv: str | None) -> str:
    """The CSV with the official columns, which has then arrived."""
    if csv is not None and csv not in files:
        raise MagbenchError(f"{REPOSITORY} at {commit[:12]}: has no file '{csv}'")
    candidates = [csv] if csv else sorted(path for path in files if path.lower().endswith(".csv"))
    official = []
    for path in candidates:
        _download(where, kind, commit, Wanted(source=path, told=files[path]))
        if set(COLUMNS) <= set(read_header(_arrived(where, path))):
            official.append(path)
    if len(official) == 1:
        return official[0]
    if official:
        raise MagbenchError(f"{REPOSITORY}: several CSVs have the official columns, choose by --csv: {_some(official)}")
    raise MagbenchError(
        f"{REPOSITORY} at {commit[:12]}: no CSV has the columns {', '.join(COLUMNS)}"
        f" (looked at: {_some(candidates)}){_archives(files)}"
    )


def _find_base(table: str, names: list[str], files: dict[str, str | None], videos: str | None) -> str:
    """The folder from which every ``video_path`` leads to a file: the table's, or the nearest one above it."""
    if not names:
        raise MagbenchError(f"{REPOSITORY}: {table} has no clip")
    above = [str(folder) for folder in PurePosixPath(table).parents]
    missing = {}
    for base in [videos] if videos is not None else above:
        missing[base] = [name for name in names if _below(base, name) not in files]
        if not missing[base]:
            return base
    base = min(missing, key=lambda one: len(missing[one]))
    raise MagbenchError(
        f"{REPOSITORY}: {len(missing[base])} of {len(names)} videos are not below '{base}', first"
        f" '{missing[base][0]}'; name their folder by --videos{_archives(files)}"
    )


def _complete(where: Places, lock: Lock, target: str) -> Lock:
    """Have one file; the lock file knows it afterwards. One that was there before must not have changed."""
    file = lock.files[target]
    path = inside(where.data, target)
    if path.is_file() and file.sha256 is not None:
        _check(path, file)
        return lock
    _download(where, lock.kind, lock.commit, file)
    found = file_sha256(_arrived(where, file.source))
    if file.sha256 not in (None, found):
        raise MagbenchError(f"{REPOSITORY}: {file.source} arrived as {found[:12]}, the lock file says {file.sha256}")
    path.parent.mkdir(parents=True, exist_ok=True)
    os.replace(_arrived(where, file.source), path)
    lock = lock.model_copy(update={"files": {**lock.files, target: file.model_copy(update={"sha256": found})}})
    write_atomic(where.lock, lock.model_dump_json(indent=1) + "\n")
    return lock


def _download(where: Places, kind: str, commit: str, file: Wanted) -> None:
    """Bring a file of the repository to ``arriving``; one that is there whole already stays."""
    from huggingface_hub import hf_hub_download

    endpoint = _api().endpoint
    with _plainly(endpoint):
        hf_hub_download(
            REPOSITORY, file.source, repo_type=kind, revision=commit, local_dir=where.arriving, endpoint=endpoint
        )
    path = _arrived(where, file.source)
    found = file_sha256(path)
    if file.told not in (None, found):
        path.unlink()
        raise MagbenchError(f"{REPOSITORY}: {file.source} arrived damaged, sha256 {found[:12]}, not {file.told:.12}")


def _arrived(where: Places, path: str) -> Path:
    return inside(where.arriving, path)


def _below(base: str, name: str) -> str:
    return str(PurePosixPath(base) / name)


def _check(path: Path, file: Wanted) -> None:
    if (found := file_sha256(path)) != file.sha256:
        raise MagbenchError(
            f"{path}: changed, sha256 is {found[:12]}, the lock file says {str(file.sha256)[:12]};"
            f" remove it, and {COMMAND} fetches it again"
        )


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "") or "none"


def _archives(files: dict[str, str | None]) -> str:
    packed = sorted(path for path in files if path.lower().endswith(ARCHIVES))
    return f"; it has archives ({_some(packed)}): unpack them yourself and use mag-bench:DIR" if packed else ""


@contextmanager
def _plainly(endpoint: str) -> Iterator[None]:
    """Whatever goes wrong between here and the hub, in one line: the libraries below change what they raise."""
    from huggingface_hub.errors import RevisionNotFoundError

    try:
        yield
    except MagbenchError:
        raise
    except RevisionNotFoundError as error:
        raise MagbenchError(f"{endpoint}: {REPOSITORY} has no such revision") from error
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise MagbenchError(
            f"{endpoint}: cannot fetch {REPOSITORY} ({reason}); {COMMAND} goes on where it was,"
            " HF_ENDPOINT names another hub, mag-bench:DIR a copy that you have"
        ) from error
