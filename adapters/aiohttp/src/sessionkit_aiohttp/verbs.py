"""The verbs of sessionkit for aiohttp. They are synchronous. Call them without arguments, with the request, or with request and response.

The `get_session` of this module is the verb: it returns the session of a signed-in user, or None. The async `get_session` of
`sessionkit_aiohttp` returns the session object of any visitor.
"""

from __future__ import annotations

from aiohttp import web

from sessionkit.adapters import TypedVerbs

from . import requests as requests  # registers the request type with the verbs

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
