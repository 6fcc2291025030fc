"""What is sent with a download, and to whom."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from magbench.core.progress import Quiet
from magbench.hub.download import RemoteFile, download

CONTENT = b"weights"


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, dict[str, str | None]]]:
    """A hub that sends to a store; who was given which token."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    tokens: dict[str, str | None] = {}

    class Store(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            tokens["store"] = self.headers.get("Authorization")
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Hub(Store):
        def do_GET(self) -> None:
            tokens["hub"] = self.headers.get("Authorization")
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{store.server_address[1]}/blob")
            self.end_headers()

    hub, store = (ThreadingHTTPServer(("127.0.0.1", 0), handler) for handler in (Hub, Store))
    for server in (hub, store):
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{hub.server_address[1]}/file", tokens
    for server in (hub, store):
        server.shutdown()
        server.server_close()


def test_the_users_token_goes_to_the_hub_and_not_to_where_it_sends(
    servers: tuple[str, dict[str, str | None]], tmp_path: Path
) -> None:
    address, tokens = servers
    file = RemoteFile("a.bin", len(CONTENT))
    download(address, file, tmp_path / "a.bin", {"Authorization": "Bearer secret"}, Quiet(), "")
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert tokens == {"hub": "Bearer secret", "store": None}
