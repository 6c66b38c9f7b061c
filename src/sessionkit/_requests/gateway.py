"""What both gateways do on entry: find or make the request's exchange."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from .._exchange.config import Settings
from .._exchange.exchange import ENDED, Exchange
from .._exchange.framework_keys import FrameworkKeys
from .._exchange.request import HOLDER, RequestInfo
from ..errors import NoActiveRequestError
from .current import Entry, find_waiting, get_current, get_held, set_current
from .lookup import Excluded, Held, find_held, find_outer, iterate_held, select_store

__all__ = ["Gateway", "HasSettings", "check_app", "check_store"]


class HasSettings(Protocol):
    """What a gateway needs of a store."""

    @property
    def settings(self) -> Settings:
        """The store's settings."""
        ...


def check_app(app: object, call: str) -> None:
    """See that an application is no store.

    Args:
        app: what stands in the application's place.
        call: how the call looks that was meant.

    Raises:
        TypeError: it is a store; the message shows the call.
    """
    if _is_store(app) and not isinstance(app, Gateway):
        raise TypeError(f"a store stands where the application belongs: {call}")


def check_store(store: object, call: str) -> None:
    """See that a store is one.

    Args:
        store: what stands in the store's place.
        call: how the call looks that was meant.

    Raises:
        TypeError: it is something else; the message shows the call.
    """
    if not _is_store(store):
        raise TypeError(f"{type(store).__name__} stands where the SessionStore belongs: {call}")


def _is_store(value: object) -> bool:
    return isinstance(getattr(value, "settings", None), Settings)


class Gateway:
    """A gateway's settings."""

    call = "SessionMiddleware(app, store)"
    """How a gateway is made, for error messages."""

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
        self.app = app
        self.settings: Settings = (
            store.settings if framework is None else store.settings.with_framework(framework)
        )
        self.excluded: Callable[[RequestInfo], object] | None = _globs(
            [exclude] if isinstance(exclude, str) else list(exclude)
        )

    def begin(self, request: RequestInfo) -> Exchange | None:
        """Begin to serve a request, or leave it out if its path is excluded, and make it the current one.

        For the adapters of frameworks that have a server of their own.

        Args:
            request: the view of the request.

        Returns:
            The exchange; None on an excluded path and if a gateway around this one answers the request.

        Raises:
            ConfigurationError: as for `enter`.
        """
        if self.excluded is not None and self.excluded(request):
            set_current(self.leave_out(request))
            return None
        exchange, owner = self.enter(request)
        set_current(request.holder[HOLDER])
        return exchange if owner else None

    def begin_inside(self, request: RequestInfo) -> Entry:
        """Begin to serve a request in a framework where one request can be made inside another one.

        Args:
            request: the view of the request.

        Returns:
            The entry, with the exchange that `begin` returns. Call its `leave` when the response is there.

        Raises:
            ConfigurationError: as for `enter`.
        """
        before = find_waiting()
        exchange = self.begin(request)
        return Entry(exchange, get_held(), before)

    def serving(self, request: RequestInfo | None) -> Exchange | None:
        """Return the exchange that this gateway is to answer, if there is one that has not ended.

        Args:
            request: the view of the request; None for the current one.
        """
        held: Held | None
        try:
            held = get_current() if request is None else find_held(request)
        except NoActiveRequestError:
            return None
        for one in iterate_held(held):
            if isinstance(one, Exchange) and one.gateway is self and one.phase is not ENDED:
                return one
        return None

    def enter(self, request: RequestInfo) -> tuple[Exchange, bool]:
        """The exchange of a request, and whether it is this gateway that answers it.

        A gateway inside one of the same store re-uses its exchange, found through the request and never through
        the context variable. One that is closed (of an environ used for a second request) counts as absent, and
        so does one that a verb opened without any gateway.

        Args:
            request: the view of the request; its holder keeps the exchange.

        Raises:
            ConfigurationError: the one around this has the same cookie name and is another store: each
                would take the other's sessions for forged ones.
        """
        holder = request.holder
        is_new = (
            HOLDER not in holder and "asgi.scope" not in holder and "wsgi_environ" not in holder
        )
        outer: Sequence[Held] = () if is_new else find_outer(request)
        found = (
            select_store([one for one in outer if isinstance(one, Exchange)], self.settings)
            if outer
            else None
        )
        if isinstance(found, Exchange):
            found.serve_framework(self.settings)
            if HOLDER not in holder:
                holder[HOLDER] = outer[0]  # a bridge has made this request of another
            return found, False
        exchange = Exchange(self.settings, request)
        exchange.gateway = self
        exchange.outer = outer[0] if outer else None
        holder[HOLDER] = exchange
        return exchange, True

    def leave_out(self, request: RequestInfo) -> Excluded:
        """Mark a request whose path is excluded: this store has no session in it, those around keep theirs."""
        outer = find_outer(request)
        excluded = Excluded(self.settings, request.cookie_header, outer[0] if outer else None)
        request.holder[HOLDER] = excluded
        return excluded


def _globs(patterns: list[str]) -> Callable[[RequestInfo], object] | None:
    if not patterns:
        return None
    match = re.compile("|".join(map(fnmatch.translate, patterns))).match
    return lambda request: match(request.path)
