"""The `SESSIONKIT_*` variables: one for each setting."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Mapping
from functools import partial
from secrets import token_urlsafe
from typing import Any, TypeVar

from ._cookies.settings import CookieSettings
from ._session.lifetime import Lifetime
from ._session.tracebacks import clears_frames
from .backends import AnyBackend
from .backends._url import open_backend, read_url
from .errors import ConfigurationError

__all__ = ["VARIABLES", "apply_variables", "find_error"]

T = TypeVar("T")

PREFIX = "SESSIONKIT_"
BACKEND = PREFIX + "BACKEND"
DIGITS = 11  # as many as `lifetime.LONGEST` has
_TRUE = {"y", "yes", "true", "1", "on"}
_FALSE = {"n", "no", "false", "0", "off"}


def _parse_flag(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError("it must be one of " + " ".join(sorted(_TRUE | _FALSE)))


def _parse_number(text: str, *, rule: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS):
        raise ValueError(rule)
    return int(text)


def _match_word(text: str, *, words: tuple[str, ...]) -> str:
    for word in words:
        if text.lower() == word.lower():
            return word
    raise ValueError("it must be one of " + " ".join(words))


def _check_url(text: str) -> str:
    """Return the URL of a backend after checking it. The backend is opened later, and at most once."""
    read_url(text)
    return text


def _allow_none(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return a parser that reads `none` as None."""
    return lambda text: None if text.lower() == "none" else parse(text)


_SECONDS = _allow_none(partial(_parse_number, rule="it must be a whole number of seconds, or none"))
_PRIORITY = _allow_none(partial(_match_word, words=("auto", "Low", "Medium", "High")))

_LIFETIME: dict[str, tuple[str, Callable[[str], Any]]] = {
    "IDLE": ("idle", _SECONDS),
    "ABSOLUTE": ("absolute", _SECONDS),
    "ROLLING": ("rolling", _parse_flag),
    "RENEW_AFTER": ("renew_after", _SECONDS),
}
_COOKIE: dict[str, tuple[str, Callable[[str], Any]]] = {
    "COOKIE_NAME": ("name", str),
    "COOKIE_PATH": ("path", str),
    "COOKIE_DOMAIN": ("domain", _allow_none(str)),
    "COOKIE_SECURE": ("secure", _parse_flag),
    "COOKIE_HTTP_ONLY": ("http_only", _parse_flag),
    "COOKIE_SAME_SITE": ("same_site", partial(_match_word, words=("Lax", "Strict", "None"))),
    "COOKIE_PARTITIONED": ("partitioned", _parse_flag),
    "COOKIE_TRANSIENT": ("transient", _parse_flag),
    "COOKIE_PRIORITY": ("priority", _PRIORITY),
    "COOKIE_MAX_BYTES": ("max_bytes", partial(_parse_number, rule="it must be a whole number")),
}
_STORE: dict[str, tuple[str, Callable[[str], Any]]] = {
    "SECRET": ("secret", str.split),
    "AUDIENCE": ("audience", str),
    "BACKEND": ("backend", _allow_none(_check_url)),
    "MAX_RECORD": ("max_record", partial(_parse_number, rule="it must be a whole number")),
    "MAX_SESSIONS": (
        "max_sessions",
        _allow_none(partial(_parse_number, rule="it must be a whole number, or none")),
    ),
}

_SETTINGS: dict[str, tuple[str, str | None, Callable[[str], Any]]] = {
    **{PREFIX + name: (key, None, parse) for name, (key, parse) in _STORE.items()},
    **{PREFIX + name: ("lifetime", key, parse) for name, (key, parse) in _LIFETIME.items()},
    **{PREFIX + name: ("cookie", key, parse) for name, (key, parse) in _COOKIE.items()},
}
"""For each variable: the argument of `SessionStore`, the field of the argument, and the parser of the text."""

_KINDS: dict[str, type[Lifetime | CookieSettings]] = {
    "lifetime": Lifetime,
    "cookie": CookieSettings,
}

VARIABLES = tuple(_SETTINGS)
"""The names of all variables. `SESSIONKIT_SECRET` holds one or more secrets, separated by white space."""


@clears_frames
def apply_variables(
    make: Callable[[dict[str, Any]], T], environ: Mapping[str, str], given: Mapping[str, Any]
) -> T:
    """Call a function with the arguments of `SessionStore` that the variables and a call give.

    The arguments of the call win; of a lifetime and of cookie settings, only the fields that the call passes win. The
    backend is opened once, however often `make` is called, and not at all if the call passes another. It connects when it is
    first used.

    Args:
        make: called with all arguments.
        environ: the variables; others are ignored.
        given: the arguments of the call.

    Returns:
        The result of `make`.

    Raises:
        ConfigurationError: a variable is unknown or malformed, or `make` finds a setting that cannot work. The message
            names the variables at fault, and shows nothing of a secret.
    """
    values = _read_variables(environ)
    if values.get(BACKEND) is not None and "backend" not in given:
        values[BACKEND] = _open_backend(values[BACKEND], given)

    def attempt(values: Mapping[str, Any], given: Mapping[str, Any]) -> T:
        return make(_merge(values, given))

    try:
        return attempt(values, given)
    except ConfigurationError as error:
        why = str(error)
    # A variable is at fault if the error changes when it is left out.
    names = [name for name in values if find_error(attempt, _without(values, name), given) != why]
    if not names:
        raise ConfigurationError(why)
    for name in names:
        why = why.replace(f" {values[name]!r}", "")  # a secret may stand in the wrong variable
    names += [
        f"{_KINDS[argument].__name__}({field}=...)"
        for argument, field in _list_fields(given)
        if find_error(attempt, values, _without_field(given, argument, field)) != why
    ]
    raise ConfigurationError(f"{' and '.join(names)}: {why}")


def _read_variables(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of the `SESSIONKIT_*` variables."""
    found: dict[str, Any] = {}
    for name, text in environ.items():
        if not name.startswith(PREFIX):
            continue
        if name not in _SETTINGS:
            near = difflib.get_close_matches(name, VARIABLES, 1)
            raise ConfigurationError(
                f"{name} is not a setting: "
                + (
                    f"did you mean {near[0]}?"
                    if near
                    else "correct the name, or remove the variable"
                )
            )
        parse = _SETTINGS[name][2]
        try:
            found[name] = parse(text if parse is str.split else text.strip())
        except (ValueError, ConfigurationError) as error:
            raise ConfigurationError(f"{name}: {error}") from None
    return found


def _open_backend(url: str, given: Mapping[str, Any]) -> AnyBackend:
    """Return the backend that `SESSIONKIT_BACKEND` names, with the clock of the store."""
    try:
        return open_backend(url, clock=given.get("clock", time.time))
    except ConfigurationError as error:
        raise ConfigurationError(f"{BACKEND}: {error}") from None


def _merge(values: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that the variables and a call give together."""
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
        named = made.get(argument)
        if fields[argument] and (named is None or isinstance(named, kind)):
            made[argument] = kind(
                **{**fields[argument], **({} if named is None else dict(named.given))}
            )
    return made


def _list_fields(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the fields of a lifetime and of cookie settings that a call gives."""
    return [
        (argument, field)
        for argument, kind in _KINDS.items()
        if isinstance(named := given.get(argument), kind)
        for field, _ in named.given
    ]


def _without(values: Mapping[str, Any], left_out: str) -> dict[str, Any]:
    kept = {name: value for name, value in values.items() if name != left_out}
    # A store needs a secret: a good one takes its place.
    return kept | {left_out: [token_urlsafe(32)]} if left_out == PREFIX + "SECRET" else kept


def _without_field(given: Mapping[str, Any], argument: str, left_out: str) -> dict[str, Any]:
    kept = {name: value for name, value in given[argument].given if name != left_out}
    try:
        return {**given, argument: _KINDS[argument](**kept)}
    except ConfigurationError:
        return dict(given)  # the others need this field


def find_error(make: Callable[..., object], *settings: object) -> str | None:
    """Return the message of the error that `make` raises for these settings, or None."""
    try:
        make(*settings)
    except (ConfigurationError, TypeError) as error:
        return str(error)
    return None
