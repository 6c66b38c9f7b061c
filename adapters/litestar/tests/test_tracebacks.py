"""An error that passes through the middleware leaves no cookie in its frame, whoever reports it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from litestar.exceptions import LitestarException
from tracebacks import frames_of_ours, held

from .visitor import client_of

CANARY = "canary-in-a-cookie"


def test_an_error_of_the_server_is_reported_without_the_cookies():
    scope: Any = {
        "type": "http", "method": "GET", "path": "/all", "raw_path": b"/all", "root_path": "", "query_string": b"",
        "scheme": "https", "server": ("app.example.org", 443), "client": ("192.0.2.1", 1), "http_version": "1.1",
        "asgi": {"version": "3.0"}, "headers": [(b"cookie", b"__Host-session=" + CANARY.encode())],
    }  # fmt: skip

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        raise OSError

    with pytest.raises(LitestarException) as raised:
        asyncio.run(client_of().app(scope, receive, send))
    assert held(raised.value, CANARY) == []
    assert frames_of_ours(raised.value) > 1
