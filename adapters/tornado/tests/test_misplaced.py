"""Mistakes in how the adapter is given its store are told at once."""

from __future__ import annotations

import pytest
from tornado.web import Application

from sessionkit import SessionStore
from sessionkit_tornado.config import gateway_of

STORE = SessionStore("misplaced tests: 0123456789abcdefghijklmnopqrstuvwxyz")


def test_a_setting_that_is_no_store_is_told_how_it_is_written():
    with pytest.raises(TypeError, match=r"Application\(handlers, sessionkit=store\)"):
        gateway_of(Application([], sessionkit="secret", cookie_secret="c" * 32))
    assert gateway_of(Application([], sessionkit=STORE)).settings is not None
