"""The cookie's settings; the Cookie header; the Set-Cookie line."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["HEADER", "header_of", "only", "pairs"]

HEADER = 65_536
"""Bytes of a Cookie header beyond which it is not parsed."""


def pairs(header: str, containing: str) -> list[tuple[str, str]]:
    """The cookies of a raw Cookie header, decoded as latin-1, in order and doubles included.

    Split at every semicolon (quotes mean nothing), stripped of space and tab only, name and value at the
    first `=`, compared byte for byte and used as they are: what a browser would not take for a prefixed name
    must not become one here (RFC 6265bis section 4.1.3).

    Args:
        header: the header's value.
        containing: what a piece must contain to be looked at.
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

    What no browser sends is left out: a semicolon, which a framework may have decoded from a quoted value, would
    begin another cookie.

    Args:
        cookies: names and values.
    """
    return "; ".join(
        f"{name}={value}"
        for name, value in cookies.items()
        if ";" not in name + value and "=" not in name
    )


def only(header: str, name: str, containing: str) -> str | None:
    """The value of a cookie that is the one piece of the header that mentions `containing`; else None.

    What `pairs` would give, for the commonest request and at half the price.
    """
    at = header.find(containing)
    if at < 0 or header.find(containing, at + 1) >= 0:
        return None
    end = header.find(";", at)
    piece = header[header.rfind(";", 0, at) + 1 : end if end >= 0 else len(header)]
    found, equals, value = piece.partition("=")
    return value.strip(" \t") if equals and found.strip(" \t") == name else None
