"""Find the exchange of a given request: in its holder, in the gateways around, and by store; open one if there is none.

`current` finds the exchange of the current request, for calls without a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from typing import Any, TypeAlias, cast

from .._exchange.exchange import ENDED, OPEN, Exchange
from .._exchange.request import HOLDER, RequestInfo
from .._exchange.settings import Settings
from .._exchange.unread_exchange import GONE, UnreadExchange, replace_link
from .._session.events import EventKind, tell
from ..errors import ConfigurationError
from .views import ASGIRequest, WSGIRequest

__all__ = [
    "AnyExchange",
    "Exclusion",
    "UnansweredExchange",
    "detach",
    "find_exchange",
    "find_innermost",
    "find_open",
    "find_outer",
    "iterate_outward",
    "make_readable",
    "open_exchange",
    "open_unanswered",
    "select_store",
]


class Exclusion:
    """Takes the place of the exchange in a request whose path is excluded (`exclude=`).

    Attributes:
        settings: the settings of the store that has no session here.
        cookie_header: the request's Cookie header.
        outer: the exchange, or the exclusion, of the gateway around this one.
    """

    __slots__ = ("cookie_header", "outer", "settings")

    def __init__(self, settings: Settings, cookie_header: str = "", outer: object = None) -> None:
        self.settings: Settings = settings
        self.cookie_header: str = cookie_header
        self.outer: object = outer

    def __repr__(self) -> str:
        return "<excluded from sessions>"


AnyExchange: TypeAlias = Exchange | Exclusion | UnreadExchange
"""An exchange, or an object that takes the place of one."""


class UnansweredExchange(Exchange):
    """The exchange of a request that no gateway answers, opened by a verb or for a framework's session object.

    If no response has saved a change, the change is reported when the request object is deleted. This happens at once,
    because the request refers to the exchange, and the exchange does not refer to the request.
    """

    __slots__ = ()

    def __del__(self) -> None:
        state = self.state
        if state is not None and not state.is_final:
            tell(self.settings.on_event, EventKind.UNANSWERED)


# ---- the chain of exchanges that a request holds


def iterate_outward(innermost: object) -> Iterator[AnyExchange]:
    """Yield the exchanges of a request, the innermost first: one for each gateway, or store whose verb was called."""
    link = innermost
    while isinstance(link, (Exchange, Exclusion, UnreadExchange)):
        yield link
        link = link.outer


def find_open(innermost: object) -> Exchange | Exclusion | None:
    """Return the innermost exchange or exclusion that has not ended."""
    if type(innermost) is Exchange and innermost.phase is not ENDED:
        return innermost
    for link in iterate_outward(innermost):
        if isinstance(link, Exclusion) or (isinstance(link, Exchange) and link.phase is not ENDED):
            return link
    return None


def find_innermost(request: RequestInfo) -> AnyExchange | None:
    """Return the innermost exchange or exclusion of a request, ended ones included.

    An exchange belongs to one request. It is found in the environ or scope that holds it, in a copy with an equal Cookie
    header, and in an environ or scope that a bridge between WSGI and ASGI has made from one of these.
    """
    holder = request.holder
    link = holder.get(HOLDER)
    if link is None:
        link = _find_bridged(holder)
    if isinstance(link, Exchange):
        owner = link.request
        # Copies of a framework's request may share one holder.
        if owner.holder is holder and (
            getattr(owner, "request", None) is getattr(request, "request", None)
        ):
            return link
    elif isinstance(link, UnreadExchange):
        # This exchange has no Cookie header to compare; it will be read from the given request.
        return link
    elif not isinstance(link, Exclusion):
        return None
    return link if _have_same_cookies(link.cookie_header, request.cookie_header) else None


def _have_same_cookies(one: str, other: str) -> bool:
    """Return whether two Cookie headers are equal. A bridge joins the fields of HTTP/2 with a comma."""
    return one == other or one.replace("; ", ",") == other.replace("; ", ",")


def _find_bridged(holder: MutableMapping[str, Any]) -> object:
    """Return the exchange (or the object in its place) of the request that a bridge (a2wsgi) has translated; None without a bridge."""
    while True:
        outer = holder.get("asgi.scope") or holder.get("wsgi_environ")
        if outer is None or not isinstance(outer, MutableMapping):
            return None
        holder = cast("MutableMapping[str, Any]", outer)
        link = holder.get(HOLDER)
        if link is not None:
            return link


def find_outer(request: RequestInfo) -> Sequence[Exchange | Exclusion]:
    """Return the exchanges and exclusions of gateways that will still answer the request, the innermost first."""
    return [
        link
        for link in iterate_outward(find_innermost(request))
        if isinstance(link, Exclusion)
        or (isinstance(link, Exchange) and link.owned and link.phase is OPEN)
    ]


# ---- the exchange of one store


def select_store(chain: Iterable[AnyExchange], settings: Settings) -> AnyExchange | None:
    """Return the exchange or exclusion of a store.

    Args:
        chain: the exchanges of a request, the innermost first.
        settings: the store's settings.

    Raises:
        ConfigurationError: a gateway of another store uses the same cookie name.
    """
    clash: Settings | None = None
    for link in chain:
        theirs = link.settings
        if theirs.same_store(settings):
            return link
        if (
            theirs.name == settings.name
            and isinstance(link, (Exchange, UnreadExchange))
            and link.owned
        ):
            clash = theirs
    if clash is not None:
        raise ConfigurationError(
            f"two stores use the cookie {settings.name!r} in one request, and differ in {', '.join(clash.differences(settings))}: "
            "give one another name, or use one store for both"
        )
    return None


def find_exchange(request: RequestInfo, settings: Settings) -> Exchange | Exclusion | None:
    """Return the exchange or exclusion of a store in a request.

    Args:
        request: the view of the request.
        settings: the store's settings.

    Raises:
        ConfigurationError: as for `select_store`.
    """
    link = request.holder.get(HOLDER)
    if (
        type(link) is Exchange
        and link.settings is settings
        and link.request.holder is request.holder
        and not hasattr(request, "request")
    ):
        # The most frequent request has one gateway, and this is its exchange.
        return link
    selected = select_store(iterate_outward(find_innermost(request)), settings)
    return None if selected is None else make_readable(selected, request)


def make_readable(link: AnyExchange, request: RequestInfo) -> Exchange | Exclusion:
    """Return an exchange that can be read. For a request that ended before its session was read, this is a new exchange that has ended.

    Args:
        link: the exchange, or the object in its place.
        request: the request to read the session from, if it was not read.
    """
    if not isinstance(link, UnreadExchange):
        return link
    exchange = Exchange(link.settings, request)
    exchange.drive()
    exchange.outer = link.outer
    exchange.contents  # noqa: B018  # this reads the cookies
    replace_link(request.holder, link, exchange)
    exchange.finish()
    return exchange


# ---- requests without a gateway


def open_exchange(request: RequestInfo, settings: Settings) -> Exchange:
    """Open the exchange of a request that no gateway of the store has prepared, for a session object that is read later."""
    exchange = UnansweredExchange(settings, detach(request), owned=False)
    exchange.drive()
    exchange.outer = find_innermost(request)
    request.holder[HOLDER] = exchange
    return exchange


def open_unanswered(request: RequestInfo, settings: Settings) -> Exchange:
    """Open the exchange of a request without a gateway for a verb, and read it at once, because only the verb has the request."""
    exchange = open_exchange(request, settings)
    exchange.contents  # noqa: B018  # this reads the cookies
    if exchange.request is request:
        exchange.request = GONE
    return exchange


def detach(request: RequestInfo) -> RequestInfo:
    """Return a view that does not refer to the environ or scope, because these refer to the exchange. Return other requests unchanged."""
    return request.detach() if isinstance(request, (WSGIRequest, ASGIRequest)) else request
