"""Tests are coroutines here; the application that they visit, and its browser."""

import asyncio
import inspect

import pytest
from quart import Quart, session

from sessionkit import SessionStore, create_session, get_session
from sessionkit_quart import SessionKit

from .visitor import ANN, SECRET, Browser


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    asyncio.run(pyfuncitem.obj(**wanted))
    return True


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    SessionKit(app, store=SessionStore(SECRET))
    app.add_url_rule("/login", "/login", lambda: dict(create_session(ANN)))
    app.add_url_rule("/me", "/me", lambda: dict(get_session() or {}))
    app.add_url_rule("/all", "/all", lambda: dict(session))
    return app


@pytest.fixture
def browser(app: Quart) -> Browser:
    return Browser(app)
