"""Mistakes in how the adapter is given its store are told at once."""

from __future__ import annotations

import pytest
from aiohttp import web

from sessionkit import SessionStore
from sessionkit_aiohttp import setup

STORE = SessionStore("misplaced tests: 0123456789abcdefghijklmnopqrstuvwxyz")


def test_a_setup_the_other_way_round_is_told_how_it_is_written():
    with pytest.raises(TypeError, match=r"setup\(app, store\)"):
        setup(STORE, web.Application())


def test_what_is_no_store_is_told_how_to_give_one():
    with pytest.raises(TypeError, match=r"setup\(app, store\)"):
        setup(web.Application(), "secret")
