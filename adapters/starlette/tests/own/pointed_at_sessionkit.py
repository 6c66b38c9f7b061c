"""A pytest plugin: every application that Starlette's own tests make with its session middleware is served by sessionkit."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import starlette.middleware.sessions

from sessionkit_starlette import SessionMiddleware


def middleware_of_a_test(app: Any, *, secret_key: str, **arguments: Any) -> SessionMiddleware:
    """The middleware with a test's arguments; its keys are too short for us (`example`), so they are stretched."""
    return SessionMiddleware(app, secret_key=sha256(secret_key.encode()).hexdigest(), **arguments)


def pytest_configure() -> None:
    """Point every application to come at the adapter."""
    starlette.middleware.sessions.SessionMiddleware = middleware_of_a_test  # type: ignore[misc,assignment]
