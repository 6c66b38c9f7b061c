"""The gateway of an application: a middleware for its requests, and a signal handler for its responses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

from aiohttp import web

from sessionkit import Exchange
from sessionkit.adapters import Gateway, Phase, admit_task, aload, asettle, commit_response

from .requests import AiohttpRequest

__all__ = ["AiohttpGateway"]

TASK = "sessionkit.task"

logger: logging.Logger = logging.getLogger("sessionkit")


class AiohttpGateway(Gateway):
    """Begins an exchange before the handler runs, and commits it when the headers of a response are about to be sent."""

    call = "setup(app, store)"
    awaits = True

    @web.middleware
    async def serve(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Serve a request: this is the middleware."""
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
        # Responses are sent after this middleware has returned. The request has one task, and ends with it.
        task = view.holder[TASK] = cast("asyncio.Task[Any]", asyncio.current_task())
        task.add_done_callback(partial(self._on_task_done, exchange))
        try:
            await aload(exchange)
            try:
                response = await handler(request)
            except web.HTTPException as raised:
                await self._save(exchange, raised)
                raise
            await self._save(exchange, response)
        except asyncio.CancelledError:
            await self.end_unanswered(exchange)
            raise
        finally:
            entry.leave()
            del request, view
        return response

    def _on_task_done(self, exchange: Exchange, task: asyncio.Task[Any]) -> None:
        """End a request whose task has ended, unless a middleware around this one still answers it from another task."""
        if task.cancelled() and exchange.phase is Phase.OPEN:
            # A middleware around this one was cancelled.
            self.end_soon(exchange)
        elif task.cancelled() or exchange.phase is Phase.COMMITTED:
            exchange.finish()

    async def on_cleanup(self, _: object) -> None:
        """Wait for the work that cancelled handlers have begun. aiohttp sends this signal when it has cancelled them."""
        await self.finish_requests()

    async def _save(self, exchange: Exchange, response: object) -> None:
        """Save the session, or check that it can be saved, while an error can still become a 500.

        When the headers are sent, it is too late for that.
        """
        if not isinstance(response, web.StreamResponse) or exchange.phase is not Phase.OPEN:
            return
        if self.settings.backend is None:
            exchange.check(response.status)
        elif response.status < 500:
            await asettle(exchange, response.status)

    async def _settle(self, exchange: Exchange, status: int) -> bool:
        """Save the session on the server. Return False if it cannot even be ended; no cookie may then say that it was."""
        try:
            await asettle(exchange, status)
        except Exception:
            if status < 500:
                raise
            logger.exception("the session could not be ended")
            return False
        return True

    async def prepare(self, request: web.Request, response: web.StreamResponse) -> None:
        """Write the session into a response. aiohttp sends this signal for every response, even for an error that no middleware sees."""
        # If a middleware around this one has cloned the request, aiohttp prepares the response with the original request.
        exchange = self.serving(AiohttpRequest(request)) or self.serving(None)
        if exchange is None:
            return
        try:
            if not await self._settle(exchange, response.status):
                return
            # The cookies are written into the headers, because aiohttp drops a `response.set_cookie` while a response is
            # being prepared.
            commit_response(exchange, response.status, response.headers)
            if request.transport is None:
                # The client has hung up, and aiohttp, which does not cancel its handler, sends nothing.
                await self.end_unsent(exchange)
        except asyncio.CancelledError:
            await self.end_unanswered(exchange)
            raise
        except Exception:
            _unprepare(request, response)
            del request  # a traceback shows the variables of this frame
            raise
        admit_task(exchange)
        if exchange.request.holder[
            TASK
        ].done():  # a middleware around this one awaited the handler in another task
            cast("asyncio.Task[Any]", asyncio.current_task()).add_done_callback(
                lambda _: exchange.finish()
            )


def _unprepare(request: web.Request, response: Any) -> None:
    """Undo aiohttp's preparation of a response that cannot be sent, so that an error's response can be sent instead.

    Before its signal, aiohttp sets the request's writer to send the body in chunks, or compressed. The error's response uses the
    same writer, but its headers would not say so. aiohttp also marks the first response as sent, so anything written to it would
    be sent without headers. aiohttp has no public way to undo this.
    """
    writer: Any = request.writer
    writer.chunked, writer._compress = False, None  # noqa: SLF001  # see above
    response._payload_writer = None  # noqa: SLF001
