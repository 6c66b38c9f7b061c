"""The backend of the demo, by its name on the command line."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..._exchange.performing import is_async
from ...backends import AnyBackend, MemoryBackend, SQLiteBackend
from ...backends._url import open_backend
from .errors import DemoError

__all__ = ["opened_backend"]


@contextmanager
def opened_backend(name: str | None) -> Generator[AnyBackend | None, None, None]:
    """Open a backend for a `with` block, and close it at the end.

    Args:
        name: `sqlite` for a temporary file, `memory`, or a URL as in `SESSIONKIT_BACKEND`; None for no backend.

    Raises:
        DemoError: the backend is awaited.
        ConfigurationError: there is no such backend, the URL is malformed, or a package is missing.
        BackendError: the server cannot be reached, or the tables could not be created.
    """
    if name is None:
        yield None
        return
    with ExitStack() as stack:
        backend: Any
        if name == "sqlite":
            folder = stack.enter_context(TemporaryDirectory(prefix="sessionkit-demo-"))
            backend = SQLiteBackend(Path(folder) / "sessions.db")
        elif name == "memory":
            backend = MemoryBackend()
        elif ":" not in name:
            raise DemoError(
                "--backend takes sqlite, memory, or the URL of a backend, such as redis://localhost"
            )
        else:
            backend = open_backend(name)
        if is_async(backend):
            raise DemoError(
                "the demo calls its backend without await: write a URL of a blocking one, without +async, +asyncpg or +asyncmy"
            )
        stack.callback(backend.close)
        if hasattr(backend, "create_tables"):
            backend.create_tables()
        # A server that is down is reported now, not to the first visitor.
        backend.load("0" * 32, "0" * 32)
        yield backend
