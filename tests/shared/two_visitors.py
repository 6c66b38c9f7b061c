"""Two visitors of one application: the Cookie header of each, and which of them the verbs find."""

from __future__ import annotations

from sessionkit import SessionStore, get_session
from sessionkit.testing import session_cookies


def cookie_of(store: SessionStore, sub: str) -> str:
    """Return the Cookie header of a signed-in visitor."""
    cookies = session_cookies(store, {"user": {"sub": sub}})
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def who() -> str:
    """Return the `sub` of the visitor whose request is the current one."""
    session = get_session()
    return session["user"]["sub"] if session else "nobody"
