"""No error of a session leaves the application's dict in a frame of ours."""

from __future__ import annotations

from typing import Any

import falcon
import pytest
from falcon import testing
from tracebacks import frames_of_ours, held

from sessionkit import BackendError, SessionStore
from sessionkit.backends import MemoryBackend
from sessionkit.testing import session_cookies
from sessionkit_falcon import SessionMiddleware

SECRET = "falcon tests: 0123456789abcdefghijklmnopqrstuvwxyz"
CANARY = "canary-9f86d081884c7d65"


class Down(MemoryBackend):
    def load(self, key: str, owner: str) -> Any:
        raise BackendError("the session backend is down")


def test_a_dict_that_cannot_be_taken_over_is_in_no_frame() -> None:
    class Resource:
        def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
            req.context.session = {"secret": CANARY}

    store = SessionStore(SECRET, backend=Down())
    app = falcon.App(middleware=[SessionMiddleware(store)])
    app.add_route("/", Resource())

    def leave(req: Any, resp: Any, error: BaseException, params: Any) -> None:
        raise error

    app.add_error_handler(BackendError, leave)
    cookies = session_cookies(store, {"user": {"sub": "ann"}})
    with pytest.raises(BackendError) as raised:
        testing.TestClient(store.wsgi(app)).simulate_get("/", cookies=cookies, protocol="https")
    assert frames_of_ours(raised.value) > 3
    assert held(raised.value, CANARY) == []
