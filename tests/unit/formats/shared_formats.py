"""The formats of cookies that another library reads and writes too."""

import pytest

from sessionkit.formats import Auth0FastAPI, Auth0V3, Auth0V4, AuthJSV5, ExpressOpenID, NextAuthV4

SECRET = "a secret that both sides know, for tests only"
ALICE = {"user": {"sub": "alice", "sid": "op-session"}, "sub": "alice"}
FORMATS = [Auth0V3(), ExpressOpenID(), Auth0V4(), Auth0FastAPI(), NextAuthV4(), AuthJSV5()]
NOT_WRITTEN = [
    f"-__session__{number}" for number in range(5)
]  # what nextjs-auth0 clears at each write
each = pytest.mark.parametrize("format", FORMATS, ids=lambda one: one.traits.label)
