"""An error that passes through the gateway leaves no cookie in our frames, whoever reports it."""

from __future__ import annotations

from typing import Any, cast

import pytest
from quart import Quart
from tracebacks import frames_of_ours, held

from sessionkit_quart import SessionKit

from .visitor import SECRET

CANARY = "canary-in-a-cookie"


async def test_an_error_of_a_middleware_is_reported_without_the_cookies():
    app = Quart(__name__)

    async def fail(scope: Any, receive: Any, send: Any) -> None:
        raise OSError

    app.asgi_app = cast("Any", fail)
    SessionKit(app, secret=SECRET)
    scope: Any = {
        "type": "http", "method": "GET", "path": "/", "query_string": b"", "scheme": "https",
        "headers": [(b"cookie", b"__Host-session=" + CANARY.encode())],
    }  # fmt: skip
    with pytest.raises(OSError) as raised:
        await app.asgi_app(scope, cast("Any", None), cast("Any", None))
    assert held(raised.value, CANARY) == []
    assert frames_of_ours(raised.value) > 1
