"""The arguments of Starlette's own session middleware: a store made from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict, cast

from .._cookies.settings import CookieSettings
from .._exchange.request import RequestInfo
from .._exchange.settings import Clock
from .._session.events import OnEvent, logger
from .._session.identity import Guard, Identity
from .._session.json import Serializer
from .._session.lifetime import Lifetime
from .._session.tracebacks import clears_frames
from ..backends import AnyBackend
from ..formats import Format, Importer
from ..store import SessionStore
from .merged_settings import merge_settings, name_settings

__all__ = ["Arguments", "store_from_arguments"]

MAX_AGE = 14 * 86_400
"""The default of `max_age` in Starlette's own session middleware, in seconds."""

DEFAULTS = {
    "session_cookie": None,
    "max_age": MAX_AGE,
    "path": "/",
    "same_site": "lax",
    "https_only": False,
    "domain": None,
    "partitioned": False,
}
"""The default of each of its arguments but `secret_key`."""


class Arguments(TypedDict, total=False):
    """The arguments of `store_from_arguments`, for type checkers.

    Each key is spelled out: mypy refuses a middleware with `**arguments: Any` in Starlette's `add_middleware`, because `app`
    could be among them.
    """

    secret_key: object
    session_cookie: str
    max_age: int | None
    path: str
    same_site: str
    https_only: bool
    domain: str | None
    partitioned: bool
    secret: str | bytes | Sequence[str | bytes]
    lifetime: Lifetime | None
    lifetimes: Mapping[str, Lifetime]
    cookie: CookieSettings | None
    format: Format | None
    audience: str
    backend: AnyBackend | None
    max_record: int
    max_sessions: int | None
    accept: Sequence[Importer]
    guard: Guard | None
    identity: Identity | None
    login_keys: Sequence[str]
    renews: Callable[[RequestInfo], bool]
    serializer: Serializer
    on_event: OnEvent | None
    clock: Clock


@clears_frames
def store_from_arguments(
    secret_key: object,
    *,
    session_cookie: str | None = None,
    max_age: int | None = MAX_AGE,
    path: str = "/",
    same_site: str = "lax",
    https_only: bool = False,
    domain: str | None = None,
    partitioned: bool = False,
    **settings: Any,
) -> SessionStore:
    """Make a store from the arguments of Starlette's own session middleware, with that middleware's defaults.

    Args:
        secret_key: one secret, or several: the first seals, all open.
        session_cookie: the name of the cookie; by default `__Host-session` if browsers accept that prefix, else `session`.
        max_age: the idle limit in seconds. The absolute limit is then 400 days, because no browser keeps a cookie longer.
            None means the default lifetime, and a cookie that the browser forgets when it closes.
        path: the path of the cookie.
        same_site: `lax`, `strict` or `none`.
        https_only: whether the cookie is Secure.
        domain: the domain of the cookie.
        partitioned: whether the cookie is Partitioned.
        **settings: arguments of `SessionStore`, which win over the others. Of a lifetime and cookie settings, only the
        fields that you pass win.
    """
    config = {
        "secret_key": secret_key,
        "session_cookie": session_cookie,
        "max_age": max_age,
        "path": path,
        "same_site": same_site,
        "https_only": https_only,
        "domain": domain,
        "partitioned": partitioned,
    }
    store = name_settings(
        lambda read: _make_store(read, settings), config, DEFAULTS, key="secret_key"
    )
    if not store.settings.cookie.secure:
        logger.warning(
            "https_only is not set: the session goes over plain http too, and its cookie is not a __Host- cookie. Set it to True in"
            " production"
        )
    return store


def _make_store(config: Mapping[str, Any], settings: Mapping[str, Any]) -> SessionStore:
    secret_key, max_age = config["secret_key"], config["max_age"]
    same_site: Any = config["same_site"]
    cookie = CookieSettings(
        name=config["session_cookie"],
        path=config["path"],
        domain=config["domain"],
        secure=config["https_only"],
        same_site=cast("Any", same_site.capitalize()) if isinstance(same_site, str) else same_site,
        partitioned=config["partitioned"],
        transient=max_age is None,
    )
    several = isinstance(secret_key, (list, tuple))
    secrets = (
        [_text(one) for one in cast("list[object]", secret_key)] if several else _text(secret_key)
    )
    defaults = CookieSettings(secure=False)
    stated = {field: value for field, value in cookie.given if value != getattr(defaults, field)}
    made: dict[str, Any] = {"secret": secrets, "cookie": cookie}
    return SessionStore(
        **merge_settings(
            made, settings, cookie=stated, idle=max_age, states_idle=max_age != MAX_AGE
        )
    )


def _text(secret: object) -> str | bytes:
    return (
        secret if isinstance(secret, bytes) else str(secret)
    )  # starlette.datastructures.Secret hides its value from a repr
