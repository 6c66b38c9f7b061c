"""The owner of a record: a keyed hash of who the user is, by which sessions are listed and revoked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from .._crypto.records import RecordCodec
from .._session.identity import CLAIMS, has_user
from .._session.who import Who, exact, print_identity, who_is
from .settings import Settings

__all__ = ["derive_owners", "derive_owners_of", "names_nobody"]


def derive_owners_of(settings: Settings, contents: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return the owner of a session's record under each secret. The first one is for a new record.

    Args:
        settings: the settings of a store with a backend.
        contents: the contents of the session.
        key: the record's key. A session that names nobody has an owner of its own.

    Raises:
        ConfigurationError: the identity cannot be printed.
    """
    printed = _print_owner(settings, contents)
    codec = cast("RecordCodec", settings.records)
    return codec.derive_owners(key.encode() if printed is None else printed)


def names_nobody(settings: Settings, contents: Mapping[str, Any]) -> bool:
    """Return whether the contents of a session name no user.

    Args:
        settings: the settings of a store with a backend.
        contents: the contents of the session.

    Raises:
        ConfigurationError: the identity cannot be printed.
    """
    return _print_owner(settings, contents) is None


def _print_owner(settings: Settings, contents: Mapping[str, Any]) -> bytes | None:
    who = _identify(settings, contents)
    return None if who is None else print_identity(who)


def _identify(settings: Settings, contents: Mapping[str, Any]) -> Who | None:
    """Return the user for the backend: by the store's own identity if it names a user, else by the framework's login keys.

    So a script without the framework finds the sessions that users began in the framework.
    """
    for each in (settings.origin or settings, settings):
        who = who_is(each.guard, each.identity, contents)
        if who is not None:
            return who
    return None


def derive_owners(settings: Settings, user: object) -> tuple[str, ...]:
    """Return the owners of a user's records, one for each secret.

    Args:
        settings: the settings of a store with a backend.
        user: contents with a user, or an identity.

    Raises:
        ConfigurationError: the identity cannot be printed.
        ValueError: the argument names no user.
    """
    given = cast("Any", user)
    named = isinstance(user, Mapping) and _find_named(settings, cast("Mapping[str, Any]", user))
    if named:
        who = named
    else:
        if settings.overrides[1] is None and not _is_identity(given):
            raise ValueError(
                'give contents that name the user as the session does, such as {"user": {"sub": ...}} (with `iss`, if the '
                "session has it), or an identity. A bare name or id, or the claims alone, name nobody"
            )
        who = Who(exact(given))
    printed = print_identity(who)
    if printed is None:
        raise ValueError("nobody is named: give contents with a user, or an identity")
    return cast("RecordCodec", settings.records).derive_owners(printed)


def _find_named(settings: Settings, contents: Mapping[str, Any]) -> Who | None:
    """Return the user whom given contents name, even if they do not pass a guard that asks for more than the user."""
    who = _identify(settings, contents)
    if who is not None or not (settings.overrides[1] is not None or has_user(contents)):
        return who
    try:
        identity = (settings.origin or settings).identity(contents)
    except Exception:  # noqa: BLE001  # the application's, which may expect contents that pass the guard
        return None
    return None if identity is None else Who(exact(identity))


def _is_identity(user: object) -> bool:
    """Return whether a value can be what the default identity returns: a claim and its value, or a framework's key."""
    if isinstance(user, tuple) and user:
        claim, *values = cast("tuple[object, ...]", user)
        return claim in ("user", *CLAIMS) and len(values) == (2 if claim == "sub" else 1)
    if isinstance(user, Mapping) and len(cast("Mapping[object, object]", user)) == 1:
        ((key, value),) = cast("Mapping[object, object]", user).items()
        return key not in CLAIMS and isinstance(value, (str, int))
    return False
