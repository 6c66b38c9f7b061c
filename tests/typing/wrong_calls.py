"""Calls that must not type-check, each with the error that both checkers must give. Checked, never run."""

# mypy: enable-error-code="deprecated"

from __future__ import annotations

from typing import Any

import sessionkit
from sessionkit import CookieSettings, Lifetime, SessionStore, bind


def count_nothing() -> dict[str, Any]:
    raise NotImplementedError


def count_text(session: dict[str, Any]) -> str:
    raise NotImplementedError


class RequestLike:
    environ: dict[str, Any]


class DjangoLike:
    META: dict[str, Any]


def without_a_session(
    store: SessionStore,
    environ: dict[str, Any],
    text: list[tuple[str, str]],
    session: dict[str, Any],
) -> None:
    store.get_session(1)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    store.get_session(None)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    store.get_session(environ, text, session)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    store.get_session(environ, "headers")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    store.get_session(request=environ)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    store.get_exchange(1)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    store.get_exchange(environ, text)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    store.get_exchange(request=environ)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    store.touch_session(text)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    store.rotate_session(text, environ)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    store.delete_session(environ, None)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]


def with_a_session(
    store: SessionStore,
    environ: dict[str, Any],
    text: list[tuple[str, str]],
    session: dict[str, Any],
) -> None:
    store.update_session(RequestLike())  # type: ignore[deprecated]  # pyright: ignore[reportDeprecated]
    store.update_session(DjangoLike())  # type: ignore[deprecated]  # pyright: ignore[reportDeprecated]
    store.update_session(text)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    store.update_session(environ, text)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    store.update_session(environ, text, session, 1)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    store.update_session(session, RequestLike())  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    store.update_session(session=session)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    store.update_session("session")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    store.update_session(count_nothing)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
    store.update_session(count_text)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
    store.create_session(count_text)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    store.create_session()  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    store.create_session(None)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    store.create_session(RequestLike())  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    store.create_session(session, lifetime=3600)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    store.create_session(session, "remembered")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    store.update_session(session, lifetime="remembered")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    store.create_session(environ, text)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]


def functions(environ: dict[str, Any], text: list[tuple[str, str]]) -> None:
    sessionkit.get_session(1)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    sessionkit.get_exchange(environ, text)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    sessionkit.update_session(RequestLike())  # type: ignore[deprecated]  # pyright: ignore[reportDeprecated]
    sessionkit.update_session(environ, text)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    sessionkit.create_session(None)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    sessionkit.touch_session(1)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    sessionkit.session_of(environ)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    sessionkit.session_of(RequestLike())  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    sessionkit.session_of(RequestLike, 1)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    sessionkit.save_session()  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    sessionkit.rotate_session(environ, 1)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    sessionkit.delete_session(text)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]


def nobodys_session_has_no_keys() -> None:
    sessionkit.get_session()["user"]  # type: ignore[index]  # pyright: ignore[reportOptionalSubscript]


def settings() -> None:
    SessionStore()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    SessionStore(secret=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    SessionStore("secret", lifetimes={"kiosk": 300})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
    SessionStore("secret", lifetimes=[Lifetime()])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Lifetime(transient="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    CookieSettings("session")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    CookieSettings(same_site="lax")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Lifetime(idle="1h")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def bound() -> None:
    def add(one: int) -> int:
        return one

    bind(add)("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    bind(1)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
