"""What an exchange needs to know of its store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._session.identity import Who, exact, subject
from .._session.tags import Tags

__all__ = ["DROPPED_AT_LOGIN", "LOGIN_KEYS", "PROFILE", "SIGN_INS", "FrameworkKeys"]

SIGN_INS = ("_state_*",)
"""What Authlib keeps in every framework: sign-ins in progress, some of them of another tab."""


DROPPED_AT_LOGIN = ("csrf", "csrf_token", *SIGN_INS)
"""What must not cross a login, which are the tokens of form libraries against forged requests, and sign-ins in progress."""


LOGIN_KEYS = ("user", "_user_id", "user_id", "uid", "account_id", "username")
"""Keys under which applications keep who is logged in. Nobody is signed in by them, and a change of one is a login."""


PROFILE = ("username",)
"""Those of them that a user who is signed in may change. To take another name is no login."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkKeys:
    """What an adapter says of a framework whose own session object it serves.

    Through that object a login or logout is noticed when what a key of `NOTICED` or of `login` says appears, changes
    or goes: `user` by the user that it names, the others by their values.

    Args:
        login: keys under which the framework keeps who is logged in (`_user_id`). By default they count as a signed-in
            user too.
        dropped: keys of the framework's own that must not cross a login or logout; a trailing `*` stands for any ending.
            Those that are common everywhere (`csrf`, `csrf_token`, `_state_*`) are always among them.
        transient: whether the browser shall forget a session with these contents when it closes; None leaves it
            to the store's `transient`.
        ends: from the contents and the time of the last activity, the moment from which the session is over by its
            own word, both in seconds since the epoch. It can end a session earlier than the store's lifetime, not later.
        tags: how the framework's own session keeps values that JSON has not.
    """

    login: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    transient: Callable[[Mapping[str, Any]], bool | None] | None = None
    ends: Callable[[Mapping[str, Any], int], float] | None = None
    tags: Tags | None = None
    noticed: dict[str, None] = field(init=False, repr=False, compare=False)
    """In order, and quick to look up."""

    def __post_init__(self) -> None:
        dropped = tuple(dict.fromkeys((*DROPPED_AT_LOGIN, *self.dropped)))
        object.__setattr__(self, "dropped", dropped)
        object.__setattr__(self, "noticed", dict.fromkeys((*LOGIN_KEYS, *self.login)))

    def drops(self, key: str) -> bool:
        """Whether a key must not cross a login or logout."""
        return _is_among(key, self.dropped)

    def begins_sign_in(self, key: str) -> bool:
        """Whether a key that must not cross a login is that of a sign-in in progress."""
        return self.drops(key) and _is_among(key, SIGN_INS)

    def login_in(self, contents: Mapping[str, Any], *, signed_in: bool = False) -> Who | None:
        """Return a snapshot of what the noticed keys say; None when they name nobody.

        Args:
            contents: the session's.
            signed_in: whether they name a user besides. A `username` is part of that one's profile then.
        """
        if self.noticed.keys().isdisjoint(contents):
            return None
        found = [
            (key, subject(contents) if key == "user" else contents.get(key))
            for key in self.noticed
            if not (signed_in and key in PROFILE and key not in self.login)
        ]
        named = [(key, value) for key, value in found if value is not None]
        return Who(exact(named)) if named else None


def _is_among(key: str, patterns: tuple[str, ...]) -> bool:
    return any(key.startswith(one[:-1]) if one.endswith("*") else key == one for one in patterns)
