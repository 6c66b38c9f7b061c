"""Mistakes in how an extension with an `init_app` method is given its store; a test module of an adapter inherits the tests."""

from __future__ import annotations

import pytest
from tracebacks import frames_of_ours, held

from sessionkit import SessionStore

STORE = SessionStore("misplaced tests: 0123456789abcdefghijklmnopqrstuvwxyz")
CANARY = "canary-secret: 0123456789abcdefghijklmnopqrstuvwxyz"
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

    @pytest.mark.parametrize("place", ["app", "init_app", "store"])
    def test_a_secret_in_a_wrong_place_is_in_no_frame_of_the_error(self, place):
        with pytest.raises(TypeError) as raised:
            self.kit().init_app(CANARY) if place == "init_app" else self.kit(**{place: CANARY})
        assert held(raised.value, CANARY) == []
        assert frames_of_ours(raised.value) > 0
