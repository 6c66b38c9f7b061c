"""What both gateways do on entry: find or make the request's exchange."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from .context import Excluded
from .errors import ConfigurationError
from .exchange import Exchange, Phase
from .request import HOLDER, RequestInfo
from .settings import NativeKeys, Settings

__all__ = ["Gateway", "Keeper", "chain"]


class Keeper(Protocol):
    """What a gateway needs of a store."""

    @property
    def settings(self) -> Settings:
        """The store's settings."""
        ...


def chain(exchange: object) -> Iterator[Exchange]:
    """An exchange found in a request and those around it; what has ended counts as absent."""
    while isinstance(exchange, Exchange):
        if exchange.phase is not Phase.ENDED:
            yield exchange
        exchange = exchange.outer


class Gateway:
    """A gateway's settings."""

    def __init__(self, app: Any, store: Keeper, *, exclude: str | Iterable[str] = (), native: NativeKeys | None = None) -> None:
        self.app = app
        self.settings = store.settings if native is None else store.settings.served_natively(native)
        self.excluded = _globs([exclude] if isinstance(exclude, str) else list(exclude))

    def enter(self, request: RequestInfo) -> tuple[Exchange, bool]:
        """The exchange of a request, and whether it is this gateway that answers it.

        A gateway inside one of the same store re-uses its exchange, found through the request and never through
        the context variable.

        Raises:
            ConfigurationError: the one around this has the same cookie name and is another store: each
                would take the other's sessions for forged ones.
        """
        holder = request.holder
        found = holder.get(HOLDER)
        outer: Exchange | None = None
        if found is not None and not isinstance(found, Excluded):
            for one in chain(found):
                if one.owned and one.settings.same_store(self.settings):
                    return one, False
                if one.settings.name == self.settings.name:
                    raise ConfigurationError(
                        f"two stores of different settings use the cookie {self.settings.name!r} in one request: give one another name"
                    )
                outer = outer or one
        exchange = Exchange(self.settings, request)
        exchange.outer = outer
        holder[HOLDER] = exchange
        return exchange, True


def _globs(patterns: list[str]) -> Callable[[str], object] | None:
    return re.compile("|".join(map(fnmatch.translate, patterns))).match if patterns else None
