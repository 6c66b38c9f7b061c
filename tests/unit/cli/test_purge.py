"""`purge`, as a command."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sessionkit import BackendError
from sessionkit._cli import main as command
from sessionkit._cli.main import main
from sessionkit._cli.purging import purge
from sessionkit.backends import MemoryBackend, Record, SQLiteBackend

from ..backends.awaited import AwaitedMemory

NOW = 1_700_000_000


def expired(number: int, since: int = NOW) -> Record:
    return Record(f"{number:032x}", "0" * 32, 0, since - 900, since - 900, since - 900, b"v" * 12, b"")  # fmt: skip


@pytest.fixture
def count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """The rows of the file that the variables name."""
    path = tmp_path / "sessions.db"
    # Nothing has expired by the clock of year 0, so no insert removes any.
    backend = SQLiteBackend(path, synchronous="OFF", clock=lambda: 0)
    now = int(time.time())
    for number in range(120):
        backend.insert(expired(number, now), 0)
    backend.insert(Record("f" * 32, "0" * 32, 0, now, now, now + 900, b"v" * 12, b""), 0)
    backend.close()
    monkeypatch.setenv("SESSIONKIT_BACKEND", f"sqlite:///{path}")

    def rows() -> int:
        with closing(sqlite3.connect(path)) as connection, connection:
            number: int = connection.execute("SELECT count(*) FROM sessionkit_session").fetchone()[0]  # fmt: skip
            return number

    return rows


def test_expired_sessions_are_removed_and_counted(
    count: Callable[[], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["purge"]) == 0
    assert (count(), capsys.readouterr().out) == (1, "removed 120 expired sessions\n")
    assert main(["purge", "--all"]) == 0
    assert (count(), capsys.readouterr().out) == (1, "removed 0 expired sessions\n")


def test_a_limit_is_kept_and_said(
    count: Callable[[], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["purge", "--limit", "70"]) == 0
    assert count() == 51
    assert capsys.readouterr().out == (
        "removed 70 expired sessions\nthat is the limit, and there may be more: --all removes every expired session\n"
    )


@pytest.mark.parametrize(
    ("url", "told"),
    [("", "is not set"), ("none", "is not set"), ("memory:", "no other process sees")],
)
def test_without_a_backend_that_others_see_it_is_a_wrong_call(
    url: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if url:
        monkeypatch.setenv("SESSIONKIT_BACKEND", url)
    assert main(["purge"]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["--limit", "0"], ["--limit", "x"], ["--limit", "1", "--all"], ["--limit", "9" * 20]],
)
def test_a_wrong_limit_is_a_wrong_call(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["purge", *arguments])
    assert ended.value.code == 2


class Failing(MemoryBackend):
    """It removes one batch, and then cannot be reached."""

    def __init__(self) -> None:
        super().__init__(clock=lambda: 0)
        self.batches: list[int] = []
        self.closed = False

    def purge(self, now: int, limit: int) -> int:
        if self.batches:
            raise BackendError("the session backend cannot be reached")
        self.batches.append(limit)
        return limit

    def close(self) -> None:
        self.closed = True


def test_a_backend_that_fails_is_reported_after_what_was_removed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    backend = Failing()
    monkeypatch.setenv("SESSIONKIT_BACKEND", "redis://h")
    monkeypatch.setattr(command, "apply_variables", lambda *_: backend)
    monkeypatch.setattr(command, "MemoryBackend", type(None))
    assert main(["purge"]) == 1
    out, err = capsys.readouterr()
    assert (out, err) == (
        "removed 50 expired sessions\n",
        "sessionkit: error: the session backend cannot be reached\n",
    )
    assert (backend.batches, backend.closed) == ([50], True)


def test_a_backend_that_is_awaited_is_purged_too() -> None:
    backend = AwaitedMemory(clock=lambda: 0)
    for number in range(60):
        backend.memory.insert(expired(number), 0)
    assert list(purge(backend, lambda: NOW, limit=None)) == [50, 10]
    assert list(purge(backend, lambda: NOW, limit=None)) == [0]


def test_no_batch_goes_over_the_limit() -> None:
    backend = MemoryBackend(clock=lambda: 0)
    for number in range(120):
        backend.insert(expired(number), 0)
    assert list(purge(backend, lambda: NOW, limit=70)) == [50, 20]
