"""Django's responses, as the core writes to them."""

from __future__ import annotations

from http.cookies import Morsel
from typing import Any

from django.http.response import HttpResponseBase

from sessionkit.dispatch import register_response

__all__ = ["Line", "ResponseFields"]


class Line(Morsel[str]):
    """A Set-Cookie line as it is: what a response's `cookies` (a `SimpleCookie`) would not let pass, such as Priority.

    Args:
        line: the value of the field.
    """

    def __init__(self, line: str) -> None:
        super().__init__()
        self.line = line
        pair, *attributes = line.split("; ")
        name, _, value = pair.partition("=")
        self.set(name, value, value)
        for attribute in attributes:  # for whoever looks at response.cookies
            key, equals, value = attribute.partition("=")
            if self.isReservedKey(key):
                self[key] = value if equals else True

    def OutputString(self, attrs: Any = None) -> str:  # noqa: N802  # http.cookies' name and argument
        """The line, byte for byte."""
        return self.line

    def copy(self) -> Line:
        """Another that says the same."""
        return Line(self.line)

    def __reduce__(self) -> tuple[type[Line], tuple[str]]:
        return Line, (self.line,)


class ResponseFields:
    """The header fields of a response, its cookies among them."""

    def __init__(self, response: HttpResponseBase) -> None:
        self._response = response
        self._removed: dict[str, Morsel[str]] = {}

    def items(self) -> list[tuple[str, str]]:
        """All of them."""
        cookies = [("Set-Cookie", one.OutputString()) for one in self._response.cookies.values()]
        return [*self._response.items(), *cookies]

    def __delitem__(self, name: str, /) -> None:
        if name.lower() != "set-cookie":
            del self._response[name]
            return
        self._removed.update((one.OutputString(), one) for one in self._response.cookies.values())
        self._response.cookies.clear()

    def add(self, name: str, value: str, /) -> None:
        """Add a field; a cookie that was there before comes back as it was."""
        if name.lower() == "set-cookie":
            cookie = self._removed.get(value) or Line(value)
            self._response.cookies[cookie.key] = cookie
        else:
            self._response[name] = value


register_response(HttpResponseBase, ResponseFields)
