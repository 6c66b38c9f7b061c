"""The least that an encrypted session in a cookie costs, in Starlette: a straight line without a store, verbs or exchanges.

It seals, opens, checks the times, sees whether the session has changed, checks that it is JSON, and writes the caching fields.
It keeps no other promise: no chunks, no fence after a logout, no owner, no guard, no late change, no error handler, no task.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from asyncio import current_task
from binascii import a2b_base64, b2a_base64
from contextvars import ContextVar
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from frameworks import measure, stay_on_one_core
from sessions import OURS

from sessionkit import fast_json
from sessionkit._session.base64url import ALPHABET, FROM_URL, LAST, encode
from sessionkit._session.json import JSON, freeze
from sessionkit._session.json_errors import INT_MAX
from sessionkit._session.snapshot import restore_contents, take_snapshot

FLOORS = {f"floor, {way}": way for way in OURS}
NAME = "__Host-session"
LIFETIME = 86_400
HEADER = re.compile(
    r'\{"alg":"dir","enc":"A256GCM","sid":"([A-Za-z0-9_-]{22})","iat":(\d{1,11}),"exp":(\d{1,11})\}'
)
current: ContextVar[Any] = ContextVar("current", default=None)
"""What a verb without an argument would look up."""


class StraightLine:
    """Sessions for Starlette, and nothing else."""

    def __init__(self, app: Any, serializer: str) -> None:
        self._app = app
        self._serializer = JSON if serializer == "json" else fast_json()
        self._cipher = AESGCM(os.urandom(32))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        now, snapshot, stamp = time.time(), b"", None
        header = next((value for name, value in scope["headers"] if name == b"cookie"), b"")
        session: dict[str, Any] = {}
        at = header.find(NAME.encode())
        if at >= 0:
            value = header[at:].partition(b";")[0].partition(b"=")[2].strip()
            clear, _, rest = value.partition(b"..")
            nonce, _, rest = rest.partition(b".")
            text, _, tag = rest.rpartition(b".")
            short = clear + nonce + tag
            if not short.translate(None, ALPHABET) and len(nonce) == 16 and tag[-1] in LAST[2]:
                found = HEADER.fullmatch(a2b_base64(clear.translate(FROM_URL) + b"==").decode())
                if found is not None and now < int(found[3]):
                    ends = a2b_base64((nonce + tag).translate(FROM_URL) + b"==")
                    sealed = self._serializer.b64decode(text) + ends[12:]
                    plaintext = self._cipher.decrypt(ends[:12], sealed, clear)
                    session, stamp = self._serializer.loads(plaintext), (found[1], found[2])
                    snapshot = take_snapshot(session)
        scope["session"] = session
        token, task = current.set(session), current_task()

        async def commit(message: Any) -> None:
            assert current_task() is task
            if message["type"] == "http.response.start":
                fields = [(name.lower(), value) for name, value in message["headers"]]
                final = take_snapshot(session)
                if final != snapshot and (not snapshot or restore_contents(snapshot) != session):
                    fields.append((b"set-cookie", self._seal(session, final, stamp)))
                fields += ((b"vary", b"Cookie"), (b"cache-control", b"private, no-store"))
                message = {**message, "headers": fields}
            await send(message)

        try:
            await self._app(scope, receive, commit)
        finally:
            current.reset(token)

    def _seal(self, session: dict[str, Any], snapshot: bytes, stamp: Any) -> bytes:
        now, plaintext = int(time.time()), freeze(session, self._serializer, INT_MAX, snapshot)
        sid, created = stamp or (encode(os.urandom(16)).decode(), now)
        clear = (
            f'{{"alg":"dir","enc":"A256GCM","sid":"{sid}","iat":{created},"exp":{now + LIFETIME}}}'
        )
        header, nonce = b2a_base64(clear.encode(), newline=False).rstrip(b"="), os.urandom(12)
        sealed = self._cipher.encrypt(nonce, plaintext, header)
        ends, text = encode(nonce + sealed[-16:]), self._serializer.b64encode(sealed[:-16])
        token = b".".join((header, b"", ends[:16], text, ends[16:])).decode()
        return (
            f"{NAME}={token}; Path=/; Max-Age={LIFETIME}; HttpOnly; Secure; SameSite=Lax".encode()
        )


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench.py floor", description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--loops", type=int, default=100, help="requests in a turn")
    options = parser.parse_args(arguments)
    stay_on_one_core()
    ways = ("none", "theirs", *OURS, *FLOORS)
    figures = measure("starlette", rounds=options.rounds, loops=options.loops, ways=ways)
    print(
        f"\nMicroseconds that a session of 2 kB adds in Starlette, Python {sys.version.partition(' ')[0]},"
    )
    print("and as a multiple of what its own SessionMiddleware adds", flush=True)
    for action in ("read", "write"):
        theirs = figures["theirs", action] - figures["none", action]
        for way in ways[1:]:
            added = figures[way, action] - figures["none", action]
            print(f"{action:8}{way:16}{added:8.1f}{added / theirs:8.2f}")
