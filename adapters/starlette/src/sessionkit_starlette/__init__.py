"""Encrypted sessions for Starlette: `request.session` and the verbs of sessionkit over one session."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response
from starlette.websockets import WebSocket

from sessionkit.adapters import Refusal, ScopeSession, make_guards
from sessionkit.adapters import ScopeSessionMiddleware as SessionMiddleware

__all__ = ["ScopeSession", "SessionMiddleware", "require_session_api", "require_session_page"]


def _respond(refusal: Refusal, *args: Any, **named: Any) -> Any:
    for one in (*args, *named.values()):
        if isinstance(one, WebSocket):
            # "Violates its policy" (RFC 6455 section 7.4.1). Before it is accepted, the client gets a 403.
            return one.close(1008)
    return Response(refusal.body, refusal.status, dict(refusal.headers))


require_session_api, require_session_page = make_guards(_respond)
