"""Serve the demo with wsgiref, which every Python has, or with uvicorn."""

from __future__ import annotations

import importlib
import socket
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from ..._exchange.request import is_loopback
from ...backends import AnyBackend
from .errors import DemoError
from .gateways import asgi_app, wsgi_app
from .site import Site

__all__ = ["running", "serve"]

Say = Callable[[str], None]


def serve(
    host: str, port: int, *, asgi: bool, say: Say, warn: Say, backend: AnyBackend | None = None
) -> None:
    """Serve the demo until it is interrupted.

    Args:
        host: the address to listen on.
        port: the port to listen on; 0 takes a free one.
        asgi: serve with uvicorn instead of wsgiref.
        say: prints a line.
        warn: prints a warning.
        backend: where the sessions are kept; None for cookies.

    Raises:
        DemoError: the address cannot be listened on, or uvicorn is not installed.
    """
    if not is_loopback(f"[{host}]" if ":" in host else host):
        warn(
            f"warning: the demo listens on {host}, and anybody who can reach it can use it, over plain http"
        )
    site = Site(host, backend=backend)
    sock = _listen(host, port)
    try:
        run, _ = _make_server(site, sock, asgi=asgi)
        say(
            f"The sessionkit demo is at {_format_url(sock)} ({'uvicorn' if asgi else 'wsgiref'}; Ctrl+C stops it)"
        )
        run()
    finally:
        sock.close()


@contextmanager
def running(site: Site, *, asgi: bool) -> Generator[str, None, None]:
    """Serve the demo on a free port of this machine during a `with` block, which is given the address.

    Raises:
        DemoError: uvicorn is not installed.
    """
    sock = _listen("127.0.0.1", 0)
    try:
        run, stop = _make_server(site, sock, asgi=asgi)
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield _format_url(sock)
        finally:
            stop()
            thread.join()
    finally:
        sock.close()


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens. A client that connects before the server runs waits in its queue."""
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=128
        )
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise DemoError(
            f"cannot listen on {host} port {port}: {reason or 'not an address'}. Give another --host or --port"
        ) from None


def _format_url(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _make_server(
    site: Site, sock: socket.socket, *, asgi: bool
) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return two functions: the first runs a server until it is stopped, the second stops it."""
    return _make_uvicorn(site, sock) if asgi else _make_wsgiref(site, sock)


def _make_wsgiref(site: Site, sock: socket.socket) -> tuple[Callable[[], None], Callable[[], None]]:
    server = _Server(sock)
    server.set_app(wsgi_app(site))

    def stop() -> None:
        server.shutdown()
        server.server_close()

    # The server looks every 0.05 s whether to stop. By default a stop takes half a second.
    return lambda: server.serve_forever(0.05), stop


def _make_uvicorn(site: Site, sock: socket.socket) -> tuple[Callable[[], None], Callable[[], None]]:
    try:
        uvicorn: Any = importlib.import_module("uvicorn")
    except ImportError:
        raise DemoError("--asgi needs uvicorn: pip install uvicorn") from None
    server = uvicorn.Server(
        uvicorn.Config(asgi_app(site), lifespan="off", log_level="warning", access_log=False)
    )

    def stop() -> None:
        server.should_exit = True

    return lambda: server.run(sockets=[sock]), stop


class _Handler(WSGIRequestHandler):
    timeout = 30  # seconds: a silent connection must not hold a thread

    def get_environ(self) -> Any:
        """Return the environ with every Content-Length that came: wsgiref takes the first of several."""
        lengths: list[str] = self.headers.get_all("Content-Length", [])
        return {**super().get_environ(), "CONTENT_LENGTH": ", ".join(lengths)}

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the page shows what happens."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def __init__(self, sock: socket.socket) -> None:
        # The socket is bound already, and `server_bind` of http.server would ask the DNS for our name.
        TCPServer.__init__(self, sock.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = sock
        self.server_name, self.server_port = sock.getsockname()[:2]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report every error except a broken connection."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)
