"""Encrypted sessions for Tornado: `self.session` and the verbs of sessionkit over one session."""

from __future__ import annotations

from functools import wraps
from typing import Any

from tornado.web import RequestHandler

from sessionkit.adapters import ApiDecorator, PageDecorator, Refuse, api_guard, page_guard

from .session import SessionMixin, TornadoSession
from .verbs import (
    create_session,
    delete_session,
    get_exchange,
    get_session,
    rotate_session,
    touch_session,
    update_session,
)

__all__ = [
    "SessionMixin", "TornadoSession", "create_session", "delete_session", "get_exchange", "get_session", "require_session_api",
    "require_session_page", "rotate_session", "touch_session", "update_session",
]  # fmt: skip


def _guarded(refuse: Refuse, method: Any) -> Any:
    @wraps(method)
    def guarded(self: RequestHandler, *args: Any, **named: Any) -> Any:
        refused = refuse(self)
        if refused is None:
            return method(self, *args, **named)
        self.set_status(refused.status)
        for name, value in refused.headers:
            self.set_header(name, value)
        return self.finish(refused.body)  # pyright: ignore[reportUnknownMemberType]  # a bare `dict` in Tornado's annotation

    return guarded


require_session_api: ApiDecorator = api_guard(_guarded)
require_session_page: PageDecorator = page_guard(
    _guarded, login_url_of=lambda handler: handler.settings.get("login_url")
)
