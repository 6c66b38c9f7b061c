"""Servers that fail: a port where nobody replies, and a proxy that cuts or holds back a reply."""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress

__all__ = ["Proxy", "refusing_address", "run_proxy", "silent_address"]

_LOOPBACK = "127.0.0.1"


@contextmanager
def refusing_address() -> Generator[tuple[str, int], None, None]:
    """Yield an address that refuses connections. It is bound, so that no other server gets it."""
    with socket.socket() as bound:
        bound.bind((_LOOPBACK, 0))
        yield _LOOPBACK, bound.getsockname()[1]


@contextmanager
def silent_address() -> Generator[tuple[str, int], None, None]:
    """Yield an address that accepts connections but never replies."""
    with socket.create_server((_LOOPBACK, 0)) as listener:
        yield _LOOPBACK, listener.getsockname()[1]


@contextmanager
def run_proxy(server: tuple[str, int]) -> Generator[Proxy, None, None]:
    """Yield a proxy before a server."""
    proxy = Proxy(server)
    try:
        yield proxy
    finally:
        proxy.close()


class Proxy:
    """A TCP proxy. `cut` and `hold` apply only to the next reply."""

    def __init__(self, server: tuple[str, int]) -> None:
        """Listen on a free port."""
        self._server = server
        self._listener = socket.create_server((_LOOPBACK, 0))
        self.address: tuple[str, int] = (_LOOPBACK, self._listener.getsockname()[1])
        self._sockets: list[socket.socket] = []
        self._released = threading.Event()
        self._next: str | None = None
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def cut(self) -> None:
        """Pass on one byte of the next reply, then close its connection."""
        self._next = "cut"

    def hold(self) -> None:
        """Pass on one byte of the next reply, and the rest only after `release`."""
        self._released.clear()
        self._next = "hold"

    def release(self) -> None:
        """Pass on what was held back."""
        self._released.set()

    def close(self) -> None:
        """Close every connection, and wait for the threads."""
        self._released.set()
        with suppress(OSError):  # a listener that waits wakes up on Linux; elsewhere by `close`
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._sockets:
            _end(one)
        for thread in self._threads:
            thread.join(5)
        for one in self._sockets:
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                server = socket.create_connection(self._server)
                self._sockets.append(server)
                for pump in (self._send, self._reply):
                    thread = threading.Thread(target=pump, args=(client, server), daemon=True)
                    self._threads.append(thread)
                    thread.start()

    def _send(self, client: socket.socket, server: socket.socket) -> None:
        with ExitStack() as ends:
            ends.callback(_end, server)
            ends.enter_context(suppress(OSError))
            while data := client.recv(65_536):
                server.sendall(data)

    def _reply(self, client: socket.socket, server: socket.socket) -> None:
        with ExitStack() as ends:
            ends.callback(_end, server)
            ends.callback(_end, client)
            ends.enter_context(suppress(OSError))
            while data := server.recv(65_536):
                fault, self._next = self._next, None
                if fault is not None:
                    client.sendall(data[:1])
                    if fault == "cut":
                        return
                    self._released.wait(10)
                    data = data[1:]
                client.sendall(data)


def _end(one: socket.socket) -> None:
    with suppress(OSError):  # ended by the other side
        one.shutdown(socket.SHUT_RDWR)
