"""The settings of a framework beside the arguments of a store: an argument replaces the fields that it names, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._cookies.settings import CookieSettings
from .._session.lifetime import Lifetime, make_idle_lifetime

__all__ = ["merge_settings"]


def merge_settings(
    made: Mapping[str, Any],
    given: Mapping[str, Any],
    *,
    cookie: Mapping[str, Any],
    idle: int | None = None,
    states_idle: bool = False,
) -> dict[str, Any]:
    """Return the arguments of `SessionStore` that a framework's settings and an application give together.

    What the application gives wins, a lifetime and cookie settings field by field. A setting that has the framework's default
    says nothing there: then the default is that of sessionkit.

    Args:
        made: the arguments by the framework's settings, for what is not given.
        given: the arguments that the application gives.
        cookie: the fields of cookie settings that the framework's settings state.
        idle: the one number that frameworks have for a lifetime: seconds for which a session may be idle. The session ends for
            good after 400 days. None if `made` has the lifetime.
        states_idle: whether the framework's settings state this number, so that a lifetime that names no `idle` has it.
    """
    merged = dict(made)
    if idle is not None:
        merged["lifetime"] = make_idle_lifetime(idle)
    merged.update(given)
    settings, lifetime = given.get("cookie"), given.get("lifetime")
    if isinstance(settings, CookieSettings) and cookie:
        merged["cookie"] = CookieSettings(**{**cookie, **dict(settings.given)})
    if isinstance(lifetime, Lifetime) and states_idle and idle is not None:
        stated = idle if lifetime.absolute is None else min(idle, int(lifetime.absolute))
        fields: dict[str, Any] = {"idle": stated, **dict(lifetime.given)}
        merged["lifetime"] = Lifetime(**fields)
    return merged
