"""Recognize a request: a WSGI environ, an ASGI scope, or a framework's request object."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any, Protocol, TypeAlias, TypeVar, cast

from .._cookies.header import header_of
from .._exchange.request import HeaderRequest, RequestInfo
from .views import ASGIRequest, WSGIRequest

__all__ = [
    "HasEnv",
    "HasEnviron",
    "HasMeta",
    "HasScope",
    "RequestLike",
    "RequestObject",
    "as_cookie_header",
    "as_mapping",
    "as_request",
    "find_carrier",
    "find_missing_adapter",
    "make_header_request",
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
    """A request object over WSGI with the attribute that Falcon uses."""

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


class HasMeta(Protocol):
    """A request object of Django."""

    @property
    def META(self) -> Any:  # noqa: N802  # Django's name
        """The WSGI environ, or under ASGI the fields that Django makes from the scope."""
        ...


RequestObject: TypeAlias = HasEnviron | HasEnv | HasScope | HasMeta
"""The types of objects that can only be a request, never a session."""

# Mapping, because a scope of asgiref.typing is a TypedDict, which type checkers do not accept as a MutableMapping (PEP 589).
RequestLike: TypeAlias = Mapping[str, Any] | RequestObject


def find_carrier(
    carriers: Mapping[type, Callable[[Any], Any]], value: object
) -> Callable[[Any], Any] | None:
    """Return the function that is registered for a value's type or one of its base types.

    Args:
        carriers: the registered functions.
        value: a request or response object, or a proxy of one.
    """
    # `__class__` instead of `type()`: a framework's thread-local proxy gives the class of the object behind it.
    return (
        next((carriers[kind] for kind in value.__class__.__mro__ if kind in carriers), None)
        if carriers
        else None
    )


def as_mapping(value: object) -> MutableMapping[str, Any] | None:
    """Return a value if it is a mutable mapping, else None."""
    return cast("MutableMapping[str, Any]", value) if isinstance(value, MutableMapping) else None


_request_carriers: dict[type, Callable[[Any], Any]] = {}


def register_request(
    kind: type[T], carrier: Callable[[T], RequestInfo | MutableMapping[str, Any]]
) -> None:
    """Teach the verbs a framework's request type.

    Args:
        kind: the type; its subclasses are registered with it.
        carrier: returns the environ, the scope or a `RequestInfo` for an object of the type.
    """
    _request_carriers[kind] = carrier


REQUEST_KEYS = frozenset({"type", "REQUEST_METHOD", "wsgi.version", "HTTP_COOKIE"})
"""Keys of scopes, messages and environs. A dict without any of these keys is none of the three."""

_CARRYING_ATTRIBUTES = ("scope", "environ", "env")


def as_request(value: object) -> RequestInfo | None:
    """Return the view of a request, or of the request that an object carries; None for any other value."""
    if value.__class__ is dict:
        return _make_view(value)
    carrier = find_carrier(_request_carriers, value)
    if carrier is not None:
        carried: Any = carrier(value)
        if as_mapping(carried) is None:
            # The type of the registered function says that this is a RequestInfo.
            return cast("RequestInfo", carried)
        return _make_view(carried)
    # A request may have another attribute of such a name, for example a `scope` of OAuth: only an environ or a scope counts.
    views = (_make_view(_get(value, name)) for name in _CARRYING_ATTRIBUTES)
    return next(filter(None, views), None) or _make_view(value)


def _get(value: object, name: str) -> object:
    """Return an attribute, or None if reading it raises: Sanic's request raises for `scope` without ASGI."""
    try:
        return getattr(value, name, None)
    except NotImplementedError:
        return None


def find_missing_adapter(values: Iterable[object]) -> str | None:
    """Return the adapter that must be imported for a request among the arguments; None if there is no such request.

    The requests of some frameworks hold neither an environ nor a scope, so only the framework's adapter can read them.

    Args:
        values: the arguments of a call.
    """
    for kind in (kind for value in values for kind in type(value).__mro__):
        adapter = _ADAPTERS.get(kind.__module__.partition(".")[0])
        if adapter is not None and "Request" in kind.__name__ and adapter not in sys.modules:
            return adapter
    return None


_ADAPTERS = {name: f"sessionkit_{name}" for name in ("aiohttp", "sanic", "tornado")}


def _make_view(value: object) -> RequestInfo | None:
    """Return the view of an environ or a scope; None for any other value."""
    mapping = as_mapping(value)
    if mapping is None:
        return None
    if mapping.get("type") in ("http", "websocket") and "headers" in mapping:
        return ASGIRequest(mapping)
    if "REQUEST_METHOD" in mapping or "wsgi.version" in mapping or "HTTP_COOKIE" in mapping:
        return WSGIRequest(mapping)
    return None


def as_cookie_header(given: object) -> str:
    """Return a Cookie header.

    Args:
        given: the header itself, a mapping of cookies, or None for no cookies.

    Raises:
        TypeError: the argument is something else; the message says how to pass it.
    """
    kind = type(given).__name__
    if isinstance(given, str):
        return given
    if given is None:
        return ""
    adapter = find_missing_adapter([given])
    if isinstance(given, (bytes, bytearray, memoryview)):
        way_out = 'decode it first, .decode("latin-1")'
    elif adapter is not None or as_request(given) is not None:
        way_out = "for a request call the verbs with it, store.get_session(request)"
    elif isinstance(given, Mapping):
        cookies: Mapping[Any, Any] = given  # pyright: ignore[reportUnknownVariableType]  # object narrows to Mapping[Unknown, Unknown]
        if any(isinstance(name, str) and name.lower() == "cookie" for name in cookies):
            way_out = "of headers give the one that is named Cookie"
        elif all(isinstance(text, str) for pair in cookies.items() for text in pair):
            return header_of(cookies)
        else:
            way_out = "names and values of cookies are str"
    else:
        way_out = "take it from the request's headers"
    raise TypeError(
        f"a Cookie header is wanted (name=value; name=value), or a dict of cookies, not {kind}: {way_out}"
    )


def make_header_request(given: object, named: Mapping[str, Any]) -> HeaderRequest:
    """Return a request that consists of a Cookie header, as `store.exchange` takes it.

    Args:
        given: as for `as_cookie_header`. If it is None, the Cookie header is looked for among `headers`.
        named: the arguments that have names.

    Raises:
        TypeError: an argument has a wrong type, or there is no argument of this name.
    """
    unknown = named.keys() - {"method", "path", "query", "scheme", "headers"}
    if unknown:
        raise TypeError(
            f"store.exchange({', '.join(f'{name}=...' for name in sorted(unknown))}): give the cookies first, without a name; "
            "method, path, query, scheme and headers have names"
        )
    headers: Any = named.get("headers", {})
    if not isinstance(headers, Mapping):
        raise TypeError(
            f"store.exchange(headers=...) wants a dict of header fields, not {type(headers).__name__}"
        )
    request = HeaderRequest(as_cookie_header(given), **named)
    if given is None:
        request.cookie_header = request.header("Cookie") or ""
    return request
