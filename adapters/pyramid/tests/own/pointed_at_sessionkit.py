"""A pytest plugin: the session factories that Pyramid's own tests make give sessions of sessionkit."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pyramid.session

from sessionkit import CookieSettings, Lifetime, SessionStore
from sessionkit.wsgi import SessionMiddleware
from sessionkit_pyramid import PyramidSession
from sessionkit_pyramid.gateway import KEYS, POLICY, session_of

COOKIE = {
    "cookie_name": "name",
    "path": "path",
    "domain": "domain",
    "secure": "secure",
    "httponly": "http_only",
}


def factory(
    *_secret_or_serializer: Any,
    timeout: Any = 1200,
    reissue_time: Any = 0,
    max_age: Any = None,
    **named: Any,
) -> Callable[[Any], PyramidSession]:
    """What stands for `SignedCookieSessionFactory` and `BaseCookieSessionFactory`; their settings, as ours."""
    cookie = CookieSettings(
        **{
            "name": "session",
            "secure": False,
            **{COOKIE[name]: value for name, value in named.items() if name in COOKIE},
        }
    )
    assert max_age is None or int(max_age)
    idle = None if timeout is None else int(timeout)
    lifetime = (
        Lifetime(rolling=False)
        if idle is None
        else Lifetime(idle=idle, renew_after=min(int(reissue_time), idle - 1))
    )
    gateway = SessionMiddleware(
        None,
        SessionStore(
            "pyramid's tests: 0123456789abcdefghijklmnopqrstuvwxyz",
            cookie=cookie,
            lifetime=lifetime,
        ),
        framework=KEYS,
    )

    def make(request: Any) -> PyramidSession:
        request.environ["HTTP_COOKIE"] = "; ".join(
            f"{name}={value}" for name, value in request.cookies.items()
        )
        request.environ["REQUEST_METHOD"] = request.method
        request.registry = {POLICY: SimpleNamespace(gateway=gateway)}
        return session_of(request)

    return make


def pytest_configure() -> None:
    """Point the tests at the adapter."""
    pyramid.session.BaseCookieSessionFactory = pyramid.session.SignedCookieSessionFactory = factory
