"""What every contract app is made with: the clock, the store, the file it serves; and how an app describes itself."""

from __future__ import annotations

import mmap
import os
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sessionkit import Event, Lifetime, SessionStore

from . import script
from .backends import FOLDER, SESSIONS, AwaitedBackend, make_backend

START = 1_800_000_000
"""Seconds since the epoch at which a test begins, unless it says otherwise."""

SECRET = "contract suite: 0123456789abcdefghijklmnopqrstuvwxyz"
CLOCK = "clock"
"""The file of the shared folder that holds the time."""

LOGIN_URL, LOGOUT_URL = "/auth/login", "/auth/logout"
FILE = Path(__file__).with_name("README.md")
"""What `/file` serves."""

FEATURES = {
    "framework": "a session object of the framework's own",
    "raw": "an environ or scope under the request object",
    "sync": "handlers that are plain functions",
    "async": "handlers that are coroutine functions",
    "websocket": "websockets",
    "background": "work after the response",
    "file": "a response that sends a file",
    "handled": "handlers of exceptions",
    "unkept": "handlers that answer if the session cannot be kept",
    "guards": "require_session_api and require_session_page",
    "dropped": "keys that do not cross a login",
    "page": "pages about it whose examples run here",
}
"""What an app may lack, if it says so by name and reason."""


@dataclass(frozen=True, kw_only=True)
class App:
    """An app of the contract suite.

    Args:
        serve: serves on a listening socket, until the process ends.
        gaps: features that the framework lacks, with the reason.
        unprobed: gaps of which it cannot be said that the feature is never there.
        dropped: a key of the framework's own session object that must not cross a login.
        versions: the distributions whose versions the suite prints.
        pages: paths from the root of the repository: the how-to page and the adapter's README.
    """

    serve: Callable[[socket.socket], None]
    gaps: Mapping[str, str] = field(default_factory=dict)
    unprobed: tuple[str, ...] = ()
    dropped: str | None = None
    versions: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        unknown = set(self.gaps) - set(FEATURES)
        assert not unknown, f"no such features: {unknown}"


class SharedClock:
    """Seconds since the epoch, set by the suite and read by the app in another process."""

    def __init__(self, path: str | Path) -> None:
        with Path(path).open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), 8)

    def __call__(self) -> float:
        return struct.unpack("d", self._shared[:8])[0]

    def set(self, now: float) -> None:
        self._shared[:8] = struct.pack("d", now)


def make_store(*, awaits: bool = False, **settings: Any) -> SessionStore:
    """The store of a contract app: everything is at its default but the clock, and where the suite keeps sessions.

    Args:
        awaits: whether the app's gateway awaits, so that a backend in memory is an awaited one.
        **settings: of `SessionStore`.
    """

    def on_event(event: Event) -> None:
        script.events.append(event.kind.name)

    clock = SharedClock(Path(os.environ[FOLDER]) / CLOCK)
    lifetimes = {script.REMEMBERED: Lifetime(idle=2_592_000, absolute=7_776_000)}
    settings = {"clock": clock, "on_event": on_event, "lifetimes": lifetimes, **settings}
    backend = make_backend(clock)
    script.beside = SessionStore(SECRET, **settings, backend=backend)
    if awaits and os.environ[SESSIONS] == "memory":
        backend = AwaitedBackend(backend)
    script.store = SessionStore(SECRET, **settings, backend=backend)
    return script.store


def serve_wsgi(app: Any, listening: socket.socket) -> None:
    """Serve with waitress."""
    import waitress

    waitress.serve(app, sockets=[listening], threads=8, connection_limit=1000, _quiet=True)


def serve_asgi(app: Any, listening: socket.socket, **options: Any) -> None:
    """Serve with uvicorn."""
    import asyncio

    import uvicorn

    config = uvicorn.Config(app, log_level="warning", lifespan="auto", **options)
    asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))
