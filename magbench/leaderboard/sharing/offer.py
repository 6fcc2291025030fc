"""A submission offered to a board on the hub: as a pull request to its data set, with the videos it does not carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from magbench.core.files import file_sha256
from magbench.hub.client import Repository
from magbench.hub.place import Place
from magbench.hub.push import Branch, Change, open_branch
from magbench.leaderboard.sharing.layout import check_unchanged, name_of, submission_files
from magbench.leaderboard.submit import Ready


@dataclass(frozen=True)
class Offer:
    """A pull request for one submission, which may be there from an earlier attempt.

    Attributes:
        branch: its commits.
        folder: where videos go in the data set, SUITE-vN-SPLIT-DIGEST12/MODEL.
    """

    branch: Branch
    folder: str

    @classmethod
    def begin(cls, ready: Ready, name: str) -> Offer:
        """Look whether the data set ``name`` is there and whether this was begun before; opens nothing yet.

        Raises:
            MagbenchError: no such data set, no token.
        """
        place = ready.place(Path())
        revision = place.name[: -len(ready.about.date) - 1]
        return cls(open_branch(name, "dataset", f"Submission {place.parent}/{revision}"), place.parent.as_posix())

    def videos(self, files: Mapping[str, Path]) -> dict[str, str]:
        """Put videos into the data set; clip@sample -> where each is from now on.

        They are named by their content too: the same video is never sent twice, and none takes another's place.
        """
        paths = {
            name: f"videos/{self.folder}/{name}-{file_sha256(path)[:12]}{path.suffix}" for name, path in files.items()
        }
        for path in paths.values():
            Place.parse(str(Place(self.branch.name, "0" * 40, path)))
        self.branch.commit(Change("Videos", {paths[name]: file for name, file in files.items()}))
        commit = self.branch.head
        return {name: str(Place(self.branch.name, commit, path)) for name, path in paths.items()}

    def submission(self, folder: Path) -> None:
        """Put the submission itself into the pull request.

        Raises:
            MagbenchError: the data set has another under its name.
        """
        files = submission_files(folder)
        if self.branch.revision != "main":
            check_unchanged(files, Repository(self.branch.name, "main", ("dataset",)).listing(), self.branch.name)
        check_unchanged(files, self.branch.listing, self.branch.name)
        self.branch.commit(Change(f"Submission {name_of(folder)}", files))
        self.branch.check()

    @property
    def next(self) -> str:
        """What to do now."""
        if self.branch.revision == "main":
            return "it is part of the board's data set already"
        fetched = (
            f"hf download {self.branch.name} --repo-type dataset --revision {self.branch.revision} --local-dir DIR"
        )
        return f"whoever keeps the board looks at it: `{fetched}`, `magbench board check DIR`, `magbench board rescore`"
