"""A browser: a jar by RFC 6265bis, raw requests, and a clock that the suite sets."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .connection import Connection
from .keeping import OUT
from .script import DO, FORM, LATE


@dataclass(kw_only=True)
class Cookie:
    """A stored cookie."""

    name: str
    value: str
    path: str
    expires: float | None
    line: str


class Jar:
    """The cookies of one visitor of one host, which is a loopback address: trustworthy, as browsers see it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.cookies: dict[tuple[str, str], Cookie] = {}

    def take(self, line: str) -> None:
        """Store what a Set-Cookie line says, or refuse it as a browser would."""
        first, *rest = line.split(";")
        name, equals, value = first.partition("=")
        name, value = name.strip(" \t"), value.strip(" \t")
        attributes = {
            key.strip().lower(): text.strip()
            for key, _, text in (one.partition("=") for one in rest)
        }
        assert equals, f"a browser refuses a cookie without a name: {line!r}"
        assert len(line) <= 4096, f"the line is {len(line)} bytes long"
        assert "domain" not in attributes, f"no cookie of the suite has a domain: {line!r}"
        if name.lower().startswith("__host-"):
            assert "secure" in attributes and attributes.get("path") == "/", (
                f"a browser refuses {line!r}"
            )
        path = attributes.get("path", "/")
        expires = None
        if "max-age" in attributes:
            expires = self._clock() + int(attributes["max-age"])
        if expires is not None and expires <= self._clock():
            self.cookies.pop((name, path), None)
        else:
            self.cookies[name, path] = Cookie(
                name=name, value=value, path=path, expires=expires, line=line
            )

    @property
    def header(self) -> str:
        """The Cookie header."""
        now = self._clock()
        self.cookies = {
            key: one
            for key, one in self.cookies.items()
            if one.expires is None or one.expires > now
        }
        return "; ".join(f"{one.name}={one.value}" for one in self.cookies.values())

    @property
    def fence(self) -> str:
        """The Cookie header with the fence alone."""
        return "; ".join(
            f"{one.name}={one.value}" for one in self.cookies.values() if one.name == OUT
        )

    @property
    def names(self) -> set[str]:
        """The names of the cookies."""
        assert isinstance(self.header, str)
        return {one.name for one in self.cookies.values()}


@dataclass(kw_only=True)
class Answer:
    """A response as it came."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    cookies: list[str] = field(init=False)
    """The Set-Cookie lines."""

    def __post_init__(self) -> None:
        self.cookies = self.all("set-cookie")

    def all(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for key, value in self.headers if key.lower() == name]

    def one(self, name: str) -> str | None:
        """The value of a header that must not come twice; None when it did not come."""
        found = self.all(name)
        assert len(found) <= 1, f"{name} came {len(found)} times"
        return found[0] if found else None

    @property
    def results(self) -> Any:
        """What the operations gave."""
        assert self.status == 200, f"{self.status}: {self.body[:500]!r}"
        return json.loads(self.body)

    @property
    def set(self) -> set[str]:
        """The names of the cookies that it sets, those that it clears not among them."""
        return {line.partition("=")[0] for line in self.cookies if "max-age=0" not in line.lower()}

    @property
    def cleared(self) -> set[str]:
        """The names of the cookies that it clears."""
        return {line.partition("=")[0] for line in self.cookies if "max-age=0" in line.lower()}


class Browser:
    """One visitor.

    Args:
        port: of the app, on 127.0.0.1.
        clock: the suite's; a jar forgets what is past its Max-Age.
    """

    def __init__(self, port: int, clock: Callable[[], float]) -> None:
        self.port = port
        self.jar = Jar(clock)
        self._connection: Connection | None = None

    def do(self, *operations: Any, path: str = "/do", **named: Any) -> Any:
        """Have operations done, and return what the last of them gave."""
        return self.ask(path, *operations, **named).results[-1]

    def ask(
        self,
        path: str,
        *operations: Any,
        form: str = "none",
        method: str = "GET",
        late: Any = None,
        headers: dict[str, str | bytes] | None = None,
        cookie: str | bytes | None = None,
        keep: bool = True,
    ) -> Answer:
        """Send a request and read the whole response.

        Args:
            path: as it goes on the wire.
            *operations: for `X-Do`.
            form: for `X-Form`.
            method: the request method.
            late: a list of operations for `X-Late`.
            headers: more of them.
            cookie: the Cookie header, instead of the jar's.
            keep: whether the jar takes what the response sets.
        """
        sent: dict[str, str | bytes] = {DO: json.dumps(operations), FORM: form, **(headers or {})}
        if late is not None:
            sent[LATE] = json.dumps(late)
        if cookie is None:
            cookie = self.jar.header
        if cookie:
            sent["Cookie"] = cookie
        answer = self._exchange(method, path, sent)
        if keep:
            for line in answer.cookies:
                self.jar.take(line)
        return answer

    def _exchange(self, method: str, path: str, headers: dict[str, str | bytes]) -> Answer:
        kept, self._connection = self._connection, None
        if kept is not None:
            try:
                return self._over(kept, method, path, headers)
            except ConnectionError:
                kept.close()  # RFC 9112 section 9.3.1: a connection that was kept may be closed at any time
        return self._over(Connection(self.port), method, path, headers)

    def _over(
        self, connection: Connection, method: str, path: str, headers: dict[str, str | bytes]
    ) -> Answer:
        status, fields, body = connection.ask(method, path, headers)
        if connection.closes:
            connection.close()
        else:
            self._connection = connection
        return Answer(status=status, headers=fields, body=body)

    def fork(self) -> Browser:
        """The same jar over a connection of its own: a second tab."""
        other = Browser(self.port, lambda: 0)
        other.jar = self.jar
        return other

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
