"""The session object of Flask and Quart, and the tags that preserve the types of its values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from .._exchange.drivers import asettle
from .._exchange.exchange import OPEN
from .._exchange.framework_keys import FrameworkKeys
from .._requests.current import get_last_current
from .._requests.lookup import iterate_outward
from .._requests.responses import write_response
from .._session.events import EventKind, tell
from .._session.tags import Tags
from .._session.tracebacks import clears_frames
from .contents import LazyContents
from .socket_exchange import SocketExchange

__all__ = ["KEYS", "FlaskFamilySession", "make_tags"]

KEYS = FrameworkKeys(
    login=("_user_id",),  # Flask-Login
    transient=lambda contents: not contents["_permanent"] if "_permanent" in contents else None,
)
"""The framework keys of Flask and Quart."""

FLASHES = "_flashes"
"""The key of flashed messages."""


def make_tags(serializer: Any, json: Any) -> Tags:
    """Make the tags with which Flask writes tuples, bytes, UUIDs, dates and markup in its own session.

    A value without a tag (a date without a time, a Decimal) becomes the text that the application's JSON makes of it, as in
    Flask's own session.

    Args:
        serializer: the `TaggedJSONSerializer`; the key of each of its tags begins with a blank.
        json: `flask.json` or `quart.json`.
    """

    def tag(value: Any) -> Any:
        return _convert_leaves(serializer.tag(value), lambda leaf: json.loads(json.dumps(leaf)))

    def untag(value: Any) -> Any:
        if isinstance(value, dict):
            members: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]  # Any narrows to an unknown
            return serializer.untag({key: untag(item) for key, item in members.items()})
        if isinstance(value, list):
            items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]  # Any narrows to an unknown
            return [untag(item) for item in items]
        return value

    return Tags(tag=tag, untag=untag)


def _convert_leaves(value: Any, convert: Callable[[Any], Any]) -> Any:
    """Return tagged JSON in which every value that is not JSON has been converted."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, dict):
        members: dict[Any, Any] = value  # pyright: ignore[reportUnknownVariableType]  # Any narrows to an unknown
        return {key: _convert_leaves(item, convert) for key, item in members.items()}
    if isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]  # Any narrows to an unknown
        return [_convert_leaves(item, convert) for item in items]
    return convert(value)


class FlaskFamilySession(LazyContents):
    """The session object of Flask and Quart. An adapter's class also inherits from the framework's `SessionMixin`."""

    @property
    def accessed(self) -> bool:
        """Whether the request used the session. Flask sets this whenever it hands the session out."""
        return self.exchange.looked_at

    @accessed.setter
    def accessed(self, value: bool) -> None: ...

    @property
    def modified(self) -> bool:
        """Whether the session differs from the one that was loaded, nested values included. Setting this is allowed, but not needed."""
        return self.exchange.changed

    @modified.setter
    def modified(self, value: bool) -> None: ...

    def __getitem__(self, key: str) -> Any:
        """Return a value. Flashed messages are returned as tuples, as the framework expects, even if another application wrote lists."""
        value = super().__getitem__(key)
        if key != FLASHES or all(type(one) is tuple for one in value):
            return value
        flashes = [tuple(cast("Iterable[str]", one)) for one in value]
        exchange = self.exchange
        if exchange.phase is OPEN and exchange.settings.tags is not None:
            # The list is the session's own, so that a message which the caller appends to it is saved.
            exchange.contents[key] = flashes
        return flashes

    def __delitem__(self, key: str) -> None:
        # Reading flashed messages deletes them. Tests do so after the request, in the context that a test client preserves.
        if key == FLASHES and self._is_read_afterwards():
            return
        super().__delitem__(key)

    def _is_read_afterwards(self) -> bool:
        """Return whether the response has been sent and the caller does not serve the request. If so, no message can be lost."""
        exchange = self.exchange
        return exchange.phase is not OPEN and exchange not in iterate_outward(get_last_current())

    @clears_frames
    def save_into(self, response: Any) -> None:
        """Do the work of the framework's `save_session`.

        Under a gateway, check that the session can be saved, so that the application's error handlers get the error
        otherwise. Without a gateway (`session_transaction()`), write the session into the response. After the response has
        been sent, report a change, because it is lost. In an event of Flask-SocketIO, save changes that need no cookie in
        the backend.

        Args:
            response: the framework's response.

        Raises:
            IdentityChangedError, SerializationError, SessionTooLargeError: the session cannot be saved.
        BackendError, ConflictError: saving it in the backend failed.
        ResponseStartedError: in an event of a socket, a change needs a cookie.
        """
        exchange = self.exchange
        if isinstance(exchange, SocketExchange):
            exchange.save()
        elif exchange.phase is not OPEN:
            if exchange.changed:
                tell(exchange.settings.on_event, EventKind.UNANSWERED)
        elif not exchange.owned:
            write_response(exchange, response)
        elif response.status_code < 500:  # the changes of a failed request are rolled back
            exchange.check(response.status_code)

    async def asave_into(self, response: Any) -> None:
        """Do the work of the framework's `save_session` as `save_into` does, and await the backend.

        Args:
            response: the framework's response.

        Raises:
            BackendError, ConflictError: the backend failed, or parallel changes could not be merged.
            IdentityChangedError, SerializationError, SessionTooLargeError: as for `save_into`.
        """
        exchange = self.exchange
        try:
            if exchange.phase is OPEN:
                status = response.status_code if exchange.owned else 200
                if status < 500:
                    await asettle(exchange, status)
            self.save_into(response)
        finally:
            del self, response  # a traceback shows the variables of this frame
