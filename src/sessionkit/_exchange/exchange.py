"""One request's session: what came, what it becomes, and what the response must say. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, MutableMapping, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Any, NoReturn

from .._cookies.caching import UNCHANGED, HeaderChanges, is_kept_private
from .._session.events import EventKind, Ignored, tell
from .._session.session import Absence, Contents, Session
from .._session.snapshot import settle
from .._session.tracebacks import clear_frames, clears_frames
from ..errors import ResponseStartedError
from .config import Settings
from .deciding import answer, decide
from .importing import read_or_import
from .reading import Incoming, read
from .request import HOLDER, HeaderRequest, RequestInfo
from .state import State

__all__ = [
    "COMMITTED", "ENDED", "GONE", "OPEN", "Exchange", "Phase", "Unread", "replace_link",
]  # fmt: skip


class Phase(IntEnum):
    """How far a request has come."""

    OPEN = 0
    COMMITTED = 1
    ENDED = 2


# Python 3.11 looks a member up through the class in 0.1 µs, and every request does so several times.
OPEN, COMMITTED, ENDED = Phase

GONE = HeaderRequest()
"""Stands where an exchange's request was, once the exchange has let go of it: a request that keeps its exchange would else be a cycle."""


class Exchange:
    """The session of one request: a Cookie header goes in, header lines come out.

    Nothing is read before a verb asks. The verbs change what the session is *now*; what that means for the
    response is decided once, at `commit`, from what came and what is there at the end.

    Attributes:
        settings: the store's.
        request: the view of the request.
        owned: whether somebody will answer the request with what `commit` says.
        gateway: the one that will, where it is one.
        phase: open, committed (reading only) or ended.
        outer: the exchange, or the exclusion, of a gateway of another store around this one's.
        tasks: when not None, the tasks that find the exchange implicitly once the response has started.
        late: the headers of a response that started before anybody had read the session, while its body is being sent.
        sent: the header fields that an earlier call added to a response nobody else will write.
        taken: the application's header fields that such a call took away.
        state: the session as it is now; None until somebody asks for it.
        fill: what makes the live session of the contents, when they are read: `Session`, or whoever has handed out an
            object before and fills that one now.
    """

    __slots__ = (
        "__weakref__", "_first", "_header", "fill", "gateway", "late", "outer", "owned", "phase", "request", "sent", "settings", "state",
        "taken", "tasks",
    )  # fmt: skip

    taken: tuple[tuple[str, str], ...]

    def __init__(self, settings: Settings, request: RequestInfo, *, owned: bool = True) -> None:
        self.settings: Settings = settings
        self.request: RequestInfo = request
        self.owned: bool = owned
        self.phase: Phase = OPEN
        self.outer: object = None
        self.gateway: object = None
        self.fill: Callable[..., Session] = Session
        self.tasks: Collection[object] | None = None
        self.late: Any = None
        self.sent: tuple[tuple[str, str], ...] = ()
        self._first: dict[str, State] = {}
        self.state: State | None = (
            None  # until somebody looks: a request that nobody asks for its session must cost nothing
        )

    def _look(self) -> State:
        live = self.state
        return self._first_look() if live is None else live

    def _first_look(self) -> State:
        settings = self.settings
        try:
            self._header: str = self.request.cookie_header
            find = read_or_import if settings.accepted else read
            incoming = find(settings, self._header, settings.clock())
            made = State(settings, incoming, self, self.fill)
        except BaseException as error:  # a guard's, or `convert`'s
            incoming = Incoming()
            clear_frames(error)
            raise
        # One step: threads that look at once are given one session.
        live = self.state = self._first.setdefault("live", made)
        if live is made and incoming.absence not in (None, Absence.NO_COOKIE):
            tell(settings.on_event, EventKind.REFUSED, incoming.absence)
        late, self.late = self.late, None
        if late is not None and not is_kept_private(late):
            tell(settings.on_event, EventKind.NOT_PRIVATE)
        return live

    def _valid(self) -> Session | None:
        return self._look().valid(may_forget=self.phase is OPEN)

    # ---- the verbs

    def get(self) -> Session | None:
        """The live session of an authenticated user, or None (then `absence` says why)."""
        live = self.state
        if live is None:
            live = self._first_look()
            # It was judged a moment ago, but for an end of its own.
            session = live.session if live.is_valid_as_read else self._valid()
        else:
            session = live.valid(may_forget=self.phase is OPEN)
        try:
            signed_in = session is None or self.settings.guard(session)
        except BaseException as error:
            session = None
            clear_frames(error)
            raise
        if not signed_in:
            live.absence = Absence.ANONYMOUS
            live.tell_once(EventKind.REFUSED, Absence.ANONYMOUS)
            return None
        return session

    @property
    def contents(self) -> Contents:
        """The live contents, of an anonymous session too; what a framework's own session object shows.

        Empty, and without a stamp, when there is no session; the first assignment begins an anonymous one.
        """
        live = self.state
        if live is None:
            live = self._first_look()
            if live.is_valid_as_read:
                return live.session
        live.valid(may_forget=self.phase is OPEN)
        return live.session

    @property
    def absence(self) -> Absence | None:
        """Why `get` gives None, or None while it gives a session."""
        return self._look().absence if self.get() is None else None

    @clears_frames
    def update(self, session: Mapping[str, Any] | None = None) -> bool:
        """Replace the contents of an authenticated user's session; returns whether it did.

        Args:
            session: the contents that it shall have; with None nothing happens.

        Raises:
            SerializationError: it is not JSON.
            SessionTooLargeError: it does not fit in `max_bytes`.
            ResponseStartedError: the exchange is committed.
        """
        if self.phase is not OPEN:
            self._refuse("update_session")
        settings, live = self.settings, self.state
        if live is None:
            live = self._first_look()
        live.valid(may_forget=True)
        contents: dict[str, Any] | None = None
        print_ = b""
        if session is not None:
            contents = live.with_carried(dict(session)) if settings.carried else dict(session)
            contents, print_ = settle(contents, settings.tags)
        ignored = live.ignored(contents)
        if ignored is not None or contents is None:
            other = contents if ignored is Ignored.OTHER_USER else None
            claim = None if other is None else live.differing_claim(other)
            tell(settings.on_event, EventKind.UPDATE_IGNORED, ignored, claim)
            return False
        live.put(contents, print_, live.moved())
        return True

    @clears_frames
    def touch(self) -> bool:
        """Move the idle expiry, now, and change nothing else; returns whether there was one.

        Raises:
            ResponseStartedError: the exchange is committed.
        """
        self._writable("touch_session")
        if self._valid() is None or self.settings.lifetime.idle is None:
            return False
        self._look().touch()
        return True

    @clears_frames
    def create(self, session: Mapping[str, Any]) -> Session:
        """Begin a session with exactly these contents; whatever came with the request is dead from here on.

        Args:
            session: the contents.

        Returns:
            The live session.

        Raises:
            ValueError: the contents do not pass the guard.
            SerializationError: they are not JSON.
            SessionTooLargeError: they do not fit in `max_bytes`.
            ResponseStartedError: the exchange is committed.
        """
        self._writable("create_session")
        contents, print_ = settle(dict(session), self.settings.tags)
        if not self.settings.guard(contents):
            raise ValueError(
                "create_session was given a session that does not pass the guard: by default it needs a user"
            )
        live = self._look()
        live.valid(may_forget=True)
        live.begin(contents, print_)
        return live.session

    @clears_frames
    def rotate(self) -> bool:
        """Give the session a new id, so that the earlier one is dead; returns whether there was one.

        Raises:
            ResponseStartedError: the exchange is committed.
        """
        self._writable("rotate_session")
        if self._valid() is None:
            return False
        self._look().rotate()
        return True

    @clears_frames
    def delete(self) -> bool:
        """End the session, and whatever else came with the request; returns whether there was one.

        Raises:
            ResponseStartedError: the exchange is committed.
        """
        self._writable("delete_session")
        existed = self._valid() is not None
        live = self._look()
        live.forget(Absence.LOGGED_OUT)
        live.ended = live.deleted = True
        return existed

    # ---- the response

    def commit(self, status: int = 200, headers: Sequence[tuple[str, str]] = ()) -> HeaderChanges:
        """Decide what the response says, and close.

        It may be asked again with another status until the first byte is out.

        Args:
            status: the response's status; at 500 or more changes are dropped and ends are kept.
            headers: those of the application.

        Raises:
            IdentityChangedError: the session was changed in place into somebody else's.
            SerializationError, SessionTooLargeError: it was changed in place into what cannot be kept.
            ConfigurationError: another gateway of the store has set its cookie in the response.
        """
        live = self.state
        if live is None:
            self.phase = COMMITTED
            return UNCHANGED
        try:
            changes = answer(live, status, headers, self.request, owned=self.owned)
        except BaseException as error:
            headers = ()
            clear_frames(error)
            raise
        live.changes = changes
        self.phase = COMMITTED
        return changes

    def close_unread(self, headers: object = None) -> bool:
        """Close, if nobody has asked for the session: the response then has nothing to say; returns whether it did.

        Args:
            headers: the application's, by which a stream that reads the session later is judged; None for what no cache keeps.
        """
        if self.state is not None:
            return False
        self.late = headers
        self.phase = COMMITTED
        return True

    def check(self, status: int = 200) -> None:
        """See that the session can be kept, while the application's error handlers can still answer; close nothing.

        Args:
            status: the response's status.

        Raises:
            IdentityChangedError, SerializationError, SessionTooLargeError: as for `commit`.
        """
        if self.state is None:
            return
        try:
            decide(self.state, status, self.request, self.settings.clock())
        except BaseException as error:
            clear_frames(error)
            raise

    def answer(self, status: int, headers: Sequence[tuple[str, str]]) -> HeaderChanges:
        """What the response must say if it went out now; closes nothing.

        Args:
            status: the response's status.
            headers: those of the application.

        Raises:
            IdentityChangedError, SerializationError, SessionTooLargeError: as for `commit`.
        """
        if self.state is None:
            return UNCHANGED
        try:
            return answer(self.state, status, headers, self.request, owned=self.owned)
        except BaseException as error:
            headers = ()
            clear_frames(error)
            raise

    @property
    def response_headers(self) -> list[tuple[str, str]]:
        """The headers that the response needs, once the exchange is committed."""
        return [] if self.state is None else list(self.state.changes.add)

    @property
    def looked_at(self) -> bool:
        """Whether anything asked for the session yet; to ask this reads nothing."""
        return self.state is not None

    @property
    def changed(self) -> bool:
        """Whether the session is now another, or holds something else, than what came; to ask this reads nothing."""
        return self.state is not None and self.state.changed

    @property
    def is_new(self) -> bool:
        """Whether the session, should there be one at the end, is not the one that came."""
        live = self._look()
        return not live.present or live.is_fresh

    @property
    def must_end(self) -> bool:
        """Whether a session was ended, which even a failed response must say."""
        return self.state is not None and self.state.must_end(self.request)

    def finish(self, *, unanswerable: bool = False) -> None:
        """End the request: report what was changed too late or never answered. From here on only reading is left.

        Args:
            unanswerable: whether no response could have carried a change, as of a websocket under WSGI.
        """
        if self.phase is ENDED:
            return
        live = self.state
        if live is not None:
            if self.phase is COMMITTED and not live.is_final:
                tell(self.settings.on_event, EventKind.LATE_CHANGE)
            elif self.phase is OPEN and live.changed:
                live.tell_once(EventKind.UNANSWERED if unanswerable else EventKind.ROLLED_BACK)
        self.phase, self.late, self.tasks = ENDED, None, ()
        # The request keeps what a page for its failure may ask for, and nothing that refers to the request.
        holder = self.request.holder
        if live is not None:
            self.request, self.fill = GONE, Session
        elif holder.get(HOLDER) is self and self.outer is None and self.owned:
            holder[HOLDER] = _unread(self.settings)
        else:
            replace_link(holder, self, Unread(self.settings, self.owned, self.outer))

    def serve_framework(self, settings: Settings) -> None:
        """Take a login through a framework's own session object for one; for a gateway inside the one that made this exchange.

        Args:
            settings: that gateway's. Of two frameworks, one inside the other, the keys of both count.
        """
        keys, before = settings.framework, self.settings
        if keys is None or keys == before.framework:
            return
        self.settings = settings if before.framework is None else before.and_framework(keys)
        if self.state is not None:
            self.state.serve_framework(self.settings)

    # ---- what a live session tells (session.Watcher)

    def writing(self, key: object = None, /) -> bool:
        """Allow an assignment to the live session; return whether `written` is to be called after it.

        Args:
            key: the key that is assigned to; None for several, or all.

        Raises:
            ResponseStartedError: the response has started.
        """
        if self.phase is not OPEN:
            self._refuse("an assignment to the session")
        return self.state is None or self.state.assigning(key)

    def written(self) -> None:
        """Notice an assignment to the live session."""
        self._look().assigned()

    # ---- writing

    @property
    def cookie_header(self) -> str:
        """The Cookie header that the session was, or will be, read from."""
        return self.request.cookie_header if self.state is None else self._header

    def _writable(self, what: str) -> None:
        """Raise if the response has started."""
        if self.phase is not OPEN:
            self._refuse(what)

    def _refuse(self, what: str) -> NoReturn:
        """Say that a write came too late, and when it would have been in time."""
        if self.phase is ENDED:
            raise ResponseStartedError(
                f"{what} came too late: the request it belonged to has finished, and its session can only be read"
            )
        raise ResponseStartedError(
            f"{what} came too late: the response's headers have gone out. Write the session before the response starts "
            "(before the first byte of a stream, before a websocket is accepted, not in a background task)"
        )

    # ---- an exchange belongs to one request

    def __repr__(self) -> str:
        return f"<Exchange {self.phase.name.lower()}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an Exchange belongs to one request and does not pickle")

    def __deepcopy__(self, memo: dict[int, Any]) -> Exchange:
        return self


class Unread:
    """What an exchange leaves in its request that ended before anybody had read the session.

    Attributes:
        settings: the store's.
        owned: whether somebody answered the request.
        outer: as of the exchange.
    """

    __slots__ = ("outer", "owned", "settings")

    def __init__(self, settings: Settings, owned: bool, outer: object) -> None:
        self.settings: Settings = settings
        self.owned: bool = owned
        self.outer: object = outer


@lru_cache(maxsize=256)
def _unread(settings: Settings) -> Unread:
    """What most requests leave of which nobody has read the session: made once for each store."""
    return Unread(settings, True, None)


def replace_link(holder: MutableMapping[str, Any], one: object, other: object) -> None:
    """Put something in the place of an exchange, among those that a request holds."""
    here: Any = holder.get(HOLDER)
    if here is one:
        holder[HOLDER] = other
        return
    while here is not None:
        if here.outer is one:
            here.outer = other
            return
        here = here.outer
