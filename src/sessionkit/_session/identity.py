"""Guards (is a user signed in?) and identities (who is it?)."""

from __future__ import annotations

import copy
import marshal
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias, cast

from .snapshot import DEEPEST, plain

__all__ = [
    "Guard",
    "Identity",
    "Who",
    "anyone",
    "differing",
    "exact",
    "has_user",
    "resolve",
    "subject",
    "who_is",
    "whole",
]

Guard: TypeAlias = Callable[[Mapping[str, Any]], bool]
Identity: TypeAlias = Callable[[Mapping[str, Any]], object]

CLAIMS = ("sub", "id", "user_id", "uid", "username", "email")
"""The claims that name a user, the one that outranks the others first."""


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
        the user itself, whole; None when there is none. A claim that is None or an empty text is not present. Two
        are compared whole, the name of the claim and the types of the values included: `1` and `"1"` differ.
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
    return ("user", whole(user))


_NONE: Mapping[str, object] = {}


def whole(value: object, levels: int = DEEPEST) -> object:
    """Return a value with the members of its objects sorted, since their order says nothing about a user."""
    if not levels:
        return value
    if isinstance(value, dict):
        claims = cast("dict[object, object]", value)
        return {key: whole(claims[key], levels - 1) for key in sorted(claims, key=str)}
    if isinstance(value, list):
        return [whole(item, levels - 1) for item in cast("list[object]", value)]
    return value


class Who(NamedTuple):
    """The owner of a session: a snapshot of its identity that compares values with their types."""

    snapshot: object

    def __repr__(self) -> str:
        return "<Who>"  # a name or an address has no business in a log


def who_is(guard: Guard, identity: Identity, session: Mapping[str, Any]) -> Who | None:
    """Return the owner of a session; None when it does not pass the guard."""
    return Who(exact(identity(session))) if guard(session) else None


def exact(value: object) -> object:
    """Return a snapshot of a value: two are equal only if the values and all their types are."""
    try:
        return marshal.dumps(cast("Any", value), 2)
    except ValueError:  # marshal knows the built-in types only
        value = plain(value)  # a text is the text that it is kept as
    try:
        return marshal.dumps(cast("Any", value), 2)
    except ValueError:
        return _typed(value)


def _typed(value: object, levels: int = DEEPEST) -> object:
    """Copy a value that marshal does not know, each part beside its type: `1 == True`, and they are two users."""
    if levels and isinstance(value, dict):
        pairs = cast("dict[object, object]", value)
        return (dict, {key: _typed(one, levels - 1) for key, one in pairs.items()})
    if levels and isinstance(value, (list, tuple)):
        items = cast("list[object]", value)
        return (
            list if isinstance(value, list) else tuple,
            [_typed(one, levels - 1) for one in items],
        )
    return (type(value), copy.deepcopy(value))


def differing(before: Who | None, after: Who | None, login_keys: tuple[str, ...]) -> str | None:
    """Return the name of the claim by which two owners differ, for a log; never a value.

    Args:
        before: the owner of the session.
        after: the owner of what was given instead.
        login_keys: the names that may be told besides those of claims.

    Returns:
        None when the identities do not name their claims, as `subject` does; those of one's own need not.
    """
    name = _differing(_value(before), _value(after))
    known = (*CLAIMS, "iss", "user", *login_keys)
    return name if isinstance(name, str) and name in known else None


def _value(who: Who | None) -> object:
    snapshot = None if who is None else who.snapshot
    return marshal.loads(snapshot) if isinstance(snapshot, bytes) else None  # noqa: S302  # our own bytes


def _differing(before: object, after: object) -> object:
    one, other = _members(before), _members(after)  # by login keys, or by all claims
    for key in {**one, **other} if one and other else ():
        if exact(one.get(key)) != exact(other.get(key)):
            return _differing(one.get(key), other.get(key)) if key == "user" else key
    named = [_parts(before), _parts(after)]
    heads = [parts[0] for parts in named if parts]
    if len(heads) == 2 and heads[0] == heads[1]:
        same_sub = heads[0] == "sub" and exact(named[0][2:]) == exact(named[1][2:])
        return "iss" if same_sub else heads[0]
    # One of them has a claim that the other has not: of the two, the one that outranks the other.
    return min(heads, key=_rank, default=None)


def _members(identity: object) -> dict[object, object]:
    return cast("dict[object, object]", identity) if isinstance(identity, dict) else {}


def _parts(identity: object) -> tuple[object, ...]:
    return cast("tuple[object, ...]", identity) if isinstance(identity, tuple) else ()


def _rank(claim: object) -> int:
    return CLAIMS.index(claim) if isinstance(claim, str) and claim in CLAIMS else len(CLAIMS)


def resolve(
    given: tuple[Guard | None, Identity | None],
    own: tuple[Guard | None, Identity | None],
    login_keys: tuple[str, ...],
) -> tuple[Guard, Identity]:
    """Return the guard and the identity of a store.

    What is given is taken at its word, whatever function it is. Where None is given it is the format's, else `has_user`
    or `subject`; and that default knows the login keys.

    Args:
        given: the arguments of the store.
        own: the format's.
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
