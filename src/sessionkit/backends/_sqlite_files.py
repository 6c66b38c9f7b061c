"""Tell an SQLite file from another one that has its path later.

If a file is removed or replaced, SQLite goes on with the one that was opened, which no other connection finds.
"""

from __future__ import annotations

import os
from typing import TypeAlias

__all__ = ["File", "find_file"]

File: TypeAlias = tuple[int, int]
"""A device, and the number of a file on it."""


def find_file(path: str | os.PathLike[str]) -> File | None:
    """Return the file that has a path now; None if there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116  # SQLAlchemy's paths are text
    except OSError:
        return None
    return found.st_dev, found.st_ino
