"""The module-level verbs, and the default store."""

from __future__ import annotations

import os
from typing import Final, TypeVar

from ._environment import apply_variables
from ._exchange.config import Settings
from ._exchange.exchange import Exchange
from ._exchange.request import RequestInfo
from ._requests.current import get_current, get_held
from ._requests.lookup import (
    Excluded,
    Held,
    find_held,
    find_open,
    iterate_held,
    make_readable,
    open_unanswered,
)
from ._requests.recognition import HasEnv, HasEnviron, HasScope, RequestLike
from ._requests.responses import ResponseLike
from .errors import ConfigurationError
from .store import SessionStore
from .verbs import Carrier, Request, Response, Verbs

__all__ = [
    "TypedVerbs", "configure", "create_session", "delete_session", "get_exchange", "get_session", "rotate_session", "touch_session",
    "update_session",
]  # fmt: skip

One = TypeVar("One", bound=Held)

_configured: SessionStore | None = None
_from_env: SessionStore | None = None


def configure(store: SessionStore | None) -> None:
    """Make a store the default: the one for requests that no gateway has prepared.

    Args:
        store: None takes it back; the default is then made of the `SESSIONKIT_*` variables when it is first needed.
    """
    global _configured, _from_env  # one default a process is what it means
    _configured, _from_env = store, None


def _default() -> SessionStore:
    global _from_env  # noqa: PLW0603
    if _configured is not None:
        return _configured
    if _from_env is None:
        if "secret" not in apply_variables(dict, os.environ, {}):
            raise ConfigurationError(
                "no store is known: no middleware serves this request (store.wsgi(app), store.asgi(app), or the adapter's), none was "
                "given to sessionkit.configure(store), and SESSIONKIT_SECRET is not set (`python -m sessionkit secret` makes one). "
                "Do one of the three"
            )
        _from_env = SessionStore.from_env()
    return _from_env


class _Anywhere(Verbs[Request, Response, Carrier]):
    """Finds the store through the request, else through the context variable, else the default; never guesses between two."""

    __slots__ = ()

    def _exchange(self, request: RequestInfo | None) -> Exchange | Excluded:
        if request is None:
            now = get_current()
            return now if now.outer is None and _configured is None else _only(now)
        held = find_held(request)
        if held is not None:
            one = find_open(held)
            return make_readable(_only(held), request) if one is None else _only(one)
        around = get_held()
        store = _default() if around is None else _only(find_open(around) or around)
        return open_unanswered(request, store.settings)


def _only(held: One) -> One:
    """Return what a request holds, if it is of one store, and the configured default is no other.

    Raises:
        TypeError: two stores could be meant.
    """
    if held.outer is None and (
        _configured is None or held.settings.same_store(_configured.settings)
    ):
        return held
    distinct: list[Settings] = []
    for settings in (
        *(one.settings for one in iterate_held(held)),
        *((_configured.settings,) if _configured is not None else ()),
    ):
        if not any(settings.same_store(other) for other in distinct):
            distinct.append(settings)
    if len(distinct) > 1:
        names = " and ".join(repr(settings.name) for settings in distinct)
        raise TypeError(
            f"two stores could be meant, those of the cookies {names}: call the verb on one of them"
        )
    return held


class TypedVerbs(_Anywhere[Request, Response, Request]):
    """The module-level verbs, typed for a framework with neither environ nor scope: `TypedVerbs[web.Request, web.Response]()`.

    Its adapter has taught the verbs both types with `register_request` and `register_response`.
    """

    __slots__ = ()


_anywhere = _Anywhere[RequestLike, ResponseLike, HasEnviron | HasEnv | HasScope]()

get_exchange: Final = _anywhere.get_exchange
get_session: Final = _anywhere.get_session
update_session: Final = _anywhere.update_session
touch_session: Final = _anywhere.touch_session
create_session: Final = _anywhere.create_session
rotate_session: Final = _anywhere.rotate_session
delete_session: Final = _anywhere.delete_session
