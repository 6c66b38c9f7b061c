"""A request context of another visitor inside a request: the verbs find its own session in it, and the outer one afterwards."""

from __future__ import annotations

from quart import Quart

from sessionkit import SessionStore, get_session
from sessionkit.testing import session_cookies
from sessionkit_quart import SessionKit

from .visitor import SECRET

STORE = SessionStore(SECRET)


def cookie(sub: str) -> str:
    cookies = session_cookies(STORE, {"user": {"sub": sub}})
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def who() -> str:
    session = get_session()
    return session["user"]["sub"] if session else "nobody"


async def test_the_verbs_find_the_session_of_the_request_they_are_called_in():
    app = Quart(__name__)
    SessionKit(app, store=STORE)

    @app.get("/")
    async def outer():
        async with app.test_request_context("/", headers={"Cookie": cookie("bob")}):
            inside = who()
        return f"{inside} {who()}"

    answer = await app.test_client(use_cookies=False).get(
        "/", scheme="https", headers={"Cookie": cookie("ann")}
    )
    assert await answer.get_data(as_text=True) == "bob ann"
