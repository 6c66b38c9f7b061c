"""Who the user is, as a value that can be compared and printed: are two sessions of one user, and by which claim do they differ?"""

from __future__ import annotations

import copy
import marshal
from collections.abc import Iterator, Mapping
from typing import Any, cast

from ..errors import ConfigurationError
from .identity import CLAIMS, Guard, Identity
from .snapshot import DEEPEST, plain

__all__ = ["Who", "exact", "find_differing_claim", "print_identity", "who_is"]


class Who:  # noqa: PLW1641  # compared by more than its bytes, and so without a hash
    """The owner of a session, or another identity of it: a snapshot.

    Two are equal if and only if the values and all their types are equal. The order of the members of objects and sets
    makes no difference: it says nothing about a user.

    Args:
        snapshot: from `exact`.
    """

    __slots__ = ("snapshot",)

    def __init__(self, snapshot: object) -> None:
        self.snapshot: object = snapshot

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Who):
            return NotImplemented
        return self.snapshot == other.snapshot or _are_reordered(self.snapshot, other.snapshot)

    def __repr__(self) -> str:
        return "<Who>"  # a name or an address must not get into a log


def who_is(guard: Guard, identity: Identity, session: Mapping[str, Any]) -> Who | None:
    """Return the owner of a session; None if the session does not pass the guard.

    Args:
        guard: the store's.
        identity: the store's.
        session: the contents of the session.
    """
    return Who(exact(identity(session))) if guard(session) else None


def exact(value: object) -> object:
    """Return a snapshot of a value: two are equal only if the values and all their types are equal.

    The snapshot of a value that contains itself equals no other: version 2 of marshal would never come to an end.
    """
    if _contains_itself(value):
        return object()
    try:
        return marshal.dumps(cast("Any", value), 2)
    except ValueError:  # marshal knows the built-in types only
        value = plain(value)  # a subclass of str is the text that JSON keeps
    try:
        return marshal.dumps(cast("Any", value), 2)
    except ValueError:
        return _copy_with_types(value)


def print_identity(who: Who) -> bytes | None:
    """Return an identity as bytes that are the same on every Python and in every process; None if it names nobody.

    The order of the members of objects and sets makes no difference, as in comparisons.

    Args:
        who: the owner of a session.

    Raises:
        ConfigurationError: the identity is not made of the built-in types.
    """
    if not isinstance(who.snapshot, bytes):
        raise ConfigurationError(
            "with a backend, `identity` must return str, int, bool, float, bytes, None, or tuples, lists, sets and dicts "
            "of these: sessions are listed and revoked by it"
        )
    identity: object = marshal.loads(who.snapshot)  # noqa: S302  # our own bytes
    return None if identity is None else b"".join(_print(identity))


def _print(value: Any) -> Iterator[bytes]:
    """Yield a value with its type and its length, so that no two values have the same bytes."""
    kind = cast("Any", type(value))
    if kind is dict:
        pairs = sorted((b"".join(_print(key)), b"".join(_print(value[key]))) for key in value)
        yield b"d%d:" % len(pairs)
        yield from (part for pair in pairs for part in pair)
    elif kind in (set, frozenset):
        yield b"%s%d:" % (kind.__name__[:1].upper().encode(), len(value))
        yield from sorted(b"".join(_print(item)) for item in value)
    elif kind in (list, tuple):
        yield b"%s%d:" % (kind.__name__[:1].encode(), len(value))
        for item in value:
            yield from _print(item)
    else:
        text = value if kind is bytes else str(value).encode("utf-8", "surrogatepass")
        yield b"%s%d:%s" % (kind.__name__.encode(), len(text), text)


def _contains_itself(value: object) -> bool:
    """Return whether a value made of the built-in containers is inside itself; depth first, without recursion."""
    around: list[tuple[int, Iterator[object]]] = [(0, iter((value,)))]
    while around:
        for item in around[-1][1]:
            if item.__class__ in _CONTAINERS:
                if any(id(item) == known for known, _ in around):
                    return True
                members: Any = item
                items = members.values() if item.__class__ is dict else members
                around.append((id(item), iter(items)))
                break
        else:
            around.pop()
    return False


_CONTAINERS = (dict, list, tuple)


def _are_reordered(one: object, other: object) -> bool:
    """Return whether two snapshots that differ have the same members in another order."""
    if not (isinstance(one, bytes) and isinstance(other, bytes) and len(one) == len(other)):
        return False
    first, second = (_sort_members(marshal.loads(each)) for each in (one, other))  # noqa: S302  # our own bytes
    return marshal.dumps(cast("Any", first), 2) == marshal.dumps(cast("Any", second), 2)


def _sort_members(value: object, levels: int = DEEPEST) -> object:
    """Return a value with the members of its objects and sets sorted."""
    if not levels:
        return value
    kind = type(value)
    if kind is dict:
        claims = cast("dict[object, object]", value)
        return {key: _sort_members(claims[key], levels - 1) for key in sorted(claims, key=repr)}
    if kind is list:
        return [_sort_members(item, levels - 1) for item in cast("list[object]", value)]
    if kind is tuple:
        return tuple(
            [_sort_members(item, levels - 1) for item in cast("tuple[object, ...]", value)]
        )
    if kind is set or kind is frozenset:
        members = [_sort_members(item, levels - 1) for item in cast("frozenset[object]", value)]
        return (kind.__name__, sorted(members, key=repr))
    return value


def _copy_with_types(value: object, levels: int = DEEPEST) -> object:
    """Copy a value that marshal does not know, and add the type of each part: `1 == True`, but they are two users."""
    if levels and isinstance(value, dict):
        pairs = cast("dict[object, object]", value)
        return (dict, {key: _copy_with_types(one, levels - 1) for key, one in pairs.items()})
    if levels and isinstance(value, (list, tuple)):
        items = cast("list[object]", value)
        return (
            list if isinstance(value, list) else tuple,
            [_copy_with_types(one, levels - 1) for one in items],
        )
    return (type(value), copy.deepcopy(value))


def find_differing_claim(
    before: Who | None, after: Who | None, login_keys: tuple[str, ...]
) -> str | None:
    """Return the name of the claim by which two owners differ, for a log; never a value.

    Args:
        before: the owner of the session.
        after: the owner of the new contents.
        login_keys: the names that may be returned besides names of claims.

    Returns:
        None if the identities do not contain names of claims. Those of `subject` do; those of an application's function need not.
    """
    name = _find_difference(_value(before), _value(after))
    known = (*CLAIMS, "iss", "user", *login_keys)
    return name if isinstance(name, str) and name in known else None


def _value(who: Who | None) -> object:
    snapshot = None if who is None else who.snapshot
    return marshal.loads(snapshot) if isinstance(snapshot, bytes) else None  # noqa: S302  # our own bytes


def _find_difference(before: object, after: object) -> object:
    one, other = _members(before), _members(after)  # by login keys, or by all claims
    for key in {**one, **other} if one and other else ():
        if Who(exact(one.get(key))) != Who(exact(other.get(key))):
            return _find_difference(one.get(key), other.get(key)) if key == "user" else key
    named = [_parts(before), _parts(after)]
    heads = [parts[0] for parts in named if parts]
    if len(heads) == 2 and heads[0] == heads[1]:
        same_sub = heads[0] == "sub" and exact(named[0][2:]) == exact(named[1][2:])
        return "iss" if same_sub else heads[0]
    # Only one of the owners has the claim: return the claim that comes first in the order of precedence.
    return min(heads, key=_rank, default=None)


def _members(identity: object) -> dict[object, object]:
    return cast("dict[object, object]", identity) if isinstance(identity, dict) else {}


def _parts(identity: object) -> tuple[object, ...]:
    return cast("tuple[object, ...]", identity) if isinstance(identity, tuple) else ()


def _rank(claim: object) -> int:
    return CLAIMS.index(claim) if isinstance(claim, str) and claim in CLAIMS else len(CLAIMS)
