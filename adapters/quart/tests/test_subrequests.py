"""A request context of another visitor inside a request: the verbs find its own session in it, and the outer one afterwards."""

from __future__ import annotations

from quart import Quart
from two_visitors import cookie_of, who

from sessionkit import SessionStore
from sessionkit_quart import SessionKit

from .visitor import SECRET

STORE = SessionStore(SECRET)


async def test_the_verbs_find_the_session_of_the_request_they_are_called_in():
    app = Quart(__name__)
    SessionKit(app, store=STORE)

    @app.get("/")
    async def outer():
        async with app.test_request_context("/", headers={"Cookie": cookie_of(STORE, "bob")}):
            inside = who()
        return f"{inside} {who()}"

    answer = await app.test_client(use_cookies=False).get(
        "/", scheme="https", headers={"Cookie": cookie_of(STORE, "ann")}
    )
    assert await answer.get_data(as_text=True) == "bob ann"
