"""For tests: the cookies of a session, the session that a response leaves, and the rules of a backend.

With a store, and so its secret, this module mints sessions of anybody: use it in tests only. No other module of
sessionkit imports it.

A test client on plain http never sends a Secure cookie back: give it an https base URL
(Starlette's `TestClient(app, base_url="https://testserver")`), or the store under test `secure=False`.
"""

from ._conformance import backend_conformance
from ._cookies import aread_cookies, asession_cookies, read_cookies, session_cookies

__all__ = [
    "aread_cookies",
    "asession_cookies",
    "backend_conformance",
    "read_cookies",
    "session_cookies",
]
