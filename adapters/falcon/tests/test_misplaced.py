"""Mistakes in how the adapter is given its store are told at once."""

from __future__ import annotations

import falcon
import pytest

from sessionkit import SessionStore
from sessionkit_falcon import SessionMiddleware

STORE = SessionStore("misplaced tests: 0123456789abcdefghijklmnopqrstuvwxyz")


def test_the_middleware_takes_a_store_and_nothing_else():
    with pytest.raises(TypeError, match=r"SessionMiddleware\(store\)"):
        SessionMiddleware(falcon.App())
    assert SessionMiddleware(STORE).settings.name == "__Host-session"
