"""The verbs of sessionkit for Tornado. Call them without arguments, or with the handler or its request; the handler can be the response."""

from __future__ import annotations

from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

from sessionkit.adapters import TypedVerbs

from . import requests as requests  # registers both types with the verbs

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

_verbs = TypedVerbs[HTTPServerRequest | RequestHandler, RequestHandler]()

get_exchange = _verbs.get_exchange
get_session = _verbs.get_session
update_session = _verbs.update_session
touch_session = _verbs.touch_session
create_session = _verbs.create_session
rotate_session = _verbs.rotate_session
delete_session = _verbs.delete_session
session_of = _verbs.session_of
save_session = _verbs.save_session
