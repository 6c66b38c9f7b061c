"""A browser's cookie jar: RFC 6265bis sections 5.6 to 5.8, for one browser and one top-level site."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

LONGEST_PAIR = 4096
LONGEST_ATTRIBUTE = 1024
LONGEST_LIFE = 400 * 86_400


@dataclass(slots=True)
class Stored:
    """A cookie in the jar; `expires` is None for one that the browser forgets when it closes."""

    name: str
    value: str
    domain: str
    host_only: bool
    path: str
    secure: bool
    http_only: bool
    created: int
    expires: float | None


class Jar:
    """Takes Set-Cookie lines, gives Cookie headers.

    Args:
        host: the host that the browser talks to, unless a call says another.
        clock: seconds since the epoch.
    """

    def __init__(self, host: str, clock: Callable[[], float]) -> None:
        self.host = host
        self._clock = clock
        self._cookies: dict[tuple[str, str, bool, str], Stored] = {}
        self._counter = 0

    def store(self, line: str, *, host: str | None = None, scheme: str = "https") -> bool:
        """Take a Set-Cookie line as a response of `host` would bring it; whether the browser accepts it."""
        pair, *attributes = line.split(";")
        name, equals, value = (part.strip(" \t") for part in pair.partition("="))
        if (
            not equals
            or not name
            or len(name) + len(value) > LONGEST_PAIR
            or re.search(r"[\x00-\x08\x0a-\x1f\x7f]", line)
        ):
            return False
        given: dict[str, str] = {}
        for attribute in attributes:
            key, _, content = (part.strip(" \t") for part in attribute.partition("="))
            if len(content) <= LONGEST_ATTRIBUTE:
                given[key.lower()] = content
        host = host or self.host
        domain = given.get("domain", "").lower().removeprefix(".")
        if domain and ("." not in domain or not _domain_matches(host, domain)):
            return False
        path = given.get("path", "")
        cookie = Stored(
            name=name,
            value=value,
            domain=domain or host,
            host_only=not domain,
            path=path if path.startswith("/") else "/",
            secure="secure" in given,
            http_only="httponly" in given,
            created=self._counter,
            expires=self._expires(given.get("max-age")),
        )
        if not _may_be_set(
            cookie,
            scheme,
            path,
            given.get("samesite", "").lower(),
            partitioned="partitioned" in given,
        ):
            return False
        self._counter += 1
        self._keep(cookie)
        return True

    def _keep(self, cookie: Stored) -> None:
        key = (cookie.name, cookie.domain, cookie.host_only, cookie.path)
        before = self._cookies.pop(key, None)
        if before is not None:
            cookie.created = (
                before.created
            )  # section 5.7, step 23: a cookie that is replaced keeps its place
        if cookie.expires is None or cookie.expires > self._clock():
            self._cookies[key] = cookie

    def _expires(self, max_age: str | None) -> float | None:
        if max_age is None or not re.fullmatch(r"-?[0-9]+", max_age):
            return None
        return (
            self._clock() + min(int(max_age), LONGEST_LIFE) if int(max_age) > 0 else float("-inf")
        )

    def cookies(
        self, *, host: str | None = None, path: str = "/", scheme: str = "https"
    ) -> list[Stored]:
        """The cookies of a request, in the order in which they are sent: longer paths first, then older ones."""
        host = host or self.host
        for key in [
            key
            for key, one in self._cookies.items()
            if one.expires is not None and one.expires <= self._clock()
        ]:
            del self._cookies[key]
        sent = [
            one
            for one in self._cookies.values()
            if (host == one.domain if one.host_only else _domain_matches(host, one.domain))
            and _path_matches(path, one.path)
            and (scheme == "https" or not one.secure)
        ]
        return sorted(sent, key=lambda one: (-len(one.path), one.created))

    def header(self, *, host: str | None = None, path: str = "/", scheme: str = "https") -> str:
        """The Cookie header of a request."""
        return "; ".join(
            f"{one.name}={one.value}" for one in self.cookies(host=host, path=path, scheme=scheme)
        )

    def close(self) -> None:
        """The browser closes and forgets what has no expiry."""
        self._cookies = {key: one for key, one in self._cookies.items() if one.expires is not None}


def _may_be_set(
    cookie: Stored, scheme: str, path: str, same_site: str, *, partitioned: bool
) -> bool:
    lower = cookie.name.lower()  # section 5.7: prefixes are compared without case
    secure, host = cookie.secure, cookie.host_only and path == "/"
    if scheme != "https" and secure:
        return False
    if not secure and (partitioned or same_site == "none"):
        return False
    if lower.startswith("__host-http-"):
        return secure and host and cookie.http_only
    if lower.startswith("__host-"):
        return secure and host
    if lower.startswith("__http-"):
        return secure and cookie.http_only
    return secure or not lower.startswith("__secure-")


def _domain_matches(host: str, domain: str) -> bool:
    return host == domain or host.endswith("." + domain)


def _path_matches(path: str, cookie_path: str) -> bool:
    return path == cookie_path or (
        path.startswith(cookie_path)
        and (cookie_path.endswith("/") or path[len(cookie_path)] == "/")
    )
