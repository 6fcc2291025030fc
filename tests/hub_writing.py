"""The hub of the tests, where users with a token create repositories, upload, commit and offer pull requests."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.hub_server import LARGE, Handler, HubServer, Repository, commit_of, git_hash, listening, sha256

WRITING = re.compile(
    r"/api/(?P<kind>models|datasets|spaces)/(?P<name>[^/]+/[^/]+)/(?P<verb>preupload|commit)/(?P<revision>[^/]+)"
)
PULLS = re.compile(r"/api/(?P<kind>models|datasets|spaces)/(?P<name>[^/]+/[^/]+)/discussions")
BATCH = re.compile(r"(/(?P<kind>datasets|spaces))?/(?P<name>[^/]+/[^/]+)\.git/info/lfs/objects/batch")
STORED = re.compile(r"/stored/(?P<oid>[0-9a-f]{64})")


@dataclass
class Pull:
    """A pull request."""

    repository: str
    kind: str
    number: int
    title: str
    author: str
    status: str = "open"


@dataclass
class WritableHub(HubServer):
    """A hub that can be written to.

    Attributes:
        users: token -> name of the user.
        members: owner of repositories -> who may write to them, beside the owner.
        store: sha256 -> content of large files that were uploaded.
        sent: sha256 of each large file that arrived, in order.
        room: how many more large files the store takes; None: any number.
        ignored: names of files that are left out, as by a .gitignore.
        pulls: pull requests, in order.
        commits: (kind, repository, branch, summary) of every commit.
        before_commit: called before a commit is looked at, for what others do meanwhile.
    """

    users: dict[str, str] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)
    store: dict[str, bytes] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    room: int | None = None
    ignored: set[str] = field(default_factory=set)
    pulls: list[Pull] = field(default_factory=list)
    commits: list[tuple[str, str, str, str]] = field(default_factory=list)
    before_commit: Any = None

    def may_write(self, user: str, name: str) -> bool:
        """Whether a user may write to a repository, or create it."""
        owner = name.partition("/")[0]
        return user == owner or user in self.members.get(owner, ())

    def merge(self, pull: Pull) -> None:
        """Do what a maintainer does with a pull request."""
        found = self.find(pull.kind, pull.repository)
        assert found is not None
        found.past[found.commit] = dict(found.files)
        found.files |= found.branches[f"refs/pr/{pull.number}"]
        pull.status = "merged"


@contextmanager
def serve_writable(repositories: dict[str, Repository], users: dict[str, str]) -> Iterator[WritableHub]:
    """The hub, until the block ends."""
    hub = WritableHub(repositories, users=users)
    with listening(hub, _WritingHandler):
        yield hub


class _WritingHandler(Handler):
    hub: WritableHub

    def do_GET(self) -> None:
        address = urlsplit(self.path).path
        if address == "/api/whoami-v2":
            return self._json({"name": self._user}) if self._user else self._refuse(401, "Invalid username or password")
        if words := PULLS.fullmatch(address):
            return self._pulls(words["kind"], words["name"])
        return super().do_GET()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        address = urlsplit(self.path).path
        self.hub.requests.append((unquote(address), ""))
        if not self._user:
            return self._refuse(401, "Invalid username or password")
        if address == "/api/validate-yaml":
            return self._json({"errors": [], "warnings": []})
        if address == "/api/repos/create":
            return self._create(json.loads(body))
        if words := BATCH.fullmatch(address):
            return self._batch(json.loads(body))
        words = WRITING.fullmatch(address)
        found = self.hub.find(words["kind"], words["name"]) if words else None
        if words is None or found is None:
            return self._refuse(404, "Repository not found", "RepoNotFound")
        revision = unquote(words["revision"])
        offer = "create_pr" in parse_qs(urlsplit(self.path).query)
        if found.at(revision) is None:
            return self._refuse(404, "Revision not found", "RevisionNotFound")
        own = any(
            (pull.kind, pull.repository, f"refs/pr/{pull.number}", pull.author)
            == (words["kind"], words["name"], revision, self._user)
            for pull in self.hub.pulls
        )
        if not (offer or own or self.hub.may_write(self._user, words["name"])):
            return self._refuse(403, "you do not have the required permissions to write here")
        if words["verb"] == "preupload":
            return self._preupload(found, revision, json.loads(body))
        lines = [json.loads(line) for line in body.splitlines()]
        return self._commit(found, words["kind"], words["name"], revision, lines, offer)

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        words = STORED.fullmatch(urlsplit(self.path).path)
        if words is None or sha256(data) != words["oid"]:
            return self._refuse(400, "not what was announced")
        if self.hub.room is not None:
            if self.hub.room == 0:
                return self._refuse(400, "the store takes no more")
            self.hub.room -= 1
        self.hub.store[words["oid"]] = data
        self.hub.sent.append(words["oid"])
        return self.send(200, b"", {})

    @property
    def _user(self) -> str:
        return self.hub.users.get(self.headers.get("Authorization", "").removeprefix("Bearer "), "")

    def _json(self, answer: Any, status: int = 200) -> None:
        self.send(status, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def _refuse(self, status: int, why: str, code: str = "") -> None:
        headers = {"Content-Type": "application/json", **({"X-Error-Code": code} if code else {})}
        self.send(status, json.dumps({"error": why}).encode(), headers)

    def _create(self, wanted: dict[str, Any]) -> None:
        kind = f"{wanted.get('type', 'model')}s"
        name = f"{wanted['organization'] or self._user}/{wanted['name']}"
        url = f"{self.hub.address}/{'' if kind == 'models' else kind + '/'}{name}"
        if not self.hub.may_write(self._user, name):
            return self._refuse(403, f"You don't have the rights to create a {kind[:-1]} under {name}")
        if self.hub.find(kind, name):
            return self._json({"error": "You already created this repo", "url": url}, 409)
        files = {".gitattributes": b"*.parquet filter=lfs\n"}
        if kind == "spaces":
            files |= {"README.md": b"---\nsdk: static\n---\n", "index.html": b"Welcome", "style.css": b"body {}"}
        self.hub.repositories[f"{kind}/{name}"] = Repository(files, kind=kind)
        return self._json({"url": url, "name": name})

    def _pulls(self, kind: str, name: str) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        found = [
            {
                "title": pull.title,
                "num": pull.number,
                "author": {"name": pull.author},
                "createdAt": "2026-01-31T00:00:00.000Z",
                "status": pull.status,
                "repo": {"name": name, "type": kind[:-1]},
                "isPullRequest": True,
            }
            for pull in self.hub.pulls
            if (pull.kind, pull.repository) == (kind, name) and pull.author == asked.get("author", [pull.author])[0]
        ]
        self._json({"count": len(found), "start": 0, "discussions": found})

    def _preupload(self, found: Repository, revision: str, asked: dict[str, Any]) -> None:
        files = found.at(revision) or {}
        answers = []
        for file in asked["files"]:
            data, large = files.get(file["path"]), file["size"] >= LARGE
            oid = None if data is None else sha256(data) if len(data) >= LARGE else git_hash(data)
            mode = "lfs" if large else "regular"
            ignored = file["path"].rpartition("/")[2] in self.hub.ignored
            answers.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": ignored, "oid": oid})
        self._json({"files": answers})

    def _batch(self, asked: dict[str, Any]) -> None:
        objects = []
        for wanted in asked["objects"]:
            answer = {"oid": wanted["oid"], "size": wanted["size"]}
            if wanted["oid"] not in self.hub.store:
                answer["actions"] = {"upload": {"href": f"{self.hub.address}/stored/{wanted['oid']}", "header": {}}}
            objects.append(answer)
        self._json({"transfer": "basic", "objects": objects})

    def _commit(
        self, found: Repository, kind: str, name: str, revision: str, lines: list[dict[str, Any]], offer: bool
    ) -> None:
        if self.hub.before_commit is not None:
            self.hub.before_commit()
        header = next(line["value"] for line in lines if line["key"] == "header")
        files = dict(found.at(revision) or {})
        parent = header.get("parentCommit")
        if parent and not offer and parent != commit_of(files):
            return self._refuse(412, "A commit has happened since. Please refresh and try again.")
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = b64decode(value["content"])
            elif line["key"] == "lfsFile":
                if value["oid"] not in self.hub.store:
                    return self._refuse(400, f"{value['path']} was not uploaded")
                files[value["path"]] = self.hub.store[value["oid"]]
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        page = f"{self.hub.address}/{'' if kind == 'models' else kind + '/'}{name}"
        answer = {"commitOid": commit_of(files), "commitUrl": f"{page}/commit/{commit_of(files)}"}
        if offer:
            number = sum((pull.kind, pull.repository) == (kind, name) for pull in self.hub.pulls) + 1
            self.hub.pulls.append(Pull(name, kind, number, header["summary"], self._user))
            revision = f"refs/pr/{number}"
            answer["pullRequestUrl"] = f"{page}/discussions/{number}"
        found.past[commit_of(files)] = dict(files)
        if revision == "main":
            found.past[found.commit] = dict(found.files)
            found.files = files
        else:
            found.branches[revision] = files
        self.hub.commits.append((kind, name, revision, header["summary"]))
        self._json(answer)
