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
    """A dependency that returns the session of a signed-in user. The OpenAPI page shows it as a security scheme.

    Everybody else gets a 401 with a JSON body; a websocket is not accepted. In tests, override it with
    `app.dependency_overrides`.

    Args:
        store: the store, if the application has several.
        scheme_name: the name in the OpenAPI page.
        description: the description in the OpenAPI page.
        auto_error: whether to refuse everybody else. With False, the result for them is None.
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
    """A dependency for pages. Everybody who is not signed in is sent to the login page, with a `returnTo` that cannot leave the site.

    Args:
        login_url: the application's login page. Neither this page nor the logout page becomes `returnTo`.
        logout_url: the application's logout page.
        default: the path to return to instead of these two.
        **named: the arguments of `SessionCookie`.
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
"""`Depends(require_session_page)`: the session of a signed-in user; everybody else is sent to `/auth/login`.

`SessionPage(login_url=…)` sends them to another page.
"""

optional_session = SessionCookie(auto_error=False)
"""`Depends(optional_session)`: the session of a signed-in user, or None."""
