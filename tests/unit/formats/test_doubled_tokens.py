"""Two tokens of one session, in cookies of two scopes: the newer one counts, in either order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sessionkit import Lifetime, SessionStore
from sessionkit._session.json import JSON
from sessionkit.formats import Auth0V4

from ..scene import SECRET, START

HOUR = 3600


def seal(**payload: Any) -> str:
    """A token as nextjs-auth0 v4 seals it."""
    form = Auth0V4()
    codec = form.codec(
        form.keys(SECRET), name="__session", audience="", lifetime=Lifetime(), serializer=JSON
    )
    claims = {
        "user": {"sub": "ada"},
        "tokenSet": {},
        "internal": {"createdAt": START - 2 * HOUR},
        **payload,
    }
    return codec.framing.seal(
        {"enc": "A256GCM", "alg": "dir"}, json.dumps(claims).encode(), codec._keys[0]
    )


@pytest.mark.parametrize("turn", [1, -1], ids=["the older first", "the newer first"])
@pytest.mark.parametrize("cookie", ["__session={}", "__session__0={}"], ids=["whole", "numbered"])
def test_the_token_with_the_later_expiry_is_the_newer_if_the_library_has_a_shorter_idle_limit(
    turn, cookie
):
    store = SessionStore(
        SECRET, format=Auth0V4(), lifetime=Lifetime(idle=24 * HOUR), clock=lambda: START
    )
    tokens = seal(role="admin", exp=START + HOUR), seal(role="guest", exp=START + 2 * HOUR)
    with store.exchange("; ".join(cookie.format(token) for token in tokens[::turn])) as exchange:
        assert exchange.contents["role"] == "guest"
