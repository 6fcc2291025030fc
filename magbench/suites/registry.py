"""Where a suite that was asked for is found: by name, or in a folder."""

from __future__ import annotations

import os
from pathlib import Path

from magbench.core.errors import MagbenchError, unknown
from magbench.core.plugins import SUITES, loaded
from magbench.core.progress import Progress, Quiet
from magbench.hub.cache import cache_folder
from magbench.suites.embedded_suite import Embedded
from magbench.suites.format import Suite, load_suite

DEFAULT_SPLIT = "test"
OFFICIAL = "mag-bench"


def embedded() -> dict[str, Embedded]:
    """The suites that are drawn here, those of other packages included, by name."""
    return loaded(SUITES)


def embedded_named(name: str) -> Embedded:
    """The suite of that name that is drawn here.

    Raises:
        MagbenchError: there is none.
    """
    known = embedded()
    if name not in known:
        raise unknown("embedded suite", name, known)
    return known[name]


def suite_names() -> list[str]:
    """Names of embedded suites; ``NAME`` is the test split, ``NAME:SPLIT`` another."""
    names = []
    for suite in embedded().values():
        names += [suite.name, *(f"{suite.name}:{split}" for split in sorted(set(suite.digest) - {DEFAULT_SPLIT}))]
    return names


def suite_lines() -> list[tuple[str, str]]:
    """What :func:`open_suite` opens, with one line on each."""
    from magbench.suites.official import fetch

    known = embedded()
    lines = []
    for name in suite_names():
        base, _, split = name.partition(":")
        other = known[base].about.get(split, f"{split} split, other scenes")
        lines.append((name, other if split else known[base].summary))
    return [
        *lines,
        (OFFICIAL, f"the official data set from its hub: {fetch.state(cache_folder())}"),
        (f"{OFFICIAL}:DIR", "a plain official folder: one CSV with the official columns, and its videos"),
        ("DIR", "a suite in magbench's own format, as `magbench suite make` and `magbench suite mirror` write it"),
    ]


def make_suite(name: str, folder: Path, progress: Progress | None = None) -> None:
    """Write an embedded suite into a folder that does not exist yet."""
    suite, split = _find(name)
    suite.write(split, folder, progress or Quiet())


def open_suite(name: str, progress: Progress | None = None) -> Suite:
    """A suite by its name, or by its folder.

    An embedded one that does not ship is made once; then it is read and checked as any other.
    """
    base, colon, rest = name.partition(":")
    if base == OFFICIAL:
        return _open_official(Path(rest) if colon else None)
    if base not in embedded() and (os.sep in name or Path(name).exists()):
        return load_suite(Path(name))
    suite, split = _find(name)
    if suite.shipped(split).exists():
        return load_suite(suite.shipped(split))
    folder = cache_folder() / "suites" / suite.label(split)
    if not folder.exists():
        try:
            make_suite(name, folder, progress)
        except MagbenchError:
            if not folder.exists():  # else another process was faster
                raise
    try:
        return load_suite(folder)
    except MagbenchError as error:
        raise MagbenchError(f"{error}; remove {folder} to have it made again") from error


def is_published(suite: Suite) -> bool:
    """Whether a suite that bears an embedded name is, to the bit, the one that published results were made on."""
    made = embedded().get(suite.name)
    return made is None or made.digest.get(suite.split) in ("", suite.digest)


def _open_official(folder: Path | None) -> Suite:
    from magbench.suites.official.fetch import fetched
    from magbench.suites.official.folder import open_official

    return open_official(fetched(cache_folder()) if folder is None else folder)


def _find(name: str) -> tuple[Embedded, str]:
    known = suite_names()
    base, _, split = name.partition(":")
    if name not in (*known, *(f"{one}:{DEFAULT_SPLIT}" for one in embedded())):
        raise unknown("suite", name, [*known, OFFICIAL])
    return embedded()[base], split or DEFAULT_SPLIT
