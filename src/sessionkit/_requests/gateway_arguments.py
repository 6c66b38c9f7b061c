"""Check what a gateway is given: the application, the store, the paths to exclude, the origins."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable
from inspect import iscoroutinefunction, signature
from typing import Any, cast

from .._exchange.request import RequestInfo
from .._exchange.settings import Settings
from ..errors import ConfigurationError

__all__ = [
    "check_app",
    "check_not_none",
    "check_origins",
    "check_store",
    "explain_protocol",
    "match_globs",
    "takes",
]


def check_app(app: object, call: str) -> None:
    """Raise TypeError if a store was passed as the application.

    Args:
        app: the argument for the application.
        call: the right call, for the error message.

    Raises:
        TypeError: the argument is a store, or a secret.
    """
    if _is_store(app) and not callable(app):
        raise TypeError(f"a store stands where the application belongs: {call}")
    if isinstance(app, (str, bytes)):
        raise TypeError(
            f"{type(app).__name__} stands where the application belongs: {call}, where store=SessionStore(secret)"
        )


def check_not_none(app: object, call: str) -> None:
    """Raise TypeError if None was passed as the application, for example by a function that does not return it.

    Args:
        app: the argument for the application.
        call: the right call, for the error message.
    """
    if app is None:
        raise TypeError(
            f"{call} was given None: does the function that makes the application return it?"
        )


def check_store(store: object, call: str) -> None:
    """Raise TypeError if the argument for the store is not a store.

    Args:
        store: the argument for the store.
        call: the right call, for the error message.

    Raises:
        TypeError: the argument is not a store.
    """
    if isinstance(store, type):
        raise TypeError(
            f"the class {store.__name__} stands where a SessionStore belongs: {call}, where store=SessionStore(secret)"
        )
    if not _is_store(store):
        raise TypeError(f"{type(store).__name__} stands where the SessionStore belongs: {call}")


def explain_protocol(app: object, protocol: str) -> None:
    """Raise TypeError for an application of the other protocol, or for an `async def` that is neither.

    Args:
        app: the application.
        protocol: `WSGI` or `ASGI`, by which it is to be called.
    """
    called = getattr(app, "__call__", None)  # noqa: B004  # it is looked at, not asked for
    is_async = iscoroutinefunction(app) or iscoroutinefunction(called)
    name = getattr(app, "__name__", type(app).__name__)
    if protocol == "WSGI" and is_async:
        way_out = "serve it by store.asgi(app)" if takes(app, 3) else "make it a plain function"
        raise TypeError(f"{name} is async, and a WSGI application is not: {way_out}")
    if protocol == "ASGI" and not is_async and takes(app, 2) and not takes(app, 3):
        raise TypeError(f"{name} is not an ASGI application: serve it by store.wsgi(app)")


def takes(app: object, count: int) -> bool:
    """Return whether an application can be called with this number of arguments.

    Args:
        app: the application.
        count: the number of positional arguments.
    """
    try:
        signature(cast("Any", app)).bind(*[None] * count)
    except (TypeError, ValueError):
        return False
    return True


def _is_store(value: object) -> bool:
    return isinstance(getattr(value, "settings", None), Settings)


def match_globs(exclude: str | Iterable[str]) -> Callable[[RequestInfo], object] | None:
    """Return a function that tells whether a request's path matches one of the globs; None without globs.

    Args:
        exclude: the globs: `/static/*`.

    Raises:
        TypeError: they are not texts.
        ConfigurationError: no path matches one of them, because it begins with another character.
    """
    patterns = [exclude] if isinstance(exclude, str) else _list_texts(exclude)
    if patterns is None:
        raise TypeError('exclude takes globs of paths: exclude="/static/*", or a list of them')
    for pattern in patterns:
        if pattern and pattern[0] not in "/*?[":
            raise ConfigurationError(
                f"exclude: no path matches {pattern!r}, since a path begins with a slash: write a glob such as '/static/*'"
            )
    if not patterns:
        return None
    match = re.compile("|".join(map(fnmatch.translate, patterns))).match
    return lambda request: match(request.path)


def _list_texts(values: object) -> list[str] | None:
    """Return texts as a list; None if the argument is something else."""
    texts: list[Any] = (
        list(cast("Iterable[object]", values)) if isinstance(values, Iterable) else [None]
    )
    return texts if all(isinstance(text, str) for text in texts) else None


def check_origins(origins: Iterable[str] | None) -> frozenset[str] | None:
    """Return the origins from which websockets are accepted; None for all.

    Args:
        origins: the values of `Origin`: scheme and host, and the port unless it is the scheme's own (RFC 6454 section 6.2).

    Raises:
        ConfigurationError: they are not a list of such values. No browser would send them, so every websocket would be refused.
    """
    if origins is None:
        return None
    texts = None if isinstance(origins, str) else _list_texts(origins)
    if texts is None:
        raise ConfigurationError('origins must be a list, such as ["https://example.org"]')
    for text in texts:
        if text != "null" and _ORIGIN.fullmatch(text) is None:
            raise ConfigurationError(
                f"no browser sends the Origin {text!r}: write scheme and host in lower case, without a path or the scheme's "
                'own port, such as "https://example.org"'
            )
    return frozenset(texts)


_ORIGIN = re.compile(r"(?!https:.*:443$|http:.*:80$)[a-z][a-z0-9+.-]*://[^/\sA-Z]+")
