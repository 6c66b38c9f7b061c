"""Cases 64, 65 and 70: a server that fails, and what an error may say."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from typing import Any

from ...backends import Backend, Record
from ...errors import BackendError
from .._bench import Bench, equal, expect, same
from .._proxy import refusing_address, run_proxy, silent_address


def operations(bench: Bench, record: Record) -> list[tuple[str, tuple[Any, ...]]]:
    """Return a call of each operation, by name and arguments."""
    key, owner = record.key, record.owner
    return [
        ("load", (key, owner)),
        ("insert", (record, bench.now)),
        ("replace", (bench.changed(record), record.version)),
        ("touch", (key, owner, bench.now, bench.now + 9000)),
        ("delete", (key, owner)),
        ("of", (owner,)),
        ("revoke", (owner, bench.now, None)),
        ("purge", (bench.now, 10)),
    ]


def failing(call: Callable[..., object], *arguments: Any, within: float) -> BackendError:
    """Return the error that a call raises; fail if it returns, raises another, or takes longer than this."""
    start = time.monotonic()
    try:
        reply = call(*arguments)
    except BackendError as error:
        took = time.monotonic() - start
        expect(took <= within, f"the error came after {took:.1f} seconds, not within {within}")
        return error
    raise AssertionError(f"expected BackendError, got {reply!r}")


def test_64_an_unreachable_server_raises_backend_error(bench: Bench) -> None:
    """Every operation raises BackendError within 2 seconds if nobody listens; within 3 if nobody replies."""
    with refusing_address() as address:
        client = bench.at(address)
        for name, arguments in operations(bench, bench.new()):
            failing(getattr(client, name), *arguments, within=2)
    with silent_address() as address:
        record = bench.new()
        failing(bench.at(address).load, record.key, record.owner, within=3.5)


def test_65_a_reply_that_breaks_off_raises_backend_error(bench: Bench) -> None:
    """A connection cut in mid-reply raises BackendError, and the next call gets its own reply."""
    with run_proxy(bench.rig.server()) as proxy:
        client = bench.at(proxy.address)
        for name in ("load", "of", "touch", "replace", "insert"):
            record = bench.add()
            same(client.load(record.key, record.owner), record)
            arguments = dict(operations(bench, record))[name]
            proxy.cut()
            failing(getattr(client, name), *arguments, within=3.5)
            check_replies(bench, client)
        record = bench.add()
        same(client.load(record.key, record.owner), record)
        proxy.hold()
        failing(client.load, record.key, record.owner, within=3.5)
        proxy.release()
        check_replies(bench, client)


def check_replies(bench: Bench, client: Backend) -> None:
    """Check two calls after a failure: neither gets the reply of another."""
    one, other = bench.add(), bench.add()
    same(client.load(one.key, one.owner), one)
    same(client.load(other.key, other.owner), other)
    equal(client.of(bench.new().owner), [])


def test_70_no_error_or_log_line_holds_a_key_an_owner_or_a_payload(bench: Bench) -> None:
    """No error text, note, cause, `repr`, warning or log line has a key, an owner or a payload of a session."""
    record = bench.new(
        key="canary-key", owner="canary-owner", sealed=b"canary-payload", version=b"canary-nonce"
    )
    told = _Lines()
    root = logging.getLogger()
    level = root.level
    root.addHandler(told)
    root.setLevel(logging.DEBUG)
    try:
        for name, arguments in operations(bench, record):
            getattr(bench.first, name)(*arguments)
        told.lines += [*bench.first.warnings(), repr(bench.backend), str(bench.backend)]
        if bench.rig.can_fail:
            with refusing_address() as address:
                client = bench.at(address)
                for name, arguments in operations(bench, record):
                    error = failing(getattr(client, name), *arguments, within=2)
                    told.lines.append("".join(traceback.format_exception(error)))
                    told.lines.append(repr(error.args))
    finally:
        root.removeHandler(told)
        root.setLevel(level)
    for canary in ("canary", record.sealed.hex(), record.version.hex(), repr(list(record.sealed))):
        leaks = [line for line in told.lines if canary.lower() in line.lower()]
        equal(leaks, [])


class _Lines(logging.Handler):
    """A handler that keeps what is logged, with the arguments and the traceback."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter())

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += [self.format(record), repr(record.args)]
