"""The module-level verbs, and the default store."""

from __future__ import annotations

from .context import Excluded, current
from .exchange import Exchange
from .gateway import chain
from .request import RequestInfo
from .store import SessionStore
from .verbs import Verbs, found, opened

__all__ = [
    "configure", "create_session", "delete_session", "get_session", "rotate_session", "touch_session", "update_session",
]  # fmt: skip

_configured: SessionStore | None = None
_from_env: SessionStore | None = None


def configure(store: SessionStore | None) -> None:
    """Make a store the default: the one for requests that no gateway has prepared. None takes it back."""
    global _configured, _from_env  # noqa: PLW0603  # one default a process is what it means
    _configured, _from_env = store, None


def _default() -> SessionStore:
    global _from_env  # noqa: PLW0603
    if _configured is not None:
        return _configured
    if _from_env is None:
        _from_env = SessionStore.from_env()
    return _from_env


class _Anywhere(Verbs):
    """Finds the store through the request, else through the context variable, else the default; never guesses between two."""

    __slots__ = ()

    def _exchange(self, request: RequestInfo | None) -> Exchange | Excluded:
        held = current() if request is None else found(request)
        if isinstance(held, Excluded):
            return held
        stores = {one.settings.name: one for one in chain(held)}
        if _configured is not None and stores and not any(one.settings.same_store(_configured.settings) for one in stores.values()):
            names = " and ".join(repr(name) for name in (*stores, _configured.settings.name))
            raise TypeError(f"two stores could be meant, those of the cookies {names}: call the verb on one of them")
        if len(stores) > 1:
            names = " and ".join(map(repr, stores))
            raise TypeError(f"two stores could be meant, those of the cookies {names}: call the verb on one of them")
        for one in stores.values():
            return one
        if request is None:  # pragma: no cover
            raise AssertionError
        return opened(request, _default().settings)


_anywhere = _Anywhere()
get_session = _anywhere.get_session
update_session = _anywhere.update_session
touch_session = _anywhere.touch_session
create_session = _anywhere.create_session
rotate_session = _anywhere.rotate_session
delete_session = _anywhere.delete_session
