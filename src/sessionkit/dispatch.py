"""Which request is this? environ, scope, a framework's object, or the current one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping
from typing import Any, NamedTuple, NoReturn, Protocol, TypeAlias, TypeVar, cast
from wsgiref.headers import Headers

from .cookies import header_of
from .request import ASGIRequest, RequestInfo, WSGIRequest

__all__ = [
    "STARTS", "Call", "Fields", "HasEnv", "HasEnviron", "HasHeaders", "HasScope", "RequestLike", "ResponseFields", "ResponseLike",
    "cookie_header_of", "fields_of", "is_message", "parse", "refuse", "register_request", "register_response", "view",
]  # fmt: skip

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


class HasHeaders(Protocol):
    """A response object."""

    @property
    def headers(self) -> Any:
        """Headers that can be listed, deleted and added to."""
        ...


class Fields(Protocol):
    """What a response's headers must offer."""

    def items(self) -> Iterable[tuple[str, str]]:
        """All of them, doubles included."""
        ...

    def __delitem__(self, name: str, /) -> None:
        """Remove every value of a name that is there."""
        ...

    def add(self, name: str, value: str, /) -> Any:
        """Add a value and keep those that are there."""
        ...


class ResponseFields:
    """`Fields` out of three functions, which every framework has under names of its own.

    Args:
        items: lists all fields, doubles included.
        add: adds a value and keeps those that are there.
        delete: removes every value of a name that is there.
    """

    __slots__ = ("_add", "_delete", "_items")

    def __init__(
        self,
        items: Callable[[], Iterable[tuple[str, str]]],
        add: Callable[[str, str], Any],
        delete: Callable[[str], Any],
    ) -> None:
        self._items, self._add, self._delete = items, add, delete

    def items(self) -> Iterable[tuple[str, str]]:
        """All of them."""
        return self._items()

    def add(self, name: str, value: str, /) -> None:
        """Add a value."""
        self._add(name, value)

    def __delitem__(self, name: str, /) -> None:
        self._delete(name)


STARTS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})
"""The ASGI messages that take headers."""

RequestLike: TypeAlias = MutableMapping[str, Any] | HasEnviron | HasEnv | HasScope
ResponseLike: TypeAlias = (
    list[tuple[str, str]]
    | list[tuple[bytes, bytes]]
    | Headers
    | MutableMapping[str, Any]
    | HasHeaders
)

_request_carriers: dict[type, Callable[[Any], Any]] = {}
_response_carriers: dict[type, Callable[[Any], Any]] = {}


def register_request(
    kind: type[T], carrier: Callable[[T], RequestInfo | MutableMapping[str, Any]]
) -> None:
    """Teach the verbs a framework's request type.

    Args:
        kind: the type; its subclasses are known with it.
        carrier: from such an object to its environ, its scope, or a `RequestInfo`.
    """
    _request_carriers[kind] = carrier


def register_response(kind: type[T], carrier: Callable[[T], Fields]) -> None:
    """Teach the verbs a framework's response type.

    Args:
        kind: the type; its subclasses are known with it.
        carrier: from such an object to `Fields`: something that has `items()`, `__delitem__` and `add(name, value)`.
    """
    _response_carriers[kind] = carrier


def _registered(
    carriers: Mapping[type, Callable[[Any], Any]], value: object
) -> Callable[[Any], Any] | None:
    # __class__, not type(): a framework's thread-local proxy answers for what it stands for.
    return (
        next((carriers[kind] for kind in value.__class__.__mro__ if kind in carriers), None)
        if carriers
        else None
    )


_CARRIED = ("scope", "environ", "env")


def view(value: object) -> RequestInfo | None:
    """The request that a value is or carries, or None."""
    if value.__class__ is dict:
        return _told(value)
    carrier = _registered(_request_carriers, value)
    if carrier is not None:
        carried: Any = carrier(value)
        return (
            cast("RequestInfo", carried) if _mapping(carried) is None else _told(carried)
        )  # the former by the registration's word
    # What is recognised: an application may give its request a `scope` of OAuth's.
    told = (_told(getattr(value, name, None)) for name in _CARRIED)
    return next(filter(None, told), None) or _told(value)


def _told(value: object) -> RequestInfo | None:
    """The view of an environ or a scope."""
    mapping = _mapping(value)
    if mapping is None:
        return None
    if mapping.get("type") in ("http", "websocket") and "headers" in mapping:
        return ASGIRequest(mapping)
    if "REQUEST_METHOD" in mapping or "wsgi.version" in mapping or "HTTP_COOKIE" in mapping:
        return WSGIRequest(mapping)
    return None


def _mapping(value: object) -> MutableMapping[str, Any] | None:
    return cast("MutableMapping[str, Any]", value) if isinstance(value, MutableMapping) else None


def is_message(value: object) -> bool:
    """Whether it is an ASGI message that takes headers."""
    mapping = _mapping(value)
    kind = None if mapping is None else mapping.get("type")
    return isinstance(kind, str) and kind in STARTS  # of a session it may be anything


def fields_of(response: object) -> Fields | None:
    """The headers of a response object, under one name for "add"; None when it has none that can be written to."""
    carrier = _registered(_response_carriers, response)
    if carrier is not None:
        return cast("Fields", carrier(response))
    headers: Any = getattr(response, "headers", response)
    if not (hasattr(headers, "items") and hasattr(headers, "__delitem__")):
        return None
    if hasattr(headers, "add"):
        return cast("Fields", headers)
    # wsgiref calls it add_header, Starlette append.
    add = getattr(headers, "add_header", None) or getattr(headers, "append", None)
    return None if add is None else ResponseFields(headers.items, add, headers.__delitem__)


def _is_response(value: object) -> bool:
    if isinstance(value, (list, Headers)) or is_message(value):
        return True
    # Tornado's handler is both: a request where one is wanted, a response where one is.
    return _registered(_response_carriers, value) is not None or (
        fields_of(value) is not None and view(value) is None
    )


def cookie_header_of(given: object) -> str:
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
    elif view(given) is not None:
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


class Call(NamedTuple):
    """The arguments of a verb, told apart."""

    request: RequestInfo | None
    response: object
    session: Any


def parse(verb: str, args: tuple[Any, ...], *, session: bool) -> Call:  # noqa: RET503  # `refuse` does not return
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
        case (_, response, contents) if (
            session and request is not None and _is_response(response) and _is_session(contents)
        ):
            return Call(request, response, contents)
        case _:
            refuse(verb, args, session=session)


def _is_session(value: object) -> bool:
    if value is None:
        return True
    if not isinstance(value, Mapping):
        return False
    mapping = cast("Mapping[str, Any]", value)
    return not is_message(mapping) and view(mapping) is None and fields_of(mapping) is None


def refuse(
    verb: str, args: tuple[Any, ...], *, session: bool, named: Collection[str] = ()
) -> NoReturn:
    """Refuse a call, and list the valid ones."""
    last = ["session"] if session else []
    forms = [
        [],
        ["environ"],
        ["environ", "headers"],
        ["scope"],
        ["scope", "message"],
        ["request"],
        ["request", "response"],
    ]
    valid = ", ".join(f"{verb}({', '.join(form + last)})" for form in forms)
    given = ", ".join([*(type(arg).__name__ for arg in args), *(f"{name}=..." for name in named)])
    why = ""
    if named:
        why = " (the arguments have no names)"
    elif session and (
        not args or args[-1] is None or (view(args[0]) is not None and not _is_session(args[-1]))
    ):
        why = " (the session is missing)"
    raise TypeError(f"{verb}({given}) is not a valid call{why}: valid are {valid}")
