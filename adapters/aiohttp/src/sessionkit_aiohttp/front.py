"""What stands in front of an application: where its requests come in, and where its responses go out."""

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
    """Begins an exchange before the handler, and answers it when a response's headers are about to go out."""

    call = "setup(app, store)"

    @web.middleware
    async def serve(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """The middleware."""
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
        """Answer: this signal fires for every response, also for those to errors that no middleware sees."""
        # Where a middleware around us has cloned the request, aiohttp prepares the response with the original, which knows of nothing.
        exchange = self.serving(AiohttpRequest(request)) or self.serving(None)
        if exchange is None:
            return
        try:
            # Into the headers: what `response.set_cookie` is told while a response is being prepared, aiohttp drops.
            commit_response(exchange, response.status, response.headers)
        except Exception:
            _unprepare(request, response)
            raise
        admit_task(exchange)
        if exchange.request.holder[
            TASK
        ].done():  # somebody around us waited for the handler in a task of its own
            cast("asyncio.Task[Any]", asyncio.current_task()).add_done_callback(
                lambda _: exchange.finish()
            )


def _check(exchange: Exchange, response: object) -> None:
    """What cannot be kept is an error of the handler, to be answered as such: when the headers go out it is too late for a 500."""
    if isinstance(response, web.StreamResponse) and exchange.phase is Phase.OPEN:
        exchange.check(response.status)


def _unprepare(request: web.Request, response: Any) -> None:
    """Undo what aiohttp has done for a response that a handler began and that cannot go out, before the signal fired.

    The request's writer is set to send the body in chunks, or compressed. The error's response goes through that very writer,
    and its headers would say neither. The response counts as sent, and what is written to it would go out without headers.
    aiohttp has no public way back.
    """
    writer: Any = request.writer
    writer.chunked, writer._compress = False, None  # noqa: SLF001  # see above
    response._payload_writer = None  # noqa: SLF001
