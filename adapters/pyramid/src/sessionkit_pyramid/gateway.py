"""The gateway around a Pyramid application, and the session objects of its requests."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property, partial
from typing import Any, cast

from pyramid.interfaces import IExecutionPolicy
from pyramid.router import default_execution_policy  # pyright: ignore[reportUnknownVariableType]

from sessionkit import Exchange
from sessionkit.adapters import (
    Entry,
    FrameworkKeys,
    WSGIRequest,
    find_or_open_exchange,
    make_current,
    store_from_dotted,
    write_response,
)
from sessionkit.wsgi import SessionMiddleware

from .session import CSRF_TOKEN, PyramidSession

__all__ = [
    "KEYS",
    "POLICY",
    "STORE",
    "ExecutionPolicy",
    "copy_view_response",
    "enter_request",
    "exchange_in",
    "session_of",
    "take_over",
]

KEYS = FrameworkKeys(
    login=("auth.userid",),  # SessionAuthenticationHelper
    dropped=(CSRF_TOKEN,),
)
POLICY, STORE, ROUTER = (
    "sessionkit_pyramid.policy",
    "sessionkit_pyramid.store",
    "sessionkit_pyramid.router",
)


class ExecutionPolicy:
    """The execution policy, which Pyramid calls for each request. It puts the gateway around the whole application."""

    def __init__(self, registry: Any) -> None:
        self.registry = registry
        self.inner = registry.queryUtility(
            IExecutionPolicy, default=cast("Any", default_execution_policy)
        )

    @cached_property
    def gateway(self) -> SessionMiddleware:
        """The gateway. It is made together with the application."""
        store = self.registry.get(STORE) or store_from_dotted(self.registry.settings, {})
        return SessionMiddleware(self._serve, store, framework=KEYS)

    def __call__(self, environ: dict[str, Any], router: Any) -> SessionMiddleware:
        """Return the response of the gateway: a WSGI application, as Pyramid expects."""
        environ[ROUTER] = router
        return self.gateway

    def _serve(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            return cast(
                "Iterable[bytes]", self.inner(environ, environ[ROUTER])(environ, start_response)
            )
        except BaseException:
            del environ  # the cookies are in it, and a traceback shows the variables of this frame
            raise


def exchange_in(request: Any) -> Exchange:
    """Return the exchange of a request: the gateway's, or a new one that no gateway answers."""
    exchange = find_or_open_exchange(
        WSGIRequest(request.environ), request.registry[POLICY].gateway.settings
    )
    assert exchange is not None  # noqa: S101  # no path is excluded
    return exchange


def session_of(request: Any) -> PyramidSession:
    """Return the session object of a request; the session factory. Nothing is decrypted yet.

    A request that did not come through the gateway, such as a subrequest, has its own session, and its own response sets the
    cookies. A request that was made with the environ of another request shares that request's session.
    """
    exchange = exchange_in(request)
    if not exchange.owned:
        request.add_response_callback(partial(_respond, exchange))
    return PyramidSession(exchange)


def take_over(exchange: Exchange) -> None:
    """Replace the contents of the session with those that the application has assigned to `request.session`."""
    if exchange.place is not None:
        exchange.place.take_over()


def enter_request(event: Any) -> None:
    """Make a subrequest current, so that the verbs find its own session. This is a subscriber of `NewRequest`."""
    request, exchange = event.request, exchange_in(event.request)
    outer = exchange.place
    place = PyramidSession(exchange).stand_in(cast("dict[str, Any]", vars(request)))
    if outer is not None:
        # A request that was made with the environ of another one ends before the other one.

        def close(_: Any) -> None:
            place.close()

        request.add_finished_callback(close)
    if not exchange.owned:
        entry = make_current(exchange)

        def leave(_: Any) -> None:
            entry.leave()

        request.add_response_callback(partial(_resume, entry))
        request.add_finished_callback(leave)


def _respond(exchange: Exchange, request: Any, response: Any) -> None:
    """Write the session into the response of its request; a response callback."""
    take_over(exchange)
    write_response(exchange, response)


def _resume(entry: Entry, request: Any, response: Any) -> None:
    """Let the body of a subrequest, which may be made after the response, find its own session; a response callback."""
    if not isinstance(response.app_iter, (list, tuple)):
        length = response.content_length
        response.app_iter = entry.iterate(response.app_iter)
        response.content_length = length  # WebOb drops it with the earlier body


def copy_view_response(view: Any, info: object) -> Any:
    """Copy the response of a view if a response callback of this module will change it. This is a view deriver.

    The application may keep its response and send it to other visitors too. A response that the gateway sends needs no copy,
    because the gateway does not write into the response object.
    """

    def call_view(context: Any, request: Any) -> Any:
        response = view(context, request)
        carried = any(
            getattr(one, "func", None) in (_respond, _resume)
            for one in request.response_callbacks or ()
        )
        return _copy_response(response) if carried else response

    return call_view


def _copy_response(response: Any) -> Any:
    """Copy a response with its header fields. The body is not copied, because WebOb's own `copy` would read it."""
    made: Any = response.__class__.__new__(response.__class__)
    made.__dict__.update(response.__dict__)
    made.headerlist = list(response.headerlist)
    return made
