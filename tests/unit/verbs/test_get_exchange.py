"""`get_exchange`: the exchange of a request, for what only it can say."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from sessionkit import (
    Absence,
    ConfigurationError,
    CookieSettings,
    EventKind,
    Exchange,
    NoActiveRequestError,
    SessionStore,
    get_exchange,
)

from ..scene import ALICE, OTHER_SECRET, Scene, names
from ..served import environ_of, scope_of

pytestmark = pytest.mark.usefixtures("nothing_configured")


def serve_wsgi(store: SessionStore, view: Any, cookies: str = "", **gateway: Any) -> list[str]:
    """Serve one request, and return the Set-Cookie lines of the response."""
    headers: list[Any] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        view(environ)
        start_response("200 OK", [])
        return []

    store.wsgi(app, **gateway)(environ_of(cookies), lambda _, fields: headers.extend(fields))
    return [value for name, value in headers if name == "Set-Cookie"]


def serve_asgi(store: SessionStore, view: Any, cookies: str = "") -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        view(scope)

    asyncio.run(store.asgi(app)(scope_of(cookies), None, None))  # type: ignore[arg-type]  # nothing is sent


@pytest.mark.parametrize("of_store", [False, True], ids=["module", "store"])
@pytest.mark.parametrize("serve", [serve_wsgi, serve_asgi])
def test_every_form_gives_the_one_exchange_of_the_request(serve: Any, of_store: bool) -> None:
    scene = Scene()
    get = scene.store.get_exchange if of_store else get_exchange
    found: list[Exchange] = []

    def view(request: Any) -> None:
        carried = SimpleNamespace(environ=request), SimpleNamespace(scope=request)
        found.extend([get(), get(request), *(get(one) for one in carried)])

    serve(scene.store, view)
    assert isinstance(found[0], Exchange)
    assert found == [found[0]] * 4


def test_it_shows_and_begins_an_anonymous_session() -> None:
    scene = Scene()
    lines = serve_wsgi(scene.store, lambda _: get_exchange().contents.update(cart=[1]))
    assert names(lines) == ["__Host-session"]
    scene.browser.jar.receive(lines)
    seen: list[Any] = []

    def view(environ: Any) -> None:
        exchange = get_exchange(environ)
        seen.extend([dict(exchange.contents), exchange.absence, exchange.get()])

    serve_wsgi(scene.store, view, scene.browser.jar.header())
    assert seen == [{"cart": [1]}, Absence.ANONYMOUS, None]


def test_it_is_the_exchange_of_the_block_in_a_script() -> None:
    with Scene().store.exchange() as exchange:
        assert get_exchange() is exchange


def test_where_no_request_is_served_it_raises_as_the_verbs_do() -> None:
    with pytest.raises(NoActiveRequestError, match="no request is being served here"):
        get_exchange()
    with pytest.raises(NoActiveRequestError, match="no request is being served here"):
        Scene().store.get_exchange()


def test_a_request_without_a_gateway_and_without_a_store_raises_as_the_verbs_do() -> None:
    with pytest.raises(ConfigurationError, match="no store is known"):
        get_exchange(environ_of())


@pytest.mark.parametrize("named", [False, True], ids=["nothing", "environ"])
def test_an_excluded_path_has_no_exchange(named: bool) -> None:
    def view(environ: Any) -> None:
        with pytest.raises(NoActiveRequestError, match="excluded from sessions, so its requests"):
            get_exchange(*[environ][:named])

    serve_wsgi(Scene().store, view, exclude="*")


def test_without_a_gateway_it_reads_what_get_session_reads() -> None:
    scene = Scene()
    scene.browser.login()
    environ = environ_of(scene.browser.jar.header())
    exchange = scene.store.get_exchange(environ)
    assert (dict(exchange.contents), exchange.absence) == (ALICE, None)
    assert exchange.contents is scene.store.get_session(environ)
    assert scene.store.get_exchange(environ_of()).absence is Absence.NO_COOKIE


def test_without_a_gateway_a_change_in_it_is_written_by_a_verb_that_is_given_the_response() -> None:
    scene, environ, headers = Scene(), environ_of(), list[Any]()
    scene.store.get_exchange(environ).contents["cart"] = [1]
    scene.store.get_session(environ, headers)
    assert names([value for name, value in headers if name == "Set-Cookie"]) == ["__Host-session"]


def test_without_a_gateway_a_change_that_nobody_writes_is_told() -> None:
    scene, environ = Scene(), environ_of()
    scene.store.get_exchange(environ).contents["cart"] = [1]
    del environ
    assert [event.kind for event in scene.events] == [EventKind.UNANSWERED]


@pytest.mark.parametrize(
    "args",
    [({"REQUEST_METHOD": "GET"}, []), ("environ",), (None,), ({},)],
    ids=["with a response", "a text", "None", "no request"],
)
def test_another_form_is_a_type_error_that_lists_the_valid_ones(args: Any) -> None:
    valid = (
        ("get_exchange(), get_exchange(environ), get_exchange(scope), get_exchange(request)")
        .replace("(", r"\(")
        .replace(")", r"\)")
    )
    with pytest.raises(TypeError, match=rf"is not a valid call: valid are {valid}$"):
        get_exchange(*args)


def test_the_stores_own_finds_its_exchange_inside_another_stores() -> None:
    inner = Scene()
    outer = SessionStore(OTHER_SECRET, cookie=CookieSettings(name="__Host-admin"))
    seen: list[Any] = []

    def view(environ: Any) -> None:
        seen.extend(
            store.get_exchange(*form).settings.name
            for store in (inner.store, outer)
            for form in ((), (environ,))
        )
        with pytest.raises(TypeError, match="two stores could be meant"):
            get_exchange()

    outer.wsgi(inner.store.wsgi(lambda environ, _: [view(environ)][:0]))(environ_of(), print)
    assert seen == ["__Host-session"] * 2 + ["__Host-admin"] * 2


def test_after_the_request_it_reads_by_the_request_and_is_current_no_more() -> None:
    scene, seen = Scene(), list[Any]()
    scene.browser.login()
    serve_wsgi(
        scene.store,
        lambda environ: seen.append(environ) or get_exchange().contents,
        scene.browser.jar.header(),
    )
    assert get_exchange(seen[0]).contents == ALICE
    with pytest.raises(NoActiveRequestError):
        get_exchange()
