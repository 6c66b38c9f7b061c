"""A browser's cookie jar for one host and the path `/`, as far as sessions need one (RFC 6265bis section 5.7)."""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import parsedate_to_datetime

LARGEST = 4096  # of name and value: what Chromium stores; it refuses a byte more


class Jar:
    """Cookies by name, with their expiry; `now` is the browser's clock."""

    def __init__(self, now: int) -> None:
        self.now = now
        self._cookies: dict[str, tuple[str, float | None]] = {}

    def take(self, lines: Iterable[str]) -> None:
        """Store what Set-Cookie lines say, in their order."""
        for line in lines:
            pair, *attributes = line.split(";")
            name, _, value = pair.partition("=")
            assert len(name.strip()) + len(value.strip()) <= LARGEST, (
                f"a browser refuses {len(name) + len(value)} bytes of {name}"
            )
            expires = expiry(attributes, self.now)
            if expires is not None and expires <= self.now:
                self._cookies.pop(name.strip(), None)
            else:
                self._cookies[name.strip()] = (value.strip(), expires)

    @property
    def header(self) -> str:
        """The Cookie header of the next request."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    @property
    def cookies(self) -> dict[str, str]:
        """What has not expired."""
        return {
            name: value
            for name, (value, expires) in self._cookies.items()
            if expires is None or expires > self.now
        }


def expiry(attributes: Iterable[str], now: int) -> float | None:
    """When a cookie set now with these attributes ends; None for the end of the browser's session."""
    said = {
        name.strip().lower(): value.strip()
        for name, _, value in (one.partition("=") for one in attributes)
    }
    if "max-age" in said:  # it goes before Expires (RFC 6265bis section 5.7)
        return now + int(said["max-age"])
    return parsedate_to_datetime(said["expires"]).timestamp() if "expires" in said else None
