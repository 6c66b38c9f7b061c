"""A framework's own session object: a view of the request's exchange, which is read when the object is first used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any, cast

from typing_extensions import Self

from .._cookies.caching import UNCHANGED
from .._exchange.exchange import ENDED, OPEN, Exchange
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
from .._session.events import EventKind, tell
from .._session.session import Contents, Stamp, refill
from .._session.snapshot import fingerprint, same
from .._session.tracebacks import clears_frames
from ..errors import ResponseStartedError

__all__ = [
    "LazyContents",
    "Snapshot",
    "SocketExchange",
    "find_or_open_exchange",
    "find_serving",
    "replace_contents",
]


def find_or_open_exchange(request: RequestInfo, settings: Settings) -> Exchange | None:
    """Return the exchange for a framework's session object: the gateway's, else one that no gateway answers.

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
        one.request = detach(request)  # from here on the framework writes the response
    return one if isinstance(one, Exchange) else None


def find_serving(request: RequestInfo) -> Exchange | None:
    """Return the exchange by which a request is being served, whichever store it belongs to.

    Args:
        request: the view of the request.

    Returns:
        The exchange of the innermost gateway; None if that gateway excludes the path, or if nothing serves the request any more.
    """
    found = find_open(find_innermost(request))
    return found if isinstance(found, Exchange) else None


class SocketExchange(Exchange):
    """The session in one event of a socket, whose handshake was answered long ago: no response carries a cookie.

    With a blocking backend the event reads the session as it is now, and `keep` saves what needs no cookie. Otherwise
    the session is that of the handshake, and assigning to it raises `ResponseStartedError`.

    Args:
        settings: the settings of the gateway.
        request: the view of the handshake's request.
    """

    __slots__ = ()

    def __init__(self, settings: Settings, request: RequestInfo) -> None:
        super().__init__(settings, request, owned=False)
        self.drive()
        if settings.driver is None:
            self.contents  # noqa: B018  # reads it, while the request is known
            self.close(UNCHANGED)

    def save(self) -> None:
        """Save the session after an event. A nested change that came too late is reported.

        Raises:
            ResponseStartedError: the change needs a cookie; nothing of it was saved.
            IdentityChangedError, SerializationError, SessionTooLargeError, BackendError, ConflictError: as for `Exchange.keep`.
        """
        if self.phase is OPEN and not self.keep():
            raise ResponseStartedError(
                "the session was not saved: an event of a socket has no response, so it can set no cookie. Log in, rotate "
                "the session, or change an anonymous one in a request of its own"
            )
        if self.phase is not OPEN and self.state is not None and self.state.changed:
            self.state.tell_once(EventKind.UNANSWERED)

    def leave(self) -> None:
        """End the event, and report a change that was not saved."""
        if self.state is not None and not self.state.is_final:
            self.state.tell_once(EventKind.UNANSWERED)
        self.phase = ENDED


@clears_frames
def replace_contents(exchange: Exchange, contents: Mapping[str, Any]) -> None:
    """Replace the contents in one step: new contents of the same user are no logout and login.

    Args:
        exchange: the exchange of the request.
        contents: the new contents.

    Raises:
        ResponseStartedError: the response's headers have gone out.
    """
    exchange.writing()
    contents = dict(contents)
    live = exchange.contents
    refill(live, contents, live.stamp)
    exchange.written()


class Snapshot:
    """The state of a session's contents at one moment, to find out later whether they have changed; it shows no value.

    Args:
        contents: the contents of the exchange.
    """

    __slots__ = ("_print",)

    def __init__(self, contents: Contents, /) -> None:
        self._print = fingerprint(contents)

    def differs_from(self, contents: Contents, /) -> bool:
        """Return whether the contents have changed since, nested values included."""
        return not same(contents, fingerprint(contents), self._print)


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

    def stand_in(self, attributes: MutableMapping[str, Any]) -> None:
        """Let the verbs see what the application puts in the place of this object before they act; for adapters.

        The adapter still calls `take_over` before the response starts. The exchange lets go of the attributes when the request
        ends.

        Args:
            attributes: the attributes of the object that has this one as `session` (`vars(request)`).
        """
        self.exchange.place = AttributePlace(self, attributes)

    @clears_frames
    def take_over(self, found: object) -> bool:
        """Make the contents of a mapping that the application has put in the place of this object; for adapters.

        Anything else there is left alone: this object, one of another library (a session of a database), and the session of a
        request, of this store or another. A mapping that comes after the response has started is not saved, and is reported.

        Args:
            found: what is in the place of this object.

        Returns:
            Whether it is such a mapping. Then put this object in its place again.
        """
        if not isinstance(found, Mapping) or isinstance(found, LazyContents):
            return False
        if isinstance(found, Contents) and found._watcher is not None:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # not for users
            return False
        if self.exchange.phase is OPEN:
            place, given = self.exchange.place, cast("Mapping[str, Any]", found)
            if not (isinstance(place, AttributePlace) and place.has_seen(given)):
                replace_contents(self.exchange, given)
        else:
            tell(self.exchange.settings.on_event, EventKind.LATE_CHANGE)
        return True

    @property
    def stamp(self) -> Stamp | None:
        """The session's id and times, or None while there is no session."""
        return self.exchange.contents.stamp

    @property
    def id(self) -> str | None:
        """The id of the session, for frameworks that ask for a session key; never the token."""
        return None if self.stamp is None else self.stamp.id

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        # As for a Session: a copy is a plain dict, and changes of it do not change the session.
        return dict, (dict(self),)

    def __repr__(self) -> str:
        # Values are claims and tokens: they have no business in a log.
        if self.exchange.server is not None and not self.exchange.looked_at:
            # Whoever reports an outage shows the variables of its frames: that must not ask the backend again.
            return f"<{type(self).__name__}, not loaded>"
        return f"<{type(self).__name__} keys={list(self)!r}>"


class AttributePlace:
    """The place of a session object among the attributes of a request: the verbs ask it before they act.

    Args:
        session: the session object.
        attributes: the attributes of the object that has it as `session` (`vars(request)`).
    """

    __slots__ = ("_attributes", "_seen", "_session")

    def __init__(self, session: LazyContents, attributes: MutableMapping[str, Any]) -> None:
        self._session, self._attributes = session, attributes
        self._seen: tuple[object, Snapshot] | None = None

    def take_over(self, *, leaving: bool = False) -> None:
        """Make the contents of a mapping that the application has put in the place those of the session.

        Args:
            leaving: whether to leave the mapping there, for a verb that only reads. What the application does to it afterwards
                counts too.
        """
        found: Any = self._attributes.get("session")
        if not self._session.take_over(found):
            return
        if leaving:
            self._seen = found, Snapshot(found)
        else:
            self._seen = None
            self._attributes["session"] = self._session

    def has_seen(self, found: object) -> bool:
        """Return whether an object was taken over and left in the place, and is as it was then.

        Args:
            found: the object.
        """
        seen, given = self._seen, cast("Any", found)
        return seen is not None and seen[0] is found and not seen[1].differs_from(given)
