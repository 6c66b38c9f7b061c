"""A pytest plugin: every handler that Tornado's own tests make has a session, and begins one."""

from __future__ import annotations

import importlib
from typing import Any

import tornado.web

from sessionkit import SessionStore
from sessionkit_tornado import SessionMixin

STORE = SessionStore("Tornado's own tests: 0123456789abcdefghijklmnopqrstuvwxyz")


class WithSession(SessionMixin):
    """Looks at the session at the end of each request: what comes is read, and Vary is sent."""

    def flush(self, include_footers: bool = False) -> Any:
        if self._exchange is not None and not self._headers_written:
            assert isinstance(dict(self.session), dict)
        return super().flush(include_footers)


# The tests take the name when they are imported; Tornado itself goes on asking for its own class.
ITS_OWN = tornado.web.RequestHandler
tornado.web.RequestHandler = WithSession  # type: ignore[misc]
importlib.import_module("tornado.test.web_test")
importlib.import_module("tornado.test.httpserver_test")
tornado.web.RequestHandler = ITS_OWN  # type: ignore[misc]

made = tornado.web.Application.__init__


def init(self: tornado.web.Application, *args: Any, **settings: Any) -> None:
    made(self, *args, **{"sessionkit": STORE, **settings})


tornado.web.Application.__init__ = init  # type: ignore[method-assign]
