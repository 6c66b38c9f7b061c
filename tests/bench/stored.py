"""The same small application in four frameworks, with sessions in Redis: none, a library's own, ours with either JSON.

As a program it is a worker, as `apps.py` is one: `python stored.py flask theirs redis://127.0.0.1:6379/0`. Handlers are
generators. Where they yield, the application can be called again, so that two requests overlap in a known order.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
import warnings
from collections.abc import Callable, Generator
from contextvars import Context
from itertools import count
from threading import Thread
from typing import Any

from apps import environ_of, requests, scope_of, without_sessions
from sessions import OURS, SECRET, cookie_header, session_of, store_of

from sessionkit import delete_session, update_session
from sessionkit.backends import AsyncRedisBackend, RedisBackend

CHANGES = ("read", "write", "set-a", "set-b", "add", "logout")
ACTIONS = ("begin", "untouched", *CHANGES, *(f"late-{one}" for one in CHANGES))
"""A handler of `late-…` has loaded its session before another request is served, and goes on after it."""

WAYS = ("none", "theirs", *OURS)
numbers = count(1)


def act(action: str, session: Any, way: str) -> Generator[None, None, str]:
    """Do what a handler does with its session; yield where another request may come in between."""
    if session is None or action == "untouched":
        return "{}"
    if action == "begin":
        session.update(session_of())
        session["n"] = 0
        return "{}"
    change = action.removeprefix("late-")
    seen = session.get("n")
    if change != action:
        yield
    if change == "write":
        session["number"] = next(numbers)
    elif change.startswith("set-"):
        session[change] = True
    elif change == "add" and way in OURS:
        update_session(lambda now: {**now, "n": now["n"] + 1})
    elif change == "add":
        session["n"] = seen + 1
    elif change == "logout":
        log_out(session, way)
        return "{}"
    user = session.get("user")
    shown = {name: session.get(name) for name in ("n", "number", "set-a", "set-b")}
    return json.dumps({"user": user and user["sub"], **shown})


def log_out(session: Any, way: str) -> None:
    if way in OURS:
        delete_session()
    elif hasattr(session, "flush"):
        session.flush()  # as Django's logout does
    else:
        session.clear()


# ---- frameworks


def flask(way: str, url: str, between: Callable[[], None]) -> Any:
    import redis
    from flask import Flask, session
    from flask_session import Session

    from sessionkit_flask import SessionKit

    app = Flask("bench")
    app.secret_key = SECRET
    app.config["SESSION_COOKIE_SECURE"] = True
    if way in OURS:
        SessionKit(app, store=store_of(way, backend=RedisBackend(url)))
    elif way == "theirs":
        app.config.update(SESSION_TYPE="redis", SESSION_REDIS=redis.Redis.from_url(url))
        Session(app)
    else:
        app.session_interface = without_sessions()

    def view(action: str) -> Any:
        looks = way != "none" and action != "untouched"
        return lambda: drive(act(action, session if looks else None, way), between)

    for one in ACTIONS:
        app.add_url_rule(f"/{one}", one, view(one))
    return app


def starlette(way: str, url: str, between: Callable[[], None]) -> Any:
    from redis.asyncio import Redis
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route
    from starsessions import SessionAutoloadMiddleware, SessionMiddleware
    from starsessions.stores.redis import RedisStore

    import sessionkit_starlette

    def endpoint(action: str) -> Any:
        looks = way != "none" and action != "untouched"

        async def answer(request: Request) -> PlainTextResponse:
            steps = act(action, request.session if looks else None, way)
            return PlainTextResponse(await adrive(steps, between))

        return answer

    app = Starlette(routes=[Route(f"/{one}", endpoint(one)) for one in ACTIONS])
    if way in OURS:
        store = store_of(way, backend=AsyncRedisBackend(url))
        app.add_middleware(sessionkit_starlette.SessionMiddleware, store=store)
    elif way == "theirs":
        store = RedisStore(connection=Redis.from_url(url))
        app.add_middleware(SessionAutoloadMiddleware)
        app.add_middleware(SessionMiddleware, store=store, lifetime=86_400)
    return app


def litestar(way: str, url: str, between: Callable[[], None]) -> Any:
    from litestar import Litestar, MediaType, Request, get
    from litestar.middleware.session.server_side import ServerSideSessionConfig
    from litestar.stores.redis import RedisStore
    from redis.asyncio import Redis

    from sessionkit_litestar import SessionKitConfig

    def handler(action: str) -> Any:
        looks = way != "none" and action != "untouched"

        async def answer(request: Request) -> str:
            return await adrive(act(action, request.session if looks else None, way), between)

        answer.__annotations__ = {"request": Request, "return": str}
        return get(f"/{action}", media_type=MediaType.TEXT, name=action)(answer)

    middleware, stores = [], {}
    if way in OURS:
        store = store_of(way, backend=AsyncRedisBackend(url))
        middleware = [SessionKitConfig(store=store).middleware]
    elif way == "theirs":
        stores = {"sessions": RedisStore(Redis.from_url(url))}
        middleware = [ServerSideSessionConfig(secure=True).middleware]
    handlers = [handler(one) for one in ACTIONS]
    return Litestar(handlers, middleware=middleware, stores=stores, openapi_config=None)


def django(way: str, url: str, between: Callable[[], None], engine: str = "cache") -> Any:
    import django as framework
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import path

    def view(action: str) -> Any:
        looks = way != "none" and action != "untouched"
        return lambda request: HttpResponse(
            drive(act(action, request.session if looks else None, way), between)
        )

    asked: dict[str, Any] = {}
    if way == "theirs":
        asked["MIDDLEWARE"] = ["django.contrib.sessions.middleware.SessionMiddleware"]
        asked["SESSION_ENGINE"] = f"django.contrib.sessions.backends.{engine}"
    elif way in OURS:
        asked["MIDDLEWARE"] = ["sessionkit_django.SessionMiddleware"]
        asked["SESSION_ENGINE"] = "sessionkit_django.engine"
        asked["SESSIONKIT"] = {"store": store_of(way, backend=RedisBackend(url))}
    redis = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url}
    settings.configure(
        ALLOWED_HOSTS=["*"],
        SECRET_KEY=SECRET,
        SESSION_COOKIE_SECURE=True,
        CACHES={"default": redis},
        ROOT_URLCONF=tuple(path(one, view(one)) for one in ACTIONS),
        **asked,
        **with_database(engine),
    )
    framework.setup(set_prefix=False)
    return get_wsgi_application()


def with_database(engine: str) -> dict[str, Any]:
    """Return Django's settings of a database, for the engines that have one."""
    if "db" not in engine:
        return {}
    name = {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[-1]}
    return {"DATABASES": {"default": name}, "INSTALLED_APPS": ["django.contrib.sessions"]}


FRAMEWORKS = {"flask": flask, "starlette": starlette, "litestar": litestar, "django": django}
OVER_ASGI = {"starlette", "litestar"}
THEIRS = {
    "flask": "Flask-Session",
    "starlette": "starsessions",
    "litestar": "Litestar's server-side session",
    "django": "Django's cache sessions",
}


def drive(steps: Generator[None, None, str], between: Callable[[], None]) -> str:
    """Run a handler; where it yields, serve the other request in a thread, as a server does."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return str(done.value)
        in_thread(between)


def in_thread(function: Callable[[], None]) -> None:
    thread = Thread(target=function)
    thread.start()
    thread.join()


async def adrive(steps: Generator[None, None, str], between: Callable[[], Any]) -> str:
    """Run a handler; where it yields, serve the other request in a task, as a server does."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return str(done.value)
        await in_task(between)


async def in_task(function: Callable[[], Any]) -> None:
    # A context of its own: the other request does not come out of this one.
    await Context().run(asyncio.ensure_future, function())


# ---- calling them


class Served:
    """An application that is called without a server.

    Attributes:
        between: the action of the request that comes in between, and its cookies; None for none.
        send: sends a request: of an action and a Cookie header, returns status, Set-Cookie lines and text.
        took: of an action, a Cookie header and a number of requests, returns the seconds of processor time.
    """

    def __init__(self, framework: str, way: str, url: str, **options: Any) -> None:
        self.between: tuple[str, str] | None = None
        over_asgi = framework in OVER_ASGI
        self.loop = asyncio.new_event_loop() if over_asgi else None
        self._app = FRAMEWORKS[framework](
            way, url, self.aserve_between if over_asgi else self.serve_between, **options
        )

    def send(self, action: str, cookie: str) -> tuple[int, list[str], str]:
        if self.loop is None:
            return self._send(environ_of(action, cookie))
        return self.loop.run_until_complete(self._asend(scope_of(action, cookie)))

    def took(self, action: str, cookie: str, number: int) -> float:
        if self.loop is not None:
            return self.loop.run_until_complete(self._atook(scope_of(action, cookie), number))
        environ = environ_of(action, cookie)
        begin = time.thread_time()
        for _ in range(number):
            self._send(environ.copy())
        return time.thread_time() - begin

    def serve_between(self) -> None:
        (action, cookie), self.between = self.between or ("untouched", ""), None
        self._send(environ_of(action, cookie))

    async def aserve_between(self) -> None:
        (action, cookie), self.between = self.between or ("untouched", ""), None
        await self._asend(scope_of(action, cookie))

    def _send(self, environ: dict[str, Any]) -> tuple[int, list[str], str]:
        started: list[Any] = []
        body = self._app(environ, lambda *response: started.append(response))
        text = b"".join(body).decode()
        if hasattr(body, "close"):
            body.close()
        status, headers = started[-1][:2]
        lines = [value for name, value in headers if name.lower() == "set-cookie"]
        return int(status[:3]), lines, text

    async def _asend(self, scope: dict[str, Any]) -> tuple[int, list[str], str]:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self._app({**scope, "state": {}}, receive, send)
        lines = [
            value.decode() for name, value in sent[0]["headers"] if name.lower() == b"set-cookie"
        ]
        text = b"".join(message.get("body", b"") for message in sent[1:]).decode()
        return sent[0]["status"], lines, text

    async def _atook(self, scope: dict[str, Any], number: int) -> float:
        begin = time.thread_time()
        for _ in range(number):
            await self._asend(scope)
        return time.thread_time() - begin


def main(framework: str, way: str, url: str) -> None:
    warnings.simplefilter("ignore")
    logging.disable()  # of warnings: the server is not durable
    served = Served(framework, way, url)
    _, lines, _ = served.send("begin", "")
    cookie = cookie_header(lines)
    for action, number in requests():
        took = served.took(action, cookie, number)
        if way != "none":  # see that what was measured is what it is called
            shown = json.loads(served.send("read", cookie)[2])
            assert shown["user"]
            assert action != "write" or shown["number"] == next(numbers) - 1
        sys.stdout.write(f"{took!r}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
