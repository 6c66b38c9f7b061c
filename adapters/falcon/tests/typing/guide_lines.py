"""Lines of the guide that must type-check under mypy and pyright. Checked, never run."""

from __future__ import annotations

import falcon
import falcon.asgi

from sessionkit import SessionStore
from sessionkit_falcon import SessionMiddleware


def middleware(store: SessionStore) -> None:
    app = falcon.App(middleware=[SessionMiddleware(store)])
    store.wsgi(app)
    asynchronous = falcon.asgi.App(middleware=[SessionMiddleware(store)])
    store.asgi(asynchronous)
