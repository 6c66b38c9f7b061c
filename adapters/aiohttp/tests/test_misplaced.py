"""Mistakes in how the adapter is given its store are told at once."""

from __future__ import annotations

import pytest
from aiohttp import web
from tracebacks import frames_of_ours, held

from sessionkit import SessionStore
from sessionkit_aiohttp import setup

STORE = SessionStore("misplaced tests: 0123456789abcdefghijklmnopqrstuvwxyz")
CANARY = "canary-secret: 0123456789abcdefghijklmnopqrstuvwxyz"


def test_a_setup_the_other_way_round_is_told_how_it_is_written():
    with pytest.raises(TypeError, match=r"setup\(app, store\)"):
        setup(STORE, web.Application())


def test_what_is_no_store_is_told_how_to_give_one():
    with pytest.raises(TypeError, match=r"setup\(app, store\)"):
        setup(web.Application(), "secret")


def test_a_secret_in_the_stores_place_is_in_no_frame_of_the_error():
    with pytest.raises(TypeError) as raised:
        setup(web.Application(), CANARY)
    assert held(raised.value, CANARY) == []
    assert frames_of_ours(raised.value) > 0
