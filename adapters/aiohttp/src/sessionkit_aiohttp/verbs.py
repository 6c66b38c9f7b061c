"""The verbs of sessionkit for aiohttp: synchronous, with nothing, with the request, or with request and response.

`get_session` is the verb here, which gives a signed-in user's session or None; that of `sessionkit_aiohttp`, which
is awaited, returns the session object of any visitor.
"""

from __future__ import annotations

from aiohttp import web

from sessionkit.adapters import TypedVerbs

from . import requests as requests  # teaches the verbs the type

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

_verbs = TypedVerbs[web.BaseRequest, web.StreamResponse]()

get_exchange = _verbs.get_exchange
get_session = _verbs.get_session
update_session = _verbs.update_session
touch_session = _verbs.touch_session
create_session = _verbs.create_session
rotate_session = _verbs.rotate_session
delete_session = _verbs.delete_session
session_of = _verbs.session_of
save_session = _verbs.save_session
