"""A framework's own session object: the contents of the request's exchange, read when they are first used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any

from typing_extensions import Self

from .._exchange.config import Settings
from .._exchange.exchange import Exchange
from .._exchange.request import RequestInfo
from .._requests.lookup import Unanswered, detach, find_exchange, open_exchange
from .._session.session import Stamp, refill
from .._session.tracebacks import clears_frames

__all__ = ["LazyContents", "find_or_open_exchange", "open_read_only", "replace_contents"]


def find_or_open_exchange(request: RequestInfo, settings: Settings) -> Exchange | None:
    """The exchange that a session object of a store shows: the gateway's, or one that nobody answers yet.

    Args:
        request: the view of the request.
        settings: the store's, as the gateway has them (`Gateway.settings`).

    Returns:
        None on a path that the gateway excludes.

    Raises:
        ConfigurationError: a gateway of another store uses the same cookie name.
    """
    one = find_exchange(request, settings)
    if one is None:
        return open_exchange(request, settings)
    if isinstance(one, Unanswered):
        one.request = detach(request)  # from here on the framework writes the response
    return one if isinstance(one, Exchange) else None


def open_read_only(request: RequestInfo, settings: Settings) -> Exchange:
    """Open the session of a request whose response went out long ago: assigning to it raises `ResponseStartedError`.

    Args:
        request: the view of the request.
        settings: as for `find_or_open_exchange`.
    """
    exchange = Exchange(settings, request, owned=False)
    exchange.contents  # noqa: B018  # reads it, while the request is known
    exchange.finish()
    return exchange


@clears_frames
def replace_contents(exchange: Exchange, contents: Mapping[str, Any]) -> None:
    """Assign to all of the contents in one step: other contents of the same user are no logout and login.

    Args:
        exchange: the request's.
        contents: what they shall be.

    Raises:
        ResponseStartedError: the response's headers have gone out.
    """
    exchange.writing()
    contents = dict(contents)
    live = exchange.contents
    refill(live, contents, live.stamp)
    exchange.written()


class LazyContents(MutableMapping[str, Any]):
    """A mapping over `exchange.contents`, anonymous sessions included; nothing is decrypted before it is used.

    Nested values are those of the live session, and changes in them are saved. Assigning raises
    `ResponseStartedError` once the headers have gone out. Adapters subclass it with what their framework adds.

    Args:
        exchange: the request's.
    """

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    def __getitem__(self, key: str) -> Any:
        return self.exchange.contents[key]

    @clears_frames
    def __setitem__(self, key: str, value: Any) -> None:
        self.exchange.contents[key] = value

    def __delitem__(self, key: str) -> None:
        del self.exchange.contents[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.exchange.contents)

    def __len__(self) -> int:
        return len(self.exchange.contents)

    def clear(self) -> None:
        """Empty it: of a signed-in user a logout, and one step."""
        self.exchange.contents.clear()

    def popitem(self) -> tuple[str, Any]:
        """Remove what was written last, as of a dict, and return it."""
        return self.exchange.contents.popitem()

    def __reversed__(self) -> Iterator[str]:
        return reversed(self.exchange.contents)

    def __or__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return dict(self.exchange.contents) | dict(other)

    @clears_frames
    def __ior__(self, other: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Self:
        self.exchange.contents.update(other)
        return self

    def copy(self) -> dict[str, Any]:
        """The contents as a plain dict."""
        return dict(self.exchange.contents)

    @property
    def stamp(self) -> Stamp | None:
        """The session's id and times, or None while there is no session."""
        return self.exchange.contents.stamp

    @property
    def id(self) -> str | None:
        """What to give where a framework wants a session key: the id, never the token."""
        return None if self.stamp is None else self.stamp.id

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (
            dict(self),
        )  # as a Session: what is done to a copy is not done to the session

    def __repr__(self) -> str:
        # Values are claims and tokens: they have no business in a log.
        return f"<{type(self).__name__} keys={list(self)!r}>"
