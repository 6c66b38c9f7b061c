"""Which request is this? environ, scope, a framework's object, or the current one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, NamedTuple, NoReturn, Protocol, TypeAlias, TypeVar
from wsgiref.headers import Headers

from .request import ASGIRequest, RequestInfo, WSGIRequest

__all__ = [
    "Call", "HasEnviron", "HasHeaders", "HasScope", "RequestLike", "ResponseLike", "is_message", "parse",
    "register_request", "register_response", "response_carrier", "view",
]  # fmt: skip

T = TypeVar("T")


class HasEnviron(Protocol):
    """A request object over WSGI."""

    @property
    def environ(self) -> Any:
        """The WSGI environ."""
        ...


class HasScope(Protocol):
    """A request object over ASGI."""

    @property
    def scope(self) -> Any:
        """The ASGI scope."""
        ...


class HasHeaders(Protocol):
    """A response object."""

    @property
    def headers(self) -> Any:
        """Headers that can be listed, deleted and added to."""
        ...


RequestLike: TypeAlias = MutableMapping[str, Any] | HasEnviron | HasScope
ResponseLike: TypeAlias = list[tuple[str, str]] | list[tuple[bytes, bytes]] | Headers | MutableMapping[str, Any] | HasHeaders

_request_carriers: dict[type, Callable[[Any], Any]] = {}
_response_carriers: dict[type, Callable[[Any], Any]] = {}


def register_request(kind: type[T], carrier: Callable[[T], RequestInfo | MutableMapping[str, Any]]) -> None:
    """Teach the verbs a framework's request type.

    Args:
        kind: the type; its subclasses are known with it.
        carrier: from such an object to its environ, its scope, or a `RequestInfo`.
    """
    _request_carriers[kind] = carrier


def register_response(kind: type[T], carrier: Callable[[T], Any]) -> None:
    """Teach the verbs a framework's response type.

    Args:
        kind: the type; its subclasses are known with it.
        carrier: from such an object to something that has `items()`, `__delitem__` (all values of a name) and `add(name, value)`.
    """
    _response_carriers[kind] = carrier


def _registered(carriers: Mapping[type, Callable[[Any], Any]], value: object) -> Callable[[Any], Any] | None:
    # __class__, not type(): a framework's thread-local proxy answers for what it stands for.
    return next((carriers[kind] for kind in value.__class__.__mro__ if kind in carriers), None) if carriers else None


def view(value: object) -> RequestInfo | None:
    """The request that a value is or carries, or None."""
    carrier = _registered(_request_carriers, value)
    if carrier is not None:
        value = carrier(value)
        if not isinstance(value, dict):
            return value  # a RequestInfo, by the registration's word
    if not isinstance(value, MutableMapping) or hasattr(value, "scope") or hasattr(value, "environ"):
        value = getattr(value, "scope", None) or getattr(value, "environ", None)
    if not isinstance(value, MutableMapping):
        return None
    if "type" in value and "headers" in value and value["type"] in ("http", "websocket"):
        return ASGIRequest(value)
    if "REQUEST_METHOD" in value or "wsgi.version" in value or "HTTP_COOKIE" in value:
        return WSGIRequest(value)
    return None


def is_message(value: object) -> bool:
    """Whether it is an ASGI message that takes headers."""
    return isinstance(value, MutableMapping) and value.get("type") in (
        "http.response.start",
        "websocket.accept",
        "websocket.http.response.start",
    )


def response_carrier(value: object) -> Callable[[Any], Any] | None:
    """The registration of a response type."""
    return _registered(_response_carriers, value)


def _is_response(value: object) -> bool:
    if isinstance(value, (list, Headers)) or is_message(value) or response_carrier(value) is not None:
        return True
    return hasattr(value, "headers") and not isinstance(value, Mapping)


class Call(NamedTuple):
    """The arguments of a verb, told apart."""

    request: RequestInfo | None
    response: object
    session: Any


def parse(verb: str, args: tuple[Any, ...], *, session: bool) -> Call:
    """Tell the arguments of a verb apart: "is it a request?" is asked before "is it a session?".

    Raises:
        TypeError: this is none of the ways to call the verb; the message lists them.
    """
    request = view(args[0]) if args else None
    match args:
        case ():
            return Call(None, None, None)
        case (_,) if request is not None and not session:
            return Call(request, None, None)
        case (_, response) if request is not None and not session and _is_response(response):
            return Call(request, response, None)
        case (contents,) if session and request is None and _is_session(contents):
            return Call(None, None, contents)
        case (_, contents) if session and request is not None and _is_session(contents):
            return Call(request, None, contents)
        case (_, response, contents) if session and request is not None and _is_response(response) and _is_session(contents):
            return Call(request, response, contents)
        case _:
            _refuse(verb, args, session=session)


def _is_session(value: object) -> bool:
    return value is None or (isinstance(value, Mapping) and not is_message(value) and view(value) is None)


def _refuse(verb: str, args: tuple[Any, ...], *, session: bool) -> NoReturn:
    last = ["session"] if session else []
    forms = [[], ["environ"], ["environ", "headers"], ["scope"], ["scope", "message"], ["request"], ["request", "response"]]
    valid = ", ".join(f"{verb}({', '.join(form + last)})" for form in forms)
    given = ", ".join(type(arg).__name__ for arg in args)
    hint = " (the session is missing)" if session and args and view(args[-1] if len(args) == 1 else args[0]) is not None else ""
    raise TypeError(f"{verb}({given}) is not a valid call{hint}: valid are {valid}")
