"""A record for the tests of SQLiteBackend, and a file that another program has locked."""

import sqlite3

from sessionkit.backends import Record

NOW = 1_700_000_000


def record(key="canary-key", **changes):
    first = Record(key, "canary-owner", 0, NOW, NOW, NOW + 100, b"canary-nonce", b"canary-payload")
    return first._replace(**changes)


def locked(path, how):
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute(how)
    return other
