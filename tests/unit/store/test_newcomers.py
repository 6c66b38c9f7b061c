"""What a newcomer writes first and wrongly: each error says what to write."""

from __future__ import annotations

import asyncio
import pydoc
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

import sessionkit
from sessionkit import (
    ConfigurationError,
    CookieSettings,
    Lifetime,
    SessionStore,
    bind,
    configure,
    create_session,
    update_session,
)
from sessionkit.formats import BaseFormat, FlaskCookie, Importer, Native
from sessionkit.testing import aread_cookies, asession_cookies, read_cookies, session_cookies

from ..scene import ALICE, SECRET
from ..served import environ_of, scope_of

STORE = SessionStore(SECRET)
VERBS = {
    "get_session": "get_session(environ, headers)",
    "update_session": "update_session(scope, message, session)",
    "create_session": "create_session(environ, session)",
    "touch_session": "touch_session(request, response)",
    "rotate_session": "rotate_session(environ)",
    "delete_session": "delete_session(scope, message)",
    "get_exchange": "get_exchange(environ)",
    "session_of": "session_of(Model, request, response)",
    "save_session": "save_session(request, model)",
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("owner", [sessionkit, STORE, SessionStore], ids=["module", "store", "class"])  # fmt: skip
def test_help_shows_the_calls(owner: Any, verb: str) -> None:
    text = " ".join(pydoc.plain(pydoc.render_doc(getattr(owner, verb))).split())
    assert f"`{VERBS[verb]}`" in text


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    raise NotImplementedError


async def admits(session: Any) -> bool:
    return False


class Admits:
    async def __call__(self, session: Any) -> bool:
        return False


async def async_view(environ: Any, start_response: Any) -> None:
    raise NotImplementedError


def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
    raise NotImplementedError


def broken(environ: Any, start_response: Any) -> list[bytes]:
    raise TypeError("of the application")


def serve(app: Any) -> Any:
    return STORE.wsgi(app)(environ_of(""), print)


@dataclass
class Account:
    user: str


def in_request(act: Any) -> None:
    with STORE.exchange():
        act()


class Later:
    def __await__(self) -> Any:
        raise NotImplementedError


class Unfinished(BaseFormat):
    def recognizes(self, text: str) -> bool:
        raise NotImplementedError

    def codec(self, keys: Any, **given: Any) -> Any:
        raise NotImplementedError


class Bare:
    def codec(self, keys: Any, **given: Any) -> Any:
        raise NotImplementedError


def log_in(store: SessionStore) -> None:
    with store.exchange():
        store.create_session(ALICE)


WRONG: list[tuple[Any, type[Exception], str]] = [
    (SessionStore, TypeError, "SessionStore needs a secret: .*SessionStore.from_env"),
    (lambda: SessionStore(None), ConfigurationError, "not NoneType: is the variable set that it comes from"),
    (lambda: SessionStore(SECRET, Lifetime()), TypeError, "one argument without a name, the secret"),
    (lambda: SessionStore(wsgi_app, SECRET), TypeError, "an application goes to store.wsgi"),
    (lambda: SessionStore(SECRET, max_age=60), TypeError, r"give lifetime=Lifetime\(absolute=\.\.\.\)"),
    (lambda: SessionStore(SECRET, secure=False), TypeError, r"give cookie=CookieSettings\(secure=\.\.\.\)"),
    (lambda: SessionStore.from_env(SECRET), TypeError, "a mapping of variables.*: give a secret to SessionStore"),
    (lambda: Lifetime(3600), TypeError, r"have names: Lifetime\(idle=\.\.\., absolute=\.\.\.\)"),
    (lambda: Lifetime(max_age=60), TypeError, r"Lifetime has no argument max_age: give absolute=\.\.\., or idle"),
    (lambda: Lifetime(idel=60), TypeError, r"Lifetime has no argument idel: give idle=\.\.\."),
    (lambda: Lifetime(whatever=60), TypeError, r"Lifetime has no argument whatever\Z"),
    (lambda: Lifetime(idle=timedelta(days=30)), ConfigurationError, r"which is 7 days unless you set it\): give absolute"),
    (lambda: Lifetime(idle=60, absolute=30), ConfigurationError, r"absolute \(30 s\): shorten idle"),
    (lambda: CookieSettings("session"), TypeError, r"have names: CookieSettings\(name=\.\.\."),
    (lambda: CookieSettings(samesite="lax"), TypeError, r"give same_site=\.\.\."),
    (lambda: CookieSettings(httponly=True), TypeError, r"give http_only=\.\.\."),
    (lambda: CookieSettings(max_age=60), TypeError, r"give SessionStore\(\.\.\., lifetime=Lifetime\(absolute"),
    (lambda: SessionStore(SECRET, guard=admits), ConfigurationError, "guard is async, and the store does not await it"),
    (lambda: SessionStore(SECRET, guard=Admits()), ConfigurationError, "guard is async"),
    (lambda: SessionStore(SECRET, guard=partial(admits)), ConfigurationError, "guard is async"),
    (lambda: log_in(SessionStore(SECRET, guard=lambda session: Later())), ConfigurationError, "the guard returned something to be awaited"),
    (lambda: SessionStore(SECRET, guard=True), ConfigurationError, "guard must be a function, not bool"),
    (lambda: SessionStore(SECRET, identity=admits), ConfigurationError, "identity is async"),
    (lambda: SessionStore(SECRET, renews=admits), ConfigurationError, "renews is async"),
    (lambda: SessionStore(SECRET, renews=None), ConfigurationError, "renews must be a function, not NoneType"),
    (lambda: SessionStore(SECRET, on_event=admits), ConfigurationError, "on_event is async"),
    (lambda: SessionStore(SECRET, clock=60), ConfigurationError, "clock must be a function, not int"),
    (lambda: SessionStore(SECRET, serializer=None), ConfigurationError, "serializer must be Serializer, not NoneType"),
    (lambda: SessionStore(SECRET, audience=None), ConfigurationError, "audience must be str, not NoneType"),
    (lambda: STORE.for_audience(None), ConfigurationError, "audience must be str, not NoneType"),
    (lambda: SessionStore(SECRET, format="auth0"), ConfigurationError, "str is not a format: give an object of sessionkit"),
    (lambda: SessionStore(SECRET, format=Native), ConfigurationError, r"format Native is a class: give an object of it, Native\(\)"),
    (lambda: SessionStore(SECRET, format=Unfinished()), ConfigurationError, "the format Unfinished is not complete: it needs traits. BaseFormat"),
    (lambda: Importer(Bare(), until=None), ConfigurationError, "Bare is not complete: it needs traits, layout, cookie_name, recognizes, looks_like, keys"),
    (lambda: Importer("flask", until=None), ConfigurationError, "str is not a format"),
    (lambda: SessionStore(SECRET, accept=["flask"]), ConfigurationError, "accept must be a sequence of importers"),
    (lambda: SessionStore(SECRET, accept=Importer(FlaskCookie(), until=None)), ConfigurationError, "accept must be a sequence"),
    (lambda: session_cookies(ALICE, STORE), TypeError, r"stands where the SessionStore belongs: session_cookies\(store, session\)"),
    (lambda: read_cookies({}, STORE), TypeError, r"stands where the SessionStore belongs: read_cookies\(store, set_cookie_lines"),
    (lambda: asyncio.run(asession_cookies(ALICE, STORE)), TypeError, r"SessionStore belongs: await asession_cookies\(store"),
    (lambda: asyncio.run(aread_cookies({}, STORE)), TypeError, r"SessionStore belongs: await aread_cookies\(store"),
    (lambda: STORE.wsgi(wsgi_app, exclude=3), TypeError, r"exclude takes globs of paths: exclude=\"/static/\*\", or a list"),
    (lambda: STORE.wsgi(wsgi_app, exclude=[3]), TypeError, "exclude takes globs of paths"),
    (lambda: STORE.wsgi(wsgi_app, exclude="static/*"), ConfigurationError, r"no path matches 'static/\*', since a path begins with a slash"),
    (lambda: STORE.asgi(asgi_app, exclude=["/a", r"^/b"]), ConfigurationError, "no path matches '\\^/b'"),
    (lambda: STORE.asgi(asgi_app, origins="https://example.org"), ConfigurationError, "origins must be a list"),
    (lambda: STORE.asgi(asgi_app, origins=[None]), ConfigurationError, "origins must be a list"),
    (lambda: in_request(lambda: bind(3)), TypeError, r"bind takes a function, not int: write bind\(work\), and not bind\(work\(\)\)"),
    (lambda: configure(SECRET), TypeError, r"str stands where the SessionStore belongs: sessionkit.configure\(store\)"),
    (lambda: STORE.wsgi(SECRET), TypeError, "str stands where the application belongs"),
    (lambda: STORE.wsgi(None), TypeError, r"store.wsgi\(app\) was given None: does the function that makes the application return it"),
    (lambda: STORE.asgi(None), TypeError, r"store.asgi\(app\) was given None"),
    (lambda: STORE.wsgi(STORE), TypeError, "a store stands where the application belongs"),
    (lambda: STORE.asgi(wsgi_app), TypeError, r"wsgi_app is not an ASGI application: serve it by store.wsgi\(app\)"),
    (lambda: STORE.wsgi(async_view), TypeError, "async_view is async, and a WSGI application is not: make it a plain"),
    (lambda: serve(asgi_app), TypeError, r"asgi_app is async, and a WSGI application is not: serve it by store.asgi"),
    (lambda: serve(broken), TypeError, r"\Aof the application\Z"),
    (lambda: STORE.exchange(b"a=b"), TypeError, "decode it first"),
    (lambda: STORE.exchange(environ_of("")), TypeError, r"call the verbs with it, store.get_session\(request\)"),
    (lambda: STORE.exchange(scope_of("")), TypeError, r"call the verbs with it, store.get_session\(request\)"),
    (lambda: STORE.exchange("").get(), AttributeError, r"has no 'get': write `with store.exchange\(\.\.\.\) as exchange:`"),
    (lambda: create_session(session=ALICE), TypeError, "have no names"),
    (lambda: create_session(Account("ann")), TypeError, r"a model is not a session: create_session\(contents_of\(model\)\)"),
    (lambda: update_session(Account("ann")), TypeError, r"a model is not a session: save_session\(model\)"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "kind", "message"), WRONG, ids=[message for _, _, message in WRONG]
)
def test_the_error_says_what_to_write(wrong: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        wrong()


@pytest.mark.parametrize(
    "origin",
    ["example.org", "https://example.org/", "https://Example.org", "https://example.org:443", "http://a.example:80", "*", ""],
)  # fmt: skip
def test_an_origin_that_no_browser_sends_is_refused(origin: str) -> None:
    with pytest.raises(ConfigurationError, match="no browser sends the Origin"):
        STORE.asgi(asgi_app, origins=["https://example.org", origin])


def test_origins_that_browsers_send_are_taken() -> None:
    origins = ["https://example.org", "http://[::1]:8000", "http://a.example:443", "null", "chrome-extension://abc"]  # fmt: skip
    assert STORE.asgi(asgi_app, origins=origins).origins == frozenset(origins)


@pytest.mark.parametrize("cookies", [None, {}, {"a": "b"}, "a=b"])
def test_a_request_of_cookies_takes_none_and_a_dict(cookies: Any) -> None:
    with STORE.exchange(cookies) as exchange:
        assert exchange.get() is None


def test_applications_that_cannot_be_looked_into_are_taken() -> None:
    class Any_:
        def __call__(self, *args: Any) -> list[bytes]:
            return []

    assert STORE.asgi(Any_()).app is not None
    assert STORE.asgi(print).app is print
    assert STORE.wsgi(print).app is print
    assert STORE.asgi(object()).app is not None


def test_a_coroutine_that_is_none_is_said_by_python_itself() -> None:
    async def handler() -> None:
        with STORE.exchange():
            await create_session(ALICE)  # type: ignore[misc]  # the point

    with pytest.raises(TypeError, match="object Session can't be used in 'await' expression|'Session' object can't be awaited"):  # fmt: skip
        asyncio.run(handler())
