"""Find the advice for an error of SQLite, by its text."""

from __future__ import annotations

from ._sqlite_waiting import LOCKED

__all__ = ["FOURTH_SLASH", "UNOPENED", "find_advice"]

FOURTH_SLASH = "In a URL, an absolute path begins after the third slash, so there are four: sqlite:////var/lib/app/sessions.db"

UNOPENED = "unable to open database file"

# Errors are recognised by SQLite's texts, because only Python 3.11 and later give the error codes.
_ADVICE = {
    LOCKED: "another process or thread wrote for longer than `timeout`. Look for a program that keeps it open",
    "database or disk is full": "make room on the disk",
    UNOPENED: f"its folder must exist, and this user must be allowed to write there. {FOURTH_SLASH}",
    "attempt to write a readonly database": "allow this user to write the file and its folder",
    "file is not a database": "it is another kind of file. Correct the path, or move it away",
    "database disk image is malformed": "it is damaged. Stop all processes and move it away: a new one is made, and all"
    " visitors log in again",
    "disk I/O error": "the disk failed, or the file was removed while it was open",
    "Too many open files": "each thread, or greenlet, has a connection of its own. Allow the process more files, or use SQLBackend with"
    " SQLite, which has a pool",
}


def find_advice(text: str) -> str | None:
    """Return the advice for an error with this text; None for an unknown error."""
    return next((advice for known, advice in _ADVICE.items() if text.startswith(known)), None)
