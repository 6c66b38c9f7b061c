"""For tests: the cookies of a session, the session that a response leaves, and the rules of a backend.

A store has the secret, so this module mints sessions of any user: use it only in tests. No other module of sessionkit imports
it.

A test client on plain http does not send a Secure cookie back. Pass an https base URL to the client
(Starlette's `TestClient(app, base_url="https://testserver")`), or `secure=False` to the store in the test.
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
