"""A framework's own session object: a view of the request's exchange. The session is read when the object is first used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any

from typing_extensions import Self

from .._exchange.exchange import OPEN, Exchange
from .._exchange.request import RequestInfo
from .._exchange.settings import Settings
from .._requests.lookup import (
    UnansweredExchange,
    detach,
    find_exchange,
    find_innermost,
    find_open,
    open_exchange,
)
from .._session.session import Stamp
from .._session.tracebacks import clears_frames
from .session_place import SessionPlace

__all__ = ["LazyContents", "find_or_open_exchange", "find_serving"]


def find_or_open_exchange(request: RequestInfo, settings: Settings) -> Exchange | None:
    """Return the exchange for a framework's session object: the gateway's exchange, else a new one that no gateway answers.

    Args:
        request: the view of the request.
        settings: the settings of the gateway (`Gateway.settings`).

    Returns:
        The exchange, or None on a path that the gateway excludes.

    Raises:
        ConfigurationError: a gateway of another store uses the same cookie name.
    """
    one = find_exchange(request, settings)
    if one is None:
        return open_exchange(request, settings)
    if isinstance(one, UnansweredExchange):
        one.request = detach(request)  # the framework itself will write the response
    return one if isinstance(one, Exchange) else None


def find_serving(request: RequestInfo) -> Exchange | None:
    """Return the exchange by which a request is being served, whichever store it belongs to.

    Args:
        request: the view of the request.

    Returns:
        The exchange of the innermost gateway; None if that gateway excludes the path, or if the request has ended.
    """
    found = find_open(find_innermost(request))
    return found if isinstance(found, Exchange) else None


_MISSING: Any = object()


class LazyContents(MutableMapping[str, Any]):
    """A mapping over `exchange.contents`, anonymous sessions included; nothing is decrypted before it is used.

    Changes of nested values are saved. An assignment after the headers have gone out raises `ResponseStartedError`.
    Adapters subclass it and add the members of their framework's sessions.

    Args:
        exchange: the exchange of the request.
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
        """Empty the session in one step: a logout, if a user was signed in."""
        self.exchange.contents.clear()

    def pop(self, key: str, default: Any = _MISSING) -> Any:
        """Remove a key and return its value; without the key return `default`, or raise KeyError if there is none."""
        if default is _MISSING:
            return super().pop(key)
        if key not in self and self.exchange.phase is OPEN:
            # The exchange is told: this may be the logout of a user whose cookies could not be read.
            return self.exchange.contents.pop(key, default)
        return super().pop(key, default)

    def popitem(self) -> tuple[str, Any]:
        """Remove the item that was written last, as a dict does, and return it."""
        return self.exchange.contents.popitem()

    def __reversed__(self) -> Iterator[str]:
        return reversed(self.exchange.contents)

    def __or__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return dict(self.exchange.contents) | dict(other)

    def __ror__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return dict(other) | dict(self.exchange.contents)

    @clears_frames
    def __ior__(self, other: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Self:
        self.exchange.contents.update(other)
        return self

    def copy(self) -> dict[str, Any]:
        """Return the contents as a plain dict."""
        return dict(self.exchange.contents)

    def stand_in(self, attributes: MutableMapping[str, Any]) -> SessionPlace:
        """Let the verbs take over what the application assigns in the place of this object; for adapters.

        The gateways of WSGI and ASGI ask the place before the response starts. Any other adapter calls its `take_over` then.

        Args:
            attributes: the attributes of the object that has this one as `session` (`vars(request)`).

        Returns:
            The place. The exchange closes it when the request ends.
        """
        return SessionPlace(self, attributes, self.exchange)

    @property
    def stamp(self) -> Stamp | None:
        """The session's id and times, or None while there is no session."""
        return self.exchange.contents.stamp

    @property
    def id(self) -> str | None:
        """The id of the session, for frameworks that ask for a session key; never the token."""
        return None if self.stamp is None else self.stamp.id

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        # As for a Session, a copy is a plain dict, and changes in the copy do not change the session.
        return dict, (dict(self),)

    def __repr__(self) -> str:
        # Values are claims and tokens, and must not get into a log.
        if self.exchange.server is not None and not self.exchange.looked_at:
            # A crash report shows the variables of the frames. Showing this object must not call the backend again.
            return f"<{type(self).__name__}, not loaded>"
        return f"<{type(self).__name__} keys={list(self)!r}>"
