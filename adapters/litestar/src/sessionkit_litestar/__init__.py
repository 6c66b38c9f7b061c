"""Encrypted sessions for Litestar: `request.session` and the verbs of sessionkit over one session."""

from __future__ import annotations

from .backend import LitestarSession, SessionKitBackend
from .config import SessionKitConfig, SessionMiddleware
from .guards import NotSignedIn, require_session_api, require_session_page

__all__ = [
    "LitestarSession", "NotSignedIn", "SessionKitBackend", "SessionKitConfig", "SessionMiddleware", "require_session_api",
    "require_session_page",
]  # fmt: skip
