"""Encrypted sessions for Django: `request.session` and the verbs of sessionkit over one session."""

from .config import project_store
from .connections import asgi
from .guards import require_session_api, require_session_page
from .middleware import SessionMiddleware

__all__ = [
    "SessionMiddleware",
    "asgi",
    "project_store",
    "require_session_api",
    "require_session_page",
]
