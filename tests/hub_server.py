"""A hub on this machine, for tests: repositories in memory, served with the public hub's addresses and headers."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

LARGE = 1000
"""Files of so many bytes have a sha256 in the listing, and are sent from another address, as the hub's are."""


@dataclass
class Repository:
    """Files of one commit. ``kind``: models or datasets."""

    files: dict[str, bytes]
    licence: str = ""
    kind: str = "models"

    @property
    def commit(self) -> str:
        digest = hashlib.sha1()
        for path, data in sorted(self.files.items()):
            digest.update(path.encode() + data)
        return digest.hexdigest()

    def listing(self, name: str) -> dict[str, Any]:
        entries = []
        for path, data in self.files.items():
            entry: dict[str, Any] = {"rfilename": path, "size": len(data), "blobId": git_hash(data)}
            if len(data) >= LARGE:
                entry["lfs"] = {"sha256": sha256(data), "size": len(data), "pointerSize": 134}
            entries.append(entry)
        card = {"license": self.licence} if self.licence else None
        return {"id": name, "sha": self.commit, "siblings": entries, "cardData": card}


@dataclass
class HubServer:
    """What is served and what was asked.

    Attributes:
        repositories: owner/name -> files; may be changed while it runs.
        cuts: bytes after which each of the next answers with a file breaks off.
        spoiled: paths whose bytes arrive changed.
        ranges: whether a part of a file can be asked for.
        asked: (path, first byte) of every file that was asked for.
    """

    address: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    spoiled: set[str] = field(default_factory=set)
    ranges: bool = True
    asked: list[tuple[str, int]] = field(default_factory=list)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def git_hash(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@contextmanager
def serve(repositories: dict[str, Repository]) -> Iterator[HubServer]:
    """The hub, until the block ends; give its ``address`` to the client as HF_ENDPOINT."""
    hub = HubServer(repositories=repositories)
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _answer(self, body: bool) -> None:
        words = [unquote(word) for word in urlsplit(self.path).path.split("/") if word]
        sent = words[0] == "sent"
        words = words[1:] if sent else words
        if words[0] == "api":
            kind, owner, name, rest = words[1], words[2], words[3], words[4:]
            found = self._repository(f"{owner}/{name}", kind, rest[1] if len(rest) == 2 else "main")
            if found is not None:
                self._send(200, json.dumps(found.listing(f"{owner}/{name}")).encode(), {}, body)
            return
        kind = "datasets" if words[0] == "datasets" else "models"
        words = words[1:] if kind == "datasets" else words
        found = self._repository("/".join(words[:2]), kind, words[3])
        if found is None:
            return
        path = "/".join(words[4:])
        if path not in found.files:
            self._send(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": found.commit}, body)
            return
        data = found.files[path]
        large = len(data) >= LARGE
        headers = {"X-Repo-Commit": found.commit, "ETag": f'"{sha256(data) if large else git_hash(data)}"'}
        if large and not sent:
            headers |= {"X-Linked-Etag": f'"{sha256(data)}"', "X-Linked-Size": str(len(data))}
            self._send(302, b"", headers | {"Location": f"{self.hub.address}/sent{self.path}"}, body)
            return
        self._file(path, data, headers, body)

    def _file(self, path: str, data: bytes, headers: dict[str, str], body: bool) -> None:
        wanted = self.headers.get("Range", "") if self.hub.ranges else ""
        first = int(wanted.removeprefix("bytes=").partition("-")[0]) if wanted else 0
        if body:
            self.hub.asked.append((path, first))
        if path in self.hub.spoiled:
            data = bytes([data[0] ^ 1]) + data[1:]
        headers = {**headers, "Accept-Ranges": "bytes"}
        if wanted:
            headers["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
        self._send(206 if wanted else 200, data[first:], headers, body, self.hub.cuts.pop(0) if self.hub.cuts else None)

    def _repository(self, name: str, kind: str, revision: str) -> Repository | None:
        found = self.hub.repositories.get(name)
        if found is None or found.kind != kind:
            self._send(404, b"", {"X-Error-Code": "RepoNotFound"}, True)
            return None
        if revision not in ("main", found.commit):
            self._send(404, b"", {"X-Error-Code": "RevisionNotFound"}, True)
            return None
        return found

    def _send(self, status: int, data: bytes, headers: dict[str, str], body: bool, cut: int | None = None) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data[:cut])
            if cut is not None:
                self.close_connection = True
