"""The suites that have a name, and where a suite that was asked for is found."""

from __future__ import annotations

import os
from pathlib import Path

from magbench.errors import MagbenchError, unknown
from magbench.suites.disk import Suite, load_suite, write_suite

DEFAULT_SPLIT = "test"


def suite_names() -> list[str]:
    """Names that :func:`open_suite` makes by itself; ``NAME`` is the test split, ``NAME:SPLIT`` another."""
    from magbench.suites import revisit_nano

    splits = sorted(set(revisit_nano.CLIPS) - {DEFAULT_SPLIT})
    return [revisit_nano.NAME, *(f"{revisit_nano.NAME}:{split}" for split in splits)]


def cache_folder() -> Path:
    """Where named suites are kept: ``MAGBENCH_CACHE``, or ``magbench`` in the user's cache."""
    return Path(os.environ.get("MAGBENCH_CACHE") or Path.home() / ".cache" / "magbench")


def make_suite(name: str, folder: Path) -> None:
    """Write a named suite into a folder that does not exist yet."""
    from magbench.suites import revisit_nano

    split = _split(name)
    write_suite(
        folder,
        revisit_nano.clips(split),
        name=revisit_nano.NAME,
        version=revisit_nano.VERSION,
        split=split,
        fps=revisit_nano.FPS,
        window=revisit_nano.WINDOW,
        licence=revisit_nano.LICENCE,
    )


def open_suite(name: str) -> Suite:
    """A suite by its name, or by its folder. A named one is made once, then read and checked as any other."""
    from magbench.suites import revisit_nano

    if name.partition(":")[0] != revisit_nano.NAME and (os.sep in name or Path(name).exists()):
        return load_suite(Path(name))
    split = _split(name)
    label = f"{revisit_nano.NAME}-v{revisit_nano.VERSION}-{split}-{revisit_nano.DIGEST[split][:12]}"
    folder = cache_folder() / "suites" / label
    if not folder.exists():
        try:
            make_suite(name, folder)
        except MagbenchError:
            if not folder.exists():  # else another process was faster
                raise
    try:
        return load_suite(folder)
    except MagbenchError as error:
        raise MagbenchError(f"{error}; remove {folder} to have it made again") from error


def is_published(suite: Suite) -> bool:
    """Whether a suite that bears an embedded name is, to the bit, the one that published results were made on."""
    from magbench.suites import revisit_nano

    return suite.name != revisit_nano.NAME or revisit_nano.DIGEST.get(suite.split) == suite.digest


def _split(name: str) -> str:
    base, _, split = name.partition(":")
    known = suite_names()
    if base != known[0] or (split and split != DEFAULT_SPLIT and name not in known):
        raise unknown("suite", name, known)
    return split or DEFAULT_SPLIT
