"""SQLite through SQLAlchemy holds the rules of a backend; `SQLiteBackend` does without SQLAlchemy."""

import atexit
import os
import shutil
import tempfile
from functools import cache

from sessionkit.backends import AsyncSQLBackend, SQLBackend
from sessionkit.testing import backend_conformance


@cache
def path():
    ours = os.getpid()
    folder = tempfile.mkdtemp(prefix="sessionkit-sqlite-")
    atexit.register(lambda: shutil.rmtree(folder) if os.getpid() == ours else None)
    file = f"{folder}/sessions.db"
    backend = SQLBackend(f"sqlite:///{file}")
    backend.create_tables()
    backend.close()
    return file


def blocking(*, clock):
    return SQLBackend(f"sqlite:///{path()}", clock=clock)


def awaited(*, clock):
    return AsyncSQLBackend(f"sqlite+aiosqlite:///{path()}", clock=clock)


TestSQLite = backend_conformance(blocking, make_second=blocking, in_process=True)
TestAiosqlite = backend_conformance(awaited, make_second=awaited, in_process=True)
