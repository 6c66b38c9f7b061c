"""What an API and a page answer to a visitor who is not signed in: a status, headers and a body, for adapters to carry."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote

from .request import RequestInfo
from .return_to import safe_return_to

__all__ = ["Refusal", "api_refusal", "page_refusal", "return_to_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A response for a visitor who is not signed in.

    Args:
        status: the HTTP status.
        headers: pairs of name and value.
        body: what follows them.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    @property
    def location(self) -> str | None:
        """Where it sends the visitor, if anywhere."""
        return dict(self.headers).get("Location")


def api_refusal() -> Refusal:
    """401 with a JSON body (RFC 9110 section 15.5.2), not to be cached."""
    body = json.dumps({"error": "not_authenticated", "error_description": "The user does not have an active session"}).encode()
    return Refusal(status=401, headers=(("Content-Type", "application/json"), ("Cache-Control", "no-store")), body=body)


def page_refusal(request: RequestInfo, login_url: str = "/auth/login", *, logout_url: str = "/auth/logout", default: str = "/") -> Refusal:
    """A redirect to the login page, with a `returnTo` that cannot leave the site.

    Args:
        request: what was asked for.
        login_url: the application's own; `returnTo` is added to its query.
        logout_url: the application's own; neither of the two is returned to.
        default: where to return to instead.

    Returns:
        302 for a GET or HEAD; 303 for others, which return to `default`. Not to be cached.
    """
    back = return_to_of(request, exclude=(login_url, logout_url), default=default)
    location = f"{login_url}{'&' if '?' in login_url else '?'}returnTo={quote(back, safe='/')}"
    status = 302 if request.method in ("GET", "HEAD") else 303
    return Refusal(status=status, headers=(("Location", location), ("Cache-Control", "no-store")))


def return_to_of(request: RequestInfo, *, exclude: tuple[str, ...] = (), default: str = "/") -> str:
    """Path and query of a GET or HEAD, if they are safe to return to; never anything of Host or a forwarded header.

    Args:
        request: what was asked for.
        exclude: URLs whose paths are not returned to.
        default: what to give instead.

    Returns:
        What `safe_return_to` lets pass.
    """
    if request.method not in ("GET", "HEAD"):
        return default
    path = quote(request.path, safe="/!$&'()*+,;=:@-._~", errors="replace")
    if path in {url.partition("?")[0] for url in exclude}:
        return default
    return safe_return_to(f"{path}?{request.query}" if request.query else path, default)
