"""What the tests of sessions on the server share: a project with a backend, and a clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.test import override_settings

from sessionkit import BackendError, Lifetime, SessionStore

SECRET = "django tests: 0123456789abcdefghijklmnopqrstuvwxyz"
POINTER = "__Host-session"


class Clock:
    """The seconds since the epoch, which stand still until a test moves them."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def _watched(operation: str) -> Callable[..., Any]:
    def call(self: WatchedBackend, *args: Any) -> Any:
        self.calls.append(operation)
        self.threads.add(threading.get_ident())
        if operation in self.failing:
            raise BackendError("the session backend cannot be reached")
        return getattr(self.backend, operation)(*args)

    return call


class WatchedBackend:
    """A blocking backend that notes its operations and their threads, and fails in those that a test names.

    Args:
        backend: the backend that does the work.
    """

    load, insert, replace, touch = map(_watched, ("load", "insert", "replace", "touch"))
    delete, of, revoke, purge = map(_watched, ("delete", "of", "revoke", "purge"))

    def __init__(self, backend: Any) -> None:
        self.backend, self.calls, self.failing, self.threads = backend, [], set(), set()
        self.waits = getattr(backend, "waits", True)

    def close(self) -> None:
        self.backend.close()

    def warnings(self) -> list[str]:
        return []


@contextmanager
def keeping(backend: Any, **settings: Any) -> Iterator[SessionStore]:
    """Let the project keep its sessions in a backend for a block."""
    lifetime = Lifetime(idle=3600, absolute=43_200)
    store = SessionStore(SECRET, **{"backend": backend, "lifetime": lifetime, **settings})
    with override_settings(SESSIONKIT={"store": store}):
        yield store


def pointers_set(response: Any) -> list[str]:
    """The values that a response gives to the session's cookie."""
    return [one.value for name, one in response.cookies.items() if name == POINTER]
