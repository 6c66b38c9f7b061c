"""A pytest plugin: every Flask application that a package's tests make has our session in the place of Flask's.

`SESSIONS` says where the sessions are: `framework`, `cookie` or `backend`.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import Any

import flask

from sessionkit import SessionStore
from sessionkit._frameworks import flask_extension
from sessionkit._frameworks.flask_settings import store_from_config
from sessionkit.backends import MemoryBackend
from sessionkit_flask import SessionKit


def make_store(config: Any, settings: dict[str, Any], **named: Any) -> SessionStore | None:
    """Return the store of an application's settings, with a key of 32 bytes made of its own, which is too short for us."""
    key = config["SECRET_KEY"]
    if not key:
        return None
    stretched = sha256(key if isinstance(key, bytes) else key.encode()).hexdigest()
    return store_from_config(config, {**settings, "secret": stretched}, **named)


def pytest_configure() -> None:
    """Put our session into every application to come."""
    if os.environ["SESSIONS"] == "framework":
        return
    flask_extension.store_from_config = make_store
    make = flask.Flask.__init__

    def make_with_sessionkit(self: flask.Flask, *args: Any, **named: Any) -> None:
        make(self, *args, **named)
        backend = MemoryBackend() if os.environ["SESSIONS"] == "backend" else None
        SessionKit(self, backend=backend)

    flask.Flask.__init__ = make_with_sessionkit  # type: ignore[method-assign]
