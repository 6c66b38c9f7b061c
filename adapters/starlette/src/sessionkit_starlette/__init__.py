"""Encrypted sessions for Starlette: `request.session` and the verbs of sessionkit over one session."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar, cast, overload

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.websockets import WebSocket

from sessionkit import get_session
from sessionkit.request import ASGIRequest
from sessionkit.required import Refusal, api_refusal, page_refusal
from sessionkit.scope_session import ScopeSession
from sessionkit.scope_session import ScopeSessionMiddleware as SessionMiddleware

__all__ = ["ScopeSession", "SessionMiddleware", "require_session_api", "require_session_page"]

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def require_session_api(endpoint: Endpoint) -> Endpoint:
    """An endpoint for signed-in users: everybody else gets 401 and a JSON body; a websocket is not accepted."""
    return _guarded(endpoint, lambda _: api_refusal())


@overload
def require_session_page(endpoint: Endpoint, /) -> Endpoint: ...
@overload
def require_session_page(*, login_url: str = ..., logout_url: str = ..., default: str = ...) -> Callable[[Endpoint], Endpoint]: ...
def require_session_page(endpoint: Any = None, /, **urls: str) -> Any:
    """A page for signed-in users: everybody else is sent to the login page, with a `returnTo` that cannot leave the site.

    Args:
        endpoint: the endpoint, where the decorator is used bare.
        **urls: `login_url` (`/auth/login`), `logout_url` (`/auth/logout`), neither of which is returned to, and
            `default` (`/`), which is instead.
    """

    def guard(endpoint: Endpoint) -> Endpoint:
        return _guarded(endpoint, lambda connection: page_refusal(ASGIRequest(connection.scope), **urls))

    return guard if endpoint is None else guard(endpoint)


def _guarded(endpoint: Endpoint, refusal: Callable[[HTTPConnection[Any]], Refusal]) -> Endpoint:
    def refused(*args: Any, **named: Any) -> tuple[HTTPConnection[Any], Response] | None:
        found: list[HTTPConnection[Any]] = [one for one in (*args, *named.values()) if isinstance(one, HTTPConnection)]
        connection = next(iter(found), None)
        if connection is None:
            raise TypeError(f"{endpoint!r} was called without a request: the guards are for endpoints and their methods")
        if get_session(connection) is not None:
            return None
        answer = refusal(connection)
        return connection, Response(answer.body, answer.status, dict(answer.headers))

    if iscoroutinefunction(endpoint):

        @wraps(endpoint)
        async def guarded(*args: Any, **named: Any) -> Any:
            no = refused(*args, **named)
            if no is None:
                return await endpoint(*args, **named)
            connection, answer = no
            # 1008: "violates its policy" (RFC 6455 section 7.4.1); before it is accepted the client gets a 403.
            return await connection.close(1008) if isinstance(connection, WebSocket) else answer

        return cast("Endpoint", guarded)

    @wraps(endpoint)
    def plain(*args: Any, **named: Any) -> Any:
        no = refused(*args, **named)
        return endpoint(*args, **named) if no is None else no[1]

    return cast("Endpoint", plain)
