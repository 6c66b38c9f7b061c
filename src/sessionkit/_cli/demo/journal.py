"""The last answers of the demo: Set-Cookie lines and events, for the page to show. No value of a cookie is kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from ..._session.events import Event

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
    """One request and its answer; `remark` is the explanation of its handler."""

    method: str
    path: str
    status: int = 0
    remark: str = ""
    events: list[str] = field(default_factory=list[str])
    lines: list[Line] = field(default_factory=list[Line])

    def note_answer(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """Note the status and the Set-Cookie lines of the answer."""
        self.status = status
        self.lines = [_parse_line(value) for name, value in headers if name.lower() == "set-cookie"]


class Journal:
    """The last entries, newest first."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._open: ContextVar[Entry | None] = ContextVar("sessionkit.demo", default=None)

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries))

    @property
    def events(self) -> list[str]:
        """The events of the request that is being answered."""
        entry = self._open.get()
        return list(entry.events) if entry is not None else []

    @contextmanager
    def open_entry(self, method: str, path: str) -> Generator[Entry, None, None]:
        """Note one request. It is kept if it was a POST, set a cookie or caused an event."""
        entry = Entry(method=method, path=path)
        before = self._open.get()
        self._open.set(entry)
        try:
            yield entry
        finally:
            self._open.set(before)
            if entry.method == "POST" or entry.lines or entry.events:
                self._entries.appendleft(entry)

    def note_event(self, event: Event) -> None:
        """Note an event of the store; this is its `on_event`."""
        entry = self._open.get()
        if entry is not None:
            reason = f": {event.reason.value}" if event.reason is not None else ""
            entry.events.append(f"{event.kind.value}{reason}")

    def remark(self, text: str) -> None:
        """Note the explanation of a handler."""
        entry = self._open.get()
        if entry is not None:
            entry.remark = text


def _parse_line(line: str) -> Line:
    pair, *attributes = line.split("; ")
    age = next((one.partition("=")[2] for one in attributes if one.startswith("Max-Age=")), None)
    return Line(name=pair.partition("=")[0], size=len(line), age=age)
