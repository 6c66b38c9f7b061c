"""The server verbs of a store: `sessions_of`, `revoke`, `revoke_user`, `purge`, `still_valid`."""

from __future__ import annotations

from typing import Any, cast

from ._exchange.exchange import Exchange
from ._exchange.settings import Settings
from ._management.finishing import add_begun, arun_to_the_end
from ._management.listing import SessionInfo, list_sessions
from ._management.purging import purge
from ._management.revoking import revoke_session, revoke_user
from ._management.steps import arun, run
from ._management.validity import check_alive
from ._requests.current import get_current
from ._requests.recognition import RequestLike, RequestObject
from ._requests.responses import ResponseLike
from ._session.tracebacks import clear_frames, clears_frames
from .errors import ConfigurationError, NoActiveRequestError
from .verbs import Verbs

__all__ = ["ServerVerbs"]


class ServerVerbs(Verbs[RequestLike, ResponseLike, RequestObject]):
    """The verbs of a store. This class adds the server verbs; each has an async variant with an `a` before its name.

    Attributes:
        settings: the store's settings.
    """

    __slots__ = ()

    settings: Settings

    @clears_frames
    def sessions_of(self, user: object) -> list[SessionInfo]:
        """List the sessions of a user, the one that was used last first.

        Args:
            user: contents with a user (such as the current session), or an identity as `identity` returns it.

        Raises:
            ConfigurationError: the store has no backend, or an async one (call `asessions_of`).
            ValueError: the argument names no user.
            BackendError: the backend failed.
        """
        settings = self._require_backend()
        return run(settings, list_sessions(self._find_settings(), user, self._find_shown()))

    async def asessions_of(self, user: object) -> list[SessionInfo]:
        """List the sessions of a user as `sessions_of` does."""
        try:
            settings = self._require_backend()
            steps = list_sessions(self._find_settings(), user, self._find_shown())
            return await arun(settings, steps)
        except BaseException as error:
            del user
            clear_frames(error)
            raise

    @clears_frames
    def revoke(self, handle: str) -> bool:
        """End one session. Its browser has no session at the next request, and a late write of the session is dropped.

        Args:
            handle: the `handle` of a `SessionInfo`. Check first that `sessions_of` lists it for the user who asks. A rotation
                gives the session a new handle; the earlier one still ends it for a minute.

        Returns:
            Whether there was such a session; False for a malformed handle too.

        Raises:
            TypeError: a `SessionInfo` was passed instead of its handle.
            ConfigurationError: the store has no backend, or an async one (call `arevoke`).
            BackendError: the backend failed, and the session may be alive. Call again, or list the sessions.
        """
        return run(self._require_backend(), revoke_session(self.settings, handle))

    async def arevoke(self, handle: str) -> bool:
        """End one session as `revoke` does."""
        try:
            settings = self._require_backend()
            return await arun_to_the_end(settings, revoke_session(self.settings, handle))
        except BaseException as error:
            del handle
            clear_frames(error)
            raise

    @clears_frames
    def revoke_user(self, user: object, *, keep_current: bool = False) -> int:
        """End every session of a user, on all devices. A login that is in progress is ended too; a later login is not.

        Args:
            user: contents with a user, or an identity as `identity` returns it.
            keep_current: whether to keep the session of the request that is being served, even if this request began or
                rotated it. A session that this request began is saved first, so that an earlier revocation by another
                request still ends it. Without `keep_current`, a session that this request begins is ended too, before or
                after this call.

        Returns:
            How many sessions were ended.

        Raises:
            ConfigurationError: the store has no backend, or an async one (call `arevoke_user`).
            ValueError: the argument names no user.
            BackendError: the backend failed.
        """
        settings, keep = self._require_backend(), self._find_current() if keep_current else None
        add_begun(keep)
        return run(settings, revoke_user(self._find_settings(), user, keep))

    async def arevoke_user(self, user: object, *, keep_current: bool = False) -> int:
        """End every session of a user as `revoke_user` does."""
        try:
            settings, keep = self._require_backend(), self._find_current() if keep_current else None
            steps = revoke_user(self._find_settings(), user, keep)
            return await arun_to_the_end(settings, steps, keep)
        except BaseException as error:
            del user
            clear_frames(error)
            raise

    def purge(self, limit: int = 500) -> int:
        """Remove expired records. Every login removes a few, so this is only needed for a backlog.

        Args:
            limit: the most records to remove.

        Returns:
            How many were removed.

        Raises:
            TypeError, ValueError: the limit is not a whole number of at least 1.
            ConfigurationError: the store has no backend, or an async one (call `apurge`).
            BackendError: the backend failed.
        """
        return run(self._require_backend(), purge(self.settings, limit))

    async def apurge(self, limit: int = 500) -> int:
        """Remove expired records as `purge` does."""
        return await arun(self._require_backend(), purge(self.settings, limit))

    @clears_frames
    def still_valid(self, *request: Any) -> bool:
        """Ask the backend again whether the request's session is valid; if it is not, drop it from the request.

        A long request, such as a websocket or an event stream, has no other way to notice a logout. Without a backend, only the
        expiry is checked.

        Args:
            *request: the request, as for `get_session`; nothing for the current one.

        Raises:
            NoActiveRequestError, TypeError: as for `get_session`.
            ConfigurationError: the backend is async (call `astill_valid`).
            BackendError: the backend failed.
        """
        exchange = self.get_exchange(*request)
        return run(exchange.settings, check_alive(exchange))

    async def astill_valid(self, *request: Any) -> bool:
        """Ask the backend again as `still_valid` does."""
        try:
            exchange = self.get_exchange(*request)
            return await arun(exchange.settings, check_alive(exchange))
        except BaseException as error:
            del request
            clear_frames(error)
            raise

    def _require_backend(self) -> Settings:
        """Return the settings of a store with a backend.

        Raises:
            ConfigurationError: the store has none.
        """
        if self.settings.backend is None:
            raise ConfigurationError(
                "this store keeps its sessions in cookies, so nobody can list or revoke them: give it a backend, such as "
                "backend=SQLiteBackend('sessions.db')"
            )
        return self.settings

    def _find_settings(self) -> Settings:
        """Return the settings of the current request: there, a framework's login keys name users too. Else the store's."""
        try:
            return self.get_exchange().settings
        except (NoActiveRequestError, ConfigurationError):
            # No request is being served here, or one of another store with the same cookie.
            return self.settings

    def _find_current(self) -> Exchange | None:
        """Return the exchange of the current request, if a user is signed in there."""
        try:
            exchange = self.get_exchange()
        except NoActiveRequestError:
            return None
        return None if exchange.server is None or exchange.get() is None else exchange

    def _find_shown(self) -> Exchange | None:
        """Return the exchange whose session is the current one in a list of sessions, if a user is signed in there."""
        try:
            return self._find_current()
        except ConfigurationError:
            # Another store with the same cookie serves the request. It may keep its sessions in the same backend.
            exchange = get_current()
            found = isinstance(exchange, Exchange) and exchange.get() is not None
            return cast("Exchange", exchange) if found else None
