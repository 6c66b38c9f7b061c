"""Mistakes in how an extension with an `init_app` method is given its store; a test module of an adapter inherits the tests."""

from __future__ import annotations

import pytest

from sessionkit import SessionStore

STORE = SessionStore("misplaced tests: 0123456789abcdefghijklmnopqrstuvwxyz")
CALL = r"SessionKit\(app, store=store\)"


class Misplaced:
    """The tests; a subclass names the extension."""

    kit: type

    @pytest.mark.parametrize("by_init_app", [False, True])
    def test_a_store_in_the_applications_place_is_told_how_to_give_it(self, by_init_app):
        take = self.kit().init_app if by_init_app else self.kit
        with pytest.raises(TypeError, match=CALL):
            take(STORE)

    def test_what_is_no_store_is_told_how_to_give_one(self):
        with pytest.raises(TypeError, match=CALL):
            self.kit(store="secret")
