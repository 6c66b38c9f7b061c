"""Write the session into Sanic's responses."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import Any, TypeAlias

from sanic import HTTPResponse
from sanic.compat import Header
from sanic.response import BaseHTTPResponse, ResponseStream

from sessionkit.adapters import (
    HeaderChanges,
    ResponseFields,
    register_response,
)

__all__ = ["OwnResponse", "Response", "copy_of_stream"]

Response: TypeAlias = BaseHTTPResponse | ResponseStream


def fields_of(response: Response) -> ResponseFields:
    """Return the headers of a response. Sanic stores cookies in them as objects."""
    headers: Any = response.headers
    return ResponseFields(
        lambda: [(name, str(value)) for name, value in headers.items()],
        headers.add,
        headers.__delitem__,
    )


class OwnResponse(HTTPResponse):
    """The response for one visitor: the application's response with its own header fields.

    The application may keep its response and send it to other visitors too, so nothing is written into it. The fields are
    copied when they are sent; until then the application may add fields.

    Args:
        response: the application's response, or the `OwnResponse` of an inner gateway.
        changes: the changes to its header fields.
        status: a status that replaces that of the response.
    """

    __slots__ = ("_changes", "_fields", "_status", "response")

    def __init__(
        self, response: BaseHTTPResponse, changes: HeaderChanges, status: int | None = None
    ) -> None:
        self.response, self._changes, self._status = response, changes, status
        self._fields: Header | None = None

    @property
    def headers(self) -> Header:  # a plain attribute there, as are those below
        """The header fields for this visitor."""
        if self._fields is None:
            fields: Any = self.response.headers
            self._fields = Header(self._changes.applied(fields.items()))
        return self._fields

    @headers.setter
    def headers(self, kept: Iterable[str]) -> None:
        """Keep only the fields with these names. Older versions of Sanic assign these for a 304 and a 412, one of each name."""
        names = {name.lower() for name in kept}
        fields: Any = self.headers
        self._fields = Header([one for one in fields.items() if one[0].lower() in names])

    @property
    def status(self) -> int:  # type: ignore[override]
        """The status of the application's response, or 500 if the session cannot be saved."""
        return self.response.status if self._status is None else self._status

    @property
    def body(self) -> bytes | None:  # type: ignore[override]
        """The body of the application's response."""
        return self.response.body

    @property
    def content_type(self) -> str | None:  # type: ignore[override]
        """The content type of the application's response."""
        return self.response.content_type

    @property
    def original(self) -> BaseHTTPResponse:
        """The application's response, without the `OwnResponse` objects of the stores around it."""
        return self.response.original if isinstance(self.response, OwnResponse) else self.response


def copy_of_stream(response: ResponseStream) -> ResponseStream:
    """Copy a stream's response with its header fields, because the application may keep the response and send it again."""
    made = copy(response)
    made.headers = Header(response.headers)
    made._cookies = None  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # they are those of the other's headers
    return made


register_response(BaseHTTPResponse, fields_of)
register_response(ResponseStream, fields_of)
