"""The `SESSIONKIT_*` variables: one a setting."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from secrets import token_urlsafe
from typing import Any, TypeVar

from ._cookies.settings import CookieSettings
from ._session.lifetime import Lifetime
from ._session.tracebacks import clears_frames
from .errors import ConfigurationError

__all__ = ["VARIABLES", "apply_variables"]

T = TypeVar("T")

PREFIX = "SESSIONKIT_"
DIGITS = 11  # of the longest time, see `lifetime.LONGEST`
_TRUE = {"y", "yes", "true", "1", "on"}
_FALSE = {"n", "no", "false", "0", "off"}


def _flag(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError("it must be one of " + " ".join(sorted(_TRUE | _FALSE)))


def _seconds(text: str) -> int | None:
    if text.lower() == "none":
        return None
    return _number(text, "it must be a whole number of seconds, or none")


def _whole(text: str) -> int:
    return _number(text, "it must be a whole number")


def _number(text: str, otherwise: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS):
        raise ValueError(otherwise)
    return int(text)


def _optional(text: str) -> str | None:
    return None if text.lower() == "none" else text


def _same_site(text: str) -> str:
    return _one_of(text, ("Lax", "Strict", "None"))


def _priority(text: str) -> str | None:
    return None if text.lower() == "none" else _one_of(text, ("auto", "Low", "Medium", "High"))


def _one_of(text: str, words: tuple[str, ...]) -> str:
    for word in words:
        if text.lower() == word.lower():
            return word
    raise ValueError("it must be one of " + " ".join(words))


_LIFETIME: dict[str, tuple[str, Callable[[str], Any]]] = {
    "IDLE": ("idle", _seconds),
    "ABSOLUTE": ("absolute", _seconds),
    "ROLLING": ("rolling", _flag),
    "RENEW_AFTER": ("renew_after", _seconds),
}
_COOKIE: dict[str, tuple[str, Callable[[str], Any]]] = {
    "COOKIE_NAME": ("name", str),
    "COOKIE_PATH": ("path", str),
    "COOKIE_DOMAIN": ("domain", _optional),
    "COOKIE_SECURE": ("secure", _flag),
    "COOKIE_HTTP_ONLY": ("http_only", _flag),
    "COOKIE_SAME_SITE": ("same_site", _same_site),
    "COOKIE_PARTITIONED": ("partitioned", _flag),
    "COOKIE_TRANSIENT": ("transient", _flag),
    "COOKIE_PRIORITY": ("priority", _priority),
    "COOKIE_MAX_BYTES": ("max_bytes", _whole),
}
_STORE: dict[str, tuple[str, Callable[[str], Any]]] = {
    "SECRET": ("secret", str.split),
    "AUDIENCE": ("audience", str),
}

_SETTINGS: dict[str, tuple[str, str | None, Callable[[str], Any]]] = {
    **{PREFIX + name: (key, None, read) for name, (key, read) in _STORE.items()},
    **{PREFIX + name: ("lifetime", key, read) for name, (key, read) in _LIFETIME.items()},
    **{PREFIX + name: ("cookie", key, read) for name, (key, read) in _COOKIE.items()},
}
"""Of each variable the argument of `SessionStore`, the field of that, and how its text is read."""

_KINDS: dict[str, type[Lifetime | CookieSettings]] = {
    "lifetime": Lifetime,
    "cookie": CookieSettings,
}

VARIABLES = tuple(_SETTINGS)
"""All of them; `SESSIONKIT_SECRET` holds one or more secrets separated by white space."""


@clears_frames
def apply_variables(
    make: Callable[[dict[str, Any]], T], environ: Mapping[str, str], given: Mapping[str, Any]
) -> T:
    """Make something of the arguments of `SessionStore` that the variables and a call give.

    What the call says wins. Of a lifetime and of cookie settings that is said field by field.

    Args:
        make: called with the arguments.
        environ: the variables, and others.
        given: the arguments of the call.

    Raises:
        ConfigurationError: a variable is unknown or malformed, or `make` finds a setting that cannot work. The message
            names the variables at fault, and shows nothing of a secret.
    """
    values = _read(environ)
    try:
        return make(_arguments(values, given))
    except ConfigurationError as error:
        why = str(error)
    # What changes the outcome when it is left out is at fault.
    names = [name for name in values if _outcome(make, _without(values, name), given) != why]
    if not names:
        raise ConfigurationError(why)
    for name in names:
        why = why.replace(f" {values[name]!r}", "")  # a secret may stand in the wrong variable
    names += [
        f"{_KINDS[argument].__name__}({field}=...)"
        for argument, field in _fields(given)
        if _outcome(make, values, _without_field(given, argument, field)) != why
    ]
    raise ConfigurationError(f"{' and '.join(names)}: {why}")


def _read(environ: Mapping[str, str]) -> dict[str, Any]:
    """Read the variables that are ours."""
    found: dict[str, Any] = {}
    for name, text in environ.items():
        if not name.startswith(PREFIX):
            continue
        if name not in _SETTINGS:
            near = difflib.get_close_matches(name, VARIABLES, 1)
            raise ConfigurationError(
                f"{name} is not a setting" + (f": did you mean {near[0]}?" if near else "")
            )
        read = _SETTINGS[name][2]
        try:
            found[name] = read(text if read is str.split else text.strip())
        except ValueError as error:
            raise ConfigurationError(f"{name}: {error}") from None
    return found


def _arguments(values: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Merge what the variables say with what a call says."""
    made: dict[str, Any] = {}
    fields: dict[str, dict[str, Any]] = {argument: {} for argument in _KINDS}
    for name, value in values.items():
        argument, field, _ = _SETTINGS[name]
        if field is None:
            made[argument] = value
        else:
            fields[argument][field] = value
    made |= given
    for argument, kind in _KINDS.items():
        asked = made.get(argument)
        if fields[argument] and (asked is None or isinstance(asked, kind)):
            made[argument] = kind(
                **{**fields[argument], **({} if asked is None else dict(asked.given))}
            )
    return made


def _fields(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """List the fields of a lifetime and of cookie settings that a call says."""
    return [
        (argument, field)
        for argument, kind in _KINDS.items()
        if isinstance(asked := given.get(argument), kind)
        for field, _ in asked.given
    ]


def _without(values: Mapping[str, Any], left_out: str) -> dict[str, Any]:
    kept = {name: value for name, value in values.items() if name != left_out}
    # There must be one: a good one stands in for it.
    return kept | {left_out: [token_urlsafe(32)]} if left_out == PREFIX + "SECRET" else kept


def _without_field(given: Mapping[str, Any], argument: str, left_out: str) -> dict[str, Any]:
    kept = {name: value for name, value in given[argument].given if name != left_out}
    try:
        return {**given, argument: _KINDS[argument](**kept)}
    except ConfigurationError:
        return dict(given)  # it needs the others


def _outcome(
    make: Callable[[dict[str, Any]], object], values: Mapping[str, Any], given: Mapping[str, Any]
) -> str | None:
    try:
        make(_arguments(values, given))
    except ConfigurationError as error:
        return str(error)
    return None
