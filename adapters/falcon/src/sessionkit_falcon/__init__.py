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
    """Puts the session into `req.context.session`, for HTTP and websockets. Put it first, and a gateway around the app.

        app = falcon.App(middleware=[SessionMiddleware(store)])
        application = store.wsgi(app)  # store.asgi(app) around a falcon.asgi.App

    The gateway writes the cookies: into every kind of response, what Falcon answers to an error included, and into the
    acceptance of a websocket, which no middleware of Falcon's can reach.

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
        """Keep the session in the backend, or check that it can be kept, so that Falcon's error handlers answer if it cannot."""
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
        """Do the same in an ASGI application, where a backend is awaited."""
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
        """Return the exchange of a request; None if there is none, or if its response has failed, so that nothing is kept.

        A dict that the application has put in the place of `req.context.session` becomes the contents.
        """
        exchange = _find_exchange(req, request)
        if exchange is not None and exchange.place is not None:
            exchange.place.take_over()
        return exchange if resp.status_code < 500 else None


def _find_exchange(req: falcon.Request, request: RequestInfo) -> Exchange | None:
    """Return the exchange that the session object of a request shows, or by which the request is being served."""
    session = getattr(req.context, "session", None)
    return session.exchange if isinstance(session, LazyContents) else find_serving(request)


def _fields(resp: Any) -> ResponseFields:
    """Return the headers of a response, with those of `append_header`, which `resp.headers` lacks; without the cookies of `set_cookie`."""

    def items() -> list[tuple[str, str]]:
        return [*resp.headers.items(), *(resp._extra_headers or ())]  # noqa: SLF001  # no public way

    def delete(name: str) -> None:
        if name.lower() == "set-cookie":
            resp._extra_headers = [one for one in resp._extra_headers if one[0] != "set-cookie"]  # noqa: SLF001
        else:
            resp.delete_header(name)

    return ResponseFields(items, resp.append_header, delete)


class _Nothing:
    """The result of a hook for responders of both kinds: Falcon awaits it in coroutines only."""

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
