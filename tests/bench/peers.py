"""How server-side sessions of other libraries behave on the same Redis, beside ours: the table that it prints is measured.

Two requests overlap in a known order: while the handler of the first one runs, after it has looked at its session, the
second one is served whole. "Just before its write" is between the library's own commands. Each case is tried 20 times.
Settings are each library's defaults. Our increments are functions: `update_session(lambda session: …)`.
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sessions import cookie_header
from stored import Served, in_task, in_thread

TRIES = 20
PEERS = {
    "Flask-Session": ("flask", "theirs", "flask-session"),
    "starsessions": ("starlette", "theirs", "starsessions"),
    "Litestar": ("litestar", "theirs", "litestar"),
    "Django cache": ("django", "theirs", "django", "cache"),
    "Django db": ("django", "theirs", "django", "db"),
    "Django cached_db": ("django", "theirs", "django", "cached_db"),
    "sessionkit, Flask": ("flask", "json", "sessionkit-flask"),
    "sessionkit, Starlette": ("starlette", "json", "sessionkit-starlette"),
    "sessionkit, Litestar": ("litestar", "json", "sessionkit-litestar"),
    "sessionkit, Django": ("django", "json", "sessionkit-django"),
}
WRITES = ("SET", "SETEX", "EVALSHA", "UPDATE", "INSERT")


class Peer:
    """An application, and the visitors who sign in to it.

    Attributes:
        commands: the names of the commands and statements that it has sent.
        failed: the status of the last request of a visitor that failed; 0 for none.
    """

    def __init__(self, name: str, url: str) -> None:
        framework, way, _, *engine = PEERS[name]
        options = {"engine": engine[0]} if engine else {}
        self.served = Served(framework, way, url, **options)
        self.commands: list[str] = []
        self.failed = 0
        self._before_write: tuple[str, str] | None = None
        watch_redis(self)
        if engine and "db" in engine[0]:
            watch_sql(self)

    def sign_in(self, cookie: str = "") -> str:
        """Sign in, and return the cookies."""
        _, lines, _ = self.served.send("begin", cookie)
        return cookie_header(lines)

    def shown(self, cookie: str) -> dict[str, Any]:
        """Return what a page shows of the session; nothing if nobody is signed in."""
        _, _, text = self.served.send("read", cookie)
        found = json.loads(text)
        return found if found["user"] else {}

    def overlap(self, first: str, second: str, cookie: str) -> int:
        """Serve a request while another one is served; return the status of the latter."""
        self.served.between = (second, cookie)
        return self.served.send(f"late-{first}", cookie)[0]

    def overlap_at_write(self, first: str, second: str, cookie: str) -> int:
        """Serve a request just before the last command of another one; return the status of the latter."""
        self._before_write = (second, cookie)
        status = self.served.send(first, cookie)[0]
        self._before_write = None
        return status

    def note(self, command: str) -> bool:
        """Note a command that is about to be sent; return whether another request must be served first."""
        self.commands.append(command)
        due = self._before_write is not None and command in WRITES
        if due:
            self.served.between, self._before_write = self._before_write, None
        return due


def watch_redis(peer: Peer) -> None:
    """Note each command that goes to Redis, by either kind of client."""
    import redis
    import redis.asyncio

    blocking, awaited = redis.Redis.execute_command, redis.asyncio.Redis.execute_command

    def execute(client: Any, *words: Any, **named: Any) -> Any:
        if peer.note(str(words[0])):
            in_thread(peer.served.serve_between)
        return blocking(client, *words, **named)

    async def aexecute(client: Any, *words: Any, **named: Any) -> Any:
        if peer.note(str(words[0])):
            await in_task(peer.served.aserve_between)
        return await awaited(client, *words, **named)

    redis.Redis.execute_command = execute  # type: ignore[method-assign]
    redis.asyncio.Redis.execute_command = aexecute  # type: ignore[method-assign, assignment]


def watch_sql(peer: Peer) -> None:
    """Note each statement that goes to Django's database, which gets its table here."""
    from django.core.management import call_command
    from django.db import connection
    from django.db.backends.signals import connection_created

    call_command("migrate", verbosity=0)

    def execute(run: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        if peer.note(sql.split(maxsplit=1)[0]):
            in_thread(peer.served.serve_between)
        return run(sql, parameters, many, context)

    def watch(connection: Any, **named: Any) -> None:
        connection.execute_wrappers[:] = [execute]

    connection_created.connect(watch, weak=False)
    watch(connection)


# ---- the cases: each returns whether it happened


def keeps_both_keys(peer: Peer) -> bool:
    cookie = peer.sign_in()
    peer.overlap("set-a", "set-b", cookie)
    shown = peer.shown(cookie)
    return bool(shown.get("set-a") and shown.get("set-b"))


def keeps_both_increments(peer: Peer) -> bool:
    cookie = peer.sign_in()
    peer.overlap("add", "add", cookie)
    return peer.shown(cookie).get("n") == 2


def _revives(overlap: Callable[[Peer], Callable[[str, str, str], int]], change: str) -> Any:
    def revives(peer: Peer) -> bool:
        cookie = peer.sign_in()
        status = overlap(peer)(change, "logout", cookie)
        revived = bool(peer.shown(cookie))
        if status >= 400:
            peer.failed = status
        return revived

    return revives


def adopts_an_id(peer: Peer) -> bool:
    """Return whether a login keeps the id in a cookie that the server does not know."""
    cookie = peer.sign_in()
    peer.served.send("logout", cookie)
    assert not peer.shown(cookie)
    peer.sign_in(cookie)
    return bool(peer.shown(cookie))


CASES = {
    "both of two updates of different keys kept": keeps_both_keys,
    "both of two increments kept": keeps_both_increments,
    "a write after a logout revives": _revives(lambda peer: peer.overlap, "write"),
    "… a logout just before its write": _revives(lambda peer: peer.overlap_at_write, "write"),
    "a read after a logout revives": _revives(lambda peer: peer.overlap, "read"),
    "adopts a client's id": adopts_an_id,
}


def measure(name: str, url: str) -> dict[str, str]:
    """Return a row of the table."""
    peer = Peer(name, url)
    row: dict[str, str] = {}
    for case, happened in CASES.items():
        peer.failed = 0
        count = sum(happened(peer) for _ in range(TRIES))
        row[case] = f"{count}/{TRIES}" + (f", status {peer.failed}" if peer.failed else "")
    for case, action in {"commands of a read": "read", "commands of a write": "write"}.items():
        cookie = peer.sign_in()
        peer.commands.clear()
        peer.served.send(action, cookie)
        row[case] = " + ".join(peer.commands)
    return row


def print_table(rows: dict[str, dict[str, str]]) -> None:
    columns = list(next(iter(rows.values())))
    print(f"| | {' | '.join(columns)} |")
    print("|---" * (len(columns) + 1) + "|")
    for name, row in rows.items():
        print(f"| {name} | {' | '.join(row.values())} |", flush=True)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench.py peers", description=__doc__)
    parser.add_argument("--only", nargs="*", choices=PEERS, default=list(PEERS))
    options = parser.parse_args(arguments)
    sys.path.append(str(Path(__file__).parents[1] / "shared"))
    from redis_servers import redis_server

    rows = {}
    with ExitStack() as open_:
        server = open_.enter_context(redis_server())
        folder = open_.enter_context(tempfile.TemporaryDirectory())
        for number, name in enumerate(options.only):
            # A process each: Django has one set of settings in a process.
            done = subprocess.run(
                [sys.executable, __file__, name, server.url, f"{folder}/{number}.db"],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            rows[f"{name} {version(PEERS[name][2])}"] = json.loads(done.stdout)
    print("\nTwo requests of one session at once, on one Redis (Django's db: on SQLite)\n")
    print_table(rows)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable()
    print(json.dumps(measure(*sys.argv[1:3])))
