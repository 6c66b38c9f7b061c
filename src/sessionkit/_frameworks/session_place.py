"""The place of a framework's session object: an application may put contents of its own there, and they become the session's."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any, cast

from .._exchange.driven_exchange import Place
from .._exchange.exchange import OPEN, Exchange
from .._session.events import EventKind, tell
from .._session.session import ALL, Contents, refill
from .._session.snapshot import same, take_snapshot
from .._session.tracebacks import clears_frames

__all__ = ["SESSION_KEY", "SessionPlace", "Snapshot", "is_session", "replace_contents"]

SESSION_KEY = "session"
"""The name of the attribute of a request, or the key of a scope, that has the session object."""


@clears_frames
def replace_contents(exchange: Exchange, contents: Mapping[str, Any]) -> None:
    """Replace the contents in one step, so that new contents of the same user are not a logout and a login.

    Args:
        exchange: the exchange of the request.
        contents: the new contents.

    Raises:
        ResponseStartedError: the response's headers have gone out.
    """
    contents = dict(contents)
    live = exchange.contents
    exchange.writing(ALL)
    refill(live, contents, live.stamp)
    exchange.written()


class Snapshot:
    """A snapshot of a session's contents, to check later whether they have changed. It shows no value.

    Args:
        contents: the contents of the exchange.
    """

    __slots__ = ("_taken",)

    def __init__(self, contents: Contents, /) -> None:
        self._taken = take_snapshot(contents)

    def differs_from(self, contents: Contents, /) -> bool:
        """Return whether the contents have changed since, nested values included."""
        return not same(contents, take_snapshot(contents), self._taken)


class SessionPlace:
    """The place of a session object. The verbs check it before they act, and a gateway before the response starts.

    A mapping that the application puts there before the response starts becomes the contents of the session. After the next verb
    that writes, or after the start of the response, the mapping is detached: a change in it is not saved. Such a change is
    reported when the request ends, unless the session has the same change. Any other object in the place is ignored: an object
    of another library, or the session of a request, of this store or another.

    Args:
        session: the session object.
        holder: the mapping that has the session object under `session`: the attributes of a request (`vars(request)`), or a scope.
        exchange: the exchange that the session object shows.
    """

    __slots__ = ("_exchange", "_found", "_holder", "_is_left", "_session", "_values", "before")

    def __init__(
        self, session: object, holder: MutableMapping[str, Any], exchange: Exchange
    ) -> None:
        self._session, self._holder, self._exchange = session, holder, exchange
        # The object that was last taken over, whether it was left in the place, and the values that it had at that time.
        self._found: object = None
        self._is_left = False
        self._values: dict[str, tuple[object, Snapshot]] = {}
        self.before: Place | None = exchange.place
        exchange.place = self

    def take_over(self, *, leaving: bool = False) -> None:
        """Replace the contents of the session with those that the application has put in the place.

        Args:
            leaving: whether to leave the application's object in the place, for a verb that only reads. Later changes
                in the object are then taken over too.

        Raises:
            TypeError: the object in the place cannot be the contents of a session.
        """
        if self._holder.get(SESSION_KEY) is not self._session:
            self._take_over(leaving=leaving)

    @clears_frames
    def _take_over(self, *, leaving: bool = False) -> None:
        """Replace the contents of the session with those in the place, unless the same ones were taken over before."""
        found = self._holder.get(SESSION_KEY)
        contents = self._find_contents()
        if contents is None:
            return
        if not (self._is_left and found is self._found):
            replace_contents(self._exchange, contents)
            self._found = found
            self._values = {key: _remember(contents, key) for key in contents}
        elif self._list_changed(contents):
            self._merge(contents)
        self._is_left = leaving
        if leaving:
            self._holder[SESSION_KEY] = found

    def _merge(self, contents: Mapping[str, Any]) -> None:
        """Add the changes of an object that was left in the place.

        A key that the object no longer has is removed. Any other key that was also assigned in the session keeps the session's value.
        """
        merged = dict(self._exchange.contents)
        for key in self._list_changed(contents):
            value, snapshot = self._values.get(key, _NOTHING)
            is_kept = merged.get(key) is value or not snapshot.differs_from(_pick(merged, key))
            if is_kept or key not in contents:
                merged.pop(key, None)
                merged.update(_pick(contents, key))
                self._values[key] = _remember(contents, key)
        replace_contents(self._exchange, merged)

    def close(self) -> None:
        """Take over the contents in the place if no response has started. Report contents that came too late, and changes that are lost."""
        exchange = self._exchange
        if exchange.place is self:
            exchange.place = self.before
        else:
            self._leave()
        if self._found is None and self._holder.get(SESSION_KEY) is self._session:
            # The most frequent case: the application has put nothing there.
            return
        is_late = exchange.phase is not OPEN
        try:
            if not is_late:
                self.take_over()
            elif self._holder.get(SESSION_KEY) is not self._session:
                contents = self._find_contents()
                if contents is not None:
                    # The exchange compares the contents when it ends, and reports a change as it reports a change in place.
                    live = exchange.contents
                    refill(live, contents, live.stamp)
                    return
            if self._has_lost_change():
                tell(exchange.settings.on_event, EventKind.DETACHED_CHANGE)
        except Exception:  # noqa: BLE001  # an error of the application's own goes first, and this value is lost in any case
            kind = EventKind.LATE_CHANGE if is_late else EventKind.ROLLED_BACK
            tell(exchange.settings.on_event, kind)

    def _leave(self) -> None:
        """Link the places inside this one, which are closed later, to the place around it."""
        place = self._exchange.place
        while isinstance(place, SessionPlace):
            if place.before is self:
                place.before = self.before
            place = place.before

    def _find_contents(self) -> Mapping[str, Any] | None:
        """Return the contents in the place, and put the session object back; None if there is nothing to take over."""
        found = self._holder.get(SESSION_KEY)
        contents = None if is_session(found) else self._read(found)
        if contents is not None:
            self._holder[SESSION_KEY] = self._session
        return contents

    def _read(self, found: object) -> Mapping[str, Any] | None:
        """Return the contents that an object in the place stands for; None to leave the session as it is."""
        return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else None

    def _has_lost_change(self) -> bool:
        """Return whether a detached object was changed, and the session does not have the same change."""
        contents, state = self._read(self._found), self._exchange.state
        if contents is None or state is None:
            return False
        live = state.session
        return any(
            Snapshot(_pick(contents, key)).differs_from(_pick(live, key))
            for key in self._list_changed(contents)
        )

    def _list_changed(self, contents: Mapping[str, Any]) -> list[str]:
        """Return the keys of the last taken-over object whose values have changed since then."""
        values = self._values
        return [
            key
            for key in {**values, **contents}
            if values.get(key, _NOTHING)[1].differs_from(_pick(contents, key))
        ]


_NOTHING: tuple[object, Snapshot] = None, Snapshot(Contents())


def _remember(contents: Mapping[str, Any], key: str) -> tuple[object, Snapshot]:
    """Return the value of a key and its snapshot: nested values are shared with the session, so they change there too."""
    return contents.get(key), Snapshot(_pick(contents, key))


def _pick(contents: Mapping[str, Any], key: str) -> Contents:
    """Return a dict with one key of the contents; an empty dict if the key is missing."""
    return Contents({key: contents[key]} if key in contents else {})


def is_session(found: object) -> bool:
    """Return whether an object is the session of a request, of this library or another.

    Args:
        found: the object.
    """
    if hasattr(found, "mark_accessed") or isinstance(getattr(found, "exchange", None), Exchange):
        return True
    # A `Session` that the application has made only holds contents.
    return isinstance(found, Contents) and found._watcher is not None  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # not for users
