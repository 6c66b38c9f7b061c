"""What Flask and Quart share: the session object, the gateway, and the opening and saving of a session."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Generic, TypeVar, cast

from .._exchange.drivers import aload, asettle
from .._exchange.exchange import OPEN, Exchange
from .._exchange.framework_keys import FrameworkKeys
from .._exchange.request import RequestInfo
from .._requests.current import get_last_current, make_current, register_preserved
from .._requests.gateway import Gateway, check_app, check_store
from .._requests.lookup import UnansweredExchange, find_exchange, iterate_outward
from .._requests.responses import write_response
from .._session.events import EventKind, tell
from .._session.tags import Tags
from .._session.tracebacks import clears_frames
from ..store import SessionStore
from .contents import LazyContents, SocketExchange, find_or_open_exchange
from .flask_settings import complete_config, read_values, store_from_config

__all__ = [
    "KEYS",
    "Extension",
    "FlaskFamilyExtension",
    "FlaskFamilyGateway",
    "FlaskFamilySession",
    "make_tags",
]

App = TypeVar("App")


KEYS = FrameworkKeys(
    login=("_user_id",),  # Flask-Login
    transient=lambda contents: not contents["_permanent"] if "_permanent" in contents else None,
)
"""The keys that mean something in the sessions of Flask and Quart."""

FLASHES = "_flashes"
"""The key of flashed messages."""

ENTRY = "sessionkit.entry"
"""The attribute of a request that keeps the entry of its context."""


def make_tags(serializer: Any, json: Any) -> Tags:
    """Make the tags by which Flask keeps tuples, bytes, UUIDs, dates and markup in its own session.

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
    """The session object of Flask and Quart; an adapter's class mixes their `SessionMixin` in."""

    @property
    def accessed(self) -> bool:
        """Whether the request used the session. Flask sets this whenever it hands the session out."""
        return self.exchange.looked_at

    @accessed.setter
    def accessed(self, value: bool) -> None: ...

    @property
    def modified(self) -> bool:
        """Whether the session differs from the one that came, nested values included. Setting this is allowed and not needed."""
        return self.exchange.changed

    @modified.setter
    def modified(self, value: bool) -> None: ...

    def __getitem__(self, key: str) -> Any:
        """Return a value. Flashed messages are tuples, as the framework writes them, even if an application without tags wrote them."""
        value = super().__getitem__(key)
        return [tuple(cast("Iterable[str]", one)) for one in value] if key == FLASHES else value

    def __delitem__(self, key: str) -> None:
        # Reading flashed messages deletes them. Tests do so after the request, in the context that a test client preserves.
        if key == FLASHES and self._is_read_afterwards():
            return
        super().__delitem__(key)

    def _is_read_afterwards(self) -> bool:
        """Return whether the response has gone out and the caller does not serve the request: no message can be lost."""
        exchange = self.exchange
        return exchange.phase is not OPEN and exchange not in iterate_outward(get_last_current())

    @clears_frames
    def save_into(self, response: Any) -> None:
        """Do the work of the framework's `save_session`.

        Under a gateway, check that the session can be kept, so that the application's error handlers see an error. Without a
        gateway (`session_transaction()`), write the session into the response. After the response has gone out, report a change,
        which is lost. In an event of Flask-SocketIO, save what needs no cookie in the backend.

        Args:
            response: the framework's response.

        Raises:
            IdentityChangedError, SerializationError, SessionTooLargeError: the session cannot be kept.
            BackendError, ConflictError: with a backend it is kept now, and that failed.
            ResponseStartedError: an event of a socket changed what needs a cookie.
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
        """Do the same where a backend is awaited.

        Args:
            response: the framework's response.

        Raises:
            BackendError, ConflictError: the backend failed, or parallel changes could not be merged.
            IdentityChangedError, SerializationError, SessionTooLargeError: as for `save_into`.
        """
        exchange, backend = self.exchange, self.exchange.settings.backend
        try:
            if backend is not None and exchange.phase is OPEN:
                status = response.status_code if exchange.owned else 200
                if status < 500:
                    await asettle(exchange, backend, status)
            self.save_into(response)
        finally:
            del self, response  # a traceback shows the variables of this frame


class Extension(ABC, Generic[App]):
    """Base of extensions with an `init_app` method: `SessionKit(app)`, or `SessionKit()` and then `init_app(app)`.

    Args:
        app: the application.
        store: the store; without one it is made from the framework's own settings.
        **settings: arguments of `SessionStore`, which win over the framework's settings.

    Raises:
        TypeError: a store stands in the application's place, or something else in the store's.
    """

    call = "SessionKit(app, store=store)"
    """The call that makes one, for error messages."""

    @clears_frames
    def __init__(
        self, app: App | None = None, store: SessionStore | None = None, **settings: Any
    ) -> None:
        if store is not None:
            check_store(store, self.call)
        self.store = store
        self.settings = settings
        if app is not None:
            self.init_app(app)

    def init_app(self, app: App) -> None:
        """Serve an application; one object can serve several.

        Raises:
            TypeError: a store stands in the application's place.
        """
        check_app(app, self.call)
        self._serve(app)

    @abstractmethod
    def _serve(self, app: App) -> None:
        """Put the gateway around an application; the adapter's part of `init_app`."""


class FlaskFamilyExtension(Extension[App]):
    """Base of `SessionKit` of Flask and Quart; an adapter's class mixes their `SessionInterface` in.

    Attributes:
        serializer: the framework's `TaggedJSONSerializer`, whose tags keep values that JSON does not have.
        json: `flask.json` or `quart.json`.
    """

    serializer: Any
    json: Any

    register_preserved = staticmethod(register_preserved)
    """Register the function that returns the request whose context the framework's test client preserves, or None."""

    @property
    def tags(self) -> Tags:
        """The tags by which the framework's own session keeps values that JSON does not have."""
        return make_tags(self.serializer, self.json)

    def make_gateway(
        self, app: Any, inner: Callable[..., Any], kind: Callable[..., Gateway]
    ) -> FlaskFamilyGateway:
        """Make what serves an application; it becomes the application's `extensions["sessionkit"]`.

        Args:
            app: the application.
            inner: the application's own WSGI or ASGI callable.
            kind: `SessionMiddleware`, of WSGI or of ASGI.
        """
        return FlaskFamilyGateway(app, inner, kind, self)

    def open_exchange(
        self, app: Any, view: RequestInfo, *, entered: object = None, socket: bool | None = False
    ) -> Exchange | None:
        """Return the exchange for the session that `open_session` hands out; nothing is decrypted yet.

        If no gateway answers the request, its context may have been pushed inside the request of another visitor, which is
        current again after `leave_context`.

        Args:
            app: the application, which this extension serves.
            view: the view of the request.
            entered: the framework's request, in whose context the exchange becomes current.
            socket: whether this is an event of a socket, which carries the environ of its handshake: its session is a
                `SocketExchange`. None if it is one unless a gateway serves the request.

        Returns:
            The exchange, or None on an excluded path and while there is no secret key.
        """
        gateway = app.extensions["sessionkit"].current
        if gateway is None:
            return None
        if socket is not False:
            found = find_exchange(view, gateway.settings)
            if isinstance(found, UnansweredExchange):
                found = None
            if found is None or (socket and isinstance(found, Exchange)):
                event = SocketExchange(gateway.settings, view)
                setattr(entered, ENTRY, make_current(event))
                return event
        exchange = find_or_open_exchange(view, gateway.settings)
        if exchange is not None and not (
            exchange.owned or entered is None or hasattr(entered, ENTRY)
        ):
            setattr(entered, ENTRY, make_current(exchange))
        return exchange

    async def aopen_exchange(
        self, app: Any, view: RequestInfo, *, entered: object = None
    ) -> Exchange | None:
        """Return the exchange as `open_exchange` does, where a backend is awaited; its record is loaded.

        Args:
            app: the application, which this extension serves.
            view: the view of the request.
            entered: the framework's request, in whose context the exchange becomes current.
        """
        exchange = self.open_exchange(app, view, entered=entered)
        if exchange is not None and exchange.settings.backend is not None:
            await aload(exchange, exchange.settings.backend)
        return exchange

    @staticmethod
    def leave_context(request: object) -> None:
        """Undo `open_exchange` at the end of a request context.

        Args:
            request: the framework's request.
        """
        entry = getattr(request, ENTRY, None)
        if entry is not None:
            entry.leave()
            if isinstance(entry.exchange, SocketExchange):
                entry.exchange.leave()


class FlaskFamilyGateway:
    """Serve an application of Flask or Quart through a gateway, which is made anew when the application's settings change.

    The settings are read at each request. While there is no secret key, the application is served without sessions.

    Args:
        app: the application; this object becomes its `extensions["sessionkit"]`.
        inner: the application's own WSGI or ASGI callable.
        kind: `SessionMiddleware`, of WSGI or of ASGI.
        kit: the extension; if it has no store, one is made from the application's settings.
    """

    def __init__(
        self,
        app: Any,
        inner: Callable[..., Any],
        kind: Callable[..., Gateway],
        kit: FlaskFamilyExtension[Any],
    ) -> None:
        self._app, self._inner, self._kind, self._kit = app, inner, kind, kit
        self._made: tuple[object, Any] = (None, None)
        app.extensions["sessionkit"] = self
        if kit.store is not None:
            # A store that cannot be served here is an error where it is given, and not in the first request.
            self.current  # noqa: B018

    @property
    def current(self) -> Any:
        """The gateway, or None while there is no secret key."""
        given = self._kit.store
        values = (given,) if given is not None else read_values(self._app)
        before, gateway = self._made
        if values != before:
            try:
                store = given or store_from_config(
                    complete_config(self._app),
                    self._kit.settings,
                    for_development=self._app.debug or self._app.testing,
                )
            except BaseException:
                del (
                    values
                )  # they hold the secret key, and a traceback shows the variables of this frame
                raise
            gateway = (
                None
                if store is None
                else self._kind(self._inner, store, framework=replace(KEYS, tags=self._kit.tags))
            )
            self._made = values, gateway
        return gateway

    def __call__(self, *request: Any) -> Any:
        """Serve a request, with the arguments of WSGI or ASGI."""
        try:
            return (self.current or self._inner)(*request)
        except BaseException:
            del request  # it holds the cookies, and a traceback shows the variables of this frame
            raise
