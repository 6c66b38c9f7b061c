"""The base of all gateways: on entry, find or make the request's exchange."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Sequence
from inspect import iscoroutinefunction, signature
from typing import Any, Protocol, cast

from .._exchange.drivers import afinish, asettle, tell_warnings
from .._exchange.exchange import ENDED, OPEN, Exchange
from .._exchange.framework_keys import FrameworkKeys
from .._exchange.request import HOLDER, RequestInfo
from .._exchange.settings import Settings
from .._session.events import EventKind
from .._session.tracebacks import clears_frames
from ..errors import ConfigurationError, NoActiveRequestError
from .current import get_current, get_last_current, set_current
from .entry import Entry, find_waiting
from .lookup import (
    AnyExchange,
    Exclusion,
    find_innermost,
    find_outer,
    iterate_outward,
    select_store,
)

__all__ = [
    "Gateway",
    "HasSettings",
    "check_app",
    "check_not_none",
    "check_origins",
    "check_store",
    "explain_protocol",
]


class HasSettings(Protocol):
    """The part of a store that a gateway needs."""

    @property
    def settings(self) -> Settings:
        """The store's settings."""
        ...


def check_app(app: object, call: str) -> None:
    """Raise TypeError if a store was passed as the application.

    Args:
        app: the argument for the application.
        call: the right call, for the error message.

    Raises:
        TypeError: the argument is a store, or a secret.
    """
    if _is_store(app) and not isinstance(app, Gateway):
        raise TypeError(f"a store stands where the application belongs: {call}")
    if isinstance(app, (str, bytes)):
        raise TypeError(
            f"{type(app).__name__} stands where the application belongs: {call}, where store=SessionStore(secret)"
        )


def check_not_none(app: object, call: str) -> None:
    """Raise TypeError if None was passed as the application, for example by a function that does not return it.

    Args:
        app: the argument for the application.
        call: the right call, for the error message.
    """
    if app is None:
        raise TypeError(
            f"{call} was given None: does the function that makes the application return it?"
        )


def check_store(store: object, call: str) -> None:
    """Raise TypeError if the argument for the store is not a store.

    Args:
        store: the argument for the store.
        call: the right call, for the error message.

    Raises:
        TypeError: the argument is not a store.
    """
    if isinstance(store, type):
        raise TypeError(
            f"the class {store.__name__} stands where a SessionStore belongs: {call}, where store=SessionStore(secret)"
        )
    if not _is_store(store):
        raise TypeError(f"{type(store).__name__} stands where the SessionStore belongs: {call}")


def explain_protocol(app: object, protocol: str) -> None:
    """Raise TypeError for an application of the other protocol, or for an `async def` that is neither.

    Args:
        app: the application.
        protocol: `WSGI` or `ASGI`, by which it is to be called.
    """
    called = getattr(app, "__call__", None)  # noqa: B004  # it is looked at, not asked for
    is_async = iscoroutinefunction(app) or iscoroutinefunction(called)
    name = getattr(app, "__name__", type(app).__name__)
    if protocol == "WSGI" and is_async:
        way_out = "serve it by store.asgi(app)" if _takes(app, 3) else "make it a plain function"
        raise TypeError(f"{name} is async, and a WSGI application is not: {way_out}")
    if protocol == "ASGI" and not is_async and _takes(app, 2) and not _takes(app, 3):
        raise TypeError(f"{name} is no ASGI application: serve it by store.wsgi(app)")


def _takes(app: object, count: int) -> bool:
    """Return whether an application can be called with this number of arguments."""
    try:
        signature(cast("Any", app)).bind(*[None] * count)
    except (TypeError, ValueError):
        return False
    return True


def _is_store(value: object) -> bool:
    return isinstance(getattr(value, "settings", None), Settings)


class Gateway:
    """The base of all gateways.

    Args:
        app: the application.
        store: a `SessionStore`.
        exclude: globs of paths that have no session (`/static/*`).
        framework: for adapters: the keys of the framework's own session object.
    """

    call = "SessionMiddleware(app, store)"
    """The call that makes a gateway, for error messages."""

    protocol = ""
    """The protocol by which the application is called, `WSGI` or `ASGI`; empty for a framework's own."""

    awaits = False
    """Whether the gateway awaits a backend (`aload`, `asettle`). If not, a blocking backend is called when it is needed."""

    @clears_frames
    def __init__(
        self,
        app: Any,
        store: HasSettings,
        *,
        exclude: str | Iterable[str] = (),
        framework: FrameworkKeys | None = None,
    ) -> None:
        check_app(app, self.call)
        check_store(store, self.call)
        if self.protocol and not _takes(app, 3):
            explain_protocol(app, self.protocol)
        self.app = app
        self.settings: Settings = (
            store.settings if framework is None else store.settings.with_framework(framework)
        )
        self.excluded: Callable[[RequestInfo], object] | None = _match_globs(exclude)
        if self.settings.records is not None and self.settings.driver is None and not self.awaits:
            raise ConfigurationError(
                f"{type(self.settings.backend).__name__} is awaited, and this gateway is synchronous: take the blocking backend "
                "of the same kind, or serve the application by ASGI"
            )
        if self.settings.driver is not None:
            tell_warnings(self.settings.advice, self.settings.driver.backend)

    def begin(self, request: RequestInfo) -> Exchange | None:
        """Begin to serve a request and make it the current one; if its path is excluded, it has no session.

        This is for the adapters of frameworks with a server of their own.

        Args:
            request: the view of the request.

        Returns:
            The exchange; None on an excluded path, and if a gateway around this one answers the request.

        Raises:
            ConfigurationError: as for `enter`.
        """
        if self.excluded is not None and self.excluded(request):
            set_current(self.leave_out(request))
            return None
        exchange, is_answering = self.enter(request)
        set_current(request.holder[HOLDER])
        return exchange if is_answering else None

    def begin_inside(self, request: RequestInfo) -> Entry:
        """Begin to serve a request in a framework where one request can be made inside another one.

        Args:
            request: the view of the request.

        Returns:
            The entry, with the exchange that `begin` returns. Call its `leave` when the response is ready.

        Raises:
            ConfigurationError: as for `enter`.
        """
        before = find_waiting()
        exchange = self.begin(request)
        return Entry(exchange, get_last_current(), before)

    def serving(self, request: RequestInfo | None) -> Exchange | None:
        """Return the exchange that this gateway answers, if it has not ended.

        Args:
            request: the view of the request; None for the current one.
        """
        innermost: AnyExchange | None
        try:
            innermost = get_current() if request is None else find_innermost(request)
        except NoActiveRequestError:
            return None
        for link in iterate_outward(innermost):
            if isinstance(link, Exchange) and link.gateway is self and link.phase is not ENDED:
                return link
        return None

    async def end_unanswered(self, exchange: Exchange) -> None:
        """Perform the remaining operations on the backend for a request that gets no response, because its client has hung up.

        A session that the application has ended is ended on the server, because no response can clear its cookies. A session
        that the application has created is removed, because no browser knows it. `Exchange.finish` reports the changes that are
        lost. Once the response has started, there is nothing to do. A `BackendError` is only logged.

        Args:
            exchange: the exchange.
        """
        if exchange.phase is OPEN:
            exchange.close_places()
            if exchange.must_settle:
                await asettle(exchange, 500)

    async def end_unsent(self, exchange: Exchange) -> None:
        """Remove the record of a session that the request has begun, because the header fields of its response could not be sent.

        No browser knows this session. Everything else that was saved stays. A `BackendError` is only logged.

        Args:
            exchange: the exchange.
        """
        state, server = exchange.state, exchange.server
        if state is not None and server is not None and server.is_unfinished:
            state.tell_once(EventKind.ROLLED_BACK)
            await asettle(exchange, 500)

    async def finish_requests(self) -> None:
        """Let what cancelled requests have begun on the backend finish, for 5 seconds at most.

        Await it when the server has cancelled its requests and shuts down, before the application closes the backend.
        """
        if self.settings.backend is not None:
            await afinish()

    def enter(self, request: RequestInfo) -> tuple[Exchange, bool]:
        """Find or make the exchange of a request, and tell whether this gateway answers it.

        A gateway inside another one of the same store uses the same exchange. It finds the exchange through the request,
        never through the context variable. It ignores a closed exchange (of an environ that is used for a second request),
        and one that a verb opened without a gateway.

        Args:
            request: the view of the request; its holder keeps the exchange.

        Returns:
            The exchange, and whether this gateway answers the request.

        Raises:
            ConfigurationError: a gateway of another store around this one has the same cookie name. Each would treat the
                other's sessions as forged.
        """
        holder = request.holder
        is_new = (
            HOLDER not in holder and "asgi.scope" not in holder and "wsgi_environ" not in holder
        )
        outer: Sequence[AnyExchange] = [] if is_new else find_outer(request)
        exchanges = [link for link in outer if isinstance(link, Exchange)] if outer else []
        shared = select_store(exchanges, self.settings) if exchanges else None
        if isinstance(shared, Exchange):
            shared.serve_framework(self.settings)
            if HOLDER not in holder:
                # A bridge between WSGI and ASGI has made this request from another one.
                holder[HOLDER] = outer[0]
            return shared, False
        exchange = Exchange(self.settings, request)
        exchange.gateway = self
        if exchange.server is not None and not self.awaits:
            exchange.drive()
        exchange.outer = outer[0] if outer else None
        holder[HOLDER] = exchange
        return exchange, True

    def leave_out(self, request: RequestInfo) -> Exclusion:
        """Mark a request as excluded. It has no session of this store, but keeps the sessions of gateways around this one."""
        outer = find_outer(request)
        exclusion = Exclusion(self.settings, request.cookie_header, outer[0] if outer else None)
        request.holder[HOLDER] = exclusion
        return exclusion


def _match_globs(exclude: str | Iterable[str]) -> Callable[[RequestInfo], object] | None:
    """Return a function that tells whether a request's path matches one of the globs; None without globs."""
    patterns = [exclude] if isinstance(exclude, str) else _list_texts(exclude)
    if patterns is None:
        raise TypeError('exclude takes globs of paths: exclude="/static/*", or a list of them')
    for pattern in patterns:
        if pattern and pattern[0] not in "/*?[":
            raise ConfigurationError(
                f"exclude: no path matches {pattern!r}, since a path begins with a slash: write a glob such as '/static/*'"
            )
    if not patterns:
        return None
    match = re.compile("|".join(map(fnmatch.translate, patterns))).match
    return lambda request: match(request.path)


def _list_texts(values: object) -> list[str] | None:
    """Return texts as a list; None if the argument is something else."""
    texts: list[Any] = (
        list(cast("Iterable[object]", values)) if isinstance(values, Iterable) else [None]
    )
    return texts if all(isinstance(text, str) for text in texts) else None


def check_origins(origins: Iterable[str] | None) -> frozenset[str] | None:
    """Return the origins from which websockets are accepted; None for all.

    Args:
        origins: the values of `Origin`: scheme and host, and the port unless it is the scheme's own (RFC 6454 section 6.2).

    Raises:
        ConfigurationError: they are not a list of such values. No browser would send them, so every websocket would be refused.
    """
    if origins is None:
        return None
    texts = None if isinstance(origins, str) else _list_texts(origins)
    if texts is None:
        raise ConfigurationError('origins must be a list, such as ["https://example.org"]')
    for text in texts:
        if text != "null" and _ORIGIN.fullmatch(text) is None:
            raise ConfigurationError(
                f"no browser sends the Origin {text!r}: write scheme and host in lower case, without a path or the scheme's "
                'own port, such as "https://example.org"'
            )
    return frozenset(texts)


_ORIGIN = re.compile(r"(?!https:.*:443$|http:.*:80$)[a-z][a-z0-9+.-]*://[^/\sA-Z]+")
