"""What stands around a Pyramid application, and what a request in it shows of that."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, cast

from pyramid.interfaces import IExecutionPolicy
from pyramid.router import default_execution_policy  # pyright: ignore[reportUnknownVariableType]

from sessionkit import Exchange
from sessionkit.adapters import (
    FrameworkKeys,
    WSGIRequest,
    find_or_open_exchange,
    make_current,
    store_from_dotted,
    write_response,
)
from sessionkit.wsgi import SessionMiddleware

from .session import CSRF_TOKEN, PyramidSession

__all__ = ["FRONT", "KEYS", "STORE", "Front", "answering", "entering", "exchange_in", "session_of"]

KEYS = FrameworkKeys(
    login=("auth.userid",),  # SessionAuthenticationHelper
    dropped=(CSRF_TOKEN,),
)
FRONT, STORE, ROUTER = (
    "sessionkit_pyramid.front",
    "sessionkit_pyramid.store",
    "sessionkit_pyramid.router",
)


class Front:
    """An execution policy: what Pyramid asks for each request's response, and so the place of a gateway around everything."""

    def __init__(self, registry: Any) -> None:
        self.registry = registry
        self.inner = registry.queryUtility(
            IExecutionPolicy, default=cast("Any", default_execution_policy)
        )

    @cached_property
    def gateway(self) -> SessionMiddleware:
        """Made when the application is."""
        store = self.registry.get(STORE) or store_from_dotted(self.registry.settings, {})
        return SessionMiddleware(self._serve, store, framework=KEYS)

    def __call__(self, environ: dict[str, Any], router: Any) -> SessionMiddleware:
        """The response, which is a WSGI application: the gateway."""
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
    """The exchange of a request: the application's, or one that nobody answers yet."""
    exchange = find_or_open_exchange(
        WSGIRequest(request.environ), request.registry[FRONT].gateway.settings
    )
    assert exchange is not None  # noqa: S101  # no path is excluded
    return exchange


def session_of(request: Any) -> PyramidSession:
    """The session factory; nothing is decrypted yet.

    A request that did not come through the application, a subrequest above all, has a session of its own, which its
    own response carries. One that is made with the environ of another shares that one's session.
    """
    exchange = exchange_in(request)
    if not exchange.owned:
        request.add_response_callback(_Respond(exchange))
    return PyramidSession(exchange)


def entering(event: Any) -> None:
    """A subscriber: in a request that did not come through the application the verbs find its own session."""
    request, exchange = event.request, exchange_in(event.request)
    if not exchange.owned:
        entry = make_current(exchange)
        request.add_finished_callback(lambda _: entry.leave())


class _Respond:
    """A response callback: writes what an exchange says into the response of its request."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    def __call__(self, _: Any, response: Any) -> None:
        write_response(self.exchange, response)


def answering(view: Any, info: object) -> Any:
    """A view deriver: where a response callback of ours will write, the view's response is copied.

    The application may keep its response and send it again, to other visitors. What goes out through the gateway
    needs no copy, since the gateway writes into no response.
    """

    def answered(context: Any, request: Any) -> Any:
        response = view(context, request)
        carried = any(isinstance(one, _Respond) for one in request.response_callbacks or ())
        return _copied(response) if carried else response

    return answered


def _copied(response: Any) -> Any:
    """Copy a response with its header fields, and leave its body alone, which WebOb's own `copy` would read."""
    made: Any = response.__class__.__new__(response.__class__)
    made.__dict__.update(response.__dict__)
    made.headerlist = list(response.headerlist)
    return made
