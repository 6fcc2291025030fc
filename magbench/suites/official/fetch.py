"""``mag-bench`` from its hub: one commit, recorded in a lock file, checked by sha256, offline once it is there.

How the repository is laid out is not known beforehand: the table is found by its official columns, and the videos where
``video_path`` leads from the table's folder or one above it. Only these files are fetched. They become a plain official
folder, ``hub/mag-bench/data`` in the cache. The lock file beside it says which commit they are from, which files are
wanted, and the sha256 of each that has arrived; whoever repeats the command goes on with that very commit.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from magbench.core.errors import MagbenchError
from magbench.core.progress import Quiet
from magbench.core.rows import read_header, read_rows
from magbench.hub.client import Listing, Repository
from magbench.hub.download import RemoteFile, discard
from magbench.hub.lockfile import File, Lock, Part, read_lock
from magbench.suites.format import inside

REPOSITORY = "xilluill/MAG"
REVISION = "main"
"""Asked for where nobody asks for another: which commit it is at the first fetch is recorded, and stays."""

COMMAND = "magbench suite fetch mag-bench"
COLUMNS = ("video_path", "raw_caption", "duration(sec)")
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".7z", ".rar")
PART = "data"


@dataclass(frozen=True)
class Fetched:
    """The copy in the cache, whole or in part: its folder, and the lock file in it."""

    folder: Path
    lock: Lock

    @property
    def part(self) -> Part:
        return self.lock.parts[PART]

    @property
    def data(self) -> Path:
        """The official folder."""
        return self.folder / PART

    @property
    def complete(self) -> bool:
        return len(self.part.kept) == len(self.part.fetched)

    @property
    def kept(self) -> dict[str, File]:
        """What has arrived, by its path below the folder."""
        return {file.path: file for file in self.part.kept}

    def target(self, source: str) -> str:
        """Where a published file goes: the table to the top, a video where the table names it."""
        choices = self.part.choices
        if source == choices["csv"]:
            return f"{PART}/{PurePosixPath(source).name}"
        return f"{PART}/{PurePosixPath(source).relative_to(choices['videos'])}"

    def with_kept(self, file: File) -> Fetched:
        """The same with one more file, recorded."""
        part = self.part.model_copy(update={"kept": (*self.part.kept, file)})
        lock = self.lock.model_copy(update={"parts": {PART: part}})
        lock.write(self.folder)
        return Fetched(self.folder, lock)


def fetch(
    cache: Path,
    *,
    revision: str | None = None,
    csv: str | None = None,
    videos: str | None = None,
    step: Callable[[int, int, str], None] = lambda done, total, file: None,
) -> Fetched:
    """Fetch what is missing; with everything there, only check it, without a network.

    Args:
        cache: magbench's cache folder.
        revision: commit, tag or branch; a branch is resolved once.
        csv: the table's path in the repository, instead of looking for it.
        videos: folder of the repository in which ``video_path`` starts, instead of looking for it.
        step: called after each file with how many are there, of how many, and which.
    """
    held = find(cache)
    if held is None:
        held = _plan(_folder(cache), revision or REVISION, csv, videos)
        held.lock.write(held.folder)
    else:
        _same(held, revision, csv, videos)
    for number, file in enumerate(held.part.fetched, 1):
        held = _complete(held, file)
        step(number, len(held.part.fetched), file.path)
    discard(_arriving(held.folder), [path for path in _arriving(held.folder).rglob("*") if path.is_file()])
    return held


def find(cache: Path) -> Fetched | None:
    """The copy in the cache, None before the first fetch."""
    folder = _folder(cache)
    lock = read_lock(folder)
    return None if lock is None else Fetched(folder, lock)


def fetched(cache: Path) -> Path:
    """The fetched official folder, every file checked against the lock file. Needs no network."""
    held = find(cache)
    if held is None:
        raise MagbenchError(f"suite mag-bench is not fetched yet: {COMMAND}; or name a copy: mag-bench:DIR")
    if not held.complete:
        raise MagbenchError(f"{held.folder}: is fetched in part; {COMMAND} goes on")
    for file in held.part.kept:
        _check(held, file)
    return held.data


def state(cache: Path) -> str:
    """A few words for `magbench ls suites`."""
    held = find(cache)
    if held is None:
        return f"not fetched ({COMMAND})"
    return f"{'fetched' if held.complete else 'fetched in part'}, commit {held.part.revision[:12]}"


def _folder(cache: Path) -> Path:
    return cache / "hub" / "mag-bench"


def _arriving(folder: Path) -> Path:
    return folder / "arriving"


def _repository(revision: str) -> Repository:
    return Repository(REPOSITORY, revision, ("dataset", "model"), "mag-bench:DIR names a copy that you have")


def _same(held: Fetched, revision: str | None, csv: str | None, videos: str | None) -> None:
    """What is asked for now is what the lock file records."""
    part = held.part
    asked = (
        ("revision", revision, (part.revision, part.asked)),
        ("csv", csv, (part.choices["csv"],)),
        ("videos", videos, (part.choices["videos"],)),
    )
    for option, value, known in asked:
        if value is not None and value not in known:
            raise MagbenchError(
                f"{held.folder}: was fetched with {option} {known[0]}, not {value}; remove it to fetch another"
            )


def _plan(folder: Path, revision: str, csv: str | None, videos: str | None) -> Fetched:
    """Ask the hub for the commit and its files, and find the table and the videos among them."""
    source = _repository(revision)
    listing = source.listing()
    files = {file.path: file for file in listing.files}
    table = _find_table(source, listing, folder, files, csv)
    rows = read_rows(_arrive(source, listing, folder, files[table]), COLUMNS, None)
    names = [row.text("video_path") for row in rows]
    base = _find_base(table, names, files, videos)
    for name in names:
        inside(folder, name)
    wanted = [files[table], *(files[_below(base, name)] for name in sorted(names))]
    part = Part(
        revision=listing.revision,
        asked=revision,
        choices={"csv": table, "videos": base},
        fetched=tuple(File(path=file.path, size=file.size, sha256=file.sha256) for file in wanted),
    )
    return Fetched(folder, Lock(repository=REPOSITORY, kind=listing.kind, licence=listing.licence, parts={PART: part}))


def _find_table(
    source: Repository, listing: Listing, folder: Path, files: dict[str, RemoteFile], csv: str | None
) -> str:
    """The CSV with the official columns, which has then arrived."""
    commit = listing.revision[:12]
    if csv is not None and csv not in files:
        raise MagbenchError(f"{REPOSITORY} at {commit}: has no file '{csv}'")
    candidates = [csv] if csv else sorted(path for path in files if path.lower().endswith(".csv"))
    official = [
        path for path in candidates if set(COLUMNS) <= set(read_header(_arrive(source, listing, folder, files[path])))
    ]
    if len(official) == 1:
        return official[0]
    if official:
        raise MagbenchError(f"{REPOSITORY}: several CSVs have the official columns, choose by --csv: {_some(official)}")
    raise MagbenchError(
        f"{REPOSITORY} at {commit}: no CSV has the columns {', '.join(COLUMNS)}"
        f" (looked at: {_some(candidates)}){_archives(files)}"
    )


def _find_base(table: str, names: list[str], files: dict[str, RemoteFile], videos: str | None) -> str:
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


def _complete(held: Fetched, file: File) -> Fetched:
    """Have one file; the lock file knows it afterwards. One that was there before must not have changed."""
    target = held.target(file.path)
    path = inside(held.folder, target)
    known = held.kept.get(target)
    if known is not None and path.is_file():
        _check(held, known)
        return held
    revision = held.part.revision
    listing = Listing(revision, held.lock.kind, held.lock.licence, ())
    remote = RemoteFile(file.path, file.size, file.sha256 or (known.sha256 if known else ""))
    path.parent.mkdir(parents=True, exist_ok=True)
    os.replace(_arrive(_repository(revision), listing, held.folder, remote), path)
    return held if known is not None else held.with_kept(File.of(path, held.folder))


def _arrive(source: Repository, listing: Listing, folder: Path, file: RemoteFile) -> Path:
    """Bring a file of the repository to ``arriving``; one that is there whole already stays."""
    return source.get(file, listing, _arriving(folder), Quiet())


def _below(base: str, name: str) -> str:
    return str(PurePosixPath(base) / name)


def _check(held: Fetched, file: File) -> None:
    try:
        file.check(held.folder)
    except MagbenchError as error:
        raise MagbenchError(f"{error}; remove it, and {COMMAND} fetches it again") from error


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "") or "none"


def _archives(files: dict[str, RemoteFile]) -> str:
    packed = sorted(path for path in files if path.lower().endswith(ARCHIVES))
    return f"; it has archives ({_some(packed)}): unpack them yourself and use mag-bench:DIR" if packed else ""
