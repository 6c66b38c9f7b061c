"""What each promise costs: the parts of a request that reads its session, and of one that changes it.

Each part is what the library itself calls, alone and on the same session of 2 kB; a request goes through the WSGI gateway.
What is left after the parts are subtracted is everything between them.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from sessions import OURS, cookie_header, session_of, store_of
from store import Step, medians, through_wsgi, untouched

from sessionkit._exchange.update_guard import Owner
from sessionkit._session.json import check, freeze
from sessionkit._session.json_errors import INT_MAX
from sessionkit._session.snapshot import are_equal, take_snapshot


def parts_of(way: str) -> tuple[dict[str, Step], dict[str, Step]]:
    """Return the parts of a read, and those that a change adds, by what they are for."""
    store = store_of(way)
    settings, session = store.settings, session_of()
    with store.exchange() as exchange:
        store.create_session(session)
    lines = [value for name, value in exchange.response_headers if name == "Set-Cookie"]
    token = cookie_header(lines).partition(f"{settings.name}=")[2].partition(";")[0]
    opened: Any = settings.codec.open(token, time.time())
    changed = session | {"theme": "light"}
    snapshot = take_snapshot(session)
    serializer = settings.serializer
    text = serializer.dumps(session)

    def owns() -> bool:
        return Owner(settings, session, snapshot).owns(changed)

    read: dict[str, Step] = {
        "any session: parse the JSON": lambda: serializer.loads(text),
        "secret and authentic: open the token": lambda: settings.codec.open(token, time.time()),
        "a change in place is saved: snapshot when it is read": lambda: take_snapshot(session),
        "an unchanged one is not: snapshot when the response starts": lambda: take_snapshot(
            session
        ),
        "no late change is lost in silence: snapshot at the end": lambda: take_snapshot(session),
    }
    change: dict[str, Step] = {
        "any session: write the JSON": lambda: serializer.dumps(changed),
        "secret and authentic: seal the token": lambda: settings.codec.seal(text, opened.stamp),
        "errors name the value: is it JSON?": lambda: (
            freeze(changed, serializer, INT_MAX, snapshot) if serializer.strict else check(changed)
        ),
        "nobody becomes another user: compare the owner": owns,
        "1, 1.0 and True differ: compare with what was read": lambda: are_equal(changed, session),
    }
    return read, change


def report(way: str, *, rounds: int, loops: int) -> None:
    read, change = parts_of(way)
    whole = through_wsgi(2000, way)
    steps = {**read, **change, "read": whole["read"], "update": whole["update"], **untouched()}
    took = medians(steps, rounds=rounds, loops=loops)
    # What is inside another part is taken out of it.
    took["secret and authentic: open the token"] -= took["any session: parse the JSON"]
    if way == "speed":
        took["errors name the value: is it JSON?"] -= took["any session: write the JSON"]
    bare = took["wsgi bare"]
    for title, parts, request in (
        ("reads its session", read, took["read"] - bare),
        ("changes it: more than a read", change, took["update"] - took["read"]),
    ):
        print(f"\n{way}: a request that {title}{request:{62 - len(title)}.1f}")
        for name in parts:
            print(f"  {name:70}{took[name]:8.1f}")
        left = request - sum(took[name] for name in parts)
        print(f"  {'all between: find it, judge it, hand it out, write the header':70}{left:8.1f}")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench.py promises", description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--loops", type=int, default=100, help="calls in a turn")
    options = parser.parse_args(arguments)
    print(f"\nMicroseconds of processor time, Python {sys.version.partition(' ')[0]}, 2 kB", end="")
    for way in OURS:
        report(way, rounds=options.rounds, loops=options.loops)
