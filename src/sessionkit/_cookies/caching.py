"""The caching headers of a response that sets a session's cookies, or depends on a session (RFC 9111, RFC 9213)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

__all__ = [
    "CDN_SUFFIX",
    "DECISIVE",
    "UNCHANGED",
    "HeaderChanges",
    "header_changes",
    "is_kept_private",
    "is_shared",
]


@dataclass(frozen=True, slots=True, init=False)
class HeaderChanges:
    """Changes to the headers of a response: first remove the fields of `remove`, then add those of `add`.

    Args:
        remove: names, as the response spells them.
        add: pairs of name and value.
    """

    remove: tuple[str, ...]
    add: tuple[tuple[str, str], ...]

    def __init__(self, remove: tuple[str, ...] = (), add: tuple[tuple[str, str], ...] = ()) -> None:
        _set_remove(self, remove)
        _set_add(self, add)

    def __repr__(self) -> str:
        return f"<HeaderChanges remove={self.remove!r} add={tuple(name for name, _ in self.add)!r}>"  # a cookie's value is a credential

    def applied(self, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return the headers with the changes made.

        Args:
            headers: pairs of name and value, spelled as when the changes were made.
        """
        if not self.remove:
            return [*headers, *self.add]
        return [(name, value) for name, value in headers if name not in self.remove] + list(
            self.add
        )


# As for `Stamp`: one is made for every response.
_set_remove, _set_add = (vars(HeaderChanges)[name].__set__ for name in HeaderChanges.__slots__)

UNCHANGED = HeaderChanges()
_UNTOUCHED = HeaderChanges(add=(("Vary", "Cookie"),))
_PRIVATE = HeaderChanges(add=(("Vary", "Cookie"), ("Cache-Control", "private")))

DECISIVE = frozenset(
    {"vary", "cache-control", "expires", "set-cookie", "surrogate-control", "x-accel-expires"}
)
"""The header fields of the response on which our changes depend. Fields that end in `CDN_SUFFIX` count too."""

CDN_SUFFIX = "-cache-control"


def is_shared(headers: Iterable[tuple[str, str]]) -> bool:
    """Return whether the application meant the response for shared caches. A renewal would make it impossible to cache."""
    for name, value in headers:
        lower = name.lower()
        if _is_cdn(lower) or (
            lower == "cache-control" and not _directives(value).isdisjoint(("public", "s-maxage"))
        ):
            return True
    return False


def is_kept_private(headers: Any) -> bool:
    """Return whether a response keeps shared caches from giving it to other visitors.

    Args:
        headers: pairs of name and value, text or bytes, or an object whose `items()` gives them.
    """
    pairs: Iterable[tuple[Any, Any]] = headers.items() if hasattr(headers, "items") else headers
    for name, value in pairs:
        field, text = (
            one.decode("latin-1") if isinstance(one, bytes) else str(one) for one in (name, value)
        )
        said = _directives(text)
        if field.lower() == "cache-control" and not said.isdisjoint(("private", "no-store")):
            return True
        if field.lower() == "vary" and not said.isdisjoint(("cookie", "*")):
            return True
    return False


def header_changes(
    headers: Sequence[tuple[str, str]], lines: Sequence[str], *, present: bool
) -> HeaderChanges:
    """Return the changes for a response whose handler read the session.

    Args:
        headers: the application's header fields.
        lines: the Set-Cookie lines to send.
        present: whether there was a session.
    """
    remove: list[str] = []
    vary: list[str] = []
    kept: dict[str, str] = {}
    besides: list[str] = []
    said = False
    for name, value in headers:
        lower = name.lower()
        if lower not in DECISIVE and not lower.endswith(CDN_SUFFIX):
            continue
        if lower == "vary":
            vary.append(value)
            remove.append(name)
        elif lower != "set-cookie":
            if lower == "cache-control" and _directives(value) == {"no-transform"}:
                besides.append(name)
            else:
                said = said or lower in ("cache-control", "expires")
            if lines:
                remove.append(name)
                _keep(kept, lower, value)
    if not (lines or vary or besides):
        return _UNTOUCHED if said or not present else _PRIVATE
    add: list[tuple[str, str]] = [
        *zip(repeat("Set-Cookie"), lines),
        ("Vary", _with_cookie(vary) if vary else "Cookie"),
    ]
    if lines:
        # No cache may store a response that sets cookies.
        add.append(("Cache-Control", "private, no-store" + kept.pop("no-transform", "")))
        add += zip(kept, map("no-store{}".format, kept.values()), strict=True)
    if present and not (said or lines):
        # `no-transform` says nothing about caching.
        remove += besides
        add.append(("Cache-Control", "private, no-transform" if besides else "private"))
    return HeaderChanges(tuple(remove), tuple(add))


def _is_cdn(lower: str) -> bool:
    """Return whether a field outranks Cache-Control at some cache."""
    return lower in ("surrogate-control", "x-accel-expires") or lower.endswith(CDN_SUFFIX)


def _keep(kept: dict[str, str], lower: str, value: str) -> None:
    """Keep the directives of a removed field that are not about caching.

    `no-transform` keeps proxies from compressing an event stream, and so from holding it back (RFC 9111 section
    5.2.2.6); without `content` a surrogate leaves ESI as it is (Edge Architecture Specification, section 2.3).
    """
    for part in _PART.findall(value):
        directive = part.partition("=")[0].strip().lower()
        if directive == "no-transform":
            kept["no-transform"] = ", no-transform"
        elif directive == "content" and lower == "surrogate-control":
            kept["Surrogate-Control"] = f"{kept.get('Surrogate-Control', '')}, {part.strip()}"


_PART = re.compile(r'(?:[^,"]|"[^"]*")+')  # a comma in quotes separates nothing


def _directives(value: str) -> set[str]:
    return {part.partition("=")[0].strip().lower() for part in _PART.findall(value)}


def _with_cookie(vary: Sequence[str]) -> str:
    fields: dict[str, str] = {}
    for value in (*vary, "Cookie"):
        for field in filter(None, map(str.strip, value.split(","))):
            fields.setdefault(field.lower(), field)
    return "*" if "*" in fields else ", ".join(fields.values())
