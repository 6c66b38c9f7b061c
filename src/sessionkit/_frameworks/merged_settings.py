"""Merge the settings of a framework with the arguments of a store. An argument replaces only the fields that it names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from secrets import token_urlsafe
from typing import Any, TypeVar

from .._cookies.settings import CookieSettings
from .._environment import find_error
from .._session.lifetime import FOUR_HUNDRED_DAYS, Duration, Lifetime, seconds
from ..errors import ConfigurationError

__all__ = ["merge_settings", "name_settings"]

T = TypeVar("T")
Config = Mapping[str, Any]


def merge_settings(
    made: Mapping[str, Any],
    given: Mapping[str, Any],
    *,
    cookie: Mapping[str, Any],
    idle: Duration | None = None,
    states_idle: bool = False,
) -> dict[str, Any]:
    """Return the arguments of `SessionStore` that a framework's settings and an application give together.

    The application's arguments win; of a lifetime and cookie settings, only the fields that it passes win. For a setting
    that has the framework's default value, the default of sessionkit applies.

    Args:
        made: the arguments that follow from the framework's settings; they apply if the application does not pass its own.
        given: the arguments that the application passes.
        cookie: the fields of cookie settings that the framework's settings set.
        idle: the number that frameworks have for a lifetime: the seconds for which a session may be idle. The absolute limit is
            then 400 days. None if `made` has the lifetime.
        states_idle: whether the framework's settings set this number. If so, it applies to a lifetime that names no `idle`.
    """
    merged = dict(made)
    limit = seconds("idle", idle)
    if limit is not None:
        # These frameworks have no absolute limit.
        merged["lifetime"] = Lifetime(idle=limit, absolute=max(limit, FOUR_HUNDRED_DAYS))
    merged.update(given)
    settings, lifetime = given.get("cookie"), given.get("lifetime")
    if isinstance(settings, CookieSettings) and cookie:
        merged["cookie"] = CookieSettings(**{**cookie, **dict(settings.given)})
    if isinstance(lifetime, Lifetime) and states_idle and limit is not None:
        stated = limit if lifetime.absolute is None else min(limit, int(lifetime.absolute))
        fields: dict[str, Any] = {"idle": stated, **dict(lifetime.given)}
        merged["lifetime"] = Lifetime(**fields)
    return merged


def name_settings(
    make: Callable[[Config], T], config: Config, defaults: Config, *, key: str = "SECRET_KEY"
) -> T:
    """Call a function with a framework's settings; if one of them cannot work, the error names it.

    Args:
        make: called with the settings.
        config: the settings.
        defaults: the settings that are read, and their defaults; that of the secret is left out.
        key: the name of the setting that is the secret.

    Raises:
        ConfigurationError: as `make` raises it, with the names of the settings at fault before it.
    """
    try:
        return make(config)
    except ConfigurationError as error:
        why = str(error)
    # A setting is at fault if the error changes with its default. A store needs a secret: a good one takes its place.
    replaced = {key: token_urlsafe(32), **defaults}
    names = [
        name
        for name, value in replaced.items()
        if name in config and find_error(make, {**config, name: value}) != why
    ]
    raise ConfigurationError(f"{' and '.join(names)}: {why}" if names else why)
