"""Start PostgreSQL and MariaDB, from the packages of the system, on ports and in folders of their own."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TypeVar

from sessionkit.backends import SQLBackend

S = TypeVar("S", bound="Server")

DEADLINE = 30


class Server:
    """A database server that can be stopped, killed, frozen and started again, with the data that it had.

    Attributes:
        port: its port on 127.0.0.1.
    """

    account: str
    """The account of the system that the server runs as, if root starts it."""
    stopping = signal.SIGTERM
    """The signal that stops the server at once, but in order."""

    def __init__(self) -> None:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = int(one.getsockname()[1])
        self.folder = Path(tempfile.mkdtemp(prefix="sessionkit-sql-"))
        if os.geteuid() == 0:
            shutil.chown(self.folder, self.account)
        self.log = self.folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self.initialize()
            self.start()
            self.create_database()
        except BaseException:
            self.remove()
            raise

    def start(self, *settings: str) -> None:
        """Start the server and wait until it answers."""
        with self.log.open("ab") as log:
            # In a session of its own: an interrupt of the tests reaches the tests only, which stop it then.
            self._process = subprocess.Popen(
                self.command(*settings),
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
                **self._as_account(),
            )
        end = time.monotonic() + DEADLINE
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the server does not start:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill the server as a crash does."""
        self._end(signal.SIGKILL)

    def restart(self, *settings: str) -> None:
        """Stop the server, which closes its connections, and start it again."""
        self.stop()
        self.start(*settings)

    def stop(self) -> None:
        """Stop the server."""
        self._end(self.stopping)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let the server answer nothing, while its connections stay open."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def remove(self) -> None:
        """Kill the server and remove its data."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *command: str, **named: object) -> str:
        """Run a program as the server's account."""
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=self.folder, **self._as_account(), **named
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            pids = self._signal(how)
            self._process.wait(DEADLINE)
            self._process = None
            # PostgreSQL does not start while a process of before still holds the shared memory.
            end = time.monotonic() + DEADLINE
            while any(map(_is_alive, pids)) and time.monotonic() < end:
                time.sleep(0.01)

    def _signal(self, how: signal.Signals) -> list[int]:
        """Send a signal to the server; one that it cannot catch, to the processes that serve its clients too. Return all of them."""
        assert self._process is not None
        pids = [self._process.pid]
        if how != self.stopping:
            with suppress(ProcessLookupError):
                os.kill(pids[0], signal.SIGSTOP)  # it begins no other process now
            children = Path(f"/proc/{pids[0]}/task/{pids[0]}/children").read_text()
            pids += map(int, children.split())
        for one in pids:
            with suppress(ProcessLookupError):
                os.kill(one, how)
        return pids

    def _as_account(self) -> dict[str, object]:
        return (
            {"user": self.account, "group": self.account, "extra_groups": []}
            if os.geteuid() == 0
            else {}
        )

    def initialize(self) -> None:
        raise NotImplementedError

    def command(self, *settings: str) -> list[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError

    def create_database(self) -> None:
        raise NotImplementedError

    def url(self, driver: str, port: int | None = None) -> str:
        """Return SQLAlchemy's URL of the database `sessions`."""
        raise NotImplementedError

    def end_connections(self) -> None:
        """Close every connection of the database `sessions`, and wait until it is closed."""
        raise NotImplementedError

    def execute(self, statement: str) -> str:
        """Run a statement in the database `sessions`, with the client of the server; return its output."""
        raise NotImplementedError


def _is_alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended may be there until its parent asks for its status."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class PostgreSQL(Server):
    """A PostgreSQL server."""

    account = "postgres"
    stopping = signal.SIGINT  # SIGTERM waits for the clients

    def initialize(self) -> None:
        self.run(
            self._program("initdb"),
            "-D",
            "data",
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
        )

    def command(self, *settings: str) -> list[str]:
        given = (
            f"port={self.port}",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self.folder}",
            "shared_buffers=16MB",
            *settings,
        )
        options = [word for one in given for word in ("-c", one)]
        return [self._program("postgres"), "-D", str(self.folder / "data"), *options]

    def answers(self) -> bool:
        return self._psql("postgres", "SELECT 1").returncode == 0

    def create_database(self) -> None:
        done = self._psql("postgres", "CREATE DATABASE sessions")
        assert done.returncode == 0, done.stderr

    def url(self, driver: str, port: int | None = None) -> str:
        return f"postgresql+{driver}://postgres@127.0.0.1:{port or self.port}/sessions"

    def execute(self, statement: str) -> str:
        done = self._psql("sessions", statement)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def end_connections(self) -> None:
        self.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = 'sessions' AND pid <> pg_backend_pid()"
        )

    def _psql(self, database: str, statement: str) -> subprocess.CompletedProcess[str]:
        where = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database)
        return subprocess.run(
            [self._program("psql"), *where, "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", statement],
            capture_output=True,
            text=True,
        )

    @staticmethod
    def _program(name: str) -> str:
        """Return the path of a program: Debian keeps those of the newest version off the path."""
        found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}")) or [shutil.which(name)]
        assert found[-1], f"{name} is not installed: apt-get install postgresql"
        return str(found[-1])


class MariaDB(Server):
    """A MariaDB server."""

    account = "mysql"

    def initialize(self) -> None:
        self.run(
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={self.folder}/data",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        )

    def command(self, *settings: str) -> list[str]:
        given = (
            f"datadir={self.folder}/data",
            f"port={self.port}",
            "bind-address=127.0.0.1",
            f"socket={self.folder}/socket",
            f"pid-file={self.folder}/pid",
            "skip-name-resolve",
            "innodb-buffer-pool-size=32M",
            "innodb-log-file-size=8M",
            *settings,
        )
        return ["/usr/sbin/mariadbd", "--no-defaults", *(f"--{one}" for one in given)]

    def answers(self) -> bool:
        return self._client("SELECT 1").returncode == 0

    def create_database(self) -> None:
        done = self._client("CREATE DATABASE sessions")
        assert done.returncode == 0, done.stderr

    def url(self, driver: str, port: int | None = None) -> str:
        # PyMySQL reads the certificates of the system for each connection, unless it is told that it needs none.
        without_tls = "?ssl_disabled=true" if driver == "pymysql" else ""
        return f"mysql+{driver}://root@127.0.0.1:{port or self.port}/sessions{without_tls}"

    def execute(self, statement: str) -> str:
        done = self._client(statement, "sessions")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def end_connections(self) -> None:
        others = "SELECT id FROM information_schema.processlist WHERE db = 'sessions' AND id <> CONNECTION_ID()"
        for one in self.execute(others).split():
            self.execute(f"KILL {one}")
        end = time.monotonic() + DEADLINE
        while self.execute(others):
            assert time.monotonic() < end, "the connections do not end"

    def _client(self, statement: str, *database: str) -> subprocess.CompletedProcess[str]:
        where = ("-h", "127.0.0.1", "-P", str(self.port), "--protocol=tcp", "-u", "root")
        return subprocess.run(
            ["mariadb", "--no-defaults", *where, "-N", "-B", "-e", statement, *database],
            capture_output=True,
            text=True,
        )


@cache
def postgresql() -> PostgreSQL:
    """Start a PostgreSQL server for all tests of this process, with the tables of the backend."""
    return _shared(PostgreSQL(), "psycopg")


@cache
def mariadb() -> MariaDB:
    """Start a MariaDB server for all tests of this process, with the tables of the backend."""
    return _shared(MariaDB(), "pymysql")


def _shared(server: S, driver: str) -> S:
    ours = os.getpid()
    atexit.register(lambda: server.remove() if os.getpid() == ours else None)
    backend = SQLBackend(server.url(driver))
    backend.create_tables()
    backend.close()
    return server
