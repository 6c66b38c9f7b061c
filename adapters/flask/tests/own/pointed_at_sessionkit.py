"""A pytest plugin: every Flask application that Flask's own tests make is served by sessionkit."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import flask
from flask import Flask

import sessionkit_flask
from sessionkit import SessionStore
from sessionkit._frameworks import flask_extension
from sessionkit._frameworks.flask_settings import store_from_config


def store_of_a_test(config: Any, settings: dict[str, Any], **named: Any) -> SessionStore | None:
    """The store of the application's settings; its keys are too short for us (`test key`), so they are stretched."""
    keys = [
        key for key in (config["SECRET_KEY"], *(config.get("SECRET_KEY_FALLBACKS") or ())) if key
    ]
    stretched = [
        sha256(key if isinstance(key, bytes) else key.encode()).hexdigest() for key in keys
    ]
    return store_from_config(config, {**settings, "secret": stretched}, **named) if keys else None


def pytest_configure() -> None:
    """Point every application to come at the adapter."""
    flask_extension.store_from_config = store_of_a_test
    made = flask.Flask.__init__

    def init(self: Flask, *args: Any, **named: Any) -> None:
        made(self, *args, **named)
        sessionkit_flask.SessionKit(self)

    flask.Flask.__init__ = init  # type: ignore[method-assign]
