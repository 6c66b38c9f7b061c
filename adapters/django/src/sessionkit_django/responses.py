"""Write the session into Django's responses."""

from __future__ import annotations

import logging
from functools import lru_cache
from http.cookies import Morsel, SimpleCookie
from typing import Any, cast

from django.http.response import HttpResponseBase, HttpResponseServerError, ResponseHeaders

from sessionkit import BackendError, Exchange
from sessionkit.adapters import Entry, asettle, commit_response, register_response

__all__ = [
    "DjangoFields",
    "Line",
    "copy_response",
    "resume_stream",
    "settle_response",
    "write_or_fail",
]

logger: logging.Logger = logging.getLogger("sessionkit")


class Line(Morsel[str]):
    """A Set-Cookie line that is sent unchanged. A `SimpleCookie`, as in a response's `cookies`, would refuse attributes such as Priority.

    Args:
        line: the value of the field.
    """

    def __init__(self, line: str) -> None:
        pair, _, attributes = line.partition("; ")
        name, _, value = pair.partition("=")
        # `Morsel.__init__` is not called, because it sets the same keys.
        dict.update(self, _parse(attributes))  # pyright: ignore[reportUnknownMemberType]  # a bare dict's
        self.set(name, value, value)
        self.line = line

    def OutputString(self, attrs: Any = None) -> str:  # noqa: N802  # http.cookies' name and argument
        """Return the line, byte for byte."""
        return self.line

    def copy(self) -> Line:
        """Return a copy."""
        return Line(self.line)

    def __reduce__(self) -> tuple[type[Line], tuple[str]]:
        return Line, (self.line,)


@lru_cache(maxsize=64)
def _parse(attributes: str) -> Morsel[str]:
    """Return the attributes of a Set-Cookie line, as `response.cookies` shows them. Cached: most lines have equal ones."""
    found: Morsel[str] = Morsel()
    for attribute in attributes.split("; "):
        key, equals, value = attribute.partition("=")
        if found.isReservedKey(key):
            found[key] = int(value) if key == "Max-Age" else value if equals else True
    return found


class DjangoFields:
    """The header fields of a response, with its cookies. If a cookie is removed and added again, its object stays the same.

    Args:
        response: the response.
    """

    __slots__ = ("_removed", "_response")

    def __init__(self, response: HttpResponseBase) -> None:
        self._response = response
        self._removed: dict[str, Morsel[str]] = {}

    def items(self) -> list[tuple[str, str]]:
        """Return all fields."""
        cookies = [("Set-Cookie", one.OutputString()) for one in self._response.cookies.values()]
        # Django stores each field as a pair. The mapping's own `items` would look up every value by its name again.
        return [*self._response.headers._store.values(), *cookies]  # noqa: SLF001  # the pairs have no public name

    def add(self, name: str, value: str, /) -> None:
        """Add a cookie for `Set-Cookie`; set any other field, because a response has only one of each."""
        lowered = name.lower()
        if lowered == "set-cookie":
            cookie = self._removed.get(value) or Line(value)
            self._response.cookies[cookie.key] = cookie
        else:
            # The text comes from the core, or from the application; the latter was checked and converted when it was set.
            self._response.headers._store[lowered] = (name, value)  # noqa: SLF001  # assigning would check it again

    def __delitem__(self, name: str, /) -> None:
        if name.lower() == "set-cookie":
            cookies = self._response.cookies
            self._removed.update((one.OutputString(), one) for one in cookies.values())
            cookies.clear()
        else:
            del self._response.headers[name]


def copy_response(response: HttpResponseBase) -> Any:
    """Return a copy of the response with its own headers and cookies, to write one visitor's session into.

    An application may keep its response object and send it to other visitors.
    """
    # `copy` would leave out attributes that Django does not pickle, such as the template of a response.
    own = cast("Any", object.__new__(cast("type[object]", type(response))))
    own.__dict__.update(vars(response))
    own.headers = ResponseHeaders({})
    own.headers._store.update(response.headers._store)  # noqa: SLF001  # they were checked and converted when they were set
    own.cookies = SimpleCookie()
    own.cookies.update(response.cookies)
    own._resource_closers = list(vars(response)["_resource_closers"])  # noqa: SLF001  # else one visitor's end would be another's
    return own


def resume_stream(entry: Entry, response: Any) -> Any:
    """Let the stream of a request that was made inside another one find its own session, although it runs after the response.

    Args:
        entry: the request's entry.
        response: a streaming response; it is returned as it is if no other request waits for it.
    """
    if not entry.is_inside:
        return response
    own = copy_response(response)
    parts: Any = own._iterator  # noqa: SLF001  # it has a `close`, which `streaming_content` has not
    closers: list[Any] = own._resource_closers  # noqa: SLF001
    if own.is_async:
        own.streaming_content = entry.aiterate(parts)
    else:
        own.streaming_content = entry.iterate(parts)
        closers.insert(0, closers.pop())  # the end of the stream finds its session too
    return own


def write_or_fail(exchange: Exchange, response: Any) -> Any:
    """Write the session into a response; if that fails after a session was ended, return a bare 500 that carries the end."""
    try:
        commit_response(exchange, response.status_code, DjangoFields(response))
    except Exception:
        if not exchange.must_settle:
            raise
        failed = HttpResponseServerError()
        commit_response(exchange, 500, DjangoFields(failed))
        if not exchange.must_end:
            # No session was ended; or ending it failed, so no cookie may say that it has ended.
            raise
        # The response to the exception would be made outside of the middleware, and the logout would be lost.
        logger.exception(
            "the session that begins cannot be kept: a bare 500 carries the end of the earlier one"
        )
        return failed
    return response


async def settle_response(exchange: Exchange, status: int) -> None:
    """Perform the backend operations that a response needs; afterwards `write_or_fail` needs no I/O.

    Args:
        exchange: the exchange.
        status: the response's status.

    Raises:
        BackendError: the backend failed.
    """
    try:
        await asettle(exchange, status)
    except Exception as error:
        if exchange.must_settle:
            await asettle(exchange, 500)
        # `write_or_fail` meets any other error again. It finds too that a session that ends is not kept: its bare 500 carries the end.
        if isinstance(error, BackendError) and not exchange.must_end:
            raise


register_response(HttpResponseBase, DjangoFields)
