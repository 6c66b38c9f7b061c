"""A pytest plugin: runs aiohttp-session's coroutine tests, and gives them a client that keeps Secure cookies of a test server."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer

clients: list[TestClient[Any, Any]] = []


@pytest.fixture
def aiohttp_client() -> Any:
    async def client(app: web.Application) -> TestClient[Any, Any]:
        server = TestServer(app)
        await server.start_server()
        clients.append(
            TestClient(
                server,
                cookie_jar=CookieJar(unsafe=True, treat_as_secure_origin=server.make_url("/")),
            )
        )
        return clients[-1]

    return client


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None

    async def run() -> None:
        try:
            await pyfuncitem.obj(
                **{name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
            )
        finally:
            while clients:
                await clients.pop().close()

    asyncio.run(run())
    return True
