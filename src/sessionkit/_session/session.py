"""The session object, its stamp, and the reasons why a request has no session."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import wraps
from typing import Any, Final, Protocol, cast
from weakref import ref

from ..errors import ResponseStartedError
from .tracebacks import clear_frames

__all__ = [
    "ALL",
    "Absence",
    "Contents",
    "Session",
    "Stamp",
    "Watcher",
    "drop",
    "refill",
    "restamp",
    "stamp_of",
]


class Absence(Enum):
    """Why a request has no session. For logs and events, never for the client.

    The members are in the order of the checks that a cookie passes. If several cookies fail, the reason of the one that
    passed the most checks is reported. A reason found before the token was authenticated can be forged: use it only in logs
    and events.
    """

    NO_COOKIE = "no cookie"
    MALFORMED = "malformed"
    INCOMPLETE = "incomplete chunks"
    UNKNOWN_KEY = "unknown key"
    BAD_TAG = "bad tag"
    NOT_YET_VALID = "not yet valid"
    ABSOLUTE = "past its absolute lifetime"
    EXPIRED = "expired by its stamp"
    IDLE = "idle too long"
    UNKNOWN_RECORD = "no record on the server: logged out, revoked or expired"
    LOGGED_OUT = "logged out"
    REVOKED = "revoked while the user signed in"
    TOO_LARGE = "too large"
    AMBIGUOUS = "ambiguous"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True, kw_only=True, init=False)
class Stamp:
    """The id of a session, and its times in whole seconds since the epoch.

    Args:
        id: the session's id.
        created_at: when the session began.
        updated_at: when the session was last used or changed.
        expires_at: from this time on, the session is no longer valid.
        ends_at: an end that no activity moves: it was set by the identity provider, or by the library from which the session
            was imported; None if there is none.
        mark: the name of the session in the fence, if its format would otherwise derive the mark from the contents, which may
            change.
        lifetime: the name of the session's lifetime, one of `SessionStore(lifetimes=...)`; None for the store's `lifetime`.
    """

    id: str
    created_at: int
    updated_at: int
    expires_at: int
    ends_at: int | None = field(default=None, repr=False)
    mark: str | None = field(default=None, repr=False)
    lifetime: str | None = field(default=None, repr=False)

    def __init__(
        self,
        *,
        id: str,
        created_at: int,
        updated_at: int,
        expires_at: int,
        ends_at: int | None = None,
        mark: str | None = None,
        lifetime: str | None = None,
    ) -> None:
        # Every request makes a stamp. The `__init__` that dataclass generates for a frozen class takes twice the time.
        _set_id(self, id)
        _set_created(self, created_at)
        _set_updated(self, updated_at)
        _set_expires(self, expires_at)
        _set_ends(self, ends_at)
        _set_mark(self, mark)
        _set_lifetime(self, lifetime)


_set_id, _set_created, _set_updated, _set_expires, _set_ends, _set_mark, _set_lifetime = (
    vars(Stamp)[name].__set__ for name in Stamp.__slots__
)


ALL: Final = object()
"""The key that a watcher is told for an assignment that replaces or removes everything."""


class Watcher(Protocol):
    """Observer of the assignments to a live session."""

    def writing(self, key: object, /) -> bool:
        """Allow an assignment that is about to be made, and return whether `written` is to be called after it.

        Args:
            key: the key that is assigned to; `ALL` if everything is replaced or removed, None for an assignment to several.

        Raises:
            ResponseStartedError: the assignment comes too late.
        """
        ...

    def written(self) -> None:
        """Notice an assignment that has been made."""


_raw: Any = dict
"""The plain dict methods, which do not tell the watcher. They are not called through `super()`, which takes as long as they do."""


class Contents(dict[str, Any]):
    """The contents of a request's session: a dict of JSON values, empty while there is no session.

    `exchange.contents` is live: changes, of nested values too, are saved when the response starts. A later assignment
    raises `ResponseStartedError`. Contents pickle and copy as a plain dict, without their stamp.

    Args:
        contents: str keys and JSON values.
        stamp: the id and the times; an exchange sets them.
        watcher: is told of assignments; for a live session, its exchange.
    """

    __slots__ = ("_stamp", "_watcher")

    _stamp: Stamp | None
    # Weak, because a reference cycle would keep the session of every request until the garbage collector runs.
    _watcher: ref[Watcher] | None

    def __init__(
        self,
        contents: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
        /,
        *,
        stamp: Stamp | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        _raw.__init__(self, contents)
        self._stamp = stamp
        self._watcher = None if watcher is None else ref(watcher)

    @property
    def stamp(self) -> Stamp | None:
        """Return the session's id and times, or None while there is no session."""
        return self._stamp

    def __repr__(self) -> str:
        # Values are claims and tokens, and must not get into a log.
        return f"<Session keys={list(self)!r} stamp={self._stamp!r}>"

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)


stamp_of: Callable[[Contents], Stamp | None] = vars(Contents)["_stamp"].__get__
"""Return the stamp of contents, without a Python call: every request asks several times."""


class Session(Contents):
    """A session that exists: `Contents` with a stamp.

    At run time, the contents of an exchange are of this class too. Type checkers see them as `Contents`, which may have no stamp.
    """

    __slots__ = ()

    @property
    def stamp(self) -> Stamp:
        """Return the session's id and times; None once a verb of this request has ended the session.

        Raises:
            ValueError: the application made this object, so it is not the session of a request.
        """
        stamp = self._stamp
        if stamp is None and self._watcher is None:
            raise ValueError(
                "this Session was made by the application, so it has no stamp: take the session that get_session or "
                "create_session returns"
            )
        return cast("Stamp", stamp)


def _make_watched(
    method: Callable[..., Any], *, has_key: bool = False, key: object = None
) -> Callable[..., Any]:
    """Return a method of a dict that tells the watcher.

    Args:
        method: the method.
        has_key: whether its first argument is the key that it assigns to.
        key: the key that the watcher is told otherwise.
    """

    @wraps(method)
    def call(self: Contents, *args: Any, **named: Any) -> Any:
        try:
            watcher = self._watcher  # pyright: ignore[reportPrivateUsage]  # a method of Contents
            if watcher is None:
                return method(self, *args, **named)
            told = watcher()
            if told is None:
                raise ResponseStartedError(  # noqa: TRY301  # forgets what is assigned, as any other
                    "an assignment to the session came too late: the request it belonged to has finished. Change the session "
                    "before the response starts"
                )
            tells = told.writing(args[0] if has_key and args else key)
            try:
                return method(self, *args, **named)
            finally:
                if tells:
                    told.written()
        except BaseException as error:
            del self, args, named
            clear_frames(error)
            raise

    return call


def restamp(session: Contents, stamp: Stamp | None) -> None:
    """Replace the stamp of a session. Its watcher calls this."""
    session._stamp = stamp  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # read-only for users


def refill(session: Contents, contents: Mapping[str, Any], stamp: Stamp | None) -> None:
    """Replace the contents and the stamp of a session, without telling its watcher, which calls this."""
    _raw.clear(session)
    _raw.update(session, contents)
    session._stamp = stamp  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # as `restamp`


def drop(session: Contents, keys: Iterable[str]) -> None:
    """Remove keys from a session, without telling its watcher, which calls this."""
    for key in keys:
        _raw.pop(session, key, None)


for _name in ("__setitem__", "__delitem__", "pop", "setdefault"):
    setattr(Contents, _name, _make_watched(getattr(dict, _name), has_key=True))
for _name, _key in (("__ior__", None), ("clear", ALL), ("popitem", None), ("update", None)):
    setattr(Contents, _name, _make_watched(getattr(dict, _name), key=_key))
del _name, _key
