"""Writing to a repository on the hub: commits that are whole or not there, on its main branch or as a pull request.

Each commit names its parent, so that nothing is written over what somebody else has changed meanwhile. What is there
already is not sent again, so that the same command goes on after it broke off. huggingface-hub does the sending.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from magbench.core.errors import MagbenchError
from magbench.hub.client import KINDS, REPOSITORY, Kind, Listing, Repository, connected
from magbench.hub.download import difference

if TYPE_CHECKING:
    from huggingface_hub import HfApi

OPEN = ("open", "draft")
CONFLICT = "somebody else changed it meanwhile; run the same command again"


@dataclass(frozen=True)
class Change:
    """One commit. ``title``: its first line; ``files``: path in the repository -> file here; ``removed``: paths."""

    title: str
    files: Mapping[str, Path]
    removed: Sequence[str] = ()


@dataclass
class Branch:
    """Where commits go: the main branch, or the user's pull request.

    Attributes:
        name: owner/name of the repository.
        kind: model, dataset or space.
        pull: title of the pull request, "" for the main branch.
        revision: main, or refs/pr/N once there is a pull request.
        listing: its files when it was opened.
        head: its newest commit.
        sent: path in the repository -> file here, of all that was committed.
        removed: paths that were removed.
    """

    name: str
    kind: Kind
    pull: str
    revision: str
    listing: Listing
    client: HfApi = field(repr=False)
    head: str = ""
    sent: dict[str, Path] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.head = self.listing.revision
        self._there = {file.path: file for file in self.listing.files}

    @property
    def changed(self) -> int:
        """How many files were added, changed or removed."""
        return len(self.sent) + len(self.removed)

    @property
    def address(self) -> str:
        """Page of the pull request or, without one, of the repository."""
        prefix = "" if self.kind == "model" else f"{self.kind}s/"
        number = self.revision.removeprefix("refs/pr/") if self.revision.startswith("refs/pr/") else ""
        return f"{self.client.endpoint}/{prefix}{self.name}" + (f"/discussions/{number}" if number else "")

    def commit(self, change: Change) -> None:
        """Commit what differs from what was there; nothing differs, and nothing is done.

        Raises:
            MagbenchError: not allowed, changed by somebody else meanwhile, or broken off.
        """
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        files = {path: file for path, file in change.files.items() if self._differs(path, file)}
        removed = [path for path in change.removed if path in self._there]
        if not files and not removed:
            return
        offered = bool(self.pull) and self.revision == "main"
        operations: list[CommitOperationAdd | CommitOperationDelete] = [
            *(CommitOperationAdd(path, file) for path, file in sorted(files.items())),
            *(CommitOperationDelete(path) for path in removed),
        ]
        with _plainly(self.client, self.name, self.kind, self.pull):
            done = self.client.create_commit(
                self.name,
                operations,
                commit_message=self.pull if offered else change.title,
                repo_type=self.kind,
                revision=self.revision,
                create_pr=offered,
                parent_commit=self.head,
            )
        self.revision, self.head = done.pr_revision or self.revision, done.oid
        self.sent |= files
        self.removed += removed

    def check(self) -> None:
        """Look whether everything arrived.

        Raises:
            MagbenchError: a file is not on the hub as it is here.
        """
        if self.sent:
            self.listing = Repository(self.name, self.head, (self.kind,)).listing()
            self._there = {file.path: file for file in self.listing.files}
        for path, file in self.sent.items():
            if self._differs(path, file):
                raise MagbenchError(f"{self.name}: {path} is not on the hub as it is here; see {self.address}")

    def _differs(self, path: str, file: Path) -> bool:
        return path not in self._there or difference(file, self._there[path]) is not None


def open_branch(name: str, kind: Kind, pull: str = "") -> Branch:
    """The main branch of a repository, which is created where it is missing; or the user's pull request to it.

    Args:
        pull: title of the pull request; an open one of this title is gone on with, else the first commit opens it.

    Raises:
        MagbenchError: no token, no permission, no such repository.
    """
    if not REPOSITORY.fullmatch(name):
        raise MagbenchError(f"'{name[:100]}' is not the name of a repository, as ORG/NAME is")
    client = connected()
    with _plainly(client, name, kind, pull):
        user = client.whoami()["name"]
        if not pull:
            client.create_repo(name, repo_type=kind, exist_ok=True, space_sdk="static" if kind == "space" else None)
    revision = "main"
    if pull:
        with _plainly(client, name, kind, pull):
            mine = client.get_repo_discussions(
                name, repo_type=kind, author=user, discussion_type="pull_request", discussion_status="open"
            )
            numbers = [one.num for one in mine if one.title == pull and one.status in OPEN and one.author == user]
        revision = f"refs/pr/{max(numbers)}" if numbers else "main"
    return Branch(name, kind, pull, revision, Repository(name, revision, (kind,)).listing(), client)


@contextmanager
def _plainly(client: HfApi, name: str, kind: Kind, pull: str) -> Iterator[None]:
    """Whatever the hub answers, in one line that says what to do."""
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError, RepositoryNotFoundError

    try:
        yield
    except LocalTokenNotFoundError as error:
        raise MagbenchError(f"{client.endpoint}: no token; log in with `hf auth login`, or set HF_TOKEN") from error
    except RepositoryNotFoundError as error:
        raise MagbenchError(f"{client.endpoint}: has no {KINDS[kind]} {name}, or does not show it to you") from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        why = {
            401: "the token is not valid; log in with `hf auth login`",
            403: f"your token may not {'offer anything' if pull else 'write'} there{'' if pull else '; see --pr'}",
            409: CONFLICT,
            412: CONFLICT,
        }.get(status, f"{status} {error.server_message or error.response.reason_phrase}")
        raise MagbenchError(f"{client.endpoint}: {KINDS[kind]} {name}: {' '.join(why.split())[:300]}") from error
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise MagbenchError(f"{client.endpoint}: {name}: {reason} The same command goes on from there.") from error
