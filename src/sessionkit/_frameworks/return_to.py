"""The `returnTo` of a login: a path that cannot leave the site."""

from __future__ import annotations

import re

__all__ = ["safe_return_to"]

LONGEST = 2048
_ALLOWED = re.compile(r"/(?![/\\])[!-\[\]-~]*")  # printable ASCII, no space, no backslash
_HIDDEN = re.compile(r"%(2e|2f|5c|7f|[01][0-9a-f])", re.IGNORECASE)
_BREAK = re.compile(r"%0[ad]", re.IGNORECASE)


def safe_return_to(value: object, default: str = "/") -> str:
    """Return a `returnTo` as it is if it cannot leave the site, else `default`.

    Call this when you use the value, just before you write `Location`, even if the value was checked when it was made.

    Args:
        value: the value from the request. For anything but a safe path, the default is returned.
        default: the path to return otherwise.

    Returns:
        A path with query and fragment, at most 2,048 printable ASCII characters, whose path has no `//`, no dot
        segment, and no encoded dot, slash, backslash or control character (OWASP ASVS 5.0, 3.7.2).
    """
    if (
        not isinstance(value, str)
        or len(value) > LONGEST
        or not _ALLOWED.fullmatch(value)
        or _BREAK.search(value)
    ):
        return default
    path = re.split("[?#]", value, maxsplit=1)[0]
    if "//" in path or _HIDDEN.search(path) or not {".", ".."}.isdisjoint(path.split("/")):
        return default
    return value
