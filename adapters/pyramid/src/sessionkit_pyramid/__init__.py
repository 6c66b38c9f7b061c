"""Encrypted sessions for Pyramid: `request.session` and the verbs of sessionkit over one session.

`config.include("sessionkit_pyramid")`, and `config.set_sessionkit_store(store)` or settings (`sessionkit.secret`, …).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, cast

from pyramid.events import ApplicationCreated
from pyramid.interfaces import PHASE3_CONFIG, IExecutionPolicy
from pyramid.router import default_execution_policy  # pyright: ignore[reportUnknownVariableType]
from pyramid.tweens import EXCVIEW
from webob import Response

from sessionkit import SessionStore
from sessionkit.conventions import store_of_dotted
from sessionkit.dispatch import register_response
from sessionkit.native import exchange_of
from sessionkit.request import WSGIRequest
from sessionkit.response import write
from sessionkit.settings import NativeKeys
from sessionkit.wsgi import SessionMiddleware

from .guards import require_session_api, require_session_page
from .session import CSRF_TOKEN, PyramidSession

__all__ = ["PyramidSession", "includeme", "require_session_api", "require_session_page"]

KEYS = NativeKeys(login=("auth.userid",), dropped=(CSRF_TOKEN,))  # SessionAuthenticationHelper's key; that of both CSRF policies
FRONT, STORE, ROUTER = "sessionkit_pyramid.front", "sessionkit_pyramid.store", "sessionkit_pyramid.router"


class Front:
    """An execution policy: what Pyramid asks for each request's response, and so the place of a gateway around everything."""

    def __init__(self, registry: Any) -> None:
        self.registry = registry
        self.inner = registry.queryUtility(IExecutionPolicy, default=cast("Any", default_execution_policy))

    @cached_property
    def gateway(self) -> SessionMiddleware:
        """Made when the application is."""
        store = self.registry.get(STORE) or store_of_dotted(self.registry.settings, {})
        return SessionMiddleware(self._serve, store, native=KEYS)

    def __call__(self, environ: dict[str, Any], router: Any) -> SessionMiddleware:
        """The response, which is a WSGI application: the gateway."""
        environ[ROUTER] = router
        return self.gateway

    def _serve(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return cast("Iterable[bytes]", self.inner(environ, environ[ROUTER])(environ, start_response))


def includeme(config: Any) -> None:
    """What `config.include("sessionkit_pyramid")` does."""

    def fail_at_the_start(event: Any) -> None:
        """Make the gateway when the application is made: wrong settings are no matter of a request."""
        event.app.registry[FRONT].gateway  # noqa: B018

    def stand_around() -> None:
        front = config.registry[FRONT] = Front(config.registry)
        config.registry.registerUtility(front, IExecutionPolicy)

    config.add_directive("set_sessionkit_store", set_sessionkit_store)
    config.set_session_factory(session_of)
    config.add_tween("sessionkit_pyramid.checking", under=EXCVIEW)
    # After everything else: an execution policy of somebody else's (pyramid_retry) stays, inside ours.
    config.action(FRONT, stand_around, order=PHASE3_CONFIG + 1)
    config.add_subscriber(fail_at_the_start, ApplicationCreated)


def set_sessionkit_store(config: Any, store: SessionStore) -> None:
    """The directive: serve the application with a store.

    Args:
        config: the configurator.
        store: the store.
    """
    config.action(STORE, lambda: config.registry.__setitem__(STORE, store))


def session_of(request: Any) -> PyramidSession:
    """The session factory; nothing is decrypted yet.

    A request that did not come through the application, a subrequest above all, has a session of its own, which its
    own response carries. One that is made with the environ of another shares that one's session.
    """
    exchange = exchange_of(WSGIRequest(request.environ), request.registry[FRONT].gateway.settings)
    assert exchange is not None  # noqa: S101  # no path is excluded

    def respond(_: Any, response: Any) -> None:
        write(exchange, response)

    if not exchange.owned:
        request.add_response_callback(respond)
    return PyramidSession(exchange)


def checking(handler: Callable[[Any], Any], registry: Any) -> Callable[[Any], Any]:
    """A tween: a session that cannot be kept (too large, no JSON) is an error of the view, for exception views to answer."""

    def tween(request: Any) -> Any:
        response = handler(request)
        exchange = exchange_of(WSGIRequest(request.environ), registry[FRONT].gateway.settings)
        if exchange is not None and exchange.owned and response.status_code < 500:
            exchange.answer(response.status_code, list(response.headers.items()))
        return response

    return tween


class Fields:
    """The headers of a WebOb response, for requests that no gateway answers."""

    def __init__(self, response: Any) -> None:
        self._headers = response.headers
        self.items: Callable[[], Iterable[tuple[str, str]]] = self._headers.items
        self.add: Callable[[str, str], Any] = self._headers.add

    def __delitem__(self, name: str, /) -> None:
        if name in self._headers:
            del self._headers[name]


register_response(Response, Fields)
