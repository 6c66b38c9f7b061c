"""Guards (is a user signed in?) and identities (who is it?)."""

from __future__ import annotations

import copy
import marshal
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias, cast

from .fingerprint import DEEPEST, plain

__all__ = [
    "Guard",
    "Identity",
    "Who",
    "anyone",
    "has_user",
    "same_user",
    "subject",
    "who_is",
    "with_login_keys",
]

Guard: TypeAlias = Callable[[Mapping[str, Any]], bool]
Identity: TypeAlias = Callable[[Mapping[str, Any]], object]

_KEYS = ("sub", "id", "user_id", "uid", "username", "email")


def has_user(session: Mapping[str, Any], /) -> bool:
    """The default guard: the session has a `user` that is not empty.

    Args:
        session: the contents.
    """
    return bool(session.get("user"))


def anyone(session: Mapping[str, Any], /) -> bool:
    """The guard of sites without users: every valid session passes.

    Args:
        session: the contents.
    """
    return True


def subject(session: Mapping[str, Any], /) -> object:
    """The default identity: who the `user` of the session is.

    Args:
        session: the contents.

    Returns:
        `("sub", iss, sub)` where the user has a `sub` (OpenID Connect Core 1.0 section 2: only the two together
        name somebody); else the first present of `id`, `user_id`, `uid`, `username`, `email` with its value; else
        the user itself, whole; None when there is none. Two are compared with their types: `1` and `"1"` differ.
    """
    user: object = session.get("user")
    return None if not user else _claim(user, _key(user))


def _key(user: object) -> str | None:
    """The claim that names this user, or None for "all of them together"."""
    if not isinstance(user, (dict, Mapping)):  # dict first: the check of an abstract class is slow
        return None
    claims = cast("Mapping[str, object]", user)
    for key in _KEYS:
        if claims.get(key) is not None:
            return key
    return None


def _claim(user: object, key: str | None) -> object:
    if key is None or not isinstance(user, (dict, Mapping)):
        return ("user", _in_order(user))
    claims = cast("Mapping[str, object]", user)
    return ("sub", claims.get("iss"), claims.get("sub")) if key == "sub" else (key, claims.get(key))


def _in_order(value: object, levels: int = DEEPEST) -> object:
    """A user who is compared whole is the same in whatever order the claims come."""
    if not levels:
        return value
    if isinstance(value, dict):
        claims = cast("dict[object, object]", value)
        return {key: _in_order(claims[key], levels - 1) for key in sorted(claims, key=str)}
    return value


class Who(NamedTuple):
    """Who a session belongs to: a type-exact print of its identity, and the claim that `subject` chose."""

    print: object
    key: str | None

    def __repr__(self) -> str:
        return "<Who>"  # a name or an address has no business in a log


def who_is(guard: Guard, identity: Identity, session: Mapping[str, Any]) -> Who | None:
    """Who a session belongs to; None when it does not pass the guard."""
    if not guard(session):
        return None
    if identity is not subject:
        return Who(_exact(identity(session)), None)
    user = session.get("user")
    key = _key(user)
    return Who(_exact(_claim(user, key) if user else None), key)


def same_user(
    guard: Guard, identity: Identity, session: Mapping[str, Any], who: Who | None
) -> bool:
    """Whether a session belongs to `who`, whose claim decides.

    A user known by `id` may gain a `sub`, but not another `id`; `1`, `True` and `"1"` differ.
    """
    if not guard(session) or who is None:
        return who is None and not guard(session)
    if identity is subject and session.get("user"):
        return bool(_exact(_claim(session.get("user"), who.key)) == who.print)
    return bool(_exact(identity(session)) == who.print)


def _exact(value: object) -> object:
    try:
        return marshal.dumps(cast("Any", value), 2)
    except ValueError:  # marshal knows the built-in types only
        pass
    try:
        return marshal.dumps(plain(value), 2)  # a text is the text that it is kept as
    except ValueError:
        return (type(value), copy.deepcopy(value))


def with_login_keys(
    guard: Guard, identity: Identity, keys: tuple[str, ...]
) -> tuple[Guard, Identity]:
    """The guard and identity for a framework that keeps its login under keys of its own.

    Only the defaults learn the keys: a guard or identity given by the user replaces both.
    """
    if not keys or guard is not has_user or identity is not subject:
        return guard, identity

    def logged_in(session: Mapping[str, Any], /) -> bool:
        return has_user(session) or any(session.get(key) is not None for key in keys)

    def who(session: Mapping[str, Any], /) -> object:
        return (
            (subject(session), tuple(session.get(key) for key in keys))
            if logged_in(session)
            else None
        )

    return logged_in, who
