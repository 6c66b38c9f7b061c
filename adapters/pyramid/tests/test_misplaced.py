"""Mistakes in how the adapter is given its store are told at once."""

from __future__ import annotations

import pytest
from pyramid.config import Configurator
from tracebacks import frames_of_ours, held

from sessionkit import SessionStore

STORE = SessionStore("misplaced tests: 0123456789abcdefghijklmnopqrstuvwxyz")
CANARY = "canary-secret: 0123456789abcdefghijklmnopqrstuvwxyz"


def test_the_directive_takes_a_store_and_nothing_else():
    with Configurator() as config:
        config.include("sessionkit_pyramid")
        with pytest.raises(TypeError, match=r"set_sessionkit_store\(store\)"):
            config.set_sessionkit_store("secret")
        config.set_sessionkit_store(STORE)


def test_a_secret_in_the_stores_place_is_in_no_frame_of_the_error():
    with Configurator() as config:
        config.include("sessionkit_pyramid")
        with pytest.raises(TypeError) as raised:
            config.set_sessionkit_store(CANARY)
    assert held(raised.value, CANARY) == []
    assert frames_of_ours(raised.value) > 0
