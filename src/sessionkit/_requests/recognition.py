"""Which request is this? environ, scope, a framework's object, or the current one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Protocol, TypeAlias, TypeVar, cast

from .._cookies.header import header_of
from .._exchange.request import RequestInfo
from .registry import as_mapping, find_carrier
from .views import ASGIRequest, WSGIRequest

__all__ = [
    "HasEnv",
    "HasEnviron",
    "HasScope",
    "RequestLike",
    "T",
    "as_cookie_header",
    "as_request",
    "register_request",
]

T = TypeVar("T")


class HasEnviron(Protocol):
    """A request object over WSGI."""

    @property
    def environ(self) -> Any:
        """The WSGI environ."""
        ...


class HasEnv(Protocol):
    """A request object over WSGI, as Falcon names it."""

    @property
    def env(self) -> Any:
        """The WSGI environ."""
        ...


class HasScope(Protocol):
    """A request object over ASGI."""

    @property
    def scope(self) -> Any:
        """The ASGI scope."""
        ...


RequestLike: TypeAlias = MutableMapping[str, Any] | HasEnviron | HasEnv | HasScope


_request_carriers: dict[type, Callable[[Any], Any]] = {}


def register_request(
    kind: type[T], carrier: Callable[[T], RequestInfo | MutableMapping[str, Any]]
) -> None:
    """Teach the verbs a framework's request type.

    Args:
        kind: the type; its subclasses are known with it.
        carrier: from such an object to its environ, its scope, or a `RequestInfo`.
    """
    _request_carriers[kind] = carrier


def is_plain_session(value: object) -> bool:
    """Return whether a value is a dict that has nothing of a request or a message: the commonest argument of a verb."""
    return value.__class__ is dict and _OF_REQUESTS.isdisjoint(cast("dict[str, Any]", value))


_OF_REQUESTS = frozenset({"type", "REQUEST_METHOD", "wsgi.version", "HTTP_COOKIE"})
_CARRIED = ("scope", "environ", "env")


def as_request(value: object) -> RequestInfo | None:
    """The request that a value is or carries, or None."""
    if value.__class__ is dict:
        return _told(value)
    carrier = find_carrier(_request_carriers, value)
    if carrier is not None:
        carried: Any = carrier(value)
        return (
            cast("RequestInfo", carried) if as_mapping(carried) is None else _told(carried)
        )  # the former by the registration's word
    # What is recognised: an application may give its request a `scope` of OAuth's.
    told = (_told(getattr(value, name, None)) for name in _CARRIED)
    return next(filter(None, told), None) or _told(value)


def _told(value: object) -> RequestInfo | None:
    """The view of an environ or a scope."""
    mapping = as_mapping(value)
    if mapping is None:
        return None
    if mapping.get("type") in ("http", "websocket") and "headers" in mapping:
        return ASGIRequest(mapping)
    if "REQUEST_METHOD" in mapping or "wsgi.version" in mapping or "HTTP_COOKIE" in mapping:
        return WSGIRequest(mapping)
    return None


def as_cookie_header(given: object) -> str:
    """Return the Cookie header that is given as itself, as a mapping of cookies, or as None for none.

    Raises:
        TypeError: it is something else; the message says what is wanted, and what to do with this.
    """
    kind = type(given).__name__
    if isinstance(given, str):
        return given
    if given is None:
        return ""
    if isinstance(given, (bytes, bytearray, memoryview)):
        way_out = 'decode it first, .decode("latin-1")'
    elif as_request(given) is not None:
        way_out = "for a request call the verbs with it, store.get_session(request)"
    elif isinstance(given, Mapping):
        cookies: Mapping[Any, Any] = given  # pyright: ignore[reportUnknownVariableType]  # object narrows to Mapping[Unknown, Unknown]
        if any(isinstance(name, str) and name.lower() == "cookie" for name in cookies):
            way_out = "of headers give the one that is named Cookie"
        elif all(isinstance(one, str) for pair in cookies.items() for one in pair):
            return header_of(cookies)
        else:
            way_out = "names and values of cookies are str"
    else:
        way_out = "take it from the request's headers"
    raise TypeError(
        f"a Cookie header is wanted (name=value; name=value), or a dict of cookies, not {kind}: {way_out}"
    )
