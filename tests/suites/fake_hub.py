"""A hub on this machine: the part of its protocol that fetching a repository needs, over real HTTP."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

REPOSITORY = "xilluill/MAG"
FIRST, SECOND = "a" * 40, "b" * 40


@dataclass
class Hub:
    """What the hub holds, and what it was asked.

    Attributes:
        commits: commit -> path -> content.
        branches: name -> commit.
        small: files of which it keeps no sha256.
        broken: path -> how many more times its transfer stops half way.
        swapped: path -> other content of the same length, sent in its place.
        asked: every request: method, path and range.
    """

    commits: dict[str, dict[str, bytes]]
    kind: str = "dataset"
    branches: dict[str, str] = field(default_factory=lambda: {"main": FIRST})
    small: tuple[str, ...] = (".csv",)
    broken: dict[str, int] = field(default_factory=dict)
    swapped: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    url: str = ""

    @property
    def downloads(self) -> list[str]:
        """Last part of the path of every file that was sent, in order."""
        return [path.rpartition("/")[2] for method, path, _ in self.asked if method == "GET" and "/resolve/" in path]


@contextmanager
def serve(hub: Hub) -> Iterator[Hub]:
    """Serve until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.asked.append((self.command, path, self.headers.get("Range", "")))
            for answer, root in (
                (self.info, f"/api/{hub.kind}s/"),
                (self.file, {"dataset": "/datasets/"}.get(hub.kind, "/")),
            ):
                if path.startswith(f"{root}{REPOSITORY}/"):
                    verb, _, rest = path.removeprefix(f"{root}{REPOSITORY}/").partition("/")
                    revision, _, name = rest.partition("/")
                    commit = hub.branches.get(revision, revision)
                    if commit not in hub.commits:
                        return self.fail("RevisionNotFound")
                    return answer(verb, commit, name)
            return self.fail("RepoNotFound")

        def info(self, verb: str, commit: str, _: str) -> None:
            files = hub.commits[commit]
            if verb == "revision":
                return self.send(json.dumps({"id": REPOSITORY, "sha": commit, "siblings": []}).encode(), {})
            entries = [entry(path, content, hub.small) for path, content in files.items()]
            return self.send(json.dumps(entries).encode(), {})

        def file(self, _: str, commit: str, name: str) -> None:
            content = hub.commits[commit].get(name)
            if content is None:
                return self.fail("EntryNotFound")
            headers = {"X-Repo-Commit": commit, "ETag": f'"{git_hash(content)}"'}
            if not name.endswith(hub.small):
                headers |= {"X-Linked-Etag": f'"{sha256(content)}"', "X-Linked-Size": str(len(content))}
            return self.send(hub.swapped.get(name, content), headers, name)

        def send(self, content: bytes, headers: dict[str, str], name: str = "") -> None:
            start = int(self.headers.get("Range", "bytes=0-")[len("bytes=") :].partition("-")[0])
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            content = content[start:]
            for header, value in (headers | {"Content-Length": str(len(content))}).items():
                self.send_header(header, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            if hub.broken.get(name, 0):
                hub.broken[name] -= 1
                self.wfile.write(content[: len(content) // 2])
                self.close_connection = True
            else:
                self.wfile.write(content)

        def fail(self, code: str) -> None:
            self.send_response(404)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def entry(path: str, content: bytes, small: tuple[str, ...]) -> dict[str, object]:
    """A line of the tree listing."""
    found: dict[str, object] = {"type": "file", "path": path, "size": len(content), "oid": git_hash(content)}
    if not path.endswith(small):
        found["lfs"] = {"oid": sha256(content), "size": len(content), "pointerSize": 130}
    return found


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def git_hash(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
