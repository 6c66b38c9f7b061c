"""Find the file that a URL names; tell an SQLite file from another one that has its path later.

If a file is removed or replaced, SQLite goes on with the one that was opened, which no other connection finds.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

__all__ = ["File", "find_file", "find_path", "is_in_memory"]

File: TypeAlias = tuple[int, int]
"""A device, and the number of a file on it."""


def find_file(path: str | os.PathLike[str]) -> File | None:
    """Return the file that has a path now; None if there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116  # SQLAlchemy's paths are text
    except OSError:
        return None
    return found.st_dev, found.st_ino


def find_path(url: Any) -> Path:
    """Return the absolute path of the file that SQLAlchemy opens.

    Args:
        url: a URL of SQLAlchemy. Its database may be a URI of SQLite (`file:sessions.db`).
    """
    name: str = url.database or ""
    if name.startswith("file:") and "uri" in url.query:
        name = unquote(urlsplit(name).path)
    return Path(os.path.abspath(name))  # noqa: PTH100  # as SQLAlchemy reads it


def is_in_memory(url: Any) -> bool:
    """Return whether a URL names a database in memory and no file; SQLite deletes it with its last connection.

    Args:
        url: as for `find_path`.
    """
    name: str = url.database or ""
    if name.startswith("file:") and "uri" in url.query:
        name = "" if url.query.get("mode") == "memory" else unquote(urlsplit(name).path)
    return name in ("", ":memory:")
