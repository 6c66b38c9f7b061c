"""An awaited backend under WSGI."""

from __future__ import annotations

import bottle
import pytest
from awaited_memory import AwaitedMemory

from sessionkit import ConfigurationError, SessionStore
from sessionkit_bottle import SessionKit


@pytest.mark.parametrize("plugin", [False, True])
def test_an_awaited_backend_is_refused_where_the_store_is_given(plugin):
    store = SessionStore(
        "bottle tests: 0123456789abcdefghijklmnopqrstuvwxyz", backend=AwaitedMemory()
    )
    app = bottle.Bottle()
    with pytest.raises(ConfigurationError, match="AwaitedMemory is awaited"):
        if plugin:
            app.install(SessionKit(store=store))
        else:
            SessionKit(app, store=store)
