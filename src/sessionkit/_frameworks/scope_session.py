"""The session object of frameworks that keep it in the ASGI scope, under `session` (Starlette, FastAPI, Litestar)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial, wraps
from typing import Any, cast
from weakref import ref

from typing_extensions import Unpack

from .._exchange.config import Settings
from .._exchange.exchange import Exchange
from .._exchange.framework_keys import FrameworkKeys
from .._requests.gateway import check_app
from .._requests.responses import STARTS
from .._requests.views import ASGIRequest
from .._session.session import Contents, Session
from .._session.tracebacks import clear_frames, clears_frames
from ..asgi import ASGIApp, Message, Receive, Scope, Send, SessionMiddleware
from ..errors import ConfigurationError, NoActiveRequestError
from ..store import SessionStore
from .arguments import Arguments, store_from_arguments
from .contents import find_or_open_exchange, replace_contents

__all__ = ["SCOPE_KEY", "ScopeSession", "ScopeSessionMiddleware", "serve_scope_session"]

SCOPE_KEY = "session"
"""Where the scope holds it."""


async def serve_scope_session(
    session: object,
    app: ASGIApp,
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    take_over: Callable[[], object],
) -> None:
    """Serve a connection with a session object in its scope, and see to what the application puts in its place.

    Args:
        session: the object.
        app: the application.
        scope: the connection's, as are `receive` and `send`.
        receive: see there.
        send: see there.
        take_over: called before the response starts, if something else, or nothing, is in the scope then.
    """
    scope[SCOPE_KEY] = session
    taking_over = _TakingOver(session, scope, send, take_over)
    try:
        await app(scope, receive, taking_over)
    finally:
        del scope, session, take_over  # a traceback shows the variables of this frame


class _TakingOver:
    """The `send` of a connection: what is in the scope when the response starts is seen to."""

    __slots__ = ("_scope", "_send", "_session", "_take_over")

    def __init__(
        self, session: object, scope: Scope, send: Send, take_over: Callable[[], object]
    ) -> None:
        self._session, self._scope, self._send, self._take_over = session, scope, send, take_over

    async def __call__(self, message: Message) -> None:
        try:
            if message["type"] in STARTS and self._scope.get(SCOPE_KEY) is not self._session:
                self._take_over()
                # A middleware around this one sees whose it is, and leaves it alone.
                self._scope[SCOPE_KEY] = self._session
            await self._send(message)
        finally:
            del message


class ScopeSession(Session):
    """The live session itself, anonymous ones included: a dict, nested changes in which are saved.

    It is in the scope before anything is decrypted, and fills itself when it is first used.
    """

    __slots__ = ("_exchange",)

    _exchange: ref[
        Exchange
    ]  # weak: the exchange knows this object, and a cycle would keep every request's

    @classmethod
    def of(cls, exchange: Exchange) -> Contents:
        """The session object of an exchange, always the same one."""
        if exchange.looked_at:
            return exchange.contents
        known = getattr(exchange.fill, "__self__", None)
        if isinstance(known, ScopeSession):
            return known
        made = _Unread()
        made._exchange = ref(exchange)  # noqa: SLF001  # of a subclass
        _raw.update(made, _NOT_READ)
        exchange.fill = made.filled
        return made

    def filled(self, contents: Mapping[str, Any], /, **named: Any) -> Session:
        """Become the live session; for the exchange."""
        cast(
            "Any", self
        ).__class__ = ScopeSession  # from here on no method asks whether it was read
        _raw.clear(self)
        Session.__init__(self, contents, **named)
        return self

    def mark_accessed(self) -> None:
        """Read it, and see that its time is not up; Starlette calls this whenever it hands the session out.

        Raises:
            NoActiveRequestError: the request ended before anybody read it.
        """
        exchange = self._exchange()
        if exchange is not None:
            exchange.contents  # noqa: B018  # reads it
        elif isinstance(self, _Unread):
            raise NoActiveRequestError(
                "the request this session belonged to has finished, and nobody had read it before"
            )

    def mark_modified(self) -> None:
        """Nothing to do: what has changed is seen."""

    @property
    def accessed(self) -> bool:
        """Whether the request looked at it."""
        exchange = self._exchange()
        return exchange is not None and exchange.looked_at

    @property
    def modified(self) -> bool:
        """Whether it differs from what came, nested values included."""
        exchange = self._exchange()
        return exchange is not None and exchange.changed


class SessionNotRead:
    """Stands in a session that nobody has read yet, as its only key, so that code in C does not take it for an empty one.

    json sees that the session holds something, asks it for its items, and so reads it. An encoder that takes the entries
    of a dict without asking it (orjson, msgspec) refuses this key; the error names this class. Reading `request.session`
    first, or `dict(session)`, gives any of them the contents.
    """

    __slots__ = ()

    def __str__(self) -> str:
        raise TypeError(
            "the session has not been read yet: hand out request.session, or dict(session), in the place of scope['session']"
        )

    def __repr__(self) -> str:
        return "<the session has not been read yet>"


_raw: Any = dict  # its methods, which read nothing
_NOT_READ: Any = {SessionNotRead(): SessionNotRead()}
# From here on it goes into no other dict: only `dict.update` of `_NOT_READ` itself copies it without asking for its hash.
SessionNotRead.__hash__ = SessionNotRead.__str__  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]  # both raise


class _Unread(ScopeSession):
    """One that nobody has used yet: whatever method is called, it becomes a `ScopeSession` first."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<Session, not read yet>"


def _reading(name: str) -> Callable[..., Any]:
    method = getattr(Session, name)

    @wraps(method)
    def call(self: _Unread, *args: Any, **named: Any) -> Any:
        try:
            self.mark_accessed()
            return method(self, *args, **named)
        except BaseException as error:
            del self, args, named
            clear_frames(error)
            raise

    return call


for _name in (
    "__contains__", "__delitem__", "__eq__", "__getitem__", "__ior__", "__iter__", "__len__", "__ne__", "__or__", "__reduce__",
    "__reversed__", "__ror__", "__setitem__", "clear", "copy", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values",
):  # fmt: skip
    setattr(_Unread, _name, _reading(_name))
del _name


class ScopeSessionMiddleware(SessionMiddleware):
    """Sessions for an application with `request.session`: `app.add_middleware(SessionMiddleware, store=store)`.

    Args:
        app: the application.
        store: the store; without one it is made from `arguments`.
        exclude: globs of paths that have no session (`/static/*`).
        origins: the values of `Origin` from which websockets are accepted, on excluded paths too; None does not look.
        **arguments: those of the middleware that Starlette has itself (`secret_key`, `session_cookie`, `max_age`, `path`,
            `same_site`, `https_only`, `domain`, `partitioned`), and any of `SessionStore`.

    Raises:
        ConfigurationError: there is neither a store nor a secret key, or something besides the store.
        TypeError: what stands in the store's place is none, or a store stands in the application's.
    """

    call = "app.add_middleware(SessionMiddleware, store=store)"

    @clears_frames
    def __init__(
        self,
        app: Any,
        store: SessionStore | None = None,
        *,
        exclude: str | Iterable[str] = (),
        origins: Iterable[str] | None = None,
        **arguments: Unpack[Arguments],
    ) -> None:
        check_app(app, self.call)
        if store is None and not arguments.get("secret_key"):
            raise ConfigurationError(
                "SessionMiddleware needs store=SessionStore(...) or secret_key=... (`python -m sessionkit secret`)"
            )
        if store is not None and arguments:
            raise ConfigurationError(
                f"SessionMiddleware has a store: {', '.join(arguments)} must be said where that is made"
            )
        super().__init__(
            app,
            store or store_from_arguments(**cast("dict[str, Any]", arguments)),
            exclude=exclude,
            origins=origins,
            framework=FrameworkKeys(),
        )
        self.app: Any = _Showing(app, self.settings)


class _Showing:
    """Between the gateway and the application: hands the session out, and takes over what was put in its place."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = (
            find_or_open_exchange(ASGIRequest(scope), self.settings)
            if scope["type"] in ("http", "websocket")
            else None
        )
        if exchange is None:
            await self.app(scope, receive, send)
            return
        session = ScopeSession.of(exchange)
        take_over = partial(_take_over, exchange, scope, session)
        try:
            await serve_scope_session(session, self.app, scope, receive, send, take_over=take_over)
        finally:
            del scope, session, take_over  # a traceback shows the variables of this frame


def _take_over(exchange: Exchange, scope: Scope, session: Contents) -> None:
    """Make what the application put into the scope the contents; a scope without it is left as it is.

    A session object of another middleware (of an application that is mounted inside, with sessions of its own) is
    that one's to save; of ours too, where the stores differ.

    Raises:
        TypeError: it is no mapping.
    """
    found = scope.get(SCOPE_KEY, session)
    if isinstance(found, Contents) or hasattr(found, "mark_accessed"):
        return
    if not isinstance(found, Mapping) and found is not None:
        raise TypeError(
            f'scope["session"] was replaced by {type(found).__name__}: a session is a mapping'
        )
    replace_contents(exchange, cast("Mapping[str, Any]", found or {}))
