"""Mistakes in how the adapter is given its store are told at once."""

from __future__ import annotations

import pytest

from sessionkit import SessionStore
from sessionkit_sanic import SessionKit

STORE = SessionStore("misplaced tests: 0123456789abcdefghijklmnopqrstuvwxyz")


@pytest.mark.parametrize("take", [SessionKit, lambda store: SessionKit().init_app(store)])
def test_a_store_in_the_applications_place_is_told_how_to_give_it(take):
    with pytest.raises(TypeError, match=r"SessionKit\(app, store=store\)"):
        take(STORE)


def test_what_is_no_store_is_told_how_to_give_one():
    with pytest.raises(TypeError, match=r"SessionKit\(app, store=store\)"):
        SessionKit(store="secret")
