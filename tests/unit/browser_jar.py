"""A model of a browser's cookie jar (RFC 6265bis section 5), as far as sessions need one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass
class Stored:
    value: str
    path: str
    expires: float | None
    order: int


class BrowserJar:
    """Takes Set-Cookie lines in the order in which they arrive, and says what the browser sends."""

    def __init__(self, clock: Callable[[], float], host: str = "app.example.org") -> None:
        self.clock = clock
        self.host = host
        self.cookies: dict[tuple[str, str, str], Stored] = {}
        self._count = 0

    def receive(
        self, lines: Iterable[str], *, host: str | None = None, secure_origin: bool = True
    ) -> None:
        for line in lines:
            self._store(line, host or self.host, secure_origin=secure_origin)

    def _store(self, line: str, host: str, *, secure_origin: bool) -> None:
        pair, *rest = line.split(";")
        name, _, value = pair.partition("=")
        name, value = name.strip(" \t"), value.strip(" \t")
        attributes = {
            key.strip().lower(): text.strip()
            for key, _, text in (one.partition("=") for one in rest)
        }
        if len(name) + len(value) > 4096 or not name:
            return
        domain = attributes.get("domain", "").lstrip(".")
        if domain and not (host == domain or host.endswith("." + domain)):
            return
        path = attributes.get("path", "/")
        if "secure" in attributes and not secure_origin:
            return
        if name.lower().startswith("__secure-") and "secure" not in attributes:
            return
        if name.lower().startswith("__host-") and (
            "secure" not in attributes or domain or path != "/"
        ):
            return
        if attributes.get("samesite") == "None" and "secure" not in attributes:
            return
        expires = None if "max-age" not in attributes else self.clock() + int(attributes["max-age"])
        key = (name, domain or "=" + host, path)
        self._count += 1
        if expires is not None and expires <= self.clock():
            self.cookies.pop(key, None)
        else:
            earlier = self.cookies.get(key)
            self.cookies[key] = Stored(
                value, path, expires, earlier.order if earlier else self._count
            )

    def header(self) -> str:
        """The Cookie header for a request to the host's root: longer paths first, then the older cookie."""
        now = self.clock()
        sent = [
            (stored, name)
            for (name, domain, _), stored in self.cookies.items()
            if (stored.expires is None or stored.expires > now)
            and (
                domain == "=" + self.host
                or (
                    not domain.startswith("=")
                    and (self.host == domain or self.host.endswith("." + domain))
                )
            )
        ]
        sent.sort(key=lambda one: (-len(one[0].path), one[0].order))
        return "; ".join(f"{name}={stored.value}" for stored, name in sent)

    def names(self) -> list[str]:
        return sorted(piece.partition("=")[0] for piece in self.header().split("; ") if piece)

    def value(self, name: str) -> str:
        return next(
            piece.partition("=")[2]
            for piece in self.header().split("; ")
            if piece.partition("=")[0] == name
        )

    def close_browser(self) -> None:
        self.cookies = {
            key: stored for key, stored in self.cookies.items() if stored.expires is not None
        }
