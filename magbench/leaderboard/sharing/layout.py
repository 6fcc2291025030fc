"""Where things lie in a board's data set on the hub.

::

    README.md
    submissions/SUITE-vN-SPLIT-DIGEST12/MODEL/REVISION12-DATE/...     as in a board's folder
    videos/SUITE-vN-SPLIT-DIGEST12/MODEL/REVISION12-DATE/CLIP@SAMPLE.mkv     those too large for a submission
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from magbench.core.errors import MagbenchError
from magbench.hub.client import Listing
from magbench.hub.download import difference
from magbench.leaderboard.submission import NOTICE

README = "README.md"


def submission_files(folder: Path) -> dict[str, Path]:
    """Path in the data set -> file, of one submission."""
    base = f"submissions/{name_of(folder)}"
    return {f"{base}/{path.relative_to(folder).as_posix()}": path for path in sorted(folder.rglob("*")) if _real(path)}


def name_of(folder: Path) -> str:
    """SUITE-vN-SPLIT-DIGEST12/MODEL/REVISION12-DATE."""
    return Path(*folder.resolve().parts[-3:]).as_posix()


def check_unchanged(files: Mapping[str, Path], listing: Listing, name: str) -> None:
    """Refuse to change what a data set holds of a submission: only a notice takes the place of an earlier one.

    Raises:
        MagbenchError: a file is there with other bytes.
    """
    there = {file.path: file for file in listing.files}
    for path, file in files.items():
        if path in there and file.name != NOTICE and difference(file, there[path]) is not None:
            raise MagbenchError(
                f"{file}: {name} holds other bytes as {path}; a submission is never changed, submit another revision"
            )


def _real(path: Path) -> bool:
    if path.is_symlink():
        raise MagbenchError(f"{path}: is a link, which is not part of a submission")
    return path.is_file()
