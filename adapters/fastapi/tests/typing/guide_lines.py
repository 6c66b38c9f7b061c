"""Lines of the guide that must type-check under mypy and pyright. Checked, never run."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.middleware import Middleware

from sessionkit import Lifetime, SessionStore
from sessionkit_fastapi import SessionMiddleware


def middleware(store: SessionStore) -> None:
    app = FastAPI()
    app.add_middleware(SessionMiddleware, store=store)
    app.add_middleware(
        SessionMiddleware, store=store, exclude="/static/*", origins=["https://example.org"]
    )
    app.add_middleware(SessionMiddleware, secret_key="k" * 32, max_age=3600, https_only=True)
    app.add_middleware(SessionMiddleware, secret_key="k" * 32, lifetime=Lifetime(idle=60))
    FastAPI(middleware=[Middleware(SessionMiddleware, store=store)])
    SessionMiddleware(app, store)
    app.add_middleware(SessionMiddleware, secret_ky="k" * 32)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
