"""The last responses of the demo: Set-Cookie lines and events, for the page to show. No value of a cookie is kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from ..._exchange.request import RequestInfo
from ..._session.events import Event
from .browsers import KnownBrowsers, digest

__all__ = ["Entry", "Journal", "Line"]

KEPT = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One Set-Cookie line: the name of the cookie, the length of the line, and its Max-Age."""

    name: str
    size: int
    age: str | None

    @property
    def clears(self) -> bool:
        """Whether the line removes the cookie."""
        return self.age == "0"


@dataclass(slots=True, kw_only=True)
class Entry:
    """One request and its response.

    `remark` is the explanation of its handler; `remark_on_chunks` takes its place if the response sets or clears chunks. `given` holds the
    digests of the cookies that the response sets.
    """

    method: str
    path: str
    status: int = 0
    remark: str = ""
    remark_on_chunks: str = ""
    events: list[str] = field(default_factory=list[str])
    lines: list[Line] = field(default_factory=list[Line])
    given: list[bytes] = field(default_factory=list[bytes], repr=False)

    def note_response(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """Note the status and the Set-Cookie lines of the response."""
        values = [value for name, value in headers if name.lower() == "set-cookie"]
        self.status = status
        self.lines = [_parse_line(value) for value in values]
        self.given = [
            digest(value.partition(";")[0])
            for line, value in zip(self.lines, values, strict=True)
            if not line.clears
        ]
        if self.remark_on_chunks and any(line.name.endswith(".1") for line in self.lines):
            self.remark = self.remark_on_chunks


class Journal:
    """The last entries of each browser, newest first."""

    def __init__(self) -> None:
        self._browsers: KnownBrowsers[deque[Entry]] = KnownBrowsers()
        self._open: ContextVar[tuple[Entry, deque[Entry]] | None] = ContextVar(
            "sessionkit.demo", default=None
        )

    @property
    def entries(self) -> list[Entry]:
        """The earlier entries of the browser that sent the current request."""
        current = self._open.get()
        return list(current[1]) if current is not None else []

    @property
    def events(self) -> list[str]:
        """The events of the current request."""
        current = self._open.get()
        return list(current[0].events) if current is not None else []

    @contextmanager
    def open_entry(self, request: RequestInfo, address: str) -> Generator[Entry, None, None]:
        """Note one request. It is kept if it was a POST, set a cookie or caused an event.

        Args:
            request: the request.
            address: the address that it came from.
        """
        client = f"{address} {request.header('User-Agent')}"
        earlier = self._browsers.find(request.cookie_header, client)
        entries = earlier if earlier is not None else deque[Entry](maxlen=KEPT)
        entry = Entry(method=request.method, path=request.path)
        before = self._open.get()
        self._open.set((entry, entries))
        try:
            yield entry
        finally:
            self._open.set(before)
            if entry.method == "POST" or entry.lines or entry.events:
                entries.appendleft(entry)
                follows = entry.method == "POST" and not entry.given
                self._browsers.keep(entries, entry.given, client if follows else None)

    def note_event(self, event: Event) -> None:
        """Note an event of the store; this is its `on_event`."""
        current = self._open.get()
        if current is not None:
            reason = f": {event.reason.value}" if event.reason is not None else ""
            current[0].events.append(f"{event.kind.value}{reason}")

    def remark(self, text: str, *, on_chunks: str = "") -> None:
        """Note the explanation of a handler.

        Args:
            text: the explanation.
            on_chunks: another one, for a response that sets or clears chunks.
        """
        current = self._open.get()
        if current is not None:
            current[0].remark, current[0].remark_on_chunks = text, on_chunks


def _parse_line(line: str) -> Line:
    pair, *attributes = line.split("; ")
    age = next((one.partition("=")[2] for one in attributes if one.startswith("Max-Age=")), None)
    return Line(name=pair.partition("=")[0], size=len(line), age=age)
