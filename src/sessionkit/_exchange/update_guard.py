"""Decide whether new contents may replace a session, by its owner.

The owner is the user whom the contents named when a cookie, a verb or a login set them. Changes in place do not change the
owner.
"""

from __future__ import annotations

import marshal
from collections.abc import Mapping, Sequence
from typing import Any

from .._session.events import Ignored
from .._session.snapshot import OPAQUE, Restorable, is_opaque, restore_contents, take_snapshot
from .._session.who import Who, exact, find_differing_claim, who_is
from .settings import Settings

__all__ = ["Owner", "have_same_owner"]

NOBODY = Who(exact(None))
"""The identity of a session that passes the guard but names no user."""


class Owner(Restorable):
    """The owner of a session, by the contents at a certain moment.

    Most requests never need the owner, so it is computed when it is first needed. It is computed from a snapshot, because
    the contents may be changed in place meanwhile.

    Args:
        settings: the store's settings.
        contents: the contents of the session.
        snapshot: the snapshot of the contents. Contents cannot be restored from an opaque snapshot, so in this case the
            owner is computed now.
    """

    __slots__ = ("_identity", "_settings")

    def __init__(self, settings: Settings, contents: Mapping[str, Any], snapshot: bytes) -> None:
        self._settings = settings
        # As in the base class. This runs for every request that reads its session.
        self.snapshot: bytes = snapshot
        self._contents = None
        self._identity = _identify(settings, contents) if snapshot.startswith(OPAQUE) else None

    @property
    def who(self) -> Who | None:
        """The user by the store's guard and identity; None for an anonymous session."""
        return (self._identity or self._compute())[0]

    def judge_update(self, contents: Mapping[str, Any], *, present: bool) -> Ignored | None:
        """Return the reason why an update must do nothing, or None if it may replace the contents.

        Args:
            contents: the new contents.
            present: whether there is a session.
        """
        settings = self._settings
        if (
            present
            and settings.owner_keys is not None
            and settings.guard(contents)
            and self.has_same_keys(contents)
        ):
            # The commonest update. The owner passes the guard too, because the guard reads no other keys. A guard of the
            # application is called only once, below.
            return None
        who = who_is(settings.guard, settings.identity, contents)
        if who is None:
            return Ignored.NO_USER
        owner = self.who if present else None
        if owner is None:
            return Ignored.NOT_AUTHENTICATED
        return None if who == owner else Ignored.OTHER_USER

    def find_differing_claim(self, contents: Mapping[str, Any]) -> str | None:
        """Return the name of the claim by which contents belong to another user; never its value."""
        settings = self._settings
        who = who_is(settings.guard, settings.identity, contents)
        return find_differing_claim(self.who, who, settings.login_keys)

    def owns(self, contents: Mapping[str, Any]) -> bool:
        """Return whether other contents belong to the same user and, in a framework's own session, name the same login."""
        if self._identity is None and self.has_same_keys(contents):
            return True
        return _identify(self._settings, contents) == (self._identity or self._compute())

    def has_same_keys(self, contents: Mapping[str, Any]) -> bool:
        """Return whether other contents certainly have the same value for each key that says who the user is.

        A missing value equals None. A guard or an identity of the application may use any key.
        """
        keys = self._settings.owner_keys
        if keys is None or self.snapshot.startswith(OPAQUE):
            return False
        original = self.restore()
        mine, theirs = [*map(original.get, keys)], [*map(contents.get, keys)]
        try:
            # Compare with == first: version 2 of marshal would never end for a value that contains itself.
            return mine == theirs and marshal.dumps(mine, 2) == marshal.dumps(theirs, 2)
        except Exception:  # noqa: BLE001  # marshal knows the built-in types only, and a value's own `__eq__` may raise anything
            return False

    def is_nobodys(self, contents: Mapping[str, Any]) -> bool:
        """Return whether other contents name no user."""
        return _identify(self._settings, contents) == _identify(self._settings, {})

    def with_framework(self, settings: Settings, contents: Mapping[str, Any]) -> Owner:
        """Return the same owner under the settings for a framework's own session object.

        Args:
            settings: the settings for the framework.
            contents: the contents now. Their login keys count: they were set before a change of them was a login.
        """
        if is_opaque(self.snapshot):
            return self
        original, snapshot = restore_contents(self.snapshot), self.snapshot
        if settings.tags is not None:
            original = settings.tags.read(original)
            snapshot = take_snapshot(original, settings.tags)
        owner = Owner(settings, original, snapshot)
        owner._identity = (_identify(settings, original)[0], _identify(settings, contents)[1])
        return owner

    def _compute(self) -> tuple[Who | None, object]:
        identity = self._identity = _identify(self._settings, self.restore())
        return identity


def have_same_owner(settings: Settings, sessions: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether all sessions belong to one and the same signed-in user.

    Args:
        settings: the store's settings.
        sessions: the contents of each session. If the guard or the identity raises an error for them, the result is False,
            because a cookie must not raise an error here.
    """
    try:
        first, *others = [_identify(settings, contents) for contents in sessions]
        nobody = first[0] in (None, NOBODY)
        return not nobody and all(other == first for other in others)
    except Exception:  # noqa: BLE001  # the application's functions may raise anything for such contents
        return False


def _identify(settings: Settings, contents: Mapping[str, Any]) -> tuple[Who | None, object]:
    """Return the user according to the guard and the identity, and the login according to the framework's keys."""
    who = who_is(settings.guard, settings.identity, contents)
    if settings.framework is None:
        return who, None
    return who, settings.framework.find_login(contents, signed_in=who not in (None, NOBODY))
