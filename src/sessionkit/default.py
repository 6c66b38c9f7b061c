"""The module-level verbs, and the default store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, overload

from typing_extensions import deprecated

from .context import Excluded, current, links, living
from .dispatch import HasEnviron, HasScope, RequestLike, ResponseLike
from .exchange import Exchange
from .request import HOLDER, RequestInfo
from .session import Session
from .settings import Settings
from .store import SessionStore
from .verbs import Verbs, opened

__all__ = [
    "configure", "create_session", "delete_session", "get_session", "rotate_session", "touch_session", "update_session",
]  # fmt: skip

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
        _from_env = SessionStore.from_env()
    return _from_env


class _Anywhere(Verbs):
    """Finds the store through the request, else through the context variable, else the default; never guesses between two."""

    __slots__ = ()

    def _exchange(self, request: RequestInfo | None) -> Exchange | Excluded:
        if request is None:
            return _only(current())
        held = living(request.holder.get(HOLDER))
        return opened(request, _default().settings) if held is None else _only(held)


def _only(held: Exchange | Excluded) -> Exchange | Excluded:
    """What a request carries, if it is of one store and the configured default is no other.

    Raises:
        TypeError: two stores could be meant.
    """
    if held.outer is None and (_configured is None or held.settings.same_store(_configured.settings)):
        return held
    distinct: list[Settings] = []
    for settings in (*(one.settings for one in links(held)), *((_configured.settings,) if _configured is not None else ())):
        if not any(settings.same_store(other) for other in distinct):
            distinct.append(settings)
    if len(distinct) > 1:
        names = " and ".join(repr(settings.name) for settings in distinct)
        raise TypeError(f"two stores could be meant, those of the cookies {names}: call the verb on one of them")
    return held


_anywhere = _Anywhere()
_update: Callable[..., bool] = _anywhere.update_session  # any of its forms: `update_session` below tells them apart


@overload
def get_session() -> Session | None: ...
@overload
def get_session(request: RequestLike, /) -> Session | None: ...
@overload
def get_session(request: RequestLike, response: ResponseLike, /) -> Session | None: ...
def get_session(*args: Any) -> Session | None:
    """The session of an authenticated user, or None. It is live: what is changed in it is saved.

    See `SessionStore.get_session`; the store is that of the request.

    Returns:
        The live session, or None when there is none, it is over, or it does not pass the guard.

    Raises:
        NoActiveRequestError: without arguments, and no request is being served here.
        TypeError: not one of the call forms, or two stores could be meant.
    """
    return _anywhere.get_session(*args)


@overload
@deprecated("the session is missing: update_session(request, session)")
def update_session(request: HasEnviron | HasScope, /) -> bool: ...
@overload
def update_session() -> bool: ...
@overload
def update_session(session: Mapping[str, Any] | None, /) -> bool: ...
@overload
def update_session(request: RequestLike, session: Mapping[str, Any] | None, /) -> bool: ...
@overload
def update_session(request: RequestLike, response: ResponseLike, session: Mapping[str, Any] | None, /) -> bool: ...
def update_session(*args: Any) -> bool:
    """Replace the contents of the session. It never logs in or out.

    See `SessionStore.update_session`; the store is that of the request.

    Returns:
        Whether the session was replaced: not when none is given, it contains no user, the user is not
        authenticated, or it would change who the user is.

    Raises:
        SerializationError: it is not JSON; the message has the path of the culprit.
        SessionTooLargeError: it does not fit in `max_bytes`; the old session stays as it was.
        ResponseStartedError: the response's headers have gone out.
        NoActiveRequestError: no request is being served here, or nobody would write its response.
        TypeError: not one of the call forms, or two stores could be meant.
    """
    return _update(*args)


@overload
def touch_session() -> bool: ...
@overload
def touch_session(request: RequestLike, /) -> bool: ...
@overload
def touch_session(request: RequestLike, response: ResponseLike, /) -> bool: ...
def touch_session(*args: Any) -> bool:
    """Move the idle expiry, now, and change nothing else; of an anonymous session too.

    See `SessionStore.touch_session`; the store is that of the request.

    Returns:
        False when there is no session, or no idle expiry to move.

    Raises:
        ResponseStartedError: the response's headers have gone out.
        NoActiveRequestError: no request is being served here, or nobody would write its response.
        TypeError: not one of the call forms, or two stores could be meant.
    """
    return _anywhere.touch_session(*args)


@overload
def create_session(session: Mapping[str, Any], /) -> Session: ...
@overload
def create_session(request: RequestLike, session: Mapping[str, Any], /) -> Session: ...
@overload
def create_session(request: RequestLike, response: ResponseLike, session: Mapping[str, Any], /) -> Session: ...
def create_session(*args: Any) -> Session:
    """Begin a session: what a login handler calls. Whatever session came with the request is dead from here on.

    See `SessionStore.create_session`; the store is that of the request.

    Returns:
        The live session, with a new id and exactly the given contents.

    Raises:
        ValueError: the contents do not pass the guard.
        SerializationError: they are not JSON; the message has the path of the culprit.
        SessionTooLargeError: they do not fit in `max_bytes`.
        ResponseStartedError: the response's headers have gone out.
        NoActiveRequestError: no request is being served here, or nobody would write its response.
        TypeError: not one of the call forms, or two stores could be meant.
    """
    return _anywhere.create_session(*args)


@overload
def rotate_session() -> bool: ...
@overload
def rotate_session(request: RequestLike, /) -> bool: ...
@overload
def rotate_session(request: RequestLike, response: ResponseLike, /) -> bool: ...
def rotate_session(*args: Any) -> bool:
    """Give the session a new id with the same contents: call it where privileges rise.

    See `SessionStore.rotate_session`; the store is that of the request.

    Returns:
        Whether there was a session, anonymous ones included.

    Raises:
        ResponseStartedError: the response's headers have gone out.
        NoActiveRequestError: no request is being served here, or nobody would write its response.
        TypeError: not one of the call forms, or two stores could be meant.
    """
    return _anywhere.rotate_session(*args)


@overload
def delete_session() -> bool: ...
@overload
def delete_session(request: RequestLike, /) -> bool: ...
@overload
def delete_session(request: RequestLike, response: ResponseLike, /) -> bool: ...
def delete_session(*args: Any) -> bool:
    """End the session: what a logout handler calls. It is dead, and stays dead in that browser.

    See `SessionStore.delete_session`; the store is that of the request.

    Returns:
        Whether there was a session, anonymous ones included.

    Raises:
        ResponseStartedError: the response's headers have gone out.
        NoActiveRequestError: no request is being served here, or nobody would write its response.
        TypeError: not one of the call forms, or two stores could be meant.
    """
    return _anywhere.delete_session(*args)
