"""A hub on this machine, for tests: repositories in memory, served with the public hub's addresses and headers."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

LARGE = 1000
"""Files of so many bytes have a sha256 in the listing, and are sent from another address, as the hub's are."""

LISTING = re.compile(
    r"/api/(?P<kind>models|datasets|spaces)/(?P<name>[^/]+/[^/]+)(/(?P<verb>revision|tree)/(?P<revision>[^/]+))?"
)
FILE = re.compile(
    r"(?P<sent>/sent)?(/(?P<kind>datasets|spaces))?/(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)"
)


@dataclass
class Repository:
    """Files of its branches; a commit is named by what it holds.

    Attributes:
        files: path -> content, on the branch main.
        licence: as its card has it.
        kind: models, datasets or spaces.
        branches: other branch or refs/pr/N -> its files.
        past: commit -> its files, of commits that are no longer a branch's newest.
    """

    files: dict[str, bytes]
    licence: str = ""
    kind: str = "models"
    branches: dict[str, dict[str, bytes]] = field(default_factory=dict)
    past: dict[str, dict[str, bytes]] = field(default_factory=dict)

    @property
    def commit(self) -> str:
        """The commit of main."""
        return commit_of(self.files)

    def at(self, revision: str) -> dict[str, bytes] | None:
        """Files of a branch or commit, None if there is no such."""
        branches = {**self.branches, "main": self.files}
        return (branches | self.past | {commit_of(files): files for files in branches.values()}).get(revision)


@dataclass
class HubServer:
    """What is served and what was asked.

    Attributes:
        repositories: owner/name -> repository, or kind/owner/name where two kinds share a name; may be changed while
            it runs.
        cuts: path -> bytes after which each of the next answers with that file breaks off.
        spoiled: paths whose bytes arrive changed.
        ranges: whether a part of a file can be asked for.
        requests: (path, range) of every request.
        asked: (path, first byte) of every file that was asked for.
    """

    repositories: dict[str, Repository]
    address: str = ""
    cuts: dict[str, list[int]] = field(default_factory=dict)
    spoiled: set[str] = field(default_factory=set)
    ranges: bool = True
    requests: list[tuple[str, str]] = field(default_factory=list)
    asked: list[tuple[str, int]] = field(default_factory=list)

    def find(self, kind: str, name: str) -> Repository | None:
        """The repository of a kind and name."""
        found = self.repositories.get(f"{kind}/{name}") or self.repositories.get(name)
        return found if found is not None and found.kind == kind else None


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def git_hash(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def commit_of(files: dict[str, bytes]) -> str:
    digest = hashlib.sha1()
    for path, data in sorted(files.items()):
        digest.update(path.encode() + data)
    return digest.hexdigest()


@contextmanager
def serve(repositories: dict[str, Repository]) -> Iterator[HubServer]:
    """The hub, until the block ends; give its ``address`` to the client as HF_ENDPOINT."""
    hub = HubServer(repositories)
    with listening(hub, Handler):
        yield hub


@contextmanager
def listening(hub: HubServer, base: type[Handler]) -> Iterator[None]:
    """A handler of requests answers for the hub, until the block ends."""
    handler = type("Handler", (base,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Handler(BaseHTTPRequestHandler):
    """Answers what only reads."""

    protocol_version = "HTTP/1.1"
    hub: HubServer

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        address = urlsplit(self.path).path
        self.hub.requests.append((unquote(address), self.headers.get("Range", "")))
        words = LISTING.fullmatch(address) or FILE.fullmatch(address)
        found = self.hub.find(words["kind"] or "models", words["name"]) if words else None
        if words is None or found is None:
            return self.send(404, b"", {"X-Error-Code": "RepoNotFound"})
        files = found.at(unquote(words["revision"] or "main"))
        if files is None:
            return self.send(404, b"", {"X-Error-Code": "RevisionNotFound"})
        if words.re is FILE:
            return self._file(unquote(words["path"]), files, bool(words["sent"]))
        answer = _tree(files) if words["verb"] == "tree" else _info(words["name"], files, found.licence)
        return self.send(200, json.dumps(answer).encode(), {})

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _file(self, path: str, files: dict[str, bytes], sent: bool) -> None:
        headers = {"X-Repo-Commit": commit_of(files)}
        if path not in files:
            return self.send(404, b"", headers | {"X-Error-Code": "EntryNotFound"})
        data = files[path]
        large = len(data) >= LARGE
        headers["ETag"] = f'"{sha256(data) if large else git_hash(data)}"'
        if large and not sent:
            headers |= {"X-Linked-Etag": f'"{sha256(data)}"', "X-Linked-Size": str(len(data))}
            return self.send(302, b"", headers | {"Location": f"{self.hub.address}/sent{self.path}"})
        if path in self.hub.spoiled:
            data = bytes([data[0] ^ 1]) + data[1:]
        wanted = self.headers.get("Range", "") if self.hub.ranges else ""
        first = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        if wanted:
            headers["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
        cut = None
        if self.command == "GET":
            self.hub.asked.append((path, first))
            cut = self.hub.cuts[path].pop(0) if self.hub.cuts.get(path) else None
        return self.send(206 if wanted else 200, data[first:], headers, cut)

    def send(self, status: int, data: bytes, headers: dict[str, str], cut: int | None = None) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[:cut])
        if cut is not None:
            self.close_connection = True


def _info(name: str, files: dict[str, bytes], licence: str) -> dict[str, Any]:
    """A repository at one commit, with its files."""
    siblings = [
        {"rfilename": path, "size": len(data), "blobId": git_hash(data), **_large("sha256", data)}
        for path, data in files.items()
    ]
    card = {"license": licence} if licence else None
    return {"id": name, "sha": commit_of(files), "siblings": siblings, "cardData": card}


def _tree(files: dict[str, bytes]) -> list[dict[str, Any]]:
    """The files alone, in other words."""
    return [
        {"type": "file", "path": path, "size": len(data), "oid": git_hash(data), **_large("oid", data)}
        for path, data in files.items()
    ]


def _large(key: str, data: bytes) -> dict[str, Any]:
    return {"lfs": {key: sha256(data), "size": len(data), "pointerSize": 134}} if len(data) >= LARGE else {}
