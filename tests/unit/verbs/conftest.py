"""The caller, in every form."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from wsgiref.headers import Headers

import pytest

import sessionkit
from sessionkit import Lifetime
from sessionkit._requests.recognition import register_request
from sessionkit._requests.responses import register_response
from sessionkit._requests.views import WSGIRequest

from ..scene import Scene
from ..served import environ_of, scope_of
from .forms import Act, Caller


class Request:
    """A framework's request that carries nothing the core knows."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self.inner = environ


class Response:
    """A framework's response that keeps its headers in a way of its own."""

    def __init__(self) -> None:
        self.fields = Headers([])


class Fields:
    def __init__(self, headers: Headers) -> None:
        self.items = headers.items
        self.add = headers.add_header
        self.headers = headers

    def __delitem__(self, name: str) -> None:
        del self.headers[name]


register_request(Request, lambda request: WSGIRequest(request.inner))


register_response(Response, lambda response: Fields(response.fields))


def lines_of(headers: Any) -> list[str]:
    """The Set-Cookie lines among headers, whatever they are kept in."""
    fields = [
        (one.decode(), two.decode()) if isinstance(one, bytes) else (one, two)
        for one, two in headers
    ]
    return [value for name, value in fields if name.lower() == "set-cookie"]


def under_wsgi(naming: Callable[[dict[str, Any]], tuple[Any, ...]]) -> Any:
    def run(scene: Scene, verbs: Any, act: Act) -> list[str]:
        started: list[Any] = []

        def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            act(
                lambda verb, *session, **named: getattr(verbs, f"{verb}_session")(
                    *naming(environ), *session, **named
                )
            )
            start_response("200 OK", [])
            return []

        scene.store.wsgi(app)(
            environ_of(scene.browser.jar.header()), lambda status, headers: started.append(headers)
        )
        return lines_of(started[0])

    return run


def under_asgi(naming: Callable[[dict[str, Any]], tuple[Any, ...]], *, kind: str = "http") -> Any:
    def run(scene: Scene, verbs: Any, act: Act) -> list[str]:
        sent: list[Any] = []

        async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
            act(
                lambda verb, *session, **named: getattr(verbs, f"{verb}_session")(
                    *naming(scope), *session, **named
                )
            )
            await send(
                {"type": "http.response.start", "status": 200}
                if kind == "http"
                else {"type": "websocket.accept"}
            )

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(
            scene.store.asgi(app)(scope_of(scene.browser.jar.header(), type=kind), send, send)
        )
        return lines_of(sent[0].get("headers", ()))

    return run


def in_a_script(scene: Scene, verbs: Any, act: Act) -> list[str]:
    with scene.store.exchange(scene.browser.jar.header()) as exchange:
        act(lambda verb, *session, **named: getattr(verbs, f"{verb}_session")(*session, **named))
    return lines_of(exchange.response_headers)


def written(
    request: Callable[[str], Any], response: Callable[[], Any], headers: Callable[[Any], Any]
) -> Any:
    def run(scene: Scene, verbs: Any, act: Act) -> list[str]:
        here, there = request(scene.browser.jar.header()), response()
        act(
            lambda verb, *session, **named: getattr(verbs, f"{verb}_session")(
                here, there, *session, **named
            )
        )
        return lines_of(headers(there))

    return run


GATEWAYS: dict[str, Any] = {
    "nothing, WSGI": under_wsgi(lambda environ: ()),
    "environ": under_wsgi(lambda environ: (environ,)),
    "environ, headers of a gateway's response": under_wsgi(lambda environ: (environ, [])),
    "object with environ": under_wsgi(lambda environ: (SimpleNamespace(environ=environ),)),
    "registered request": under_wsgi(lambda environ: (Request(environ),)),
    "nothing, ASGI": under_asgi(lambda scope: ()),
    "scope": under_asgi(lambda scope: (scope,)),
    "scope, message of a gateway's response": under_asgi(
        lambda scope: (scope, {"type": "http.response.start"})
    ),
    "object with scope": under_asgi(lambda scope: (SimpleNamespace(scope=scope),)),
    "scope of a websocket": under_asgi(lambda scope: (scope,), kind="websocket"),
    "nothing, script": in_a_script,
}


RESPONSES: dict[str, Any] = {
    "environ, list": written(environ_of, list, lambda headers: headers),
    "environ, wsgiref Headers": written(environ_of, lambda: Headers([]), Headers.items),
    "scope, message": written(
        scope_of,
        lambda: {"type": "http.response.start", "status": 200},
        lambda message: message["headers"],
    ),
    "scope, accept": written(
        scope_of,
        lambda: {"type": "websocket.accept", "headers": ()},
        lambda message: message["headers"],
    ),
    "scope, raw list": written(scope_of, list, lambda headers: headers),
    "environ, response object": written(
        environ_of,
        lambda: SimpleNamespace(headers=Headers([])),
        lambda response: response.headers.items(),
    ),
    "object with scope, raw list": written(
        lambda cookies: SimpleNamespace(scope=scope_of(cookies)),
        lambda: [(b"content-type", b"text/plain")],
        lambda headers: headers,
    ),
    "registered types": written(
        lambda cookies: Request(environ_of(cookies)),
        Response,
        lambda response: response.fields.items(),
    ),
}


FORMS = {**GATEWAYS, **RESPONSES}


LIFETIMES = {
    "remembered": Lifetime(idle=2_592_000, absolute=7_776_000),
    "kiosk": Lifetime(idle=300, transient=True),
}


@pytest.fixture(params=["method", "function"])
def verbs(request: pytest.FixtureRequest) -> Iterator[Any]:
    yield request.param
    sessionkit.configure(None)


@pytest.fixture(params=FORMS)
def caller(request: pytest.FixtureRequest, verbs: str) -> Caller:
    scene = Scene(lifetimes=LIFETIMES)
    if verbs == "method":
        return Caller(scene, FORMS[request.param], scene.store)
    sessionkit.configure(scene.store)
    return Caller(scene, FORMS[request.param], sessionkit)


@pytest.fixture
def nothing_configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No default store: neither configured nor in the environment."""
    monkeypatch.delenv("SESSIONKIT_SECRET", raising=False)
    sessionkit.configure(None)
    yield
    sessionkit.configure(None)
