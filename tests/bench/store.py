"""Whole paths without a framework around them: from the Cookie header to the session, and from it to the response's lines.

Ours go through a gateway, and each is compared with a peer that comes in by the same door: the session interface of
Flask, which is opened and saved with werkzeug's own request and response (WSGI), and the session middleware of
Starlette and of Litestar (ASGI). `floor` is nothing but json, AES-GCM and base64; `joserfc` a JWE and nothing around it.
"""

from __future__ import annotations

import argparse
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
from sessions import OURS, SECRET, cookie_header, session_of, store_of

from sessionkit import Lifetime

KEY = bytes.fromhex(SECRET)
ROLLING = Lifetime()
Step = Callable[[], object]


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


def drive(app: Any, scope: dict[str, Any]) -> list[str]:
    """Run an ASGI application that never waits, without an event loop; return its Set-Cookie lines."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    coroutine = app({**scope, "state": {}}, receive, send)
    try:
        coroutine.send(None)
    except StopIteration:
        return [value.decode() for name, value in sent[0]["headers"] if name == b"set-cookie"]
    raise AssertionError("it waited")


async def answer(send: Any) -> None:
    """Begin a response; a list of its own each time, since gateways add to it."""
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


# ---- ours


def through_wsgi(size: int, way: str) -> dict[str, Step]:
    now = [time.time()]
    store = store_of(way, lifetime=ROLLING, clock=lambda: now[0])
    session = session_of(size)
    changed = session | {"theme": "light"}
    lines: list[str] = []

    def gateway(handler: Callable[[dict[str, Any]], object]) -> Callable[[str], Step]:
        def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            handler(environ)
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"hello"]

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            lines[:] = [value for name, value in headers if name == "Set-Cookie"]

        wrapped = store.wsgi(app)

        def requests(cookie: str) -> Step:
            environ = environ_of(cookie)
            return lambda: wrapped(environ.copy(), start)

        return requests

    save = gateway(lambda environ: store.create_session(environ, session))("")
    save()
    cookie = cookie_header(lines)
    read = gateway(lambda environ: store.get_session(environ)["user"])(cookie)
    update = gateway(lambda environ: store.update_session(environ, changed))(cookie)

    def renew() -> None:
        now[0] += 120
        try:
            read()
        finally:
            now[0] -= 120

    read()
    assert lines == []
    renew()
    assert lines != []
    update()
    assert lines != []
    return {"read": read, "save": save, "update": update, "renew": renew}


def through_asgi(size: int, way: str) -> dict[str, Step]:
    store = store_of(way)
    session = session_of(size)
    changed = session | {"theme": "light"}

    async def reading(scope: Any, receive: Any, send: Any) -> None:
        assert store.get_session(scope)["user"]
        await answer(send)

    async def saving(scope: Any, receive: Any, send: Any) -> None:
        store.create_session(scope, session)
        await answer(send)

    async def updating(scope: Any, receive: Any, send: Any) -> None:
        store.update_session(scope, changed)
        await answer(send)

    reader, saver, updater = (store.asgi(app) for app in (reading, saving, updating))
    scope = scope_of(cookie_header(drive(saver, scope_of(""))))
    assert drive(reader, scope) == []
    assert drive(updater, scope) != []
    return {
        "read": lambda: drive(reader, scope),
        "save": lambda: drive(saver, scope_of("")),
        "update": lambda: drive(updater, scope),
    }


# ---- the peers


def flask(size: int) -> dict[str, Step]:
    from flask import Flask, Request
    from flask import Response as FlaskResponse

    class Response(FlaskResponse):
        max_cookie_size = 0  # it warns of a cookie that browsers would refuse

    app = Flask("bench")
    app.secret_key = SECRET
    interface = app.session_interface
    session = session_of(size)
    bare = environ_of("")

    def save() -> Any:
        live = interface.open_session(app, Request(bare.copy()))
        live.update(session)
        response = Response()
        interface.save_session(app, live, response)
        return response

    environ = environ_of(cookie_header(save().headers.getlist("Set-Cookie")))

    def read() -> Any:
        live = interface.open_session(app, Request(environ.copy()))
        assert live["user"]
        response = Response()
        interface.save_session(app, live, response)
        return response

    def update() -> Any:
        live = interface.open_session(app, Request(environ.copy()))
        live["theme"] = "light"
        response = Response()
        interface.save_session(app, live, response)
        return response

    assert "Set-Cookie" not in read().headers
    assert "Set-Cookie" in update().headers
    return {"read": read, "save": save, "update": update}


def _middleware(size: int, wrap: Callable[[Any], Any]) -> dict[str, Step]:
    """The steps of a session middleware whose session stands in `scope["session"]`."""
    session = session_of(size)

    async def reading(scope: Any, receive: Any, send: Any) -> None:
        assert scope["session"]["user"]
        await answer(send)

    async def saving(scope: Any, receive: Any, send: Any) -> None:
        scope["session"].update(session)
        await answer(send)

    async def updating(scope: Any, receive: Any, send: Any) -> None:
        scope["session"]["theme"] = "light"
        await answer(send)

    reader, saver, updater = (wrap(app) for app in (reading, saving, updating))
    scope = scope_of(cookie_header(drive(saver, scope_of(""))))
    assert drive(updater, scope) != []
    return {
        "read": lambda: drive(reader, scope),
        "save": lambda: drive(saver, scope_of("")),
        "update": lambda: drive(updater, scope),
    }


def starlette(size: int) -> dict[str, Step]:
    from starlette.middleware.sessions import SessionMiddleware

    return _middleware(size, lambda app: SessionMiddleware(app, secret_key=SECRET))


def litestar(size: int) -> dict[str, Step]:
    from litestar import Litestar, get
    from litestar.middleware.session.base import SessionMiddleware
    from litestar.middleware.session.client_side import (
        ClientSideSessionBackend,
        CookieBackendConfig,
    )

    backend = ClientSideSessionBackend(CookieBackendConfig(secret=KEY))

    @get("/")
    async def handler() -> None: ...

    within = Litestar([handler], openapi_config=None)
    route = within.route_handler_method_map["/"]["GET"]

    def wrap(app: Any) -> Any:
        middleware = SessionMiddleware(app, backend)

        async def routed(scope: Any, receive: Any, send: Any) -> None:
            """Put there what the middleware asks of a Litestar application: its JSON encoders."""
            scope["litestar_app"], scope["route_handler"] = within, route
            await middleware(scope, receive, send)

        return routed

    return _middleware(size, wrap)


def joserfc(size: int) -> dict[str, Step]:
    key = OctKey.import_key(KEY)
    header = {"alg": "dir", "enc": "A256GCM"}
    session = session_of(size)
    algorithms = ["dir", "A256GCM"]

    def save() -> str:
        return jwe.encrypt_compact(header, json.dumps(session).encode(), key, algorithms=algorithms)

    token = save()
    return {
        "read": lambda: json.loads(
            jwe.decrypt_compact(token, key, algorithms=algorithms).plaintext
        ),
        "save": save,
    }


def floor(size: int) -> dict[str, Step]:
    cipher = AESGCM(KEY)
    session = session_of(size)

    def save() -> bytes:
        nonce = os.urandom(12)
        text = json.dumps(session, separators=(",", ":")).encode()
        return urlsafe_b64encode(nonce + cipher.encrypt(nonce, text, b""))

    token = save()

    def read() -> object:
        raw = urlsafe_b64decode(token)
        return json.loads(cipher.decrypt(raw[:12], raw[12:], b""))

    return {"read": read, "save": save}


# ---- requests that leave the session alone


def untouched() -> dict[str, Step]:
    store = store_of("json")
    environ, scope = environ_of("__Host-session=x; a=b"), scope_of("__Host-session=x; a=b")

    def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"hello"]

    async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send)

    def start(status: str, headers: Any, exc_info: Any = None) -> Any: ...

    wsgi, asgi = store.wsgi(wsgi_app), store.asgi(asgi_app)
    return {
        "wsgi bare": lambda: wsgi_app(environ.copy(), start),
        "wsgi untouched": lambda: wsgi(environ.copy(), start),
        "asgi bare": lambda: drive(asgi_app, scope),
        "asgi untouched": lambda: drive(asgi, scope),
    }


# ---- measuring


def medians(steps: dict[str, Step], *, rounds: int, loops: int) -> dict[str, float]:
    """Return the microseconds of each step: the median over rounds in which all of them take turns."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds + 1):
        for name, step in steps.items():
            begin = time.thread_time()
            for _ in range(loops):
                step()
            if number:  # the first round warms up
                times[name].append((time.thread_time() - begin) / loops * 1e6)
    return {name: statistics.median(values) for name, values in times.items()}


PEERS = {
    "flask": "wsgi",
    "starlette": "asgi",
    "litestar": "asgi",
    "joserfc": "wsgi",
    "floor": "wsgi",
}
"""By which door each comes in; the last two by none."""


def report(size: int, *, rounds: int, loops: int) -> None:
    contenders = {f"wsgi {way}": through_wsgi(size, way) for way in OURS}
    contenders |= {f"asgi {way}": through_asgi(size, way) for way in OURS}
    contenders |= {one.__name__: one(size) for one in (flask, starlette, litestar, joserfc, floor)}
    steps = {f"{who} {step}": run for who, has in contenders.items() for step, run in has.items()}
    times = medians(steps, rounds=rounds, loops=loops)
    print(f"\n{size / 1000:g} kB: microseconds, and ours as a multiple of theirs, json | speed")
    for name, value in times.items():
        who, _, step = name.rpartition(" ")
        ratios = ""
        if door := PEERS.get(who):
            ratios = " | ".join(f"{times[f'{door} {way} {step}'] / value:5.2f}" for way in OURS)
        print(f"{who:12}{step:8}{value:9.2f}   {ratios}", flush=True)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench.py store", description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--loops", type=int, default=100)
    parser.add_argument("--sizes", type=int, nargs="*", default=[200, 2000, 8000])
    options = parser.parse_args(arguments)
    print(f"\nWhole paths without a framework, Python {sys.version.partition(' ')[0]}")
    for size in options.sizes:
        report(size, rounds=options.rounds, loops=options.loops)
    times = medians(untouched(), rounds=options.rounds * 4, loops=options.loops)
    print("\na request that leaves the session alone, microseconds")
    for kind in ("wsgi", "asgi"):
        bare, there = times[f"{kind} bare"], times[f"{kind} untouched"]
        print(f"{kind}: bare {bare:.2f}, with the gateway {there:.2f}: +{there - bare:.2f}")
