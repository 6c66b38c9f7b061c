"""Encrypted sessions for Falcon, WSGI and ASGI: `req.context.session` and the verbs of sessionkit over one session."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import falcon
import falcon.asgi

from sessionkit import ConfigurationError, Exchange, RequestInfo, SessionStore
from sessionkit.adapters import (
    ASGIRequest,
    FrameworkKeys,
    LazyContents,
    Refuse,
    ResponseFields,
    Settings,
    WSGIRequest,
    asettle,
    check_store,
    clears_frames,
    find_or_open_exchange,
    find_serving,
    make_hooks,
    register_response,
)

__all__ = ["SessionMiddleware", "require_session_api", "require_session_page"]


class SessionMiddleware:
    """Serves the session as `req.context.session`, for HTTP and websockets. Put it first in the list, and put a gateway around the app.

        app = falcon.App(middleware=[SessionMiddleware(store)])
        application = store.wsgi(app)  # store.asgi(app) around a falcon.asgi.App

    The gateway writes the cookies into every response, including Falcon's responses to errors, and into the acceptance of a
    websocket, which a middleware of Falcon cannot change.

    Args:
        store: the store.
    """

    @clears_frames
    def __init__(self, store: SessionStore) -> None:
        check_store(store, "falcon.App(middleware=[SessionMiddleware(store)]), and store.wsgi(app)")
        self.settings: Settings = store.settings.with_framework(FrameworkKeys())

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Serve a request.

        Raises:
            ConfigurationError: there is no gateway around the application.
        """
        self._serve(req, WSGIRequest(req.env))

    async def process_request_async(self, req: falcon.asgi.Request, resp: object) -> None:
        """Serve a request or a websocket of an ASGI application."""
        self._serve(req, ASGIRequest(req.scope))

    process_request_ws = process_request_async

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, resource: object, req_succeeded: bool
    ) -> None:
        """Save the session in the backend, or check that it can be saved, so that Falcon's error handlers get the error otherwise."""
        exchange = self._find_unfailed(req, WSGIRequest(req.env), resp)
        if exchange is not None:
            exchange.check(resp.status_code)

    async def process_response_async(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        resource: object,
        req_succeeded: bool,
    ) -> None:
        """Save or check the session as `process_response` does, and await the backend of an ASGI application."""
        exchange = self._find_unfailed(req, ASGIRequest(req.scope), resp)
        if exchange is not None:
            await asettle(exchange, resp.status_code)
            exchange.check(resp.status_code)

    def _serve(self, req: falcon.Request, request: RequestInfo) -> None:
        exchange = find_or_open_exchange(request, self.settings)
        if exchange is not None and not exchange.owned:
            raise ConfigurationError(
                "nobody would write the session's cookies: serve store.wsgi(app) or store.asgi(app), not the app itself, with the "
                "store that you gave to SessionMiddleware"
            )
        if exchange is not None:
            exchange.serve_framework(self.settings)
        req.context.session = session = None if exchange is None else LazyContents(exchange)
        if session is not None:
            session.stand_in(getattr(req.context, "__dict__", {}))

    def _find_unfailed(
        self, req: falcon.Request, request: RequestInfo, resp: falcon.Response
    ) -> Exchange | None:
        """Return the exchange of a request; None if there is none, or if its response has failed, so that nothing is saved.

        A dict that the application has put in the place of `req.context.session` becomes the contents.
        """
        exchange = _find_exchange(req, request)
        if exchange is not None and exchange.place is not None:
            exchange.place.take_over()
        return exchange if resp.status_code < 500 else None


def _find_exchange(req: falcon.Request, request: RequestInfo) -> Exchange | None:
    """Return the exchange of a request's session object, or else the exchange by which the request is being served."""
    session = getattr(req.context, "session", None)
    return session.exchange if isinstance(session, LazyContents) else find_serving(request)


def _fields(resp: Any) -> ResponseFields:
    """Return the headers of a response, including those of `append_header`, which `resp.headers` lacks; without cookies of `set_cookie`."""

    def items() -> list[tuple[str, str]]:
        return [*resp.headers.items(), *(resp._extra_headers or ())]  # noqa: SLF001  # no public way

    def delete(name: str) -> None:
        if name.lower() == "set-cookie":
            resp._extra_headers = [one for one in resp._extra_headers if one[0] != "set-cookie"]  # noqa: SLF001
        else:
            resp.delete_header(name)

    return ResponseFields(items, resp.append_header, delete)


class _Nothing:
    """The result of a hook for both kinds of responders. Falcon awaits it only for coroutines."""

    def __await__(self) -> Generator[None, None, None]:
        yield from ()


def _check(
    refuse: Refuse, req: falcon.Request, resp: object, resource: object, params: object
) -> _Nothing:
    refused = refuse(req)
    if refused is not None:
        raise falcon.HTTPStatus(
            refused.status, headers=dict(refused.headers), text=refused.body.decode()
        )
    return _Nothing()


register_response(falcon.Response, _fields)
require_session_api, require_session_page = make_hooks(_check)
