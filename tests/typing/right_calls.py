"""Calls that must type-check, each to the one type of its verb. Checked, never run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, TypeAlias, TypedDict
from wsgiref.headers import Headers

from typing_extensions import assert_type

import sessionkit
from sessionkit import Contents, Exchange, Lifetime, Session, SessionStore, Stamp, bind
from sessionkit.asgi import SessionMiddleware as ASGIMiddleware
from sessionkit.wsgi import SessionMiddleware as WSGIMiddleware


def count(session: dict[str, Any]) -> dict[str, Any]:
    raise NotImplementedError


def give_up(session: dict[str, Any]) -> None:
    raise NotImplementedError


class FlaskLike:
    environ: dict[str, Any]
    headers: Mapping[str, str]


class StarletteLike:
    @property
    def scope(self) -> MutableMapping[str, Any]:
        raise NotImplementedError


class DjangoLike:
    META: dict[str, Any]


class TypedScope(TypedDict):
    """A scope as asgiref.typing describes it."""

    type: Literal["http"]
    path: str


class TypedMessage(TypedDict):
    """A message as asgiref.typing describes it."""

    type: Literal["http.response.start"]
    status: int


# Applications as Starlette and as asgiref.typing describe them.
MappingApp: TypeAlias = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[MutableMapping[str, Any]]],
        Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]
TypedApp: TypeAlias = Callable[
    [TypedScope, Callable[[], Awaitable[TypedMessage]], Callable[[TypedMessage], Awaitable[None]]],
    Awaitable[None],
]


class ResponseLike:
    @property
    def headers(self) -> Headers:
        raise NotImplementedError


def every_form(
    store: SessionStore,
    environ: dict[str, Any],
    scope: MutableMapping[str, Any],
    flask_like: FlaskLike,
    starlette_like: StarletteLike,
    text: list[tuple[str, str]],
    raw: list[tuple[bytes, bytes]],
    fields: Headers,
    message: MutableMapping[str, Any],
    response: ResponseLike,
    session: dict[str, Any],
    live: Session,
    read_only: Mapping[str, Any],
    perhaps: Session | None,
) -> None:
    assert_type(store.get_session(), Session | None)
    assert_type(store.get_session(environ), Session | None)
    assert_type(store.get_session(scope), Session | None)
    assert_type(store.get_session(flask_like), Session | None)
    assert_type(store.get_session(starlette_like), Session | None)
    assert_type(store.get_session(environ, text), Session | None)
    assert_type(store.get_session(environ, fields), Session | None)
    assert_type(store.get_session(scope, raw), Session | None)
    assert_type(store.get_session(scope, message), Session | None)
    assert_type(store.get_session(starlette_like, response), Session | None)

    assert_type(store.get_exchange(), Exchange)
    assert_type(store.get_exchange(environ), Exchange)
    assert_type(store.get_exchange(scope), Exchange)
    assert_type(store.get_exchange(flask_like), Exchange)
    assert_type(store.get_exchange(starlette_like), Exchange)

    assert_type(store.update_session(), bool)
    assert_type(store.update_session(session), bool)
    assert_type(store.update_session(live), bool)
    assert_type(store.update_session(read_only), bool)
    assert_type(store.update_session(perhaps), bool)
    assert_type(store.update_session(None), bool)
    assert_type(store.update_session(count), bool)
    assert_type(store.update_session(give_up), bool)
    assert_type(store.update_session(lambda live: {**live, "n": live["n"] + 1}), bool)
    assert_type(store.update_session(environ, count), bool)
    assert_type(store.update_session(scope, message, count), bool)
    assert_type(store.update_session(starlette_like, count), bool)
    assert_type(store.update_session({**live, "theme": "dark"}), bool)
    assert_type(store.update_session(environ, session), bool)
    assert_type(store.update_session(scope, perhaps), bool)
    assert_type(store.update_session(flask_like, session), bool)
    assert_type(store.update_session(starlette_like, None), bool)
    assert_type(store.update_session(environ, text, session), bool)
    assert_type(store.update_session(environ, fields, session), bool)
    assert_type(store.update_session(scope, raw, session), bool)
    assert_type(store.update_session(scope, message, None), bool)
    assert_type(store.update_session(flask_like, response, session), bool)

    assert_type(store.create_session(session), Session)
    assert_type(store.create_session(read_only), Session)
    assert_type(store.create_session(environ, session), Session)
    assert_type(store.create_session(starlette_like, session), Session)
    assert_type(store.create_session(environ, text, session), Session)
    assert_type(store.create_session(scope, message, session), Session)
    assert_type(store.create_session(session, lifetime="remembered"), Session)
    assert_type(store.create_session(session, lifetime=None), Session)
    assert_type(store.create_session(environ, session, lifetime="kiosk"), Session)
    assert_type(store.create_session(starlette_like, session, lifetime="kiosk"), Session)
    assert_type(store.create_session(environ, text, session, lifetime="kiosk"), Session)
    assert_type(store.create_session(scope, message, session, lifetime="kiosk"), Session)
    assert_type(store.get_exchange().create(session, lifetime="kiosk"), Session)

    assert_type(store.touch_session(), bool)
    assert_type(store.touch_session(environ), bool)
    assert_type(store.touch_session(scope, raw), bool)
    assert_type(store.rotate_session(), bool)
    assert_type(store.rotate_session(flask_like), bool)
    assert_type(store.rotate_session(environ, text), bool)
    assert_type(store.delete_session(), bool)
    assert_type(store.delete_session(starlette_like), bool)
    assert_type(store.delete_session(scope, message), bool)


def every_function(
    environ: dict[str, Any],
    scope: MutableMapping[str, Any],
    request: StarletteLike,
    text: list[tuple[str, str]],
    session: dict[str, Any],
) -> None:
    assert_type(sessionkit.get_session(), Session | None)
    assert_type(sessionkit.get_session(environ), Session | None)
    assert_type(sessionkit.get_session(environ, text), Session | None)
    assert_type(sessionkit.get_exchange(), Exchange)
    assert_type(sessionkit.get_exchange(environ), Exchange)
    assert_type(sessionkit.get_exchange(request), Exchange)
    assert_type(sessionkit.update_session(), bool)
    assert_type(sessionkit.update_session(session), bool)
    assert_type(sessionkit.update_session(count), bool)
    assert_type(sessionkit.update_session(request, count), bool)
    assert_type(sessionkit.update_session(request, session), bool)
    assert_type(sessionkit.update_session(environ, text, session), bool)
    assert_type(sessionkit.create_session(session), Session)
    assert_type(sessionkit.create_session(scope, session), Session)
    assert_type(sessionkit.create_session(environ, text, session), Session)
    assert_type(sessionkit.create_session(session, lifetime="remembered"), Session)
    assert_type(sessionkit.create_session(environ, text, session, lifetime="kiosk"), Session)
    assert_type(sessionkit.touch_session(), bool)
    assert_type(sessionkit.touch_session(request), bool)
    assert_type(sessionkit.touch_session(environ, text), bool)
    assert_type(sessionkit.rotate_session(), bool)
    assert_type(sessionkit.rotate_session(request), bool)
    assert_type(sessionkit.rotate_session(environ, text), bool)
    assert_type(sessionkit.delete_session(), bool)
    assert_type(sessionkit.delete_session(request), bool)
    assert_type(sessionkit.delete_session(environ, text), bool)


def requests_of_django_and_scopes_of_asgiref(
    store: SessionStore, request: DjangoLike, scope: TypedScope, message: TypedMessage
) -> None:
    assert_type(store.get_session(request), Session | None)
    assert_type(store.update_session(request, {"user": {"sub": "ada"}}), bool)
    assert_type(sessionkit.get_session(request), Session | None)
    assert_type(sessionkit.session_of(Account, request), Account | None)
    assert_type(store.get_session(scope), Session | None)
    assert_type(store.get_session(scope, message), Session | None)
    assert_type(store.update_session(scope, message, {"user": {"sub": "ada"}}), bool)
    assert_type(sessionkit.delete_session(scope), bool)


def the_live_session() -> None:
    session = sessionkit.get_session()
    if session is not None:
        session["user"]["name"] = "Alice"
        sessionkit.update_session({**session, "n": 1})
        assert_type(session.stamp, Stamp)
        assert_type(session.stamp.created_at, int)
    assert_type(sessionkit.create_session({"user": {"sub": "ada"}}).stamp.id, str)


@dataclass
class Account:
    user: dict[str, str]


class Live(TypedDict):
    user: dict[str, str]


def models(
    store: SessionStore,
    environ: dict[str, Any],
    request: StarletteLike,
    text: list[tuple[str, str]],
) -> None:
    assert_type(sessionkit.session_of(Account), Account | None)
    assert_type(sessionkit.session_of(Account, request), Account | None)
    assert_type(sessionkit.session_of(Live), Live | None)
    assert_type(store.session_of(Account, environ, text), Account | None)
    account = Account({"sub": "ann"})
    assert_type(sessionkit.save_session(account), bool)
    assert_type(sessionkit.save_session(request, account), bool)
    assert_type(store.save_session(environ, text, account), bool)
    assert_type(store.save_session({"theme": "dark"}), bool)
    assert_type(sessionkit.create_session(sessionkit.contents_of(account)), Session)


def contents_may_be_of_no_session(exchange: Exchange) -> None:
    assert_type(exchange.contents, Contents)
    assert_type(exchange.contents.stamp, Stamp | None)


def gateways(store: SessionStore, app: Any) -> None:
    assert_type(store.wsgi(app), WSGIMiddleware)
    assert_type(store.wsgi(app, exclude="/static/*"), WSGIMiddleware)
    assert_type(
        store.asgi(app, exclude=["/static/*"], origins=["https://example.org"]), ASGIMiddleware
    )
    mapping_app: MappingApp = store.asgi(app)
    typed_app: TypedApp = store.asgi(app)
    store.asgi(mapping_app)
    store.asgi(typed_app)
    with store.exchange(None), store.exchange({"a": "b"}):
        pass
    with store.exchange("a=b", method="POST") as exchange:
        assert_type(exchange, Exchange)
        assert_type(exchange.response_headers, list[tuple[str, str]])


def add(one: int, *, two: int) -> int:
    return one + two


async def add_later(one: int) -> int:
    return one


async def bound_functions_keep_their_types() -> None:
    assert_type(bind(add)(1, two=2), int)
    assert_type(await bind(add_later)(1), int)


def named_lifetimes(session: dict[str, Any]) -> None:
    lifetimes = {"kiosk": Lifetime(idle=300, transient=True)}
    SessionStore("secret", lifetimes=lifetimes)
    SessionStore("secret", lifetimes={"support": Lifetime(absolute=timedelta(hours=1))})
    store = SessionStore.from_env(lifetimes=lifetimes)
    assert_type(store.create_session(session, lifetime="kiosk").stamp.lifetime, str | None)
