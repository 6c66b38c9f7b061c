"""The verbs of sessionkit for Sanic. Call them without arguments, with the request, or with request and response."""

from __future__ import annotations

from typing import Any

from sanic import Request

from sessionkit.adapters import TypedVerbs

from .responses import Response

__all__ = [
    "create_session",
    "delete_session",
    "get_exchange",
    "get_session",
    "rotate_session",
    "save_session",
    "session_of",
    "touch_session",
    "update_session",
]

_verbs = TypedVerbs[Request[Any, Any], Response]()

get_exchange = _verbs.get_exchange
get_session = _verbs.get_session
update_session = _verbs.update_session
touch_session = _verbs.touch_session
create_session = _verbs.create_session
rotate_session = _verbs.rotate_session
delete_session = _verbs.delete_session
session_of = _verbs.session_of
save_session = _verbs.save_session
