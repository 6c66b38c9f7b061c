"""The ASGI gateway, for http and websocket; every other scope type passes through."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Protocol, TypeAlias

from ._cookies.caching import CDN_SUFFIX, DECISIVE
from ._exchange.driven_exchange import Place as _ExchangePlace
from ._exchange.drivers import aload, asettle
from ._exchange.exchange import OPEN, Exchange
from ._exchange.framework_keys import FrameworkKeys
from ._exchange.request import HOLDER
from ._requests.current import admit_task, get_last_current, restore_current, set_current, this_task
from ._requests.gateway import Gateway, HasSettings
from ._requests.gateway_arguments import check_origins
from ._requests.responses import STARTS
from ._requests.views import ASGIRequest
from ._session.events import EventKind
from ._session.tracebacks import clear_frames, clears_frames

__all__ = ["SessionMiddleware"]

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
# Any: messages are mappings to Starlette and TypedDicts to asgiref.typing, and both kinds of application are served.
Receive: TypeAlias = Callable[[], Awaitable[Any]]
Send: TypeAlias = Callable[[Any], Awaitable[None]]


class Place(_ExchangePlace, Protocol):
    """The place of a framework's own session object in a scope. `close` is called when the application has returned."""

    @property
    def has_outer(self) -> bool:
        """Whether a middleware around this one had put an object there."""
        ...

    def give_back(self) -> None:
        """Restore the object of the middleware around this one, which reads that object when the response starts."""

    def take_back(self) -> None:
        """Restore our own object, for code that runs after the start of the response."""


class SessionMiddleware(Gateway):
    """Sessions for an ASGI application.

    With a backend, records are loaded before the application is called, and only if the request has a valid pointer.

    Args:
        app: the application.
        store: a `SessionStore`.
        exclude: globs of paths that have no session (`/static/*`).
        origins: the values of `Origin` from which websockets are accepted (`https://example.org`), on excluded paths too;
            None accepts all. With `same_site="None"` every site can open a websocket in the visitor's name.
        framework: for adapters: the keys of the framework's own session object.
    """

    awaits = True
    protocol = "ASGI"

    @clears_frames
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
        self.origins: frozenset[str] | None = check_origins(origins)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:  # noqa: C901, PLR0912, PLR0915  # one request, from top to bottom
        """Serve one connection."""
        before, mine = get_last_current(), None
        kind, request = scope["type"], ASGIRequest(scope)
        try:
            if kind not in ("http", "websocket"):
                set_current(None)
                if kind == "lifespan":
                    receive = self._finish_first(receive)
                await self.app(scope, receive, send)
                return
            if not isinstance(scope.get("headers", ()), (list, tuple)):
                # ASGI requires only an iterable, and the application may exhaust it before the session is read.
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
            try:
                exchange, is_answering = self.enter(request)
            except BaseException as error:
                clear_frames(error)
                raise
            set_current(mine := scope[HOLDER])
            backend = self.settings.backend
            if backend is not None:
                await aload(exchange)
            place = None if self.show is None else self.show(exchange, scope)
            here, drops_fields = this_task(), kind == "websocket" and _drops_fields(scope)
            if is_answering:
                exchange.tasks = (here,)
            else:
                admit_task(exchange)

            async def commit_and_send(message: Message) -> None:  # noqa: C901, PLR0912  # one message, from top to bottom
                try:
                    if message["type"] in STARTS:
                        if place is not None:
                            place.take_over()
                        if exchange.place is not place and exchange.place is not None:
                            exchange.place.take_over()
                        if not is_answering:
                            pass
                        elif exchange.state is None:
                            exchange.close_unread(
                                message.get("headers", ()) if kind == "http" else None
                            )
                        else:
                            is_lost = drops_fields and _is_lost(exchange, message)
                            if backend is not None:
                                # ASGI only demands an iterable.
                                message = {**message, "headers": list(message.get("headers") or ())}
                                status = message.get("status", 200)
                                await asettle(exchange, status, _decode_fields(message["headers"]))
                            message = _commit_into(exchange, message)
                            if is_lost:
                                exchange.state.tell_once(EventKind.UNANSWERED)
                        if here is not None and this_task() is not here:
                            admit_task(exchange)
                        try:
                            if place is not None and place.has_outer:
                                place.give_back()
                                try:
                                    await send(message)
                                finally:
                                    place.take_back()
                            else:
                                await send(message)
                        except BaseException:
                            if is_answering:
                                await self.end_unsent(exchange)
                            raise
                        if is_answering and exchange.server is not None:
                            # The headers have been sent: the browser now has the pointer to a new record.
                            exchange.server.keep()
                        return
                    if exchange.late is not None and not message.get("more_body"):
                        # No byte of the body depends on a session that is read from here on.
                        exchange.late = None
                    await send(message)
                except BaseException as error:
                    del message
                    clear_frames(error)
                    raise

            try:
                try:
                    await self.app(scope, receive, commit_and_send)
                finally:
                    if place is not None:
                        place.close()
                        if place.has_outer:
                            place.give_back()
                if is_answering and exchange.phase is OPEN:
                    await self.end_unanswered(exchange)
            except (Exception, CancelledError) as error:
                if is_answering and exchange.phase is OPEN:
                    # No response has started.
                    await self.end_unanswered(exchange)
                    # The server responds if nothing was ended, or if the backend could not end it: then no cookie may say that it did.
                    if kind == "http" and isinstance(error, Exception) and exchange.must_end:
                        await _send_bare_500(exchange, send)
                raise
            finally:
                if is_answering:
                    exchange.finish()
        finally:
            restore_current(mine, before)
            # A traceback shows the variables of this frame, and the scope has the cookies and perhaps a framework's session.
            del scope, request

    def _finish_first(self, receive: Receive) -> Receive:
        """Return a `receive` that waits for the work of cancelled requests before it tells the application to shut down.

        The application may close the backend then.
        """

        async def receive_and_finish() -> Any:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self.finish_requests()
            return message

        return receive_and_finish


def _commit_into(exchange: Exchange, message: Message) -> Message:
    """Commit the exchange, and return the message with the header fields that it adds."""
    headers: list[tuple[bytes, bytes]] = []
    decisive: list[tuple[str, str]] = []
    try:
        for name, value in message.get("headers") or ():
            lower = bytes(name).lower()  # a byte string of any kind, says ASGI
            headers.append((lower, value))
            if lower in _DECISIVE or lower.endswith(_CDN_SUFFIX):
                decisive.append((lower.decode("latin-1"), value.decode("latin-1")))
    except (TypeError, ValueError, AttributeError):
        raise TypeError(_NO_FIELDS) from None
    changes = exchange.commit(message.get("status", 200), decisive)
    if changes.remove:
        removed = {name.encode("latin-1") for name in changes.remove}
        headers = [field for field in headers if field[0] not in removed]
    for field, text in changes.add:
        headers.append((field.lower().encode("latin-1"), text.encode("latin-1")))
    return {**message, "headers": headers}


def _drops_fields(scope: Scope) -> bool:
    """Return whether the server of a websocket drops the header fields of an accept, which version 2.1 of the ASGI specification added.

    A server that names no version, such as Daphne, has version 2.0. A scope without `asgi` was made by a test.
    """
    return "asgi" in scope and scope["asgi"].get("spec_version", "2.0") == "2.0"


def _is_lost(exchange: Exchange, message: Message) -> bool:
    """Return whether a change needs a cookie, and is lost if the server drops the header fields of the message."""
    state, server = exchange.state, exchange.server
    return (
        message["type"] == "websocket.accept"
        and state is not None
        and state.changed
        and (server is None or server.needs_cookie(state))
    )


def _decode_fields(fields: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    try:
        return [(bytes(name).decode("latin-1"), value.decode("latin-1")) for name, value in fields]
    except (TypeError, ValueError, AttributeError):
        raise TypeError(_NO_FIELDS) from None


_NO_FIELDS = 'the headers of an ASGI message are a list of pairs of bytes, such as (b"content-type", b"text/plain")'


_DECISIVE = frozenset(name.encode() for name in DECISIVE)
_CDN_SUFFIX = CDN_SUFFIX.encode()


async def _send_bare_500(exchange: Exchange, send: Send) -> None:
    """Respond in the server's place with an empty 500 that ends the session.

    The server's own response would not have our headers, so a logout would be lost.
    """
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"0")]
    start: Message = {"type": "http.response.start", "status": 500, "headers": headers}
    await send(_commit_into(exchange, start))
    await send({"type": "http.response.body", "body": b""})
