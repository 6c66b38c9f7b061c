"""The gateway of an application: a middleware for its requests, and a signal for its responses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from aiohttp import web

from sessionkit import Exchange
from sessionkit.adapters import Gateway, Phase, admit_task, commit_response

from .carriers import AiohttpRequest

__all__ = ["Front"]

TASK = "sessionkit.task"


class Front(Gateway):
    """Begin an exchange before the handler, and answer it when the headers of a response are about to go out."""

    call = "setup(app, store)"

    @web.middleware
    async def serve(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Serve a request; the middleware."""
        view = AiohttpRequest(request)
        entry = self.begin_inside(view)
        exchange = entry.exchange
        if exchange is None:
            try:
                return await handler(request)
            finally:
                entry.leave()
                del request, view  # a traceback shows the variables of this frame
        admit_task(exchange)
        # Responses are sent when this middleware is done: the request ends with its task, of which it has one.
        task = view.holder[TASK] = cast("asyncio.Task[Any]", asyncio.current_task())
        task.add_done_callback(
            lambda task: (
                exchange.finish() if task.cancelled() or exchange.phase is Phase.COMMITTED else None
            )
        )
        try:
            response = await handler(request)
        except web.HTTPException as answer:
            _check(exchange, answer)
            raise
        finally:
            entry.leave()
            del request, view
        _check(exchange, response)
        return response

    async def prepare(self, request: web.Request, response: web.StreamResponse) -> None:
        """Answer the request. aiohttp sends this signal for every response, also for an error that no middleware sees."""
        # If a middleware around this one has cloned the request, aiohttp prepares the response with the original request.
        exchange = self.serving(AiohttpRequest(request)) or self.serving(None)
        if exchange is None:
            return
        try:
            # Into the headers: aiohttp drops a `response.set_cookie` while a response is being prepared.
            commit_response(exchange, response.status, response.headers)
        except Exception:
            _unprepare(request, response)
            raise
        admit_task(exchange)
        if exchange.request.holder[
            TASK
        ].done():  # a middleware around this one has waited for the handler in another task
            cast("asyncio.Task[Any]", asyncio.current_task()).add_done_callback(
                lambda _: exchange.finish()
            )


def _check(exchange: Exchange, response: object) -> None:
    """Check that the session can be kept, while an error can still become a 500: when the headers go out it is too late."""
    if isinstance(response, web.StreamResponse) and exchange.phase is Phase.OPEN:
        exchange.check(response.status)


def _unprepare(request: web.Request, response: Any) -> None:
    """Undo what aiohttp has done, before the signal, for a response that cannot go out.

    The request's writer is set to send the body in chunks, or compressed. The error's response goes through that very writer,
    and its headers would say neither. The response counts as sent, and what is written to it would go out without headers.
    aiohttp has no public way back.
    """
    writer: Any = request.writer
    writer.chunked, writer._compress = False, None  # noqa: SLF001  # see above
    response._payload_writer = None  # noqa: SLF001
