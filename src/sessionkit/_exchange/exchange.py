"""The exchange: one request's session, from a Cookie header to response header lines. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import deepcopy
from functools import partial
from inspect import isawaitable
from typing import Any, NoReturn

from .._cookies.caching import UNCHANGED, HeaderChanges
from .._session.events import EventKind, Ignored, tell
from .._session.session import Absence, Contents, Session
from .._session.snapshot import normalize, take_snapshot
from .._session.tracebacks import clear_frames, clears_frames
from ..errors import ConfigurationError
from .deciding import answer, decide
from .driven_exchange import COMMITTED, ENDED, OPEN, DrivenExchange, Phase, Place
from .merging import Function, call_function
from .request import HOLDER, RequestInfo
from .settings import Settings
from .state import State
from .unread_exchange import GONE, UnreadExchange, make_unread, replace_link

__all__ = ["COMMITTED", "ENDED", "OPEN", "Exchange", "Phase"]


class Exchange(DrivenExchange):
    """The session of one request: a Cookie header goes in, header lines come out.

    Nothing is read before a verb is called. A verb changes the session as it is now. `commit` decides once, from the
    cookies and from the session at the end, what the response says.

    Attributes:
        settings: the store's settings.
        request: the view of the request.
        owned: whether a gateway, or another owner of the response, will write the header lines of `commit`.
        gateway: the gateway that will write them, if it is one.
        place: the place of a framework's session object, which the verbs ask before they act; None without one.
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

    __slots__ = ()

    # The base class sets these too; a checker of types asks for them here.
    settings: Settings
    request: RequestInfo
    phase: Phase
    place: Place | None
    tasks: Collection[object] | None
    late: Any
    fill: Callable[..., Session]

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
            if self.phase is not OPEN:
                self._refuse_write("update_session")
            state, function = self._judge(), None
            if callable(session):
                function, current = session, self.get()
                if current is None:
                    state.tell_ignored(Ignored.NOT_AUTHENTICATED)
                    return False
                if self.server is not None:
                    self.server.note_change(state)
                session = call_function(function, partial(deepcopy, dict(current)))
            if session is None:
                state.tell_ignored(Ignored.NO_SESSION)
                return False
            contents = state.merge_carried(dict(session)) if settings.carried else dict(session)
            contents, snapshot = normalize(contents, settings.tags)
            ignored = state.owner.judge_update(contents, present=state.present)
            if ignored is not None:
                state.tell_ignored(ignored, contents)
                return False
            state.replace_contents(contents, snapshot)
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
            ConfigurationError: the store has no lifetime of this name; the message lists those that it has. Or the guard must be
                awaited.
            ValueError: the contents do not pass the guard.
            SerializationError: the contents are not JSON.
            SessionTooLargeError: the contents do not fit in `max_bytes`.
            ResponseStartedError: the exchange is committed.
        """
        if self.phase is not OPEN:
            self._refuse_write("create_session")
        self.settings.check_lifetime(lifetime)
        contents, snapshot = normalize(dict(session), self.settings.tags)
        passes: object = self.settings.guard(contents)
        if isawaitable(passes):
            raise ConfigurationError(
                "the guard returned something to be awaited, which counts as true, so everybody would pass: let it call plain "
                "functions only"
            )
        if not passes:
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
        try:
            if self.server is not None:
                return self.close(self._settle(status, headers))
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
        """Raise if the session cannot be kept, while the application's error handlers can still respond; close nothing.

        Args:
            status: the response's status.

        Raises:
            IdentityChangedError, SerializationError, SessionTooLargeError: as for `commit`.
            BackendError, ConflictError: with a blocking backend the session is kept now, and that failed.
        """
        if self.state is None:
            return
        if self.server is not None and self.server.driver is not None:
            self._settle(status, ())
            return
        if self.server is not None:
            # An async gateway answers, also for an application of WSGI inside, and performs the operations itself.
            self.decide(status)
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
        try:
            if self.server is not None:
                return self._settle(status, headers)
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
        """Whether even a failed response must end a session: the request has ended one, or an earlier id in the backend."""
        state, server = self.state, self.server
        if state is None:
            return False
        if server is None:
            return state.must_end(self.request)
        return server.owes_pointer or (not server.gave_up and state.must_end(self.request))

    @property
    def must_settle(self) -> bool:
        """Whether even a failed response, or none, has operations left: a session ends, or a write had no reply."""
        return self.must_end or (self.server is not None and self.server.is_unfinished)

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
        # The stream is over. Whatever reads the session from here on shows it to nobody.
        self.late = None
        if self.place is not None:
            self.close_places()
        state = self.state
        try:
            if state is not None:
                if self.phase is OPEN:
                    self._close_unanswered(state, unanswerable=unanswerable)
                else:
                    snapshot = take_snapshot(state.session, state.settings.tags)
                    if snapshot != state.final_snapshot and not state.is_as_final(snapshot):
                        tell(self.settings.on_event, EventKind.LATE_CHANGE)
        finally:
            self.phase, self.tasks = ENDED, ()
            # An error page may still ask the request for its session. So the request keeps an exchange, and the exchange holds
            # no reference back to the request.
            holder = self.request.holder
            if state is not None:
                self.request, self.fill = GONE, Session
            elif self.server is not None and self.server.cookies is not None:
                # What was loaded can still be read, also through a session object that was handed out.
                self.request = GONE
            elif holder.get(HOLDER) is self and self.outer is None and self.owned:
                holder[HOLDER] = make_unread(self.settings)
            else:
                replace_link(holder, self, UnreadExchange(self.settings, self.owned, self.outer))
            # If a backend has failed, a traceback shows the variables of this frame, and the holder has the cookies.
            del holder

    def close_places(self) -> None:
        """Take over the contents that the application has put in the places, though no response came; report a change that is lost."""
        while self.place is not None:
            self.place.close()

    def _close_unanswered(self, state: State, *, unanswerable: bool) -> None:
        """End on the server what the application has ended, though nobody is answered; report a change that is lost.

        Args:
            state: the session's state.
            unanswerable: as for `finish`.
        """
        server, ends = self.server, self.must_end
        if unanswerable and state.changed and self.keep():
            return
        lost = EventKind.UNANSWERED if unanswerable else EventKind.ROLLED_BACK
        if state.changed and (server is None or not ends or server.needs_cookie(state)):
            state.tell_once(lost)
        if server is not None and ends:
            if server.driver is not None:
                server.driver.run(self, 500, ())
            # An async gateway has performed the operations already, if it could.
            left, _ = self._decide(500, (), server.settled_at)
            if left is not None and state.changed:
                state.tell_once(lost)

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
            self.server.serve_framework(self.settings, self.state)
        if self.state is not None:
            self.state.serve_framework(self.settings)

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

    # ---- an exchange belongs to one request

    def __repr__(self) -> str:
        return f"<Exchange {self.phase.name.lower()}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an Exchange belongs to one request and does not pickle")

    def __deepcopy__(self, memo: dict[int, Any]) -> Exchange:
        return self
