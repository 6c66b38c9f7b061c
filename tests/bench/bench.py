"""Load, save, update and renew sessions, ours and the peers', interleaved in one run.

A shared machine is noisy, so every figure is the median over many short rounds in which all contenders take
turns, and what counts is the ratio between two of them. Run it with `nox -s bench`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from wsgiref.util import setup_testing_defaults

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jwe
from joserfc.jwk import OctKey

from sessionkit import CookieSettings, Lifetime, SessionStore, fast_json, get_session
from sessionkit.request import WSGIRequest

SECRET = os.urandom(48)
Step = Callable[[], object]


def session_of(size: int) -> dict[str, Any]:
    """A session as applications have them: claims, a token or two, and for the rest a list of small objects.

    The list is the dear part (json and every check walk through it); half of what a session of 2 kB has to spare
    is token, half is list.
    """
    user = {
        "sub": "auth0|5f7c8ec7c33c6c004bbafe82",
        "iss": "https://example.eu.auth0.com/",
        "email": "ada@example.org",
        "name": "Ada Lovelace",
    }
    session: dict[str, Any] = {"user": user, "theme": "dark", "locale": "en-GB"}
    spare = size - len(json.dumps(session))
    if spare > 100:
        session["id_token"] = urlsafe_b64encode(os.urandom(spare * 3 // 8)).decode()
    items: list[dict[str, Any]] = []
    while len(json.dumps(session | {"cart": items})) < size:
        items.append(
            {
                "id": 1000 + len(items),
                "name": f"Item number {len(items)}",
                "price": 12.5,
                "gift": False,
                "note": None,
            }
        )
    return session | {"cart": items} if items else session


# ---- ours


def environ_of(cookie: str) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "HTTP_COOKIE": cookie,
        "HTTP_HOST": "example.org",
        "wsgi.url_scheme": "https",
    }
    setup_testing_defaults(environ)
    return environ


def scope_of(cookie: str) -> dict[str, Any]:
    return {
        "type": "http", "method": "GET", "path": "/", "scheme": "https", "query_string": b"", "asgi": {"version": "3.0"},
        "headers": [(b"host", b"example.org"), (b"cookie", cookie.encode())],
    }  # fmt: skip


def ours(size: int, name: str, **settings: Any) -> dict[str, Step]:
    now = [1_700_000_000.0]
    store = SessionStore(
        SECRET, cookie=CookieSettings(max_bytes=32_768), clock=lambda: now[0], **settings
    )
    session = session_of(size)
    with store.exchange() as exchange:
        store.create_session(session)
    lines = [value for field, value in exchange.response_headers if field == "Set-Cookie"]
    environ = environ_of("; ".join(line.partition(";")[0] for line in lines))
    changed = session | {"theme": "light"}
    bare = environ_of("")

    def load() -> object:
        return store.begin(WSGIRequest(environ)).get()

    def load_commit() -> object:
        exchange = store.begin(WSGIRequest(environ))
        exchange.get()
        return exchange.commit(200)

    def save() -> object:
        exchange = store.begin(WSGIRequest(bare))
        exchange.create(session)
        return exchange.commit(200)

    def update() -> object:
        exchange = store.begin(WSGIRequest(environ))
        exchange.update(changed)
        return exchange.commit(200)

    def renew() -> object:
        now[0] += 120
        try:
            exchange = store.begin(WSGIRequest(environ))
            exchange.get()
            changes = exchange.commit(200)
        finally:
            now[0] -= 120
        return changes

    assert load() == session
    assert not [value for field, value in load_commit().add if field == "Set-Cookie"]
    assert [value for field, value in renew().add if field == "Set-Cookie"]
    return {
        f"{name} load": load,
        f"{name} load+commit": load_commit,
        f"{name} save": save,
        f"{name} update": update,
        f"{name} renew": renew,
    }


# ---- the peers


def flask(size: int) -> dict[str, Step]:
    from flask import Flask, Request, Response

    app = Flask("bench")
    app.secret_key = SECRET
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False
    interface = app.session_interface
    session = session_of(size)

    def save() -> object:
        live = interface.open_session(app, Request(bare))
        live.update(session)
        response = Response()
        interface.save_session(app, live, response)
        return response

    bare = environ_of("")
    environ = environ_of(save().headers["Set-Cookie"].partition(";")[0])

    def load() -> object:
        return interface.open_session(app, Request(environ))

    def load_commit() -> object:
        live = load()
        live["user"]
        response = Response()
        interface.save_session(app, live, response)
        return response

    assert dict(load()) == session
    return {"flask load": load, "flask load+commit": load_commit, "flask save": save}


def _drive(app: Any, scope: dict[str, Any]) -> list[dict[str, Any]]:
    """Run an ASGI application that never waits, without an event loop."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    coroutine = app(scope, receive, send)
    try:
        coroutine.send(None)
    except StopIteration:
        return sent
    raise AssertionError("it waited")


def _start() -> dict[str, Any]:
    return {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-type", b"text/plain")],
    }


def starlette(size: int) -> dict[str, Step]:
    from starlette.middleware.sessions import SessionMiddleware

    session = session_of(size)

    async def reading(scope: Any, receive: Any, send: Any) -> None:
        assert scope["session"]["user"]

    async def answering(scope: Any, receive: Any, send: Any) -> None:
        assert scope["session"]["user"]
        await send(_start())

    async def writing(scope: Any, receive: Any, send: Any) -> None:
        scope["session"].update(session)
        await send(_start())

    reader, answerer, writer = (
        SessionMiddleware(app, secret_key=SECRET.hex()) for app in (reading, answering, writing)
    )
    line = next(
        value
        for name, value in _drive(writer, scope_of("a=b"))[0]["headers"]
        if name == b"set-cookie"
    )
    cookie = line.decode().partition(";")[0]
    return {
        "starlette load": lambda: _drive(reader, scope_of(cookie)),
        "starlette load+commit": lambda: _drive(answerer, scope_of(cookie)),
        "starlette save": lambda: _drive(writer, scope_of("a=b")),
    }


def ours_asgi(size: int, name: str, **settings: Any) -> dict[str, Step]:
    """Ours through the ASGI gateway: for the comparison with Starlette's, which has no other way in."""
    store = SessionStore(SECRET, cookie=CookieSettings(max_bytes=32_768), **settings)
    session = session_of(size)

    async def reading(scope: Any, receive: Any, send: Any) -> None:
        assert store.get_session(scope)["user"]

    async def answering(scope: Any, receive: Any, send: Any) -> None:
        assert store.get_session(scope)["user"]
        await send(_start())

    async def writing(scope: Any, receive: Any, send: Any) -> None:
        store.create_session(scope, session)
        await send(_start())

    reader, answerer, writer = (store.asgi(app) for app in (reading, answering, writing))
    lines = [
        value.decode()
        for field, value in _drive(writer, scope_of("a=b"))[0]["headers"]
        if field == b"set-cookie"
    ]
    cookie = "; ".join(line.partition(";")[0] for line in lines)
    return {
        f"{name} load": lambda: _drive(reader, scope_of(cookie)),
        f"{name} load+commit": lambda: _drive(answerer, scope_of(cookie)),
        f"{name} save": lambda: _drive(writer, scope_of("a=b")),
    }


def litestar(size: int) -> dict[str, Step]:
    from litestar.middleware.session.client_side import (
        ClientSideSessionBackend,
        CookieBackendConfig,
    )

    backend = ClientSideSessionBackend(CookieBackendConfig(secret=SECRET[:32]))
    session = session_of(size)
    chunks = backend.dump_data(session)
    return {
        "litestar load": lambda: backend.load_data(chunks),
        "litestar save": lambda: backend.dump_data(session),
    }


def joserfc(size: int) -> dict[str, Step]:
    key = OctKey.import_key(SECRET[:32])
    header = {"alg": "dir", "enc": "A256GCM"}
    session = session_of(size)

    def save() -> str:
        return jwe.encrypt_compact(
            header, json.dumps(session).encode(), key, algorithms=["dir", "A256GCM"]
        )

    token = save()

    def load() -> object:
        return json.loads(jwe.decrypt_compact(token, key, algorithms=["dir", "A256GCM"]).plaintext)

    return {"joserfc load": load, "joserfc save": save}


def floor(size: int) -> dict[str, Step]:
    """Nothing but json, AES-GCM and base64."""
    cipher = AESGCM(SECRET[:32])
    session = session_of(size)

    def save() -> bytes:
        nonce = os.urandom(12)
        return urlsafe_b64encode(
            nonce + cipher.encrypt(nonce, json.dumps(session, separators=(",", ":")).encode(), b"")
        )

    token = save()

    def load() -> object:
        raw = urlsafe_b64decode(token)
        return json.loads(cipher.decrypt(raw[:12], raw[12:], b""))

    return {"floor load": load, "floor save": save}


# ---- requests that nobody asks for their session


def untouched() -> dict[str, Step]:
    store = SessionStore(SECRET, lifetime=Lifetime())
    environ, scope = environ_of("__Host-session=x; a=b"), scope_of("__Host-session=x; a=b")
    headers = [("Content-Type", "text/plain")]

    def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", headers)
        return [b"hello"]

    async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
        await send(_start())

    def started(status: str, headers: Any, exc_info: Any = None) -> Any:
        return None

    wsgi, asgi = store.wsgi(wsgi_app), store.asgi(asgi_app)
    return {
        "wsgi bare": lambda: wsgi_app(dict(environ), started),
        "wsgi untouched": lambda: wsgi(dict(environ), started),
        "asgi bare": lambda: _drive(asgi_app, dict(scope)),
        "asgi untouched": lambda: _drive(asgi, dict(scope)),
    }


# ---- measuring


def medians(steps: dict[str, Step], *, rounds: int, loops: int) -> dict[str, float]:
    """Microseconds of each step: the median over rounds in which all of them take turns."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        for _ in range(loops):
            step()
    for _ in range(rounds):
        for name, step in steps.items():
            begin = (
                time.thread_time()
            )  # of the processor, so that what else runs on the machine counts less
            for _ in range(loops):
                step()
            times[name].append((time.thread_time() - begin) / loops * 1e6)
    return {name: statistics.median(values) for name, values in times.items()}


def table(size: int, times: dict[str, float]) -> None:
    print(
        f"\n{size / 1000:g} kB (payload {len(json.dumps(session_of(size)))} bytes), microseconds, and ratios of ours to each"
    )
    mine = ["core", "core+speed", "asgi", "asgi+speed"]
    print(f"{'':24}{'us':>9}" + "".join(f"{who:>14}" for who in mine))
    for name, value in times.items():
        who, step = name.split(" ", 1)
        against = {one: times.get(f"{one} {step}") for one in mine}
        cells = "".join(
            f"{'-' if ours is None or who in mine else f'{ours / value:.2f}':>14}"
            for ours in against.values()
        )
        print(f"{name:24}{value:9.2f}{cells}")
    for one in ("core", "core+speed"):
        renewal = times[f"{one} renew"] - times[f"{one} load+commit"]
        print(
            f"{one}: a renewal adds {renewal:.2f} us to a load with the unchanged commit, {renewal / times[f'{one} save']:.3f} of a save"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--loops", type=int, default=100)
    parser.add_argument("--sizes", type=int, nargs="*", default=[200, 2000, 8000])
    options = parser.parse_args()
    for size in options.sizes:
        steps: dict[str, Step] = {}
        fast = {"serializer": fast_json()}
        for more in (
            ours(size, "core"), ours(size, "core+speed", **fast), ours_asgi(size, "asgi"), ours_asgi(size, "asgi+speed", **fast),
            flask(size), starlette(size), litestar(size), joserfc(size), floor(size),
        ):  # fmt: skip
            steps |= more
        table(size, medians(steps, rounds=options.rounds, loops=options.loops))
    times = medians(untouched(), rounds=options.rounds * 4, loops=options.loops)
    print("\na request that nobody asks for its session, microseconds")
    for kind in ("wsgi", "asgi"):
        bare, there = times[f"{kind} bare"], times[f"{kind} untouched"]
        print(f"{kind}: bare {bare:.2f}, with the gateway {there:.2f}: +{there - bare:.2f}")
    return 0


if __name__ == "__main__":
    assert asyncio  # the ASGI gateway knows its tasks by it: imported before anything is timed
    assert get_session
    sys.exit(main())
