"""The guards: dependencies that FastAPI knows as security schemes."""

from __future__ import annotations

from typing import Any

from fastapi.requests import HTTPConnection
from fastapi.security import APIKeyCookie

from sessionkit import Session, SessionStore, get_session
from sessionkit.adapters import ASGIRequest, Refusal, api_refusal, page_refusal

from .exceptions import make_exception

__all__ = [
    "SessionCookie",
    "SessionPage",
    "optional_session",
    "require_session_api",
    "require_session_page",
]


class SessionCookie(APIKeyCookie):
    """A dependency that gives the session of a signed-in user, and shows in the OpenAPI page as a security scheme.

    Everybody else gets 401 and a JSON body; a websocket is not accepted. To be overridden in tests by
    `app.dependency_overrides`.

    Args:
        store: the store, where an application has several.
        scheme_name: its name in the OpenAPI page.
        description: what stands there.
        auto_error: False gives None to everybody else.
    """

    def __init__(
        self,
        store: SessionStore | None = None,
        *,
        scheme_name: str = "session",
        description: str = "The cookie of the session. Long ones are split over several of that name: .0, .1, …",
        auto_error: bool = True,
    ) -> None:
        name = "__Host-session" if store is None else store.settings.name
        super().__init__(
            name=name, scheme_name=scheme_name, description=description, auto_error=auto_error
        )
        self.get_session = get_session if store is None else store.get_session

    async def __call__(self, request: HTTPConnection) -> Session | None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]  # the session, never the key: that is a credential
        """Return the session, which is read from the raw Cookie header and not from FastAPI's parsed cookies."""
        session = self.get_session(request)
        if session is None and self.auto_error:
            raise self.refused(request)
        return session

    def refused(self, request: HTTPConnection) -> Exception:
        """Return the exception for a visitor who is not signed in."""
        return make_exception(self.refusal(request), request)

    def refusal(self, request: HTTPConnection) -> Refusal:
        """Return the refusal for a visitor who is not signed in."""
        return api_refusal()


class SessionPage(SessionCookie):
    """The same for pages: everybody else is sent to the login page, with a `returnTo` that cannot leave the site.

    Args:
        login_url: the application's login page. A visitor is never returned to it, nor to the logout page.
        logout_url: the application's logout page.
        default: the path to return to in their place.
        **named: as for `SessionCookie`.
    """

    def __init__(
        self,
        *,
        login_url: str = "/auth/login",
        logout_url: str = "/auth/logout",
        default: str = "/",
        **named: Any,
    ) -> None:
        super().__init__(**named)
        self.urls = {"login_url": login_url, "logout_url": logout_url, "default": default}

    def refusal(self, request: HTTPConnection) -> Refusal:
        """Return the redirect to the login page."""
        return page_refusal(ASGIRequest(request.scope), **self.urls)


require_session_api = SessionCookie()
"""`Depends(require_session_api)`: the session of a signed-in user; everybody else gets 401."""

require_session_page = SessionPage()
"""`Depends(require_session_page)`: the same; everybody else is sent to `/auth/login` (`SessionPage(login_url=…)` for another)."""

optional_session = SessionCookie(auto_error=False)
"""`Depends(optional_session)`: the session of a signed-in user, or None."""
