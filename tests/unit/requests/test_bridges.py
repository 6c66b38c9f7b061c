"""WSGI inside ASGI and the reverse: one session where the bridge carries the outer request, and one cookie where it does not."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from sessionkit import (
    ConfigurationError,
    IdentityChangedError,
    SessionStore,
    create_session,
    delete_session,
    get_exchange,
    get_session,
    update_session,
)
from sessionkit._frameworks.contents import find_or_open_exchange
from sessionkit._requests.views import WSGIRequest
from sessionkit.backends import MemoryBackend

from ..asked import header, serve, who, wsgi_page
from ..scene import ALICE, BOB, SECRET, Scene
from ..served import environ_of, serve_asgi


def as_wsgi_inside(app: Any) -> Any:
    """What a2wsgi does to serve a WSGI application inside an ASGI one."""

    async def bridge(scope: Any, receive: Any, send: Any) -> None:
        fields = [value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"]
        environ = environ_of(",".join(fields), **{"asgi.scope": scope})
        headers = serve(app, environ)
        pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
        await send({"type": "http.response.start", "status": 200, "headers": pairs})
        await send({"type": "http.response.body", "body": b""})

    return bridge


def cookies_of(answer: Any) -> list[str]:
    return [line.partition("=")[0] for line in answer.lines]


@pytest.mark.parametrize("fields", [["theme=dark"], ["theme=dark", "lang=en"]])
def test_a_wsgi_application_inside_an_asgi_one_shares_its_session(fields: list[str]) -> None:
    store, seen = SessionStore(SECRET), []

    def login(environ: Any) -> None:
        create_session(environ, ALICE)
        update_session({**ALICE, "n": 1})
        seen.append(dict(get_session(environ) or {}))

    bridge = as_wsgi_inside(store.wsgi(wsgi_page(login)))

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        assert get_session() is None
        await bridge(scope, receive, send)
        seen.append(dict(get_session() or {}))

    wire = serve_asgi(store.asgi(outer), fields)
    assert cookies_of(wire.answer) == ["__Host-session"]
    assert seen == [{**ALICE, "n": 1}] * 2


def test_an_asgi_application_inside_a_wsgi_one_shares_its_session() -> None:
    store = SessionStore(SECRET)

    async def login(scope: Any, receive: Any, send: Any) -> None:
        create_session(scope, ALICE)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    def outer(environ: Any, start_response: Any) -> list[bytes]:
        assert get_session() is None
        wire = serve_asgi(store.asgi(login), environ["HTTP_COOKIE"], wsgi_environ=environ)
        assert wire.answer.lines == []
        assert who(get_session()) == "alice"
        start_response("200 OK", wire.answer.headers)
        return []

    lines = serve(store.wsgi(outer), environ_of("theme=dark"))
    assert [value.partition("=")[0] for name, value in lines if name == "Set-Cookie"] == [
        "__Host-session"
    ]


def test_a_verb_without_a_gateway_inside_looks_through_the_bridge_too() -> None:
    store, seen = SessionStore(SECRET), []

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        environ = environ_of(
            "", **{"asgi.scope": {"type": "http", "headers": [], "wsgi_environ": scope}}
        )
        seen.append(create_session(environ, ALICE))
        await send({"type": "http.response.start", "status": 200, "headers": []})

    assert cookies_of(serve_asgi(store.asgi(outer)).answer) == ["__Host-session"]
    assert seen == [ALICE]


def test_another_visitors_cookie_behind_a_bridge_is_another_request() -> None:
    store, seen = SessionStore(SECRET), []

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        bob = environ_of(header(store, BOB), **{"asgi.scope": scope})
        serve(store.wsgi(wsgi_page(lambda environ: seen.append(who(get_session(environ))))), bob)
        seen.append(who(get_session()))
        await send({"type": "http.response.start", "status": 200, "headers": []})

    serve_asgi(store.asgi(outer), header(store, ALICE))
    assert seen == ["bob", "alice"]


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lambda: None, ["__Host-session"]),
        (get_session, ["__Host-session"]),
        (lambda: create_session(BOB), None),
    ],
)
def test_a_bridge_that_carries_nothing_never_makes_two_cookies_of_a_session(
    act: Any, expected: Any
) -> None:
    store, blind = SessionStore(SECRET), []

    def login(environ: Any) -> None:
        create_session(environ, ALICE)

    inner = store.wsgi(wsgi_page(login))

    def outer(environ: Any, start_response: Any) -> list[bytes]:
        act()
        blind.extend(serve(inner, environ_of()))
        start_response("200 OK", list(blind))
        return []

    served = store.wsgi(outer)
    if expected is None:
        with pytest.raises(ConfigurationError, match="sets the cookie '__Host-session' already"):
            serve(served, environ_of())
    else:
        lines = serve(served, environ_of())
        assert [
            value.partition("=")[0] for name, value in lines if name == "Set-Cookie"
        ] == expected


def test_a_renewal_gives_way_to_the_login_of_a_gateway_that_did_not_know_of_it() -> None:
    scene = Scene()
    scene.browser.login()
    scene.clock.wait(3600)
    inner = scene.store.wsgi(wsgi_page(lambda environ: create_session(environ, BOB)))

    def outer(environ: Any, start_response: Any) -> list[bytes]:
        assert who(get_session()) == "alice"
        start_response("200 OK", serve(inner, environ_of()))
        return []

    lines = serve(scene.store.wsgi(outer), environ_of(scene.browser.jar.header()))
    assert [value.partition("=")[0] for name, value in lines if name == "Set-Cookie"] == [
        "__Host-session"
    ]


def test_an_early_save_inside_is_left_to_the_gateway_that_awaits_the_backend() -> None:
    """Flask, Falcon and Pyramid save early, so that their error handlers can answer; outside, ASGI awaits the backend."""
    backend = MemoryBackend()
    store = SessionStore(SECRET, backend=backend)
    kept: list[int] = []

    def login(environ: Any) -> None:
        create_session(environ, ALICE)
        get_exchange(environ).check()
        kept.append(len(backend._records))

    answer = serve_asgi(store.asgi(as_wsgi_inside(store.wsgi(wsgi_page(login))))).answer
    assert (cookies_of(answer), kept, len(backend._records)) == (["__Host-session"], [0], 1)


def test_an_early_save_inside_refuses_a_session_that_cannot_be_kept() -> None:
    store = SessionStore(SECRET, backend=MemoryBackend())
    refused: list[type[Exception]] = []

    def change_who_it_is(environ: Any) -> None:
        create_session(environ, deepcopy(ALICE))["user"]["sub"] = "mallory"
        try:
            get_exchange(environ).check()
        except IdentityChangedError as error:
            refused.append(type(error))
        delete_session(environ)

    serve_asgi(store.asgi(as_wsgi_inside(store.wsgi(wsgi_page(change_who_it_is)))))
    assert refused == [IdentityChangedError]


@pytest.mark.parametrize("reads", ["gateway", "verb", "session object"])
def test_the_cookie_fields_of_http_2_behind_a_bridge_are_told_apart(reads: str) -> None:
    store, seen = SessionStore(SECRET), []
    fields = ["theme=a,b", header(store, ALICE), "lang=en"]

    def page(environ: Any) -> None:
        if reads == "session object":
            exchange = find_or_open_exchange(WSGIRequest(environ), store.settings)
            environ.pop("asgi.scope")
            seen.append(who(exchange.contents if exchange else None))
        else:
            seen.append(who(get_session() if reads == "gateway" else store.get_session(environ)))

    app = wsgi_page(page)
    bridge = as_wsgi_inside(store.wsgi(app) if reads == "gateway" else app)
    serve_asgi(bridge, fields)
    assert seen == ["alice"]


def test_a_comma_in_another_visitors_cookie_behind_a_bridge_parts_nothing() -> None:
    store, seen = SessionStore(SECRET), []
    forged = f"theme=a,{header(store, BOB)}"

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        page = wsgi_page(lambda environ: seen.append(who(get_session(environ))))
        serve(store.wsgi(page), environ_of(forged, **{"asgi.scope": scope}))
        await send({"type": "http.response.start", "status": 200, "headers": []})

    serve_asgi(outer, header(store, ALICE))
    assert seen == [None]
