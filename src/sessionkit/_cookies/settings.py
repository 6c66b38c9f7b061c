"""The settings of the session cookie, and the Set-Cookie lines that they make."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from .._session.given_arguments import remember_arguments
from ..errors import ConfigurationError
from .header import HEADER

__all__ = ["LINE", "CookieSettings", "insert_label"]

LINE = 4096
"""Bytes of a whole Set-Cookie line. RFC 6265bis section 5.6 bounds name and value; Safari and some proxies count the line."""


_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 section 5.6.2


_PREFIXES = ("__Host-Http-", "__Host-", "__Http-", "__Secure-")


_TYPES: dict[str, type] = {
    "name": str, "path": str, "domain": str, "secure": bool, "http_only": bool, "partitioned": bool, "transient": bool, "max_bytes": int,
}  # fmt: skip


_VALUE = re.compile(r"[ -:<-~]*")  # an av-octet of RFC 6265: printable ASCII without the semicolon


@remember_arguments
@dataclass(frozen=True, slots=True, kw_only=True)
class CookieSettings:
    """Settings of the session cookies.

    Args:
        name: the name of the cookie. None means `__Host-session` if the settings allow it (secure, path `/`, no domain),
            else `session`. (A format of another library has that library's name instead.)
        path: the path under which the browser sends them.
        domain: None for this host only. Any domain lets sibling hosts plant cookies.
        secure: only over https. False is for development.
        http_only: out of reach of scripts (OWASP ASVS 5.0, 3.3.4).
        same_site: "Lax", "Strict", or "None" (which needs `secure`, and your own CSRF protection).
        partitioned: whether the browser keeps a separate cookie jar for each top-level site (CHIPS); needs `secure`.
        transient: whether the cookies have no Max-Age, so that the browser forgets them when it closes.
        priority: "Low", "Medium" or "High": Chromium evicts cookies of high priority last. None sets no priority. "auto" is the
            default of the format: "High", or no priority in the formats of libraries that set none.
        max_bytes: how many bytes the session's cookies may add to a Cookie header. Common servers refuse a header of more than
            8,190 bytes. The small cookies beside the session (`seen.`, `out.`, `before.`) do not count.

    Raises:
        ConfigurationError: a browser would refuse the combination; the message says which rule it breaks and how to correct it.
    """

    name: str | None = None
    path: str = "/"
    domain: str | None = None
    secure: bool = True
    http_only: bool = True
    same_site: Literal["Lax", "Strict", "None"] = "Lax"
    partitioned: bool = False
    transient: bool = False
    priority: Literal["auto", "Low", "Medium", "High"] | None = "auto"
    max_bytes: int = 7168
    attributes: str = field(init=False, repr=False, compare=False)
    """The end of a Set-Cookie line, from `; Path` on."""
    given: tuple[tuple[str, Any], ...] = field(init=False, repr=False, compare=False)
    """The arguments that were given; `SessionStore.from_env` takes all others from the variables."""

    def __post_init__(self) -> None:
        for check in (self._bad_type, self._bad_value, self._bad_name, self._bad_combination):
            problem = check()
            if problem:
                raise ConfigurationError(problem)
        object.__setattr__(self, "attributes", self._attributes(self.http_only, self.priority))

    @property
    def host_only(self) -> bool:
        """Return whether a `__Host-` name may be used."""
        return self.secure and self.path == "/" and self.domain is None

    def line(self, name: str, value: str, max_age: int | None) -> str:
        """Return a Set-Cookie line.

        Args:
            name: the name of the cookie.
            value: printable ASCII without a semicolon.
            max_age: seconds; left out if None, or if the cookies are transient.
        """
        age = "" if self.transient or max_age is None else f"; Max-Age={max_age}"
        return f"{name}={value}{age}{self.attributes}"

    def clearing(self, name: str) -> str:
        """Return the line that removes a cookie. It needs the path and domain of the line that set it (RFC 6265bis section 5.7).

        Args:
            name: the name of the cookie.
        """
        return f"{name}=; Max-Age=0{self.attributes}"

    def fence_line(self, name: str, value: str, max_age: int) -> str:
        """Return the line of a fence or barrier: always HttpOnly and of high priority, never transient.

        Args:
            name: the name of the cookie.
            value: the value of the cookie.
            max_age: seconds.
        """
        return (
            f"{name}={value}; Max-Age={max_age}{self._attributes(http_only=True, priority='High')}"
        )

    def _attributes(self, http_only: bool, priority: str | None) -> str:
        parts = [f"; Path={self.path}"]
        if self.domain is not None:
            parts.append(f"; Domain={self.domain}")
        if http_only:
            parts.append("; HttpOnly")
        if self.secure:
            parts.append("; Secure")
        parts.append(f"; SameSite={self.same_site}")
        if priority is not None:
            parts.append(f"; Priority={'High' if priority == 'auto' else priority}")
        if self.partitioned:
            parts.append("; Partitioned")
        return "".join(parts)

    def _bad_type(self) -> str | None:
        for key, kind in _TYPES.items():
            value: object = getattr(self, key)
            if type(value) is not kind and not (value is None and key in ("name", "domain")):
                return f"the cookie's {key} must be {kind.__name__}, not {type(value).__name__}"
        return None

    def _bad_value(self) -> str | None:
        if (
            not self.path.startswith("/")
            or not _VALUE.fullmatch(self.path)
            or len(self.path) > 1024
        ):
            return "the cookie's path must begin with / and be printable ASCII without a semicolon, 1024 characters at most"
        if self.domain is not None and not re.fullmatch(
            r"\.?[0-9A-Za-z]([0-9A-Za-z.\-]{0,252}[0-9A-Za-z])?", self.domain
        ):
            return "the cookie's domain must be a host name such as example.org, without scheme, port or path"
        if self.same_site not in ("Lax", "Strict", "None"):
            return 'same_site must be "Lax", "Strict" or "None" (the word)'
        if self.priority not in (None, "auto", "Low", "Medium", "High"):
            return 'priority must be "auto", "Low", "Medium", "High" or None'
        if not 512 <= self.max_bytes <= HEADER - LINE:
            return f"max_bytes must be between 512 and {HEADER - LINE}"
        return None

    def _bad_name(self) -> str | None:
        name = self.name
        if name is None:
            return None
        if not _TOKEN.fullmatch(name) or len(name) > 256:
            return f"the cookie name {name!r} is not a token (RFC 9110 section 5.6.2) of at most 256 characters"
        if re.search(r"(\.|__)[0-9]+\Z", name):
            return f"the cookie name {name!r} ends like a chunk of another: leave the number off"
        prefix, rest = _split_prefix(name)
        if rest.startswith(("out.", "seen.", "before.")) or not rest:
            return f"the cookie name {name!r} is one that sessionkit gives to the cookies beside a session's: choose another"
        if prefix and not self.secure:
            return f"a browser refuses a {prefix} name without Secure: set secure=True or drop the prefix"
        if prefix.startswith("__Host-") and not self.host_only:
            return f'a browser refuses a {prefix} name with a domain, or a path other than "/": drop them or the prefix'
        if prefix.endswith("Http-") and not self.http_only:
            return f"a browser refuses a {prefix} name without HttpOnly: set http_only=True or drop the prefix"
        return None

    def _bad_combination(self) -> str | None:
        if self.same_site == "None" and not self.secure:
            return "a browser refuses SameSite=None without Secure: set secure=True"
        if self.partitioned and not self.secure:
            return "a browser refuses Partitioned without Secure: set secure=True"
        return None


def _split_prefix(name: str) -> tuple[str, str]:
    """Return the prefix of a name in its standard spelling, and the rest; browsers ignore its case."""
    for prefix in _PREFIXES:
        if name[: len(prefix)].lower() == prefix.lower():
            return prefix, name[len(prefix) :]
    return "", name


def insert_label(name: str, label: str) -> str:
    """Return the name of a cookie beside the session: `__Host-session` and `out.` make `__Host-out.session`.

    The label is never a suffix: other libraries join every cookie that begins with the session's name.
    """
    prefix, rest = _split_prefix(name)
    return name[: len(prefix)] + label + rest
