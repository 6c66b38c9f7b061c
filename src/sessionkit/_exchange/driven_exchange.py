"""The base class of an exchange: the methods that gateways and drivers call to load the session and to save its records. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Sequence
from enum import IntEnum
from typing import Any, NoReturn, Protocol, cast

from .._cookies.caching import UNCHANGED, HeaderChanges, is_kept_private
from .._session.events import EventKind, tell
from .._session.session import Absence, Session
from .._session.tracebacks import clear_frames
from ..backends._protocols import Record
from ..errors import (
    BackendError,
    ConfigurationError,
    NoActiveRequestError,
    ResponseStartedError,
)
from .deciding import answer
from .importing import read_or_import
from .operations import Operation, Wanted
from .reading import RequestCookies, read_cookies
from .request import RequestInfo
from .server_side import ServerSide
from .settings import Settings
from .state import State
from .unreturned_cookie import check_return

__all__ = ["COMMITTED", "ENDED", "OPEN", "DrivenExchange", "Phase", "Place"]


class Phase(IntEnum):
    """The progress of a request: open, committed or ended."""

    OPEN = 0
    COMMITTED = 1
    ENDED = 2


# Every request uses these members several times. In Python 3.11 a look-up through the class costs 0.1 µs.
OPEN, COMMITTED, ENDED = Phase


class Place(Protocol):
    """The place of a framework's session object. The application may put its own contents there."""

    def take_over(self, *, leaving: bool = False) -> None:
        """Replace the contents of the session with those that the application has put in the place.

        Args:
            leaving: whether to leave the application's object there, because nothing is about to be written.
        """
        ...

    def close(self) -> None:
        """Report contents that the application assigned or changed too late, and take the place from its exchange."""


class DrivenExchange:
    """The base of `Exchange`, whose docstring describes the attributes. Gateways and drivers call these methods.

    `wanted` and `supply` load the records, `decide` and `took` perform the operations of the response.
    """

    __slots__ = (
        "__weakref__", "_first_state", "_header", "fill", "gateway", "late", "outer", "owned", "phase",
        "place", "request", "sent", "server", "settings", "state", "taken", "tasks",
    )  # fmt: skip

    taken: tuple[tuple[str, str], ...]

    def __init__(self, settings: Settings, request: RequestInfo, *, owned: bool = True) -> None:
        self.settings: Settings = settings
        self.request: RequestInfo = request
        self.owned: bool = owned
        self.phase: Phase = OPEN
        self.outer: object = None
        self.gateway: object = None
        self.place: Place | None = None
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
        """Return the state; load it when it is first needed."""
        state = self.state
        return self._load_first() if state is None else state

    def _load_first(self) -> State:
        """Read the request's cookies, and return the resulting state."""
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

    def _judge(self) -> State:
        """Return the state. Until the response starts, a session that has expired is dropped from the state."""
        state = self.state
        if state is None:
            state = self._load_first()
            if state.is_valid_as_read:
                return state
        state.find_valid(may_forget=self.phase is OPEN)
        return state

    # ---- assignments to the live session (the methods of session.Watcher)

    def writing(self, key: object = None, /) -> bool:
        """Allow an assignment to the live session; return whether `written` must be called after it.

        Args:
            key: the key that is assigned to; `ALL`, or None for several.

        Raises:
            ResponseStartedError: the response has started.
        """
        if self.phase is not OPEN:
            self._refuse_write("an assignment to the session")
        return self.state is None or self.state.before_assignment(key)

    def written(self) -> None:
        """Notice an assignment to the live session."""
        self._load().after_assignment()

    def _refuse_write(self, what: str) -> NoReturn:
        """Raise ResponseStartedError with a message that says until when a write is possible."""
        if self.phase is ENDED:
            raise ResponseStartedError(
                f"{what} came too late: the request it belonged to has finished, and its session can only be read. Change "
                "it before the response starts"
            )
        raise ResponseStartedError(
            f"{what} came too late: the response's headers have gone out. Write the session before the response starts "
            "(before the first byte of a stream, before a websocket is accepted, not in a background task)"
        )

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
        """Call a blocking backend when the session is first used, and at the commit."""
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

    def add_import(self) -> Generator[Operation, Any, None] | None:
        """Return the operations that add the record of an imported session, for a driver; None if no session was imported."""
        server = self.server
        cookies = None if server is None or self.state is not None else server.cookies
        is_imported = server is not None and cookies is not None and cookies.importer is not None
        return server.add_import(self) if server is not None and is_imported else None

    def supply(self, found: Sequence[Record | None] | BackendError) -> None:
        """Take the records that a driver has loaded, in the order of `wanted`.

        Args:
            found: for each wanted record the record or None; or the error, which every verb then raises.
        """
        if self.server is not None:
            self.server.supply(found)

    def point_to(self, key: str, owner: str) -> None:
        """Use the session of the record with this key. This is for server code; no cookie can cause it.

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

        The call changes no state, so it can be repeated, with another status too. After an operation, call `took`.

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
            BackendError: the reply was this error, and the response needs the operation.
            ConflictError: parallel changes could not be merged.
        """
        try:
            if self.state is not None and self.server is not None:
                self.server.took(self.state, operation, reply)
        except BaseException as error:
            clear_frames(error)
            raise

    def lose(self, operation: Operation) -> None:
        """Note that the backend's reply to an operation is lost, because the operation was cancelled or raised an unexpected error.

        Args:
            operation: the operation.
        """
        cast("ServerSide", self.server).lose(operation)

    @property
    def has_ended(self) -> bool:
        """Whether the request has ended, so that no response carries a cookie any more."""
        return self.phase is ENDED

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
        """Check the session by its newly loaded record: take over the record's times, or drop the session if it has ended.

        A long request, such as a websocket, has no other way to notice a logout. The contents stay as they are.

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
            if load is None and self.gateway is not None:
                raise NoActiveRequestError(
                    "the session's record is not loaded yet: use the session in the handler, which has not begun. It never begins if the "
                    "client hangs up before. (An adapter awaits `aload(exchange)` first)"
                )
            if load is None:
                raise ConfigurationError(
                    "the session's record was not loaded: this backend is awaited, so install the ASGI gateway or the adapter of "
                    "the framework, or use `async with store.exchange(...)`; without a gateway take a blocking backend"
                )
            try:
                self.supply([load(one) for one in wanted])
            except BackendError as error:
                self.supply(error)
        elif server.driver is not None:
            operations = self.add_import()
            if operations is not None:
                server.driver.perform_all(operations)
        elif server.is_undecided:
            operations = self.add_import()
            # If the guard raises again, the verb raises too. If it does not raise now, it is too late to add the record.
            if operations is not None and next(operations, None) is not None:
                server.refuse_cookie(Absence.UNKNOWN_RECORD)
        return server.open(self.settings.clock())

    def _settle(self, status: int, headers: Sequence[tuple[str, str]]) -> HeaderChanges:
        """Return the header changes once every operation on the backend is performed."""
        driver = None if self.server is None else self.server.driver
        if driver is not None:
            return driver.run(self, status, headers)
        # An async driver has just performed every operation. No further operation may become due between its last call and this one.
        operation, changes = self._decide(
            status, headers, None if self.server is None else self.server.settled_at
        )
        if operation is not None:
            raise ConfigurationError(
                "the session cannot be saved here: this backend is awaited, and no gateway has saved it. Install the ASGI gateway "
                "or the adapter of the framework, or use `async with store.exchange(...)`"
            )
        return changes
