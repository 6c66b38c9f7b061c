"""What a session of 2 kB on the server costs: round trips, processor time, a network, other libraries, a million sessions.

Redis is started here, and PostgreSQL where it is installed. Processor time is what a request adds over the client's own
call. In each round all take turns. The client's own call is what an application would write that has no backend: it reads
or writes as many bytes on the same server, takes the connection from the same kind of pool, and does nothing else.

- SQLite: the statement that the backend sends, on an open connection of `sqlite3`.
- Redis: GET, or SET with a TTL, of the backend's own client.
- PostgreSQL has two lines. Beside SQLAlchemy, the client of the backend: `with engine.connect() as connection`, and
  `connection.execute(...)` of the backend's statement in Core, on an engine with the settings of the backend's own. Beside
  psycopg, the driver below that: the same statement on one open connection, without a pool.

No write waits for a disk, on both sides.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any

import stored
from backend_steps import (
    Step,
    Steps,
    beside_psycopg,
    beside_sqlalchemy,
    in_async_redis,
    in_cookie,
    in_memory,
    in_redis,
    in_sqlite,
    record_in,
    through_wsgi,
)
from many import FEW, add_to_redis, add_to_sqlite, at_random, fill
from sessions import OURS, cookie_header, store_of
from store import medians

from sessionkit import Lifetime, SessionStore
from sessionkit.backends import RedisBackend, SQLBackend, SQLiteBackend

sys.path.append(str(Path(__file__).parents[1] / "shared"))

from redis_servers import redis_server  # of tests/shared
from sql_servers import PostgreSQL

DURABLE = ("--appendonly", "yes", "--appendfsync", "everysec")


@contextmanager
def monitored(server: Any) -> Iterator[list[list[str]]]:
    """Yield a list that at the end holds the commands that clients sent, without those of scripts."""
    found: list[list[str]] = []
    with server.client() as watching, watching.monitor() as monitor, server.client() as marking:
        yield found
        marking.echo("end")
        while (seen := monitor.next_command())["command"] != "ECHO end":
            if seen["client_type"] != "lua" and not seen["command"].startswith(("CLIENT", "HELLO")):
                found.append(seen["command"].split()[:1])


# ---- (a) round trips


def trips(server: Any) -> None:
    """Count the commands that requests send to Redis; each is a round trip."""
    backend = RedisBackend(server.url)
    requests, cookie = through_wsgi(backend)
    foreign = in_store(backend, secret=token_hex(32))
    earlier = in_store(backend, clock=lambda: time.time() - 30 * 86_400)
    pointer = cookie.rpartition("session=")[2].partition(";")[0]
    forged = cookie.replace(pointer, pointer[:-8] + "AAAAAAAA")
    rows = {
        "a request that leaves the session alone": ("untouched", cookie),
        "loads it": ("load", cookie),
        "loads it and saves it": ("save", cookie),
        "begins one": ("begin", ""),
        "asks, without a cookie": ("look", ""),
        "asks, with a forged cookie": ("look", forged),
        "asks, with a cookie of another secret": ("look", foreign),
        "asks, with an expired cookie": ("look", earlier),
    }
    print("\nRound trips to Redis")
    for name, (request, sent) in rows.items():
        step = requests[request](sent)
        step()  # the first one sends the script
        with monitored(server) as commands:
            step()
        names = " ".join(word for (word,) in commands)
        print(f"{name:44}{len(commands):3}  {names}", flush=True)


def in_store(backend: Any, secret: str = "", **settings: Any) -> str:
    """Return the cookies of a session in the same backend, of another store."""
    store = store_of("json", backend=backend, **settings)
    if secret:
        store = SessionStore(secret, lifetime=Lifetime(), backend=backend)
    with store.exchange() as exchange:
        store.create_session({"user": {"sub": "ada"}})
    lines = [value for name, value in exchange.response_headers if name == "Set-Cookie"]
    return cookie_header(lines)


# ---- (b) processor time


def compare(contenders: dict[str, Steps], *, rounds: int, loops: int) -> None:
    """Print what a load and a save take, without the client's own calls."""
    steps = {
        f"{who}|{name}": run
        for who, has in contenders.items()
        for name, run in has._asdict().items()
    }
    times = medians(steps, rounds=rounds, loops=loops)
    print(
        "\nProcessor time, microseconds: a load and a save over the client's own call (aim: 20 each)"
    )
    print(
        "The request: all that it costs with a session. The backend: its own call, without the request."
    )
    print(f"{'':42}{'request':>18}{'backend':>18}")
    print(f"{'':22}{'client: read':>12}{'write':>8}{'load':>10}{'save':>8}{'load':>10}{'save':>8}")
    for who in contenders:
        took = [times[f"{who}|{name}"] for name in Steps._fields]
        untouched, load, save, get, put, fetch, keep = took
        print(
            f"{who:22}{get:12.1f}{put:8.1f}{load - untouched - get:10.1f}{save - load - put:8.1f}"
            f"{fetch - get:10.1f}{keep - put:8.1f}",
            flush=True,
        )


def processor_time(
    server: Any, postgresql: Any, beginning: str, *, rounds: int, loops: int
) -> None:
    """Compare the backends with names that begin so."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as open_:
        found: dict[str, Steps] = {}
        for way in OURS:
            found[f"cookie, {way}"] = in_cookie(way)
            found[f"memory, {way}"] = in_memory(way)
            found[f"SQLite, {way}"] = in_sqlite(Path(name), way)
            found[f"Redis, {way}"] = in_redis(server.url, way)
            asynchronous = open_.enter_context(in_async_redis(server.url, way))
            found[f"Redis async, {way}"] = asynchronous
        if postgresql is not None:
            url = postgresql.url("psycopg")
            found["PostgreSQL, SQLAlchemy"] = beside_sqlalchemy(url)
            found["PostgreSQL, psycopg"] = beside_psycopg(url)
        chosen = {who: steps for who, steps in found.items() if who.startswith(beginning)}
        compare(chosen, rounds=rounds, loops=loops)


# ---- (c) a network


def network(server: Any, milliseconds: float, *, rounds: int, loops: int) -> None:
    """Compare elapsed time with bare GET and SET, through a proxy that adds a network's delay."""
    program = [sys.executable, str(Path(__file__).with_name("delay.py")), str(server.port)]
    proxy = subprocess.Popen(
        [*program, repr(milliseconds / 1000)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert proxy.stdout is not None
    port, added = proxy.stdout.readline().split()
    url = f"redis://127.0.0.1:{port}/0"
    print(
        f"\nElapsed time, milliseconds, with {float(added) * 1000:.2f} ms more in a round trip (aim: 1.25)"
    )
    print(
        f"{'':14}{'GET':>8}{'backend.load':>16}{'request':>16}{'SET':>10}{'backend.replace':>16}{'request':>16}"
    )
    with in_async_redis(url) as awaited:
        for who, steps in {"Redis": in_redis(url), "Redis async": awaited}.items():
            times = elapsed(steps._asdict(), rounds=rounds, loops=loops)
            get, put = times["get"], times["put"]
            load, save = times["load"] - times["untouched"], times["save"] - times["load"]
            cells = "".join(
                f"{bare:{width}.3f}{own:8.3f}{own / bare:7.2f}x{whole:8.3f}{whole / bare:7.2f}x"
                for width, bare, own, whole in (
                    (8, get, times["fetch"], load),
                    (10, put, times["keep"], save),
                )
            )
            print(f"{who:14}{cells}", flush=True)
    proxy.communicate()


def elapsed(steps: dict[str, Step], *, rounds: int, loops: int) -> dict[str, float]:
    """Return the milliseconds of each step: the median of all calls, which take turns."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds * loops):
        for name, step in steps.items():
            begin = time.perf_counter()
            step()
            times[name].append((time.perf_counter() - begin) * 1000)
    return {name: statistics.median(values) for name, values in times.items()}


# ---- (d) inside the frameworks


def frameworks(server: Any, *, rounds: int, loops: int) -> None:
    """Compare what a request adds to the application without sessions, by framework."""
    from frameworks import Worker

    print("\nInside the frameworks, processor time, microseconds: what a session in Redis adds to")
    print("a request, and ours as a multiple of theirs, json | speed")
    print(f"{'':42}{'app alone':>9}{'theirs':>8}{'json':>8}{'speed':>8}   ratios", flush=True)
    actions = ("read", "write", "untouched")
    for framework in stored.FRAMEWORKS:
        workers = {
            way: Worker(framework, way, server.url, program="stored.py") for way in stored.WAYS
        }
        found: dict[tuple[str, str], list[float]] = {}
        for number in range(rounds + 1):
            for action in actions:
                for way, worker in workers.items():
                    took = worker.took(action, loops)
                    if number:  # the first round warms up
                        found.setdefault((way, action), []).append(took)
        for worker in workers.values():
            worker.end()
        times = {key: statistics.median(values) for key, values in found.items()}
        for action in actions:
            alone = times["none", action]
            added = [times[way, action] - alone for way in stored.WAYS[1:]]
            cells = "".join(f"{one:8.1f}" for one in added)
            ratios = " | ".join(f"{one / added[0]:5.2f}" for one in added[1:])
            row = f"{stored.THEIRS[framework] if action == 'read' else '':32}{action:10}"
            print(f"{row}{alone:9.1f}{cells}   {ratios}", flush=True)


# ---- (e) many sessions


def many(server: Any, sessions: int, *, rounds: int, loops: int) -> None:
    """Compare a load and a replace among few sessions and among many, in turn, and tell what one session takes."""
    print(
        f"\nAmong 1,000 and among {sessions:,} sessions of 2 kB, each of its own user: the backend's load"
    )
    print(
        "and replace of another session each time, in turn, microseconds; the bytes that a session takes"
    )
    print(f"{'':26}{'processor time':>16}{'elapsed time':>18}")
    print(
        f"{'':10}{'sessions':>10}{'load':>10}{'replace':>10}{'load':>10}{'replace':>10}{'bytes':>8}"
    )
    with tempfile.TemporaryDirectory() as name, server.client() as client:
        files = [Path(name, "few.db"), Path(name, "many.db")]
        in_files = [SQLiteBackend(file, synchronous="NORMAL") for file in files]
        redis = RedisBackend(server.url), RedisBackend(f"{server.url.rpartition('/')[0]}/1")
        for one in (*in_files, *redis):
            record_in(one)  # makes the table, sends the scripts
        kinds: dict[str, list[tuple[Any, Any, Any]]] = {
            "SQLite": [
                (backend, partial(add_to_sqlite, file), partial(size_of, file))
                for backend, file in zip(in_files, files, strict=True)
            ],
            "Redis": [
                (
                    backend,
                    partial(add_to_redis, backend),
                    lambda: int(client.info("memory")["used_memory"]),
                )
                for backend in redis
            ],
        }
        for who, places in kinds.items():
            steps: dict[str, Step] = {}
            bytes_each: list[float] = []
            for number, (backend, add, size) in zip((FEW, sessions), places, strict=True):
                before = size()
                kept = fill(add, number)
                bytes_each.append((size() - before) / number)
                steps[f"load {number}"], steps[f"replace {number}"] = at_random(backend, kept)
            took = medians(steps, rounds=rounds, loops=loops)
            wall = elapsed(steps, rounds=rounds, loops=loops)
            for number, each in zip((FEW, sessions), bytes_each, strict=True):
                load, replace = f"load {number}", f"replace {number}"
                print(
                    f"{who:10}{number:10,}{took[load]:10.1f}{took[replace]:10.1f}{wall[load] * 1000:10.0f}"
                    f"{wall[replace] * 1000:10.0f}{each:8.0f}",
                    flush=True,
                )


def size_of(path: Path) -> int:
    """Return the bytes of an SQLite file, once its journal is written into it."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path.stat().st_size


def start_postgresql(open_: ExitStack) -> Any:
    """Start PostgreSQL with the tables, or return None where it is not installed."""
    if not list(Path("/usr/lib/postgresql").glob("*/bin/postgres")) and not shutil.which(
        "postgres"
    ):
        print("\nPostgreSQL is not installed: left out")
        return None
    server = PostgreSQL()
    open_.callback(server.remove)
    server.execute("ALTER DATABASE sessions SET synchronous_commit = off")  # to measure no disk
    backend = SQLBackend(server.url("psycopg"))
    backend.create_tables()
    backend.close()
    return server


PARTS = ("trips", "cpu", "network", "frameworks", "many")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench.py backends", description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--loops", type=int, default=50)
    parser.add_argument("--beginning", default="", help="of the backends' names, for cpu")
    parser.add_argument("--delay", type=float, default=0.15, help="milliseconds, each way")
    parser.add_argument("--sessions", type=int, default=20_000)
    parser.add_argument("--million", action="store_true", help="1,000,000 sessions, some 6 GB")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    options = parser.parse_args(arguments)
    often = {"rounds": options.rounds, "loops": options.loops}
    sessions = 1_000_000 if options.million else options.sessions
    logging.getLogger("sessionkit").setLevel(logging.ERROR)  # this server is to be fast
    print(f"\nSessions on the server, Python {sys.version.partition(' ')[0]}")
    with ExitStack() as open_:
        server = open_.enter_context(redis_server(*DURABLE))
        if "trips" in options.only:
            trips(server)
        if "cpu" in options.only:
            processor_time(server, start_postgresql(open_), options.beginning, **often)
        if "network" in options.only:
            network(server, options.delay, **often)
        if "frameworks" in options.only:
            frameworks(server, **often)
    if "many" in options.only:
        with redis_server() as empty:
            many(empty, sessions, **often)
