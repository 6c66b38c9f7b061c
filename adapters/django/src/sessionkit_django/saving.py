"""The methods by which Django saves and ends a session."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeAlias, cast

from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.utils.asyncio import async_unsafe

from sessionkit import ConfigurationError, Exchange, NoActiveRequestError
from sessionkit.adapters import SessionKeys, Settings, asettle
from sessionkit.backends import Record

from .async_methods import BATCH
from .callers import CHANNELS, is_asked_by
from .config import gateway, project_store
from .session import DjangoSession

__all__ = ["BEGUN", "SETTLE", "SavedSession", "Steps", "find_current", "has_key", "make_loader"]

BEGUN = "_session_begun"
"""The key that `create` puts into an empty session, because an empty session is not kept."""

SETTLE = None
"""The step that saves the session's own changes. All other steps come from `SessionKeys`."""

Steps: TypeAlias = Generator[Any, Any, Any]
"""The generator of a method of the session. It runs on a blocking or an async backend."""

NOT_KEPT = (
    "{}: no response would carry the cookies of this session, so nothing would be kept. In a view use request.session; what a job "
    "must find by a key needs a backend, or belongs into a model or into django.core.cache; around the consumers of Channels put "
    "sessionkit_django.asgi(...). In tests use the session of a test client (client.session, client.force_login; "
    "sessionkit_django.testing has clients too), and sessionkit_django.SessionMiddleware for the requests of a RequestFactory"
)


class SavedSession(DjangoSession):
    """A session that Django saves, ends and finds by its key.

    Args:
        exchange: the exchange that holds the contents.
    """

    given_key: str | None = None
    """The key of a session outside of any request, until it is loaded."""

    is_apart: bool = False
    """Whether the session is on the server, outside of any request."""

    @property
    def session_key(self) -> str | None:
        """The session's key; None while there is no session. A session outside of any request has a key once it is saved."""
        if not self.is_apart:
            return super().session_key
        if not self.exchange.looked_at:
            return self.given_key
        return super().session_key if self._is_saved else None

    @property
    def _is_saved(self) -> bool:
        """Whether the backend has the session."""
        server = self.exchange.server
        return server is not None and server.current is not None

    def is_empty(self) -> bool:
        """Return whether there is nothing to save. Outside of any request, a saved session is not empty."""
        if self.is_apart:
            return not self.exchange.contents and not self._is_saved
        return super().is_empty()

    # ---- the methods by which Django saves and ends a session

    def flush(self) -> None:
        """End the session: a logout."""
        self._perform(self._flush())

    def _flush(self) -> Steps:
        yield from self._delete()
        # Channels itself would save the session that it has ended, and there may be no response.
        self.modified = not self._is_judged_by_channels

    def cycle_key(self) -> None:
        """Give the session a new id. The session under the old id is ended."""
        self._perform(self._cycle_key())

    def _cycle_key(self) -> Steps:
        self._check_kept("cycle_key")
        self.exchange.rotate()
        if self.is_apart:
            yield SETTLE

    def create(self) -> None:
        """Give the session a new id. A visitor without a session gets a session."""
        self._perform(self._create())

    def _create(self) -> Steps:
        self._check_kept("create")
        if not self.exchange.rotate():
            self[BEGUN] = True
        if self.is_apart:
            yield SETTLE
            self._check_saved(CreateError)

    def delete(self, session_key: str | None = None) -> None:
        """End the session.

        Args:
            session_key: None for its own, or the key of the current request's session, or of one on the server.

        Raises:
            NoActiveRequestError: the session is in a cookie in another browser, and cannot be ended from here.
            BackendError: the backend failed.
        """
        self._perform(self._delete(session_key))

    def _delete(self, session_key: str | None = None) -> Steps:
        if session_key in (None, self.session_key):
            if not self._is_judged_by_channels:
                self._check_kept("delete", on_server=True)
            is_saved = self._is_saved
            self.exchange.delete()
            if self.is_apart or (is_saved and not self.exchange.owned):
                yield SETTLE
            return
        exchange = _with_key(session_key)
        if exchange is not None:
            exchange.delete()
        elif self._keys is not None:
            yield self._keys.delete(session_key)
        else:
            raise NoActiveRequestError(
                "delete: this is not the key of the current request's session, and a session that lives in the cookies of "
                "another browser cannot be ended from here: end it where the user is looked up (a new password does)"
            )

    def exists(self, session_key: str | None = None) -> bool:
        """Return whether a key is the key of this session, of the session of the current request, or of one on the server."""
        exists: bool = self._perform(self._exists(session_key))
        return exists

    def _exists(self, session_key: str | None = None) -> Steps:
        if session_key is None:
            return False
        if not self.is_apart and session_key == self.session_key:
            return True
        if _with_key(session_key) is not None:
            return True
        return self._keys is not None and (yield self._keys.exists(session_key))

    def load(self) -> dict[str, Any]:
        """Return the contents as a plain dict."""
        return self.copy()

    def save(self, must_create: bool = False) -> None:  # SessionBase's signature
        """Save the session now if it is on the server. A visitor without a session gets a session.

        A session in a cookie is only checked; the response will set the cookie.

        Raises:
            NoActiveRequestError: it is not the session of a request, and there is no backend.
            SerializationError, SessionTooLargeError: it cannot be saved.
            ResponseStartedError: the response's headers have gone out.
            UpdateError: outside of any request, if the session was ended meanwhile. Within a request the change is dropped.
            CreateError: with `must_create`: the session is there already.
            BackendError: the backend failed.
        """
        self._perform(self._save(must_create))

    def _save(self, must_create: bool = False) -> Steps:
        if is_asked_by(CHANNELS) and not self.modified:
            return  # SESSION_SAVE_EVERY_REQUEST
        self._check_kept("save", on_server=True)
        key = self.session_key
        if must_create and self._is_saved:
            raise CreateError(
                "save: the session exists already: leave must_create out to change it"
            )
        self.exchange.writing()
        if self.stamp is None or (self.is_apart and not self.exchange.contents):
            self[BEGUN] = True
        yield SETTLE
        self._check_saved(UpdateError)
        if not (self.exchange.owned or self.is_apart) and self.session_key != key:
            raise NoActiveRequestError(NOT_KEPT.format("save"))

    @classmethod
    def clear_expired(cls) -> None:
        """Remove expired sessions from the backend; cookies expire by themselves."""
        store = project_store()
        if store.settings.backend is not None:
            while store.purge(BATCH) == BATCH:
                pass

    # ---- on the backend

    @property
    def _keys(self) -> SessionKeys | None:
        """The sessions on the server; None without a backend."""
        settings = gateway().settings
        return None if settings.backend is None else SessionKeys(settings)

    def _perform(self, steps: Steps) -> Any:
        reply: Any = None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration as end:
                return end.value
            reply = None
            if step is not SETTLE:
                reply = _call_blocking(
                    self.exchange.settings, cast("SessionKeys", self._keys).run, step
                )
            elif self.exchange.server is None:
                self.exchange.check()
            else:
                _settle(self.exchange)

    async def await_steps(self, steps: Steps) -> Any:
        reply: Any = None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration as end:
                return end.value
            reply = None
            if step is SETTLE:
                await asettle(self.exchange)
            else:
                reply = await cast("SessionKeys", self._keys).arun(step)

    def _check_saved(self, error: type[Exception]) -> None:
        """Raise an error if the session was ended during a save. Otherwise note that the record stays, even if the response fails."""
        server = self.exchange.server
        if server is None:
            return
        if server.current is None and not self.exchange.owned:
            raise error(
                "the session was ended meanwhile (by a logout, a revocation or its expiry), and nothing was saved: begin another one"
            )
        server.keep()

    def _check_kept(self, what: str, *, on_server: bool = False) -> None:
        """Raise an error if the session could not be saved.

        Args:
            what: the method that is called.
            on_server: whether the method needs no cookie if the session is on the server.
        """
        if self.exchange.owned or self.is_apart:
            return
        if not (on_server and self.exchange.contents and self._is_saved):
            raise NoActiveRequestError(NOT_KEPT.format(what))

    @property
    def _is_judged_by_channels(self) -> bool:
        """Whether Channels, without a gateway of ours, ends a session because the user's password has changed."""
        is_served = self.exchange.owned or self.is_apart
        return not is_served and is_asked_by("channels.auth", "get_user")


def make_loader(exchange: Exchange) -> Callable[[Any], Record | None]:
    """Return the function that loads the record of a session outside of any request. In an event loop it raises an error."""
    load, settings = exchange.loader, exchange.settings

    def load_blocking(wanted: Any) -> Record | None:
        record: Record | None = _call_blocking(settings, load, wanted)
        return record

    return load_blocking


def _settle(exchange: Exchange) -> None:
    """Perform what the exchange decides on a blocking backend."""
    driver = exchange.settings.driver
    _call_blocking(exchange.settings, None if driver is None else driver.run, exchange, 200, ())


def _call_blocking(settings: Settings, function: Callable[..., Any] | None, *args: Any) -> Any:
    """Call a function that waits for a blocking backend.

    Raises:
        ConfigurationError: the backend is awaited.
        SynchronousOnlyOperation: an event loop runs in this thread, and would stand still.
    """
    if settings.driver is None or function is None:
        raise ConfigurationError(
            f"{type(settings.backend).__name__} is awaited: in an async view call the async methods of the session (asave, aget, "
            "aload, adelete, ...), in a view that is not async take the blocking backend of the same kind"
        )
    if getattr(settings.backend, "waits", True):
        function = async_unsafe(
            "This waits for the session backend, and would stop the event loop: call the async method of the session (asave, "
            "aget, aload, adelete, ...)"
        )(function)
    return function(*args)


def find_current() -> Exchange | None:
    """Return the project's exchange of the current request, if there is one."""
    try:
        return project_store().get_exchange()
    except (NoActiveRequestError, ConfigurationError):
        # The exchange of another store: a test has made a request under other settings, and has not closed its response.
        return None


def _with_key(session_key: str | None) -> Exchange | None:
    """Return the exchange of the current request, if the key is its session's."""
    exchange = find_current()
    return exchange if exchange is not None and has_key(exchange, session_key) else None


def has_key(exchange: Exchange, session_key: str | None) -> bool:
    """Return whether the key is that of the exchange's session."""
    if not session_key:
        return False
    return SessionKeys.make(exchange) == session_key
