"""Handlers with a session, and a client."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Request, get, post
from litestar.testing import TestClient

from sessionkit import SessionStore, create_session
from sessionkit_litestar import SessionKitConfig

SECRET = "litestar tests: 0123456789abcdefghijklmnopqrstuvwxyz"


ANN = {"user": {"sub": "ann"}}


NAME, OUT = "__Host-session", "__Host-out.session"


STORE = SessionStore(SECRET)


@post("/login")
async def login() -> dict:
    return create_session(ANN)


@get("/all")
async def everything(request: Request) -> dict:
    return request.session


def client_of(*handlers: Any, config: SessionKitConfig | None = None, **named: Any) -> TestClient:
    config = config or SessionKitConfig(store=STORE)
    app = Litestar([login, everything, *handlers], middleware=[config.middleware], **named)
    return TestClient(
        app,
        base_url="https://app.example.org",
        session_config=config,
        raise_server_exceptions=False,
    )
