"""Mistakes in how the adapter is given its store are told at once."""

from __future__ import annotations

import pytest

from sessionkit import SessionStore
from sessionkit_litestar import SessionKitConfig

STORE = SessionStore("misplaced tests: 0123456789abcdefghijklmnopqrstuvwxyz")


def test_a_config_takes_a_store_and_nothing_else():
    with pytest.raises(TypeError, match=r"SessionKitConfig\(store=store\)"):
        SessionKitConfig(store="secret")
    assert SessionKitConfig(store=STORE).key == "__Host-session"
