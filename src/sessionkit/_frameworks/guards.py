"""The responses of an API and of a page to a visitor who is not signed in, and the functions that make the adapters' guards."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar, overload
from urllib.parse import quote, unquote

from typing_extensions import ParamSpec

from .._default import get_session
from .._exchange.request import RequestInfo
from .._requests.recognition import as_request
from .return_to import safe_return_to

__all__ = [
    "ApiDecorator", "PageDecorator", "PageHook", "Refusal", "Refuse", "api_guard", "api_refusal", "page_guard", "page_refusal",
    "return_to_of",
]  # fmt: skip

Handler = TypeVar("Handler", bound=Callable[..., Any])
P = ParamSpec("P")
Result = TypeVar("Result", covariant=True)  # noqa: PLC0105  # as the other names here


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A response for a visitor who is not signed in.

    Args:
        status: the HTTP status.
        headers: pairs of name and value.
        body: the body of the response.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    @property
    def location(self) -> str | None:
        """The URL to which the response redirects the visitor, or None."""
        return dict(self.headers).get("Location")


def api_refusal() -> Refusal:
    """Return a 401 with a JSON body (RFC 9110 section 15.5.2) that no cache may store."""
    body = json.dumps(
        {
            "error": "not_authenticated",
            "error_description": "The user does not have an active session",
        }
    ).encode()
    return Refusal(
        status=401,
        headers=(("Content-Type", "application/json"), ("Cache-Control", "no-store")),
        body=body,
    )


def page_refusal(
    request: RequestInfo,
    login_url: str = "/auth/login",
    *,
    logout_url: str = "/auth/logout",
    default: str = "/",
) -> Refusal:
    """Return a redirect to the login page, with a `returnTo` that cannot leave the site.

    Args:
        request: the view of the request.
        login_url: the application's login page; `returnTo` is added to its query.
        logout_url: the application's logout; neither of the two URLs becomes `returnTo`.
        default: the path to return to otherwise.

    Returns:
        A redirect that no cache may store: 302 for a GET or HEAD; 303 for other methods, which return to `default`.
    """
    # A framework may make a URL when it is first needed (Django's `reverse_lazy`).
    login_url, logout_url, default = str(login_url), str(logout_url), str(default)
    back = return_to_of(request, exclude=(login_url, logout_url), default=default)
    location = f"{login_url}{'&' if '?' in login_url else '?'}returnTo={quote(back, safe='/')}"
    status = 302 if request.method in ("GET", "HEAD") else 303
    fields = (
        ("Location", location),
        ("Content-Type", "text/plain"),  # wsgiref.validate wants one
        ("Cache-Control", "no-store"),
    )
    return Refusal(status=status, headers=fields)


def return_to_of(request: RequestInfo, *, exclude: tuple[str, ...] = (), default: str = "/") -> str:
    """Return the path and query of a GET or HEAD if they are safe to return to; never a part of Host or a forwarded header.

    Args:
        request: the view of the request.
        exclude: URLs whose paths are not returned to, percent-encoded or not.
        default: the result for every other request.
    """
    if request.method not in ("GET", "HEAD"):
        return default
    if request.path in {unquote(url.partition("?")[0]) for url in exclude}:
        return default
    path = quote(request.path, safe="/!$&'()*+,;=:@-._~", errors="replace")
    return safe_return_to(f"{path}?{request.query}" if request.query else path, default)


# ---- for adapters


class Refuse(Protocol):
    """Return the refusal for a request, or None if the user is signed in."""

    def __call__(self, request: Any, /) -> Refusal | None:
        """Return the refusal for a request; the request is given as the verbs take it."""
        ...


class ApiDecorator(Protocol):
    """The type of a `require_session_api` that decorates a handler."""

    def __call__(self, handler: Handler, /) -> Handler:
        """Return the handler, for signed-in users only."""
        ...


class PageDecorator(Protocol):
    """The type of a `require_session_page` that decorates a handler, bare or called."""

    @overload
    def __call__(self, handler: Handler, /) -> Handler: ...
    @overload
    def __call__(
        self, *, login_url: str = ..., logout_url: str = ..., default: str = ...
    ) -> Callable[[Handler], Handler]: ...


class PageHook(Protocol[P, Result]):
    """The type of a `require_session_page` that the framework calls with a request and more. It can be called with URLs before."""

    @overload
    def __call__(self, *args: P.args, **named: P.kwargs) -> Result: ...
    @overload
    def __call__(
        self, *, login_url: str = ..., logout_url: str = ..., default: str = ...
    ) -> Callable[P, Result]: ...


def api_guard(guarded: Callable[..., Any]) -> Any:
    """Make an adapter's `require_session_api`.

    Args:
        guarded: the adapter's own part. Its first argument is a `Refuse`; the others are those of the decorator or hook: the
            handler, or a request and the other arguments that the framework passes. It calls the `Refuse` with the request,
            and responds with the `Refusal`.

    Returns:
        A decorator, or a hook. The adapter gives it its type (`ApiDecorator`, …).
    """

    def refuse(request: Any) -> Refusal | None:
        return None if get_session(request) is not None else api_refusal()

    def require_session_api(*guarding: Any) -> Any:
        """Admit signed-in users; everybody else gets 401 and a JSON body.

        Raises:
            TypeError: it was called, but it has nothing to be called with.
        """
        if not guarding:
            raise TypeError("require_session_api() has no arguments: write it without parentheses")
        return guarded(refuse, *guarding)

    return require_session_api


def page_guard(
    guarded: Callable[..., Any], *, login_url_of: Callable[[Any], str | None] | None = None
) -> Any:
    """Make an adapter's `require_session_page`.

    Args:
        guarded: as for `api_guard`.
        login_url_of: returns the login URL of the framework's own settings for a request, or None.

    Returns:
        A decorator, or a hook, that can be used bare or called with URLs.
    """

    def require_session_page(
        *guarding: Any,
        login_url: str | None = None,
        logout_url: str = "/auth/logout",
        default: str = "/",
    ) -> Any:
        """Admit signed-in users; redirect everybody else to the login page, with a `returnTo` that cannot leave the site.

        Use it bare, or call it with URLs.

        Args:
            *guarding: the handler, if it is used bare.
            login_url: the login page; by default that of the framework's settings, else `/auth/login`.
            logout_url: the logout; neither this nor `login_url` becomes `returnTo`.
            default: the path to return to otherwise.

        Raises:
            TypeError: a URL was given without its name.
        """
        if guarding and isinstance(guarding[0], str):
            raise TypeError(
                f"require_session_page({guarding[0]!r}): the URLs are given by name, as login_url=, logout_url= or default="
            )

        def refuse(request: Any) -> Refusal | None:
            if get_session(request) is not None:
                return None
            info = as_request(request)
            assert info is not None  # noqa: S101  # get_session knows no request that `as_request` does not know
            login = login_url or (login_url_of and login_url_of(request)) or "/auth/login"
            return page_refusal(info, login, logout_url=logout_url, default=default)

        return guarded(refuse, *guarding) if guarding else partial(guarded, refuse)

    return require_session_page
