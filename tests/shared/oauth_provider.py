"""An OAuth 2 provider on a loopback port, for clients that keep their state in the session (Authlib).

It is for the adapters' tests, which must not need Node. `tests/openid` signs in through a real OpenID provider.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Provider(BaseHTTPRequestHandler):
    """Any code is good, and is the name of the user."""

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        body = json.dumps({"access_token": form["code"][0], "token_type": "Bearer"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None: ...


@contextmanager
def registered(oauth: Any, *names: str) -> Iterator[None]:
    """Serve a provider, and register it with Authlib's client under these names."""
    provider = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=provider.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{provider.server_port}"
    for name in names:
        oauth.register(
            name,
            client_id="client",
            client_secret="secret",
            authorize_url=f"{url}/authorize",
            access_token_url=f"{url}/token",
        )
    try:
        yield
    finally:
        provider.shutdown()
        thread.join()
        provider.server_close()


def state_of(location: str) -> str:
    """Return the state in the address to which a sign-in redirects."""
    return parse_qs(urlsplit(location).query)["state"][0]
