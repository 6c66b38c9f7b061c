"""The `SESSIONKIT_*` variables: one a setting."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any

from .cookies import CookieSettings
from .errors import ConfigurationError
from .frames import clears_frames
from .lifetime import Lifetime

__all__ = ["VARIABLES", "settings_of"]

PREFIX = "SESSIONKIT_"
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
    if not (text.isascii() and text.isdigit()):
        raise ValueError("it must be a whole number of seconds, or none")
    return int(text)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError("it must be a whole number")
    return int(text)


def _optional(text: str) -> str | None:
    return None if text.lower() == "none" else text


def _same_site(text: str) -> str:
    return _one_of(text, ("Lax", "Strict", "None"))


def _priority(text: str) -> str | None:
    return None if text.lower() == "none" else _one_of(text, ("Low", "Medium", "High"))


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

VARIABLES = tuple(PREFIX + name for name in (*_STORE, *_LIFETIME, *_COOKIE))
"""All of them; `SESSIONKIT_SECRET` holds one or more secrets separated by white space."""


@clears_frames
def settings_of(environ: Mapping[str, str]) -> dict[str, Any]:
    """The arguments of `SessionStore` that the variables give.

    Raises:
        ConfigurationError: naming the variable that is unknown or malformed; a secret is never shown.
    """
    given = {name: value for name, value in environ.items() if name.startswith(PREFIX)}
    for name in given:
        if name not in VARIABLES:
            near = difflib.get_close_matches(name, VARIABLES, 1)
            raise ConfigurationError(
                f"{name} is not a setting" + (f": did you mean {near[0]}?" if near else "")
            )
    settings = _read(given, _STORE)
    lifetime, cookie = _read(given, _LIFETIME), _read(given, _COOKIE)
    if lifetime:
        settings["lifetime"] = _built(
            Lifetime, lifetime, "SESSIONKIT_IDLE, _ABSOLUTE, _ROLLING and _RENEW_AFTER"
        )
    if cookie:
        settings["cookie"] = _built(CookieSettings, cookie, "the SESSIONKIT_COOKIE_ variables")
    return settings


def _built(kind: Callable[..., Any], values: dict[str, Any], names: str) -> Any:
    try:
        return kind(**values)
    except ConfigurationError as error:
        raise ConfigurationError(f"{names}: {error}") from None


def _read(
    given: Mapping[str, str], table: dict[str, tuple[str, Callable[[str], Any]]]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, (key, convert) in table.items():
        text = given.get(PREFIX + name)
        if text is not None:
            try:
                found[key] = convert(text if convert is str.split else text.strip())
            except ValueError as error:
                raise ConfigurationError(f"{PREFIX}{name}: {error}") from None
    return found
