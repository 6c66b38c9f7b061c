"""Who is asked, and by what page: what the tests of several requests and stores have in common."""

from __future__ import annotations

from typing import Any

from sessionkit import SessionStore
from sessionkit.testing import session_cookies


def header(store: SessionStore, session: dict[str, Any]) -> str:
    return "; ".join(f"{name}={value}" for name, value in session_cookies(store, session).items())


def who(session: Any) -> Any:
    return session and session["user"]["sub"]


def wsgi_page(view: Any) -> Any:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        view(environ)
        start_response("200 OK", [])
        return []

    return app


def serve(app: Any, environ: dict[str, Any]) -> list[tuple[str, str]]:
    headers: list[tuple[str, str]] = []
    list(app(environ, lambda status, fields, *_: headers.extend(fields)))
    return headers
