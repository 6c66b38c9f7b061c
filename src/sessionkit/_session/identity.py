"""Guards (is a user signed in?) and identities (who is it?): the default ones, and how a store chooses them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

__all__ = [
    "CLAIMS",
    "Guard",
    "Identity",
    "anyone",
    "has_user",
    "resolve",
    "subject",
]

Guard: TypeAlias = Callable[[Mapping[str, Any]], bool]
Identity: TypeAlias = Callable[[Mapping[str, Any]], object]

CLAIMS = ("sub", "id", "user_id", "uid", "username", "email")
"""The claims that name a user, in the order of precedence."""


def has_user(session: Mapping[str, Any], /) -> bool:
    """Return whether the session has a `user` that is not empty; the default guard.

    Args:
        session: its contents.
    """
    return bool(session.get("user"))


def anyone(session: Mapping[str, Any], /) -> bool:
    """Return True for every session: the guard of sites without users.

    Args:
        session: its contents.
    """
    return True


def subject(session: Mapping[str, Any], /) -> object:
    """Return who the `user` of the session is; the default identity.

    Args:
        session: its contents.

    Returns:
        `("sub", iss, sub)` if the user has a `sub` (OpenID Connect Core 1.0 section 2: only issuer and subject together
        identify a user); else the name and value of the first claim among `id`, `user_id`, `uid`, `username`, `email`; else
        `("user", user)`; None if there is no user. A claim that is None or an empty text does not count. Identities are
        equal only if the claim's name, the values and their types are equal: `1` and `"1"` differ.
    """
    user: object = session.get("user")
    if not user:
        return None
    # dict first: the check of an abstract class is slow
    claims = cast("Mapping[str, object]", user) if isinstance(user, (dict, Mapping)) else _NONE
    for key in CLAIMS:
        value = claims.get(key)
        if value is not None and value != "":
            return ("sub", claims.get("iss"), value) if key == "sub" else (key, value)
    return ("user", cast("Any", user))


_NONE: Mapping[str, object] = {}


def resolve(
    given: tuple[Guard | None, Identity | None],
    own: tuple[Guard | None, Identity | None],
    login_keys: tuple[str, ...],
) -> tuple[Guard, Identity]:
    """Return the guard and the identity of a store.

    A function that was passed is used as it is, whatever function it is. For None, the format's function is used, else
    `has_user` or `subject`; only such a default takes the login keys into account.

    Args:
        given: the arguments of the store.
        own: the guard and the identity of the format, each None if it has none.
        login_keys: top-level keys that count as a signed-in user, and are part of who that is.
    """
    guard = has_user if own[0] is None else own[0]
    identity = subject if own[1] is None else own[1]
    if login_keys:
        guard, identity = _with_login_keys(guard, identity, login_keys)
    return guard if given[0] is None else given[0], identity if given[1] is None else given[1]


def _with_login_keys(
    guard: Guard, identity: Identity, keys: tuple[str, ...]
) -> tuple[Guard, Identity]:
    def logged_in(session: Mapping[str, Any], /) -> bool:
        return guard(session) or any(session.get(key) is not None for key in keys)

    def who(session: Mapping[str, Any], /) -> object:
        found = {"user": identity(session)} if guard(session) else {}
        found.update((key, session[key]) for key in keys if session.get(key) is not None)
        return found or None

    return logged_in, who
