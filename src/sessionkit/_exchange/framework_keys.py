"""The keys of a framework's own session object: which of them log a user in, and which must not survive a login."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._session.identity import subject
from .._session.tags import Tags
from .._session.who import Who, exact

__all__ = ["DROPPED_AT_LOGIN", "LOGIN_KEYS", "PROFILE", "FrameworkKeys"]

SIGN_INS = ("_state_*",)
"""The keys of Authlib's sign-ins in progress, some of them perhaps in another tab."""


DROPPED_AT_LOGIN = ("csrf", "csrf_token", *SIGN_INS)
"""The keys that must not survive a login: CSRF tokens of form libraries, and sign-ins in progress."""


LOGIN_KEYS = ("user", "_user_id", "user_id", "uid", "account_id", "username")
"""The keys under which applications store who is logged in. They sign nobody in, but a change of one counts as a login or logout."""


PROFILE = ("username",)
"""The login keys that belong to the profile of a signed-in user: changing them is not a login."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkKeys:
    """The keys of a framework whose own session object an adapter serves.

    In that object, a login or logout is noticed if the value of a key of `LOGIN_KEYS` or `login` appears, changes or
    disappears. For `user`, only a change of the user that it names counts.

    Args:
        login: the keys under which the framework stores who is logged in (`_user_id`). With the default guard, they count as
            a signed-in user too.
        dropped: the framework's own keys that must not survive a login or logout; a trailing `*` matches any ending. Common
            keys (`csrf`, `csrf_token`, `_state_*`) are always dropped.
        transient: a function of the contents, which returns whether the browser forgets the session when it closes; None means
            that the store's `transient` applies.
        ends: a function of the contents and the time of the last activity, which returns the time at which the contents end the
            session; both times in seconds since the epoch. It can only end a session earlier than the store's lifetime does. It
            raises a TypeError for contents that an application must not write; a session that comes with such contents has ended.
        tags: the conversion of values that JSON does not have.
    """

    login: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    transient: Callable[[Mapping[str, Any]], bool | None] | None = None
    ends: Callable[[Mapping[str, Any], int], float] | None = None
    tags: Tags | None = None
    noticed: dict[str, None] = field(init=False, repr=False, compare=False)
    """The noticed keys: a change of one is a login or logout. A dict keeps their order and is fast to search."""

    def __post_init__(self) -> None:
        dropped = tuple(dict.fromkeys((*DROPPED_AT_LOGIN, *self.dropped)))
        object.__setattr__(self, "dropped", dropped)
        object.__setattr__(self, "noticed", dict.fromkeys((*LOGIN_KEYS, *self.login)))

    def join(self, inner: FrameworkKeys) -> FrameworkKeys:
        """Return the keys of two frameworks: this one, and another inside it."""
        return FrameworkKeys(
            login=tuple(dict.fromkeys((*self.login, *inner.login))),
            dropped=tuple(dict.fromkeys((*self.dropped, *inner.dropped))),
            transient=self.transient or inner.transient,
            ends=self.ends or inner.ends,
            tags=self.tags or inner.tags,
        )

    def drops(self, key: str) -> bool:
        """Return whether a key must not survive a login or logout."""
        return _is_among(key, self.dropped)

    def drops_sign_in(self, key: str) -> bool:
        """Return whether a key belongs to a sign-in in progress, and must not survive a login."""
        return self.drops(key) and _is_among(key, SIGN_INS)

    def find_login(self, contents: Mapping[str, Any], *, signed_in: bool = False) -> Who | None:
        """Return a comparable copy of the noticed values; None if they name nobody.

        Args:
            contents: the contents of a session.
            signed_in: whether the guard finds a user in the contents. A `username` is then part of that user's profile.
        """
        if self.noticed.keys().isdisjoint(contents):
            return None
        values = [
            (key, subject(contents) if key == "user" else contents.get(key))
            for key in self.noticed
            if not (signed_in and key in PROFILE and key not in self.login)
        ]
        named = [(key, value) for key, value in values if value is not None]
        return Who(exact(named)) if named else None


def _is_among(key: object, patterns: tuple[str, ...]) -> bool:
    # A key that is not text is an error; the serializer reports it.
    return isinstance(key, str) and any(
        key.startswith(pattern[:-1]) if pattern.endswith("*") else key == pattern
        for pattern in patterns
    )
