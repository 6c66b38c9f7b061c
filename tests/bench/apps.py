"""The same small application in four frameworks, each with four sessions: none, the framework's own, ours with either JSON.

`/begin` puts the session in, `/read` reads from it, `/write` changes one value, `/untouched` does not look at it.
As a program it is a worker: it answers each line `read 200` with the seconds of processor time that 200 requests took.
As a module it is what a server serves: `BENCH_APP=flask:speed gunicorn apps:app`.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import count
from typing import Any

from sessions import OURS, SECRET, cookie_header, session_of, store_of

ACTIONS = ("read", "write", "untouched")
WAYS = ("none", "theirs", *OURS)
numbers = count()


def act(action: str, session: Any) -> str:
    """Do what a handler does with its session; without sessions it does nothing."""
    if session is None or action == "untouched":
        return "hello"
    if action == "begin":
        session.update(session_of())
    elif action == "write":
        session["number"] = next(numbers)
    return str(session["user"]["sub"])


def starlette(way: str) -> Any:
    from starlette.applications import Starlette
    from starlette.middleware.sessions import SessionMiddleware
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    import sessionkit_starlette

    def endpoint(action: str) -> Any:
        looks = way != "none" and action != "untouched"

        async def answer(request: Request) -> PlainTextResponse:
            return PlainTextResponse(act(action, request.session if looks else None))

        return answer

    app = Starlette(routes=[Route(f"/{one}", endpoint(one)) for one in ("begin", *ACTIONS)])
    if way == "theirs":
        app.add_middleware(SessionMiddleware, secret_key=SECRET, https_only=True)
    elif way in OURS:
        app.add_middleware(sessionkit_starlette.SessionMiddleware, store=store_of(way))
    elif way != "none":
        from floor import FLOORS, StraightLine

        app.add_middleware(StraightLine, serializer=FLOORS[way])
    return app


def litestar(way: str) -> Any:
    from litestar import Litestar, MediaType, Request, get
    from litestar.middleware.session.client_side import CookieBackendConfig

    from sessionkit_litestar import SessionKitConfig

    def handler(action: str) -> Any:
        looks = way != "none" and action != "untouched"

        async def answer(request: Request) -> str:
            return act(action, request.session if looks else None)

        answer.__annotations__ = {"request": Request, "return": str}
        return get(f"/{action}", media_type=MediaType.TEXT, name=action)(answer)

    middleware = []
    if way == "theirs":
        middleware = [CookieBackendConfig(secret=bytes.fromhex(SECRET), secure=True).middleware]
    elif way in OURS:
        middleware = [SessionKitConfig(store=store_of(way)).middleware]
    return Litestar(
        [handler(one) for one in ("begin", *ACTIONS)], middleware=middleware, openapi_config=None
    )


def flask(way: str) -> Any:
    from flask import Flask, session

    from sessionkit_flask import SessionKit

    app = Flask("bench")
    app.secret_key = SECRET
    app.config["SESSION_COOKIE_SECURE"] = True
    if way in OURS:
        SessionKit(app, store=store_of(way))

    def view(action: str) -> Any:
        looks = way != "none" and action != "untouched"
        return lambda: act(action, session if looks else None)

    for one in ("begin", *ACTIONS):
        app.add_url_rule(f"/{one}", one, view(one))
    if way == "none":
        app.session_interface = without_sessions()
    return app


def without_sessions() -> Any:
    from flask.sessions import SessionInterface, SessionMixin

    class Nothing(dict, SessionMixin):  # type: ignore[type-arg]
        accessed = False

    class Interface(SessionInterface):
        nothing = Nothing()

        def open_session(self, app: Any, request: Any) -> Any:
            return self.nothing

        def save_session(self, app: Any, session: Any, response: Any) -> None: ...

    return Interface()


def django(way: str) -> Any:
    import django as framework
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import path

    def view(action: str) -> Any:
        looks = way != "none" and action != "untouched"
        return lambda request: HttpResponse(act(action, request.session if looks else None))

    asked: dict[str, Any] = {}
    if way == "theirs":
        asked["MIDDLEWARE"] = ["django.contrib.sessions.middleware.SessionMiddleware"]
        asked["SESSION_ENGINE"] = "django.contrib.sessions.backends.signed_cookies"
    elif way in OURS:
        asked["MIDDLEWARE"] = ["sessionkit_django.SessionMiddleware"]
        asked["SESSION_ENGINE"] = "sessionkit_django.engine"
        asked["SESSIONKIT"] = {"store": store_of(way)}
    settings.configure(
        ALLOWED_HOSTS=["*"],
        SECRET_KEY=SECRET,
        SESSION_COOKIE_SECURE=True,
        ROOT_URLCONF=tuple(path(one, view(one)) for one in ("begin", *ACTIONS)),
        **asked,
    )
    framework.setup(set_prefix=False)
    return get_wsgi_application()


FRAMEWORKS = {"starlette": starlette, "flask": flask, "django": django, "litestar": litestar}
OVER_ASGI = {"starlette", "litestar"}
THEIRS = {
    "starlette": "Starlette's SessionMiddleware",
    "flask": "Flask's session",
    "django": "Django's signed_cookies",
    "litestar": "Litestar's client-side session",
}

Run = Callable[[str, int], float]
"""Of an action and a number of requests: the seconds of processor time that they took."""


def environ_of(action: str, cookie: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": f"/{action}", "QUERY_STRING": "", "SERVER_NAME": "example.org",
        "SERVER_PORT": "443", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "203.0.113.5", "HTTP_HOST": "example.org",
        "HTTP_USER_AGENT": "Mozilla/5.0", "HTTP_ACCEPT": "text/html", "HTTP_COOKIE": cookie, "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https", "wsgi.input": BytesIO(), "wsgi.errors": sys.stderr, "wsgi.multithread": False,
        "wsgi.multiprocess": False, "wsgi.run_once": False,
    }  # fmt: skip


def scope_of(action: str, cookie: str) -> dict[str, Any]:
    headers = [
        (b"host", b"example.org"), (b"user-agent", b"Mozilla/5.0"), (b"accept", b"text/html"), (b"cookie", cookie.encode()),
    ]  # fmt: skip
    return {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET", "scheme": "https",
        "path": f"/{action}", "raw_path": f"/{action}".encode(), "query_string": b"", "root_path": "", "headers": headers,
        "client": ("203.0.113.5", 4321), "server": ("example.org", 443),
    }  # fmt: skip


def over_wsgi(app: Any) -> Run:
    """Send requests to a WSGI application by calling it with an environ made before."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        started.append((status, headers))

    def send(environ: dict[str, Any]) -> bytes:
        started.clear()
        body = app(environ, start_response)
        text = b"".join(body)
        if hasattr(body, "close"):
            body.close()
        return text

    send(environ_of("begin", cookie_header([])))
    lines = [value for name, value in started[0][1] if name.lower() == "set-cookie"]
    environs = {action: environ_of(action, cookie_header(lines)) for action in ACTIONS}

    def run(action: str, number: int) -> float:
        environ = environs[action]
        begin = time.thread_time()
        for _ in range(number):
            send(environ.copy())
        took = time.thread_time() - begin
        check(action, started[0][0][:3], [name for name, _ in started[0][1]], lines)
        return took

    return run


def over_asgi(app: Any) -> Run:
    """Send requests to an ASGI application by calling it, in one task of one event loop, with a scope made before."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def send_all(scope: dict[str, Any], number: int) -> float:
        begin = time.thread_time()
        for _ in range(number):
            sent.clear()
            await app({**scope, "state": {}}, receive, send)
        return time.thread_time() - begin

    loop = asyncio.new_event_loop()
    loop.run_until_complete(send_all(scope_of("begin", cookie_header([])), 1))
    lines = [value.decode() for name, value in sent[0]["headers"] if name.lower() == b"set-cookie"]
    scopes = {action: scope_of(action, cookie_header(lines)) for action in ACTIONS}

    def run(action: str, number: int) -> float:
        took = loop.run_until_complete(send_all(scopes[action], number))
        names = [name.decode() for name, _ in sent[0]["headers"]]
        check(action, str(sent[0]["status"]), names, lines)
        return took

    return run


def check(action: str, status: str, names: list[str], lines: list[str]) -> None:
    """See that what was measured is what it is called: where there are sessions, one that changed is sent."""
    assert status == "200", status
    assert action != "write" or not lines or "set-cookie" in [name.lower() for name in names]


def run_of(framework: str, way: str) -> Run:
    return (over_asgi if framework in OVER_ASGI else over_wsgi)(FRAMEWORKS[framework](way))


def requests() -> Iterator[tuple[str, int]]:
    for line in sys.stdin:
        action, number = line.split()
        yield action, int(number)


if __name__ == "__main__":
    run = run_of(*sys.argv[1:])
    for action, number in requests():
        sys.stdout.write(f"{run(action, number)!r}\n")
        sys.stdout.flush()
elif "BENCH_APP" in os.environ:
    framework, _, way = os.environ["BENCH_APP"].partition(":")
    app = FRAMEWORKS[framework](way)
