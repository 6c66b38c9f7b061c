"""Whose a session is: worked out from what the cookie, or a verb, put there, not from what it was changed into since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._session.identity import Who, exact, who_is
from .._session.snapshot import ODD, contents_of, fingerprint, is_odd
from .config import Settings

__all__ = ["Owner", "have_same_owner"]

NOBODY = Who(exact(None))
"""Of a session that passes the guard and names no user."""


class Owner:
    """The owner of some contents, as those were then.

    Most requests never ask, so it is worked out on demand, from the fingerprint of the contents: what holds them may
    change them in place.

    Args:
        settings: the store's.
        contents: of a session.
        print_: their fingerprint. What is odd cannot be read from it later, and is looked at now.
    """

    __slots__ = ("_found", "_print", "_settings")

    def __init__(self, settings: Settings, contents: Mapping[str, Any], print_: bytes) -> None:
        self._settings = settings
        self._print = print_
        self._found = _find(settings, contents) if print_.startswith(ODD) else None

    @property
    def who(self) -> Who | None:
        """Who that is by the store's guard and identity; None for an anonymous session."""
        return (self._found or self._look())[0]

    def owns(self, contents: Mapping[str, Any]) -> bool:
        """Return whether other contents belong to the same user and, in a framework's own session, name the same login."""
        keys = self._settings.owner_keys
        if keys is not None and self._found is None and not self._print.startswith(ODD):
            came = contents_of(self._print)
            if _snapshot(keys, came) == _snapshot(keys, contents):
                return True  # what says who the user is has not changed
            self._found = _find(self._settings, came)
        return _find(self._settings, contents) == (self._found or self._look())

    def is_nobodys(self, contents: Mapping[str, Any]) -> bool:
        """Return whether other contents name nobody."""
        return _find(self._settings, contents) == _find(self._settings, {})

    def under(self, settings: Settings, contents: Mapping[str, Any]) -> Owner:
        """Return the same owner by the settings of a framework's own session.

        Args:
            settings: those.
            contents: what the session holds now, whose other keys were changed when they were no login yet.
        """
        if is_odd(self._print):
            return self
        came, print_ = contents_of(self._print), self._print
        if settings.tags is not None:
            came = settings.tags.read(came)
            print_ = fingerprint(came, settings.tags)
        made = Owner(settings, came, print_)
        made._found = (_find(settings, came)[0], _find(settings, contents)[1])  # of its own class
        return made

    def _look(self) -> tuple[Who | None, object]:
        found = self._found
        if found is None:
            found = self._found = _find(self._settings, contents_of(self._print))
        return found


def _snapshot(keys: Iterable[str], contents: Mapping[str, Any]) -> object:
    """Return a snapshot of what some keys hold, in which a value that is not there is like None."""
    return exact([contents.get(key) for key in keys])


def have_same_owner(settings: Settings, sessions: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether sessions belong to one user, who is somebody.

    Args:
        settings: the store's.
        sessions: the contents of each. A guard or identity that raises for them says no: a cookie raises nothing here.
    """
    try:
        first, *others = [_find(settings, one) for one in sessions]
        nobody = first[0] in (None, NOBODY)
        return not nobody and all(one == first for one in others)
    except Exception:  # noqa: BLE001  # the application's functions may raise anything for such contents
        return False


def _find(settings: Settings, contents: Mapping[str, Any]) -> tuple[Who | None, object]:
    who = who_is(settings.guard, settings.identity, contents)
    if settings.framework is None:
        return who, None
    return who, settings.framework.login_in(contents, signed_in=who not in (None, NOBODY))
