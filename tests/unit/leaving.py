"""Calls whose errors are looked into: nothing of the contents may be in a frame of ours."""

from __future__ import annotations

from typing import Any

import pytest
from tracebacks import frames_of_ours, held

from sessionkit import CookieSettings, SessionStore, fast_json
from sessionkit.formats import NextAuthV4
from sessionkit.testing import session_cookies

from .scene import SECRET

CANARY = "canary-in-the-contents"
ADA = {"user": {"sub": "ada"}, "token": CANARY}
STORES = {
    "native": lambda: SessionStore(SECRET),
    "fast": lambda: SessionStore(SECRET, serializer=fast_json()),
    "foreign": lambda: SessionStore(
        SECRET, format=NextAuthV4(), cookie=CookieSettings(name="__Secure-next-auth.session-token")
    ),
}


def header(store: SessionStore) -> str:
    """The Cookie header of somebody who is signed in."""
    return "; ".join(f"{name}={value}" for name, value in session_cookies(store, ADA).items())


def leaves(act: Any, expected: Any = BaseException, canary: str = CANARY) -> BaseException:
    """What leaves a call, once nothing was found in it."""
    with pytest.raises(expected) as raised:
        act()
    assert held(raised.value, canary) == []
    assert frames_of_ours(raised.value) > 0
    return raised.value
