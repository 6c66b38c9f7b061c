"""Both kinds of backends, and both kinds of applications."""

from __future__ import annotations

import falcon
import pytest
from awaited_memory import AwaitedMemory

from sessionkit import ConfigurationError, SessionStore
from sessionkit_falcon import SessionMiddleware


def test_an_awaited_backend_is_refused_by_the_gateway_of_a_wsgi_application():
    store = SessionStore(
        "falcon tests: 0123456789abcdefghijklmnopqrstuvwxyz", backend=AwaitedMemory()
    )
    app = falcon.App(middleware=[SessionMiddleware(store)])
    with pytest.raises(ConfigurationError, match="AwaitedMemory is awaited"):
        store.wsgi(app)
