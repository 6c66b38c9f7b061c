"""The session in one event of a socket, for frameworks that serve socket.io."""

from __future__ import annotations

from .._cookies.caching import UNCHANGED
from .._exchange.exchange import ENDED, OPEN, Exchange
from .._exchange.request import RequestInfo
from .._exchange.settings import Settings
from .._session.events import EventKind
from ..errors import ResponseStartedError

__all__ = ["SocketExchange"]


class SocketExchange(Exchange):
    """The session in one event of a socket. The response to the handshake was sent long ago, so no response can carry a cookie.

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
