"""The ASGI gateway (http and websocket; everything else passes through)."""

from __future__ import annotations

from asyncio import current_task
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Protocol, TypeAlias

from ._cookies.caching import CDN_SUFFIX, DECISIVE
from ._exchange.exchange import OPEN, Exchange
from ._exchange.framework_keys import FrameworkKeys
from ._exchange.request import HOLDER
from ._requests.current import admit_task, get_held, restore_current, set_current, this_task
from ._requests.gateway import Gateway, HasSettings
from ._requests.responses import STARTS
from ._requests.views import ASGIRequest
from ._session.tracebacks import clear_frames

__all__ = ["SessionMiddleware"]

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


class Place(Protocol):
    """The place in a scope where a framework's own session object stands."""

    def take_over(self) -> None:
        """Take over what the application has put there; called before the response starts."""

    def close(self) -> None:
        """See what the application has put there later; called when the application has returned."""


class SessionMiddleware(Gateway):
    """Sessions for an ASGI application.

    Args:
        app: the application.
        store: a `SessionStore`.
        exclude: globs of paths that have no session (`/static/*`).
        origins: the values of `Origin` from which websockets are accepted (`https://example.org`), on excluded paths too;
            None does not look. With `same_site="None"` every site can open one in the visitor's name.
        framework: for adapters: what is to be known of the framework whose own session object is served.
    """

    def __init__(
        self,
        app: Any,
        store: HasSettings,
        *,
        exclude: str | Iterable[str] = (),
        origins: Iterable[str] | None = None,
        framework: FrameworkKeys | None = None,
    ) -> None:
        super().__init__(app, store, exclude=exclude, framework=framework)
        self.show: Callable[[Exchange, Scope], Place] | None = None
        self.origins: frozenset[str] | None = None if origins is None else frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: C901, PLR0912, PLR0915  # one request, from top to bottom
        """Serve one connection."""
        before, mine = get_held(), None
        kind, request = scope["type"], ASGIRequest(scope)
        try:
            if kind not in ("http", "websocket"):
                set_current(None)
                await self.app(scope, receive, send)
                return
            if not isinstance(scope.get("headers", ()), (list, tuple)):
                # ASGI asks for an iterable only, which somebody after us may use up before the session is read.
                scope["headers"] = [(name, value) for name, value in scope["headers"]]
            if (
                kind == "websocket"
                and self.origins is not None
                and request.header("origin") not in self.origins
            ):
                await send(
                    {"type": "websocket.close", "code": 1008, "reason": "origin not allowed"}
                )
                return
            if self.excluded is not None and self.excluded(request):
                set_current(mine := self.leave_out(request))
                await self.app(scope, receive, send)
                return
            exchange, owner = self.enter(request)
            set_current(mine := scope[HOLDER])
            place = None if self.show is None else self.show(exchange, scope)
            here = this_task()
            if owner:
                exchange.tasks = (here,)
            else:
                admit_task(exchange)

            async def committing(message: Message) -> None:
                try:
                    if message["type"] in STARTS:
                        if place is not None:
                            place.take_over()
                        if not owner:
                            pass
                        elif exchange.state is None:
                            exchange.close_unread(
                                message.get("headers", ()) if kind == "http" else None
                            )
                        else:
                            message = _answer(exchange, message)
                        # Asking the loop that is known spares a system call, before Python 3.12.
                        if here is not None and current_task(here.get_loop()) is not here:
                            admit_task(exchange)
                    elif exchange.late is not None and not message.get("more_body"):
                        exchange.late = None  # no byte depends on what is read from here on
                    await send(message)
                except BaseException as error:
                    del message
                    clear_frames(error)
                    raise

            try:
                try:
                    await self.app(scope, receive, committing)
                finally:
                    if place is not None:
                        place.close()
            except Exception:
                # Still open: no response has started. The server would answer without our headers, and the logout be lost.
                if owner and exchange.phase is OPEN and exchange.must_end and kind == "http":
                    await _send_bare_500(exchange, send)
                raise
            finally:
                if owner:
                    exchange.finish()
        finally:
            restore_current(mine, before)
            # A traceback shows the variables of this frame; cookies, and some frameworks' sessions, are in it.
            del scope, request


def _answer(exchange: Exchange, message: Message) -> Message:
    """Return a message with the fields that the exchange adds to it."""
    headers: list[tuple[bytes, bytes]] = []
    decisive: list[tuple[str, str]] = []
    for name, value in message.get("headers") or ():
        lower = name.lower()
        headers.append((lower, value))
        if lower in _DECISIVE or lower.endswith(_CDN_SUFFIX):
            decisive.append((lower.decode("latin-1"), value.decode("latin-1")))
    changes = exchange.commit(message.get("status", 200), decisive)
    if changes.remove:
        removed = {name.encode("latin-1") for name in changes.remove}
        headers = [field for field in headers if field[0] not in removed]
    for field, text in changes.add:
        headers.append((field.lower().encode("latin-1"), text.encode("latin-1")))
    return {**message, "headers": headers}


_DECISIVE = frozenset(name.encode() for name in DECISIVE)
_CDN_SUFFIX = CDN_SUFFIX.encode()


async def _send_bare_500(exchange: Exchange, send: Send) -> None:
    """Answer in the server's place."""
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"0")]
    start: Message = {"type": "http.response.start", "status": 500, "headers": headers}
    await send(_answer(exchange, start))
    await send({"type": "http.response.body", "body": b""})
