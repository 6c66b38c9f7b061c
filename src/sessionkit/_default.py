"""The module-level verbs: they find the store through the request, the current request, or the default store."""

from __future__ import annotations

import os
from typing import Final, TypeVar

from ._environment import apply_variables
from ._exchange.exchange import OPEN, Exchange
from ._exchange.request import RequestInfo
from ._exchange.settings import Settings
from ._requests.current import find_preserved, get_current, get_last_current
from ._requests.gateway_arguments import check_store
from ._requests.lookup import (
    AnyExchange,
    Exclusion,
    find_innermost,
    find_open,
    iterate_outward,
    make_readable,
    open_unanswered,
)
from ._requests.recognition import RequestLike, RequestObject
from ._requests.responses import ResponseLike
from ._session.tracebacks import clears_frames
from .errors import ConfigurationError
from .store import SessionStore
from .verbs import Carrier, Request, Response, Verbs

__all__ = [
    "TypedVerbs", "configure", "create_session", "delete_session", "get_exchange", "get_session", "rotate_session", "save_session",
    "session_of", "touch_session", "update_session",
]  # fmt: skip

Link = TypeVar("Link", bound=AnyExchange)

_configured: SessionStore | None = None
_from_env: SessionStore | None = None


@clears_frames
def configure(store: SessionStore | None) -> None:
    """Make a store the default, for requests that no gateway has prepared.

    Args:
        store: the store. None removes the default; when a store is next needed, it is made from the `SESSIONKIT_*` variables.

    Raises:
        TypeError: the argument is not a store.
    """
    if store is not None:
        check_store(store, "sessionkit.configure(store)")
    # There is one default for the whole process.
    global _configured, _from_env
    _configured, _from_env = store, None


def _find_default() -> SessionStore:
    """Return the configured store, or the store made from the `SESSIONKIT_*` variables.

    Raises:
        ConfigurationError: there is neither.
    """
    global _from_env  # noqa: PLW0603
    if _configured is not None:
        return _configured
    if _from_env is None:
        # The variables are checked. `from_env` opens the backend.
        if "secret" not in apply_variables(dict, os.environ, {"backend": None}):
            raise ConfigurationError(
                "no store is known: no middleware serves this request (store.wsgi(app), store.asgi(app), or the adapter's), none was "
                "given to sessionkit.configure(store), and SESSIONKIT_SECRET is not set (`python -m sessionkit secret` makes one). "
                "Do one of the three"
            )
        _from_env = SessionStore.from_env()
    return _from_env


class _AnywhereVerbs(Verbs[Request, Response, Carrier]):
    """The verbs that find the store through the request, else through the current request, else the default store.

    They never guess between two stores.
    """

    __slots__ = ()

    def _exchange(self, request: RequestInfo | None) -> Exchange | Exclusion:
        if request is None:
            last = get_last_current()
            if type(last) is Exchange and last.phase is OPEN:
                # The commonest case: one gateway serves the request, and no response has started.
                if last.outer is None and _configured is None:
                    return last
                return _require_one_store(last)
            request = find_preserved()
            if request is None:
                return _require_one_store(get_current())
        innermost = find_innermost(request)
        if innermost is not None:
            link = find_open(innermost)
            if link is None:
                return make_readable(_require_one_store(innermost), request)
            return _require_one_store(link)
        last = get_last_current()
        store = _find_default() if last is None else _require_one_store(find_open(last) or last)
        return open_unanswered(request, store.settings)


def _require_one_store(link: Link) -> Link:
    """Return the request's exchange; raise if two stores could be meant: those of its gateways, and the configured one.

    Raises:
        TypeError: two stores could be meant.
    """
    if link.outer is None and (
        _configured is None or link.settings.same_store(_configured.settings)
    ):
        return link
    distinct: list[Settings] = []
    for settings in (
        *(other.settings for other in iterate_outward(link)),
        *((_configured.settings,) if _configured is not None else ()),
    ):
        if not any(settings.same_store(other) for other in distinct):
            distinct.append(settings)
    if len(distinct) > 1:
        names = " and ".join(repr(settings.name) for settings in distinct)
        raise TypeError(
            f"two stores could be meant, those of the cookies {names}: call the verb on one of them"
        )
    return link


class TypedVerbs(_AnywhereVerbs[Request, Response, Request]):
    """The module-level verbs, typed for a framework with neither environ nor scope: `TypedVerbs[web.Request, web.Response]()`.

    The framework's adapter registers both types with `register_request` and `register_response`.
    """

    __slots__ = ()


_anywhere = _AnywhereVerbs[RequestLike, ResponseLike, RequestObject]()

get_exchange: Final = _anywhere.get_exchange
get_session: Final = _anywhere.get_session
update_session: Final = _anywhere.update_session
touch_session: Final = _anywhere.touch_session
create_session: Final = _anywhere.create_session
rotate_session: Final = _anywhere.rotate_session
delete_session: Final = _anywhere.delete_session
session_of: Final = _anywhere.session_of
save_session: Final = _anywhere.save_session
