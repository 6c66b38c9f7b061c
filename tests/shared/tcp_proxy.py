"""A TCP proxy between a client and a server that can fail as networks do: cut a reply, delay it, or say nothing."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Proxy:
    """A proxy on a free port of this machine. Set its attributes at any time, also while connections are open.

    Attributes:
        port: the port to connect to.
        cut_after: how many bytes of replies still go through; then both sides of the connection are closed, and the
            proxy works normally again. None for no cut.
        split_after: how many bytes of the next reply go through at once; the rest follows after `delay` seconds. None to
            pass replies on as they come.
        delay: seconds to wait before each piece of a reply goes on.
        silent: whether replies are swallowed; the connections stay open.
        connections: how many connections were accepted.
        requests: the requests that went to the server, a piece each.
    """

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.cut_after: int | None = None
        self.split_after: int | None = None
        self.delay = 0.0
        self.silent = False
        self.connections = 0
        self.requests: list[bytes] = []
        self._open: list[socket.socket] = []
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def drop_connections(self) -> None:
        """Close the connections that are open, as a server does that restarts."""
        for one in self._open:
            _close(one)
        self._open.clear()

    def close(self) -> None:
        """Stop listening, and close every connection."""
        self._closed = True
        _close(self._listening)
        self.drop_connections()

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            try:
                server = socket.create_connection(self._server, timeout=5)
            except OSError:
                _close(client)
                continue
            server.settimeout(None)
            self._open += [client, server]
            for target, ends in (
                (self._requests, (client, server)),
                (self._replies, (server, client)),
            ):
                threading.Thread(target=target, args=ends, daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while piece := client.recv(65536):
                self.requests.append(piece)
                server.sendall(piece)
        _close(client)
        _close(server)

    def _replies(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while piece := server.recv(65536):
                if self.split_after is not None:
                    first, piece = piece[: self.split_after], piece[self.split_after :]
                    self.split_after = None
                    client.sendall(first)
                if self.delay:
                    time.sleep(self.delay)
                if self.silent:
                    continue
                if self.cut_after is not None and len(piece) > self.cut_after:
                    piece, self.cut_after = piece[: self.cut_after], None
                    client.sendall(piece)
                    break
                if self.cut_after is not None:
                    self.cut_after -= len(piece)
                client.sendall(piece)
        _close(client)
        _close(server)


def _close(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextmanager
def proxy(port: int, host: str = "127.0.0.1") -> Iterator[Proxy]:
    """Run a proxy before a server."""
    running = Proxy(host, port)
    try:
        yield running
    finally:
        running.close()


def free_port() -> int:
    """Return a port of this machine on which nothing listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextmanager
def deaf_port() -> Iterator[int]:
    """Yield a port that accepts no connection and refuses none: the queue of its listener is full."""
    with socket.socket() as listening, socket.socket() as first, socket.socket() as second:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for one in (first, second):
            one.setblocking(False)
            one.connect_ex(listening.getsockname())
        yield int(listening.getsockname()[1])
