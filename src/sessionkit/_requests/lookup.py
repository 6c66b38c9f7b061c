"""Which exchange? The one home of that question: what a request holds, and what of it belongs to a store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from typing import Any, TypeAlias, cast

from .._exchange.config import Settings
from .._exchange.exchange import ENDED, GONE, OPEN, Exchange, Unread, replace_link
from .._exchange.request import HOLDER, RequestInfo
from .._session.events import EventKind, tell
from ..errors import ConfigurationError
from .views import ASGIRequest, WSGIRequest

__all__ = [
    "Excluded",
    "Held",
    "Unanswered",
    "detach",
    "find_exchange",
    "find_held",
    "find_open",
    "find_outer",
    "iterate_held",
    "make_readable",
    "open_exchange",
    "open_unanswered",
    "select_store",
]  # fmt: skip


class Excluded:
    """Stands where an exchange would, under a gateway that leaves this path alone.

    Attributes:
        settings: of the store that has no session here.
        cookie_header: of the request that is left alone.
        outer: the exchange, or the exclusion, of a gateway around that one.
    """

    __slots__ = ("cookie_header", "outer", "settings")

    def __init__(self, settings: Settings, cookie_header: str = "", outer: object = None) -> None:
        self.settings: Settings = settings
        self.cookie_header: str = cookie_header
        self.outer: object = outer

    def __repr__(self) -> str:
        return "<excluded from sessions>"


Held: TypeAlias = Exchange | Excluded | Unread


class Unanswered(Exchange):
    """The exchange of a request that no gateway answers, opened by a verb or for a framework's session object.

    A change that no response has carried when the request goes away is reported. That is seen at once, since the request
    keeps the exchange and the exchange holds no reference back.
    """

    __slots__ = ()

    def __del__(self) -> None:
        live = self.state
        if live is not None and not live.is_final:
            tell(self.settings.on_event, EventKind.UNANSWERED)


# ---- what a request holds


def iterate_held(held: object) -> Iterator[Held]:
    """Yield what a request holds, the innermost first: one for each gateway, or store whose verb was called."""
    while isinstance(held, (Exchange, Excluded, Unread)):
        yield held
        held = held.outer


def find_open(held: object) -> Exchange | Excluded | None:
    """Return the innermost that has not ended."""
    if type(held) is Exchange and held.phase is not ENDED:
        return held
    for one in iterate_held(held):
        if isinstance(one, Excluded) or (isinstance(one, Exchange) and one.phase is not ENDED):
            return one
    return None


def find_held(request: RequestInfo) -> Held | None:
    """Return the innermost exchange or exclusion of a request, ended ones included.

    An exchange belongs to one request. It is found in the environ or scope it was put into, in a copy that has an equal
    Cookie header, and in an environ or scope that a bridge between WSGI and ASGI has made of it.
    """
    holder = request.holder
    held = holder.get(HOLDER)
    if held is None:
        held = _bridged(holder)
    if isinstance(held, Exchange):
        theirs = held.request
        # What a framework's request keeps its copies may share.
        if theirs.holder is holder and (
            getattr(theirs, "request", None) is getattr(request, "request", None)
        ):
            return held
    elif isinstance(held, Unread):
        return held  # of which nothing is known yet: it is read from the request that is given
    elif not isinstance(held, Excluded):
        return None
    return held if _equal(held.cookie_header, request.cookie_header) else None


def _equal(one: str, other: str) -> bool:
    """Compare two Cookie headers. A bridge joins the fields of HTTP/2 with a comma."""
    return one == other or one.replace("; ", ",") == other.replace("; ", ",")


def _bridged(holder: MutableMapping[str, Any]) -> object:
    """Return what the request holds that a bridge (a2wsgi) has translated."""
    while True:
        outer = holder.get("asgi.scope") or holder.get("wsgi_environ")
        if outer is None or not isinstance(outer, MutableMapping):
            return None
        holder = cast("MutableMapping[str, Any]", outer)
        held = holder.get(HOLDER)
        if held is not None:
            return held


def find_outer(request: RequestInfo) -> Sequence[Exchange | Excluded]:
    """Return the exchanges and exclusions of gateways that will still answer the request, the innermost first."""
    return [
        one
        for one in iterate_held(find_held(request))
        if isinstance(one, Excluded)
        or (isinstance(one, Exchange) and one.owned and one.phase is OPEN)
    ]


# ---- what of it belongs to a store


def select_store(found: Iterable[Held], settings: Settings) -> Held | None:
    """Return the exchange or exclusion of a store.

    Raises:
        ConfigurationError: a gateway of another store uses the same cookie name.
    """
    clash: Settings | None = None
    for one in found:
        theirs = one.settings
        if theirs.same_store(settings):
            return one
        if theirs.name == settings.name and isinstance(one, (Exchange, Unread)) and one.owned:
            clash = theirs
    if clash is not None:
        raise ConfigurationError(
            f"two stores use the cookie {settings.name!r} in one request, and differ in {', '.join(clash.differences(settings))}: "
            "give one another name, or use one store for both"
        )
    return None


def find_exchange(request: RequestInfo, settings: Settings) -> Exchange | Excluded | None:
    """Return the exchange or exclusion of a store in a request.

    Raises:
        ConfigurationError: as for `of_store`.
    """
    held = request.holder.get(HOLDER)
    if (
        type(held) is Exchange
        and held.settings is settings
        and held.request.holder is request.holder
        and not hasattr(request, "request")
    ):
        return held  # most often the gateway's own
    one = select_store(iterate_held(find_held(request)), settings)
    return None if one is None else make_readable(one, request)


def make_readable(one: Held, request: RequestInfo) -> Exchange | Excluded:
    """Return an exchange for what ended before anybody had read the session: read now, from the request that is given."""
    if not isinstance(one, Unread):
        return one
    made = Exchange(one.settings, request)
    made.outer = one.outer
    made.contents  # noqa: B018  # reads it
    replace_link(request.holder, one, made)
    made.finish()
    return made


def open_exchange(request: RequestInfo, settings: Settings) -> Exchange:
    """Open the exchange of a request that no gateway of the store prepared, for a session object that is read later."""
    made = Unanswered(settings, detach(request), owned=False)
    made.outer = find_held(request)
    request.holder[HOLDER] = made
    return made


def open_unanswered(request: RequestInfo, settings: Settings) -> Exchange:
    """Open the exchange of such a request for a verb, and read it at once, since the request is given now."""
    made = open_exchange(request, settings)
    made.contents  # noqa: B018  # reads it
    if made.request is request:
        made.request = GONE
    return made


def detach(request: RequestInfo) -> RequestInfo:
    """Return a view that does not keep an environ or a scope, which keeps the exchange; another request is returned as it is."""
    return request.detach() if isinstance(request, (WSGIRequest, ASGIRequest)) else request
