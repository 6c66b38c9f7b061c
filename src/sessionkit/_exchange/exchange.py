"""The exchange: one request's session, from a Cookie header to response header lines. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, MutableMapping, Sequence
from copy import deepcopy
from enum import IntEnum
from functools import lru_cache, partial
from typing import Any, NoReturn

from .._cookies.caching import UNCHANGED, HeaderChanges, is_kept_private
from .._session.events import EventKind, Ignored, tell
from .._session.session import Absence, Contents, Session
from .._session.snapshot import fingerprint, normalize
from .._session.tracebacks import clear_frames, clears_frames
from ..backends._protocols import Record
from ..errors import BackendError, ConfigurationError, ResponseStartedError
from .config import Settings
from .deciding import answer, decide
from .importing import read_or_import
from .merging import Function, call_function
from .operations import Operation, Wanted
from .reading import RequestCookies, read_cookies
from .request import HOLDER, HeaderRequest, RequestInfo
from .returning import check_return
from .server import ServerSide
from .state import State

__all__ = [
    "COMMITTED", "ENDED", "GONE", "OPEN", "Exchange", "Phase", "UnreadExchange", "replace_link",
]  # fmt: skip


class Phase(IntEnum):
    """How far a request has come."""

    OPEN = 0
    COMMITTED = 1
    ENDED = 2


# Every request uses these members several times. In Python 3.11 a look-up through the class costs 0.1 µs.
OPEN, COMMITTED, ENDED = Phase

GONE = HeaderRequest()
"""Replaces the request of a finished exchange: the request keeps its exchange, and the two would be a reference cycle."""


class Exchange:
    """The session of one request: a Cookie header goes in, header lines come out.

    Nothing is read before a verb is called. A verb changes the session as it is now. `commit` decides once, from the
    cookies and from the session at the end, what the response says.

    Attributes:
        settings: the store's settings.
        request: the view of the request.
        owned: whether a gateway, or another owner of the response, will write the header lines of `commit`.
        gateway: the gateway that will write them, if it is one.
        phase: open, committed (the session can only be read) or ended.
        outer: the exchange, or the exclusion, of the gateway around this exchange's.
        tasks: the tasks that may find the exchange implicitly after the response has started; None for any.
        late: the header fields of a response that started before the session was read, until its last byte is sent.
        sent: the header fields that an earlier call added to a response without a gateway.
        taken: the application's header fields that such a call took away.
        state: the state of the session; None until the session is first used.
        server: the records of the sessions, if the store has a backend.
        fill: makes the live session when the contents are read. This is `Session`, or a function that fills an object
            which was handed out before.
    """

    __slots__ = (
        "__weakref__", "_first_state", "_header", "fill", "gateway", "late", "outer", "owned", "phase",
        "request", "sent", "server", "settings", "state", "taken", "tasks",
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
        self.server: ServerSide | None = None
        if settings.records is not None:
            self.server = ServerSide(settings, settings.clock())
        self._first_state: dict[str, State] = {}
        # A request that does not read its session must cost nothing.
        self.state: State | None = None

    def _load(self) -> State:
        """Return the state, loaded when it is first needed."""
        state = self.state
        return self._load_first() if state is None else state

    def _load_first(self) -> State:
        """Read the request's cookies, and return the state that they give."""
        settings = self.settings
        try:
            if self.server is None:
                self._header: str = self.request.cookie_header
                read = read_or_import if settings.importers else read_cookies
                cookies = read(settings, self._header, settings.clock())
            else:
                cookies = self._load_records(self.server)
            loaded = State(settings, cookies, self, self.fill)
        except BaseException as error:
            # The application's guard or `convert` raised. Its traceback must not show the session.
            cookies = RequestCookies()
            clear_frames(error)
            raise
        # One atomic step: threads that load the session at the same time get one state.
        state = self.state = self._first_state.setdefault("state", loaded)
        if state is loaded and cookies.absence not in (None, Absence.NO_COOKIE):
            tell(settings.on_event, EventKind.REFUSED, cookies.absence)
        if settings.expected.client is not None and state is loaded:
            check_return(settings, self.request)
        late, self.late = self.late, None
        if late is not None and not is_kept_private(late):
            tell(settings.on_event, EventKind.NOT_PRIVATE)
        return state

    # ---- the records on the server

    @property
    def loader(self) -> Callable[[Wanted], Record | None] | None:
        """The function that loads a record when the session is first used; None if an async driver supplies the records."""
        return None if self.server is None else self.server.loader

    @loader.setter
    def loader(self, load: Callable[[Wanted], Record | None] | None) -> None:
        if self.server is not None:
            self.server.loader = load

    def drive(self) -> None:
        """Let a blocking backend be called where the session is first used, and at the commit."""
        driver = self.settings.driver
        if self.server is not None and driver is not None:
            self.server.driver, self.server.loader = driver, driver.load

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """The records that the request's cookies point to; () if there are none, or once they are supplied."""
        server = self.server
        if server is None or self.state is not None:
            return ()
        if server.cookies is None:
            self._header = self.request.cookie_header
        return server.read(self._header, self.settings.clock())

    def supply(self, found: Sequence[Record | None] | BackendError) -> None:
        """Take the records that a driver has loaded, in the order of `wanted`.

        Args:
            found: a record or None for each; or the error, which every verb then raises.
        """
        if self.server is not None:
            self.server.supply(found)

    def point_to(self, key: str, owner: str) -> None:
        """Use the session of a record that is known by its key. This is for server code, and no cookie can do it.

        Args:
            key: the record's key.
            owner: its owner.
        """
        if self.server is not None:
            self._header = ""
            self.server.point_to(key, owner)

    def name_record(self) -> tuple[str, str] | None:
        """Return the key and the owner of the record that keeps the session, or will keep it once it is saved.

        Returns:
            None if there is no session, or if it is kept in a cookie.
        """
        return None if self.server is None else self.server.name_record(self._load())

    def decide(
        self, status: int = 200, headers: Sequence[tuple[str, str]] = ()
    ) -> tuple[Operation | None, HeaderChanges]:
        """Return the next operation on the backend; or None, and the changes to the header fields.

        Nothing changes, so it may be asked again, with another status too. After an operation, call `took`.

        Args:
            status: the response's status.
            headers: the application's header fields.

        Raises:
            IdentityChangedError, SerializationError, SessionTooLargeError: as for `commit`.
        """
        return self._decide(status, headers, None)

    def _decide(
        self, status: int, headers: Sequence[tuple[str, str]], now: float | None
    ) -> tuple[Operation | None, HeaderChanges]:
        state, server = self.state, self.server
        if state is None:
            return None, UNCHANGED
        try:
            if server is None:
                return None, answer(state, status, headers, self.request, owned=self.owned)
            return server.decide(state, status, headers, self.request, owned=self.owned, now=now)
        except BaseException as error:
            headers = ()
            clear_frames(error)
            raise

    def took(self, operation: Operation, reply: Any) -> None:
        """Take the backend's reply to an operation of `decide`.

        Args:
            operation: the operation.
            reply: its result, or the `BackendError` that it raised.

        Raises:
            BackendError: the reply, if the response cannot do without the operation.
            ConflictError: parallel changes could not be merged.
        """
        try:
            if self.state is not None and self.server is not None:
                self.server.took(self.state, operation, reply)
        except BaseException as error:
            clear_frames(error)
            raise

    @property
    def pause(self) -> float:
        """The seconds to wait before the next operation, after a conflict."""
        return 0 if self.server is None else self.server.pause

    def close(self, changes: HeaderChanges) -> HeaderChanges:
        """Close the session for writing, and return the header changes of the response.

        Args:
            changes: the header changes, from `decide`.
        """
        if self.state is not None:
            self.state.changes = changes
        self.phase = COMMITTED
        return changes

    def refresh(self, record: Record | None) -> bool:
        """Judge the session by its record, which was loaded again: take its times, or drop a session that has ended.

        A request that lasts, such as a websocket, has no other way to learn of a logout. The contents stay as they are.

        Args:
            record: the record, or None.

        Returns:
            Whether the session is still valid.
        """
        state, server = self.state, self.server
        if state is None or server is None or not state.present:
            return False
        reason = server.judge_again(state, record)
        if reason is None:
            return True
        state.forget(reason)
        if self.phase is not OPEN:
            state.final_snapshot = state.snapshot_of(dict(state.session))
        return False

    def _load_records(self, server: ServerSide) -> RequestCookies:
        """Return the request's cookies with the session from its record, which is loaded now unless it was supplied."""
        wanted = self.wanted
        if wanted:
            load = self.loader
            if load is None:
                raise ConfigurationError(
                    "the session's record was not loaded: this backend is awaited, so install the ASGI gateway or the adapter of "
                    "the framework, or use `async with store.exchange(...)`; without a gateway take a blocking backend"
                )
            try:
                self.supply([load(one) for one in wanted])
            except BackendError as error:
                self.supply(error)
        return server.open(self.settings.clock())

    def _settle(self, status: int, headers: Sequence[tuple[str, str]]) -> HeaderChanges:
        """Return the header changes once every operation on the backend is performed."""
        driver = None if self.server is None else self.server.driver
        if driver is not None:
            return driver.run(self, status, headers)
        # An async driver has just performed every operation. None may fall due between its last question and this one.
        operation, changes = self._decide(
            status, headers, None if self.server is None else self.server.settled_at
        )
        if operation is not None:
            raise ConfigurationError(
                "the session cannot be saved here: this backend is awaited, and no gateway has saved it. Install the ASGI gateway "
                "or the adapter of the framework, or use `async with store.exchange(...)`"
            )
        return changes

    # ---- the verbs

    def get(self) -> Session | None:
        """Return the live session of an authenticated user, or None; then `absence` says why."""
        state, session = self.state, None
        if state is None:
            state = self._load_first()
            # The times were judged a moment ago. Only an end that the contents set is still to be judged.
            session = state.session if state.is_valid_as_read else None
        if session is None:
            session = state.find_valid(may_forget=self.phase is OPEN)
        try:
            signed_in = session is None or self.settings.guard(session)
        except BaseException as error:
            session = None
            clear_frames(error)
            raise
        if not signed_in:
            state.absence = Absence.ANONYMOUS
            state.tell_once(EventKind.REFUSED, Absence.ANONYMOUS)
            return None
        return session

    @property
    def contents(self) -> Contents:
        """The live contents, of an anonymous session too; a framework's own session object shows them.

        They are empty, and have no stamp, while there is no session. The first assignment begins an anonymous session.
        """
        return self._judge().session

    @property
    def absence(self) -> Absence | None:
        """The reason why `get` returns None, or None while it returns a session."""
        return self._load().absence if self.get() is None else None

    def update(self, session: Mapping[str, Any] | Function | None = None) -> bool:
        """Replace the contents of an authenticated user's session.

        Args:
            session: the new contents; with None nothing happens. Or a function that gets a copy of the contents and returns
                the new ones. With a backend it is called again if a parallel request has changed the session meanwhile.

        Returns:
            Whether the contents were replaced.

        Raises:
            TypeError: the function returned no contents, or changed its copy and returned None.
            SerializationError: the contents are not JSON.
            SessionTooLargeError: the contents do not fit in `max_bytes`.
            ResponseStartedError: the exchange is committed.
        """
        settings, contents, snapshot = self.settings, None, b""
        current: Session | None = None
        try:
            state, function = self._begin_write("update_session"), None
            if callable(session):
                function, current = session, self.get()
                if current is None:
                    tell(settings.on_event, EventKind.UPDATE_IGNORED, Ignored.NOT_AUTHENTICATED)
                    return False
                if self.server is not None:
                    self.server.note_change(state)
                session = call_function(function, partial(deepcopy, dict(current)))
            if session is not None:
                contents = state.merge_carried(dict(session)) if settings.carried else dict(session)
                contents, snapshot = normalize(contents, settings.tags)
            ignored = state.owner.judge_update(contents, present=state.present)
            if ignored is not None or contents is None:
                claim = None
                if contents is not None and ignored is Ignored.OTHER_USER:
                    claim = state.owner.find_differing_claim(contents)
                tell(settings.on_event, EventKind.UPDATE_IGNORED, ignored, claim)
                return False
            state.replace_contents(contents, snapshot, state.advance_stamp())
            if function is not None and self.server is not None:
                self.server.note_update(state, function)
        except BaseException as error:
            session, contents, current, snapshot = None, None, None, b""
            clear_frames(error)
            raise
        return True

    @clears_frames
    def touch(self) -> bool:
        """Move the idle expiry, now, and change nothing else.

        Returns:
            Whether there was a session with an idle expiry.

        Raises:
            ResponseStartedError: the exchange is committed.
        """
        state = self._begin_write("touch_session")
        if not state.present or self.settings.find_lifetime(state.stamp.lifetime).idle is None:
            return False
        state.touch()
        return True

    @clears_frames
    def create(self, session: Mapping[str, Any], *, lifetime: str | None = None) -> Session:
        """Begin a session with exactly these contents; every session that came with the request is ended.

        Args:
            session: the contents of the new session.
            lifetime: the name of its lifetime, one of `SessionStore(lifetimes=...)`; None for the store's `lifetime`.

        Returns:
            The live session.

        Raises:
            ConfigurationError: the store has no lifetime of this name; the message lists those that it has.
            ValueError: the contents do not pass the guard.
            SerializationError: the contents are not JSON.
            SessionTooLargeError: the contents do not fit in `max_bytes`.
            ResponseStartedError: the exchange is committed.
        """
        if self.phase is not OPEN:
            self._refuse_write("create_session")
        self.settings.check_lifetime(lifetime)
        contents, snapshot = normalize(dict(session), self.settings.tags)
        if not self.settings.guard(contents):
            raise ValueError(
                "create_session was given a session that does not pass the guard: by default it needs a user"
            )
        state = self._judge()
        state.begin(contents, snapshot, lifetime)
        return state.session

    @clears_frames
    def rotate(self) -> bool:
        """Give the session a new id; the session with the earlier id is ended.

        Returns:
            Whether there was a session.

        Raises:
            ResponseStartedError: the exchange is committed.
        """
        state = self._begin_write("rotate_session")
        if state.present:
            state.rotate()
        return state.present

    @clears_frames
    def delete(self) -> bool:
        """End the session, and every other session that came with the request.

        Returns:
            Whether there was a session.

        Raises:
            ResponseStartedError: the exchange is committed.
        """
        state = self._begin_write("delete_session")
        existed = state.present
        state.forget(Absence.LOGGED_OUT)
        state.ended = state.deleted = True
        return existed

    # ---- the response

    def commit(self, status: int = 200, headers: Sequence[tuple[str, str]] = ()) -> HeaderChanges:
        """Decide what the response says, and close the session for writing.

        It may be called again, with another status, until the first byte of the response is sent.

        Args:
            status: the response's status; at 500 or more changes are dropped and ends are kept.
            headers: the application's header fields.

        Returns:
            The changes to the header fields.

        Raises:
            IdentityChangedError: a change in place gave the session to another user.
            SerializationError, SessionTooLargeError: a change in place cannot be kept.
            ConfigurationError: another gateway of the store has set its cookie in the response.
        """
        state = self.state
        if state is None:
            self.phase = COMMITTED
            return UNCHANGED
        if self.server is not None:
            return self.close(self._settle(status, headers))
        try:
            changes = answer(state, status, headers, self.request, owned=self.owned)
        except BaseException as error:
            headers = ()
            clear_frames(error)
            raise
        state.changes = changes
        self.phase = COMMITTED
        return changes

    def close_unread(self, headers: object = None) -> bool:
        """Close the session for writing if it was not used; the response then says nothing about it.

        Args:
            headers: the application's header fields. A stream that reads the session later is reported if they let a
                cache keep the response. None for a response that no cache keeps.

        Returns:
            Whether the session was unused.
        """
        if self.state is not None:
            return False
        self.late = headers
        self.phase = COMMITTED
        return True

    def check(self, status: int = 200) -> None:
        """Raise if the session cannot be kept, while the application's error handlers can still answer; close nothing.

        Args:
            status: the response's status.

        Raises:
            IdentityChangedError, SerializationError, SessionTooLargeError: as for `commit`.
            BackendError, ConflictError: with a backend the session is kept now, and that failed.
        """
        if self.state is None:
            return
        if self.server is not None:
            self._settle(status, ())
            return
        try:
            decide(self.state, status, self.request, self.settings.clock())
        except BaseException as error:
            clear_frames(error)
            raise

    def keep(self) -> bool:
        """Save a change where no response carries a cookie, as a blocking backend can; close nothing.

        Returns:
            Whether nothing is lost. If it is False, nothing was saved.

        Raises:
            IdentityChangedError, SerializationError, SessionTooLargeError, BackendError, ConflictError: as for `check`.
        """
        state, server = self.state, self.server
        if state is None or not state.changed:
            return True
        if server is None or server.driver is None or server.needs_cookie(state):
            return False
        self._settle(200, ())
        return True

    def answer(self, status: int, headers: Sequence[tuple[str, str]]) -> HeaderChanges:
        """Return the changes to the header fields of a response that would start now; close nothing.

        Args:
            status: the response's status.
            headers: the application's header fields.

        Raises:
            IdentityChangedError, SerializationError, SessionTooLargeError: as for `commit`.
        """
        if self.state is None:
            return UNCHANGED
        if self.server is not None:
            return self._settle(status, headers)
        try:
            return answer(self.state, status, headers, self.request, owned=self.owned)
        except BaseException as error:
            headers = ()
            clear_frames(error)
            raise

    @property
    def response_headers(self) -> list[tuple[str, str]]:
        """The header fields to add to the response, once the exchange is committed."""
        return [] if self.state is None else list(self.state.changes.add)

    @property
    def looked_at(self) -> bool:
        """Whether the session was used in this request; this property itself reads no cookie."""
        return self.state is not None

    @property
    def changed(self) -> bool:
        """Whether the session was created, rotated, changed or ended in this request; this property itself reads no cookie."""
        return self.state is not None and self.state.changed

    @property
    def is_new(self) -> bool:
        """Whether this request creates or rotates the session, or has none so far."""
        state = self._load()
        return not state.present or state.is_fresh

    @property
    def must_end(self) -> bool:
        """Whether a session was ended, which even a failed response must say."""
        if self.state is None or (self.server is not None and self.server.gave_up):
            return False
        return self.state.must_end(self.request)

    def finish(self, *, unanswerable: bool = False) -> None:
        """End the request: report changes that came too late, or that no response carries. Reading is still possible.

        Args:
            unanswerable: whether no response could have carried a change, as for a websocket under WSGI. A blocking backend
                keeps it then, if it needs no cookie.

        Raises:
            BackendError, ConflictError: such a change cannot be kept.
        """
        if self.phase is ENDED:
            return
        state = self.state
        try:
            if state is not None:
                snapshot = fingerprint(state.session, state.settings.tags)
                if (
                    self.phase is COMMITTED
                    and snapshot != state.final_snapshot
                    and not state.is_final
                ):
                    tell(self.settings.on_event, EventKind.LATE_CHANGE)
                elif self.phase is OPEN and state.changed and not (unanswerable and self.keep()):
                    state.tell_once(EventKind.UNANSWERED if unanswerable else EventKind.ROLLED_BACK)
        finally:
            self.phase, self.late, self.tasks = ENDED, None, ()
            # An error page may still ask the request for its session. So the request keeps an exchange, and the exchange holds
            # no reference back to the request.
            holder = self.request.holder
            if state is not None or (self.server is not None and self.server.cookies is not None):
                # What was loaded can still be read.
                self.request, self.fill = GONE, Session
            elif holder.get(HOLDER) is self and self.outer is None and self.owned:
                holder[HOLDER] = _make_unread(self.settings)
            else:
                replace_link(holder, self, UnreadExchange(self.settings, self.owned, self.outer))

    def serve_framework(self, settings: Settings) -> None:
        """Notice logins in a framework's own session object, for a gateway inside the one that made this exchange.

        Args:
            settings: the inner gateway's settings. Of two frameworks, one inside the other, the keys of both count.
        """
        keys, before = settings.framework, self.settings
        if keys is None or keys == before.framework:
            return
        self.settings = settings if before.framework is None else before.with_inner_framework(keys)
        if self.server is not None:
            self.server.settings = self.settings
        if self.state is not None:
            self.state.serve_framework(self.settings)

    # ---- assignments to the live session (the methods of session.Watcher)

    def writing(self, key: object = None, /) -> bool:
        """Allow an assignment to the live session; return whether `written` is to be called after it.

        Args:
            key: the key that is assigned to; None for several, or all.

        Raises:
            ResponseStartedError: the response has started.
        """
        if self.phase is not OPEN:
            self._refuse_write("an assignment to the session")
        return self.state is None or self.state.before_assignment(key)

    def written(self) -> None:
        """Notice an assignment to the live session."""
        self._load().after_assignment()

    # ---- reading and writing

    @property
    def cookie_header(self) -> str:
        """The Cookie header that the session is read from."""
        unread = self.state is None and (self.server is None or self.server.cookies is None)
        return self.request.cookie_header if unread else self._header

    def _begin_write(self, verb: str) -> State:
        """Return the state for a verb that writes; a session that has expired is dropped from it.

        Args:
            verb: the name of the verb, for the error message.

        Raises:
            ResponseStartedError: the response has started.
        """
        if self.phase is not OPEN:
            self._refuse_write(verb)
        return self._judge()

    def _judge(self) -> State:
        """Return the state; until the response starts, a session that has expired is dropped from it."""
        state = self.state
        if state is None:
            state = self._load_first()
            if state.is_valid_as_read:
                return state
        state.find_valid(may_forget=self.phase is OPEN)
        return state

    def _refuse_write(self, what: str) -> NoReturn:
        """Raise ResponseStartedError, and say when the write would have been in time."""
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


class UnreadExchange:
    """Replaces an exchange in its request, if the request ended before the session was read.

    Attributes:
        settings: the store's settings.
        owned: whether the exchange was owned.
        outer: the exchange, or the exclusion, of the gateway around.
    """

    __slots__ = ("outer", "owned", "settings")

    def __init__(self, settings: Settings, owned: bool, outer: object) -> None:
        self.settings: Settings = settings
        self.owned: bool = owned
        self.outer: object = outer


@lru_cache(maxsize=256)
def _make_unread(settings: Settings) -> UnreadExchange:
    """Return the `UnreadExchange` of requests with one gateway: one object for each store, since most requests need it."""
    return UnreadExchange(settings, True, None)


def replace_link(holder: MutableMapping[str, Any], exchange: object, successor: object) -> None:
    """Replace an exchange in the chain that a request holds: the innermost, then each `outer`.

    Args:
        holder: the request's holder.
        exchange: the exchange to replace.
        successor: the object that takes its place.
    """
    link: Any = holder.get(HOLDER)
    if link is exchange:
        holder[HOLDER] = successor
        return
    while link is not None:
        if link.outer is exchange:
            link.outer = successor
            return
        link = link.outer
