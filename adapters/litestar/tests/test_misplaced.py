"""Mistakes in how the adapter is given its store are told at once."""

from __future__ import annotations

import pytest
from tracebacks import frames_of_ours, held

from sessionkit import SessionStore
from sessionkit_litestar import SessionKitConfig

STORE = SessionStore("misplaced tests: 0123456789abcdefghijklmnopqrstuvwxyz")
CANARY = "canary-secret: 0123456789abcdefghijklmnopqrstuvwxyz"


def test_a_config_takes_a_store_and_nothing_else():
    with pytest.raises(TypeError, match=r"SessionKitConfig\(store=store\)"):
        SessionKitConfig(store="secret")
    assert SessionKitConfig(store=STORE).key == "__Host-session"


def test_a_secret_in_the_stores_place_is_in_no_frame_of_the_error():
    with pytest.raises(TypeError) as raised:
        SessionKitConfig(store=CANARY)
    assert held(raised.value, CANARY) == []
    assert frames_of_ours(raised.value) > 0
