"""Encrypted sessions for Tornado: `self.session` and the verbs of sessionkit over one session."""

from __future__ import annotations

from typing import Any

from tornado.web import RequestHandler

from sessionkit.adapters import Refusal, make_guards

from .session import SessionMixin, TornadoSession
from .verbs import (
    create_session,
    delete_session,
    get_exchange,
    get_session,
    rotate_session,
    save_session,
    session_of,
    touch_session,
    update_session,
)

__all__ = [
    "SessionMixin", "TornadoSession", "create_session", "delete_session", "get_exchange", "get_session", "require_session_api",
    "require_session_page", "rotate_session", "save_session", "session_of", "touch_session", "update_session",
]  # fmt: skip


def _respond(refusal: Refusal, handler: RequestHandler, *_: Any, **__: Any) -> Any:
    handler.set_status(refusal.status)
    for name, value in refusal.headers:
        handler.set_header(name, value)
    return handler.finish(refusal.body)  # pyright: ignore[reportUnknownMemberType]  # a bare `dict` in Tornado's annotation


require_session_api, require_session_page = make_guards(
    _respond, login_url_of=lambda handler: handler.settings.get("login_url")
)
