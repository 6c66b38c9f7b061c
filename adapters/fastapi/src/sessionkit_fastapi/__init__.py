"""Encrypted sessions for FastAPI: dependencies, typed sessions and `request.session` over one session."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from sessionkit import Session
from sessionkit.adapters import ScopeSession
from sessionkit.adapters import ScopeSessionMiddleware as SessionMiddleware

from .exceptions import NotSignedIn
from .security import (
    SessionCookie,
    SessionPage,
    optional_session,
    require_session_api,
    require_session_page,
)
from .typed_sessions import session_of

__all__ = [
    "CurrentSession", "NotSignedIn", "OptionalSession", "ScopeSession", "SessionCookie", "SessionMiddleware", "SessionPage",
    "optional_session", "require_session_api", "require_session_page", "session_of",
]  # fmt: skip

CurrentSession = Annotated[Session, Depends(require_session_api)]
OptionalSession = Annotated[Session | None, Depends(optional_session)]
