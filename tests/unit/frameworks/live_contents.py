"""The session object of a framework in one request."""

from __future__ import annotations

from sessionkit import Exchange, SessionStore
from sessionkit._exchange.framework_keys import FrameworkKeys
from sessionkit._exchange.request import HeaderRequest
from sessionkit._frameworks.contents import LazyContents
from sessionkit._requests.gateway import Gateway

ANN = {"user": {"sub": "ann"}}
SECRET = "native tests: 0123456789abcdefghijklmnopqrstuvwxyz"
KEYS = FrameworkKeys(
    login=("_user_id",),
    dropped=("csrf_token", "_state_*"),
    transient=lambda contents: contents.get("brief"),
)


def begin(header: str = "", **named) -> tuple[LazyContents, Exchange]:
    store = SessionStore(SECRET, **named)
    exchange = Exchange(Gateway(None, store, framework=KEYS).settings, HeaderRequest(header))
    return LazyContents(exchange), exchange
