"""The Cookie header: parse it, search it, build it."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["HEADER", "header_of", "only", "pairs"]

HEADER = 65_536
"""The most bytes of a Cookie header that is parsed."""


def pairs(header: str, containing: str) -> list[tuple[str, str]]:
    """Return the cookies of a raw Cookie header, decoded as latin-1, in order and with doubles.

    The header is split at every semicolon (quotes have no meaning). Only spaces and tabs are stripped. The first `=`
    separates name and value. Names are not changed: a name that has no prefix for a browser must have none here (RFC 6265bis
    section 4.1.3).

    Args:
        header: the value of the header.
        containing: a text that a piece must contain to be parsed.
    """
    found: list[tuple[str, str]] = []
    for piece in header.split(";"):
        if containing in piece:
            name, equals, value = piece.partition("=")
            name = name.strip(" \t")
            if equals and name:
                found.append((name, value.strip(" \t")))
    return found


def header_of(cookies: Mapping[str, str]) -> str:
    """Return the Cookie header that a browser with these cookies sends.

    A cookie with a semicolon is left out, since no browser sends it: the semicolon would begin another cookie. (A framework may
    have decoded it from a quoted value.)

    Args:
        cookies: names and values.
    """
    return "; ".join(
        f"{name}={value}"
        for name, value in cookies.items()
        if ";" not in name + value and "=" not in name
    )


def only(header: str, name: str, containing: str) -> str | None:
    """Return the value of a cookie if no other piece of the header contains `containing`, else None.

    In the most frequent request there is one cookie. `pairs` would give the same value in twice the time.
    """
    at = header.find(containing)
    if at < 0 or header.find(containing, at + 1) >= 0:
        return None
    end = header.find(";", at)
    piece = header[header.rfind(";", 0, at) + 1 : end if end >= 0 else len(header)]
    found, equals, value = piece.partition("=")
    return value.strip(" \t") if equals and found.strip(" \t") == name else None
