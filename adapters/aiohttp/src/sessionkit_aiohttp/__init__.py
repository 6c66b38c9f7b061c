"""Encrypted sessions for aiohttp: `await get_session(request)` and the verbs of sessionkit over one session."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import wraps
from typing import Any, TypeVar, cast, overload

from aiohttp import web

from sessionkit import Exchange, NoActiveRequestError, SessionStore
from sessionkit.context import activate, in_this_task, links, living
from sessionkit.exchange import COMMITTED, OPEN
from sessionkit.gateway import Gateway
from sessionkit.native import LazyContents
from sessionkit.request import HOLDER
from sessionkit.required import Refusal, api_refusal, page_refusal
from sessionkit.response import commit
from sessionkit.settings import NativeKeys

from . import verbs
from .carriers import AiohttpFields, AiohttpRequest

__all__ = ["AiohttpSession", "get_session", "new_session", "require_session_api", "require_session_page", "setup", "verbs"]

Handler = TypeVar("Handler", bound=Callable[..., Awaitable[Any]])

KEYS = NativeKeys(
    login=("AIOHTTP_SECURITY",),  # aiohttp-security's identity
    dropped=("csrf_token", "_state_*"),  # forms' tokens; OAuth sign-ins that another tab began
)


class AiohttpSession(LazyContents):
    """What `await get_session(request)` gives: nested changes are saved, nothing is read before it is used."""

    @property
    def empty(self) -> bool:
        """Whether it holds nothing."""
        return not self

    @property
    def identity(self) -> str | None:
        """The session's id, never the token."""
        return self.id

    @property
    def created(self) -> int | None:
        """When it began, in seconds since the epoch."""
        return None if self.stamp is None else self.stamp.created_at

    def changed(self) -> None:
        """Say that something in it was changed; allowed, and not needed."""

    def invalidate(self) -> None:
        """Empty it: of a signed-in user a logout."""
        self.clear()


def setup(app: web.Application, store: SessionStore, *, exclude: str | Iterable[str] = ()) -> None:
    """Serve sessions to an application and those below it.

    Args:
        app: the application; its sub-applications need no setup of their own.
        store: the store.
        exclude: globs of paths without sessions; `*` matches a slash too.
    """
    front = _Front(app, store, exclude=exclude, native=KEYS)
    app.middlewares.insert(0, front.middleware())
    app.on_response_prepare.append(front.prepare)


class _Front(Gateway):
    """Begins an exchange before the handler, and answers it when a response's headers are about to go out."""

    def __init__(self, app: web.Application, store: SessionStore, **settings: Any) -> None:
        super().__init__(app, store, **settings)
        # Where a request keeps, for each store, the task that serves it and the response that was answered.
        self._task, self._answered = f"sessionkit.task {self.settings.name}", f"sessionkit.answered {self.settings.name}"

    def middleware(self) -> Any:
        @web.middleware
        async def sessions(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
            view = AiohttpRequest(request)
            if self.excluded is not None and self.excluded(view.path):
                activate(self.leave_out(view))
                return await handler(request)
            exchange, owner = self.enter(view)
            activate(view.holder[HOLDER])
            if not owner:
                return await handler(request)
            # Responses are sent when this middleware is done: the request ends with its task, of which it has one.
            task = cast("asyncio.Task[Any]", asyncio.current_task())
            view.holder[self._task] = task
            task.add_done_callback(lambda task: exchange.finish() if task.cancelled() or exchange.phase is COMMITTED else None)
            try:
                response = await handler(request)
            except web.HTTPException as answer:
                _check(exchange, answer)
                raise
            _check(exchange, response)
            return response

        return sessions

    async def prepare(self, request: web.Request, response: web.StreamResponse) -> None:
        """Answer: this signal fires for every response, also for those of errors that no middleware sees."""
        holder = AiohttpRequest(request).holder
        exchange = next((one for one in links(holder.get(HOLDER)) if one.settings is self.settings), None)
        # Sub-applications fire it for one response again; when a response fails before it is sent, there is another.
        if not isinstance(exchange, Exchange) or holder.get(self._answered) is response:
            return
        commit(exchange, response.status, AiohttpFields(response))
        holder[self._answered] = response
        if isinstance(response, web.WebSocketResponse):
            exchange.reachable = in_this_task()
        if holder[self._task].done():  # somebody around us waited for the handler in a task of its own
            cast("asyncio.Task[Any]", asyncio.current_task()).add_done_callback(lambda _: exchange.finish())


def _check(exchange: Exchange, response: object) -> None:
    """What cannot be kept is an error of the handler, to be answered as such: when the headers go out it is too late for a 500."""
    if isinstance(response, web.StreamResponse) and exchange.phase is OPEN:
        exchange.answer(response.status, list(response.headers.items()))


async def get_session(request: web.Request) -> AiohttpSession:
    """The session of whoever comes, anonymous or signed in; empty when there is none.

    To ask whether somebody is signed in, use `verbs.get_session(request)` or the guards.

    Raises:
        NoActiveRequestError: `setup` was not called, or this path is excluded.
    """
    return AiohttpSession(_served(request))


async def new_session(request: web.Request) -> AiohttpSession:
    """A new, empty session; the one that came with the request is dead from here on.

    Raises:
        ResponseStartedError: the response's headers have gone out.
        NoActiveRequestError: `setup` was not called, or this path is excluded.
    """
    exchange = _served(request)
    exchange.delete()
    return AiohttpSession(exchange)


def _served(request: web.Request) -> Exchange:
    found = living(AiohttpRequest(request).holder.get(HOLDER))
    if not isinstance(found, Exchange):
        raise NoActiveRequestError("this request has no session: call sessionkit_aiohttp.setup(app, store), and do not exclude its path")
    return found


def require_session_api(handler: Handler) -> Handler:
    """A handler for signed-in users: everybody else gets 401 and a JSON body."""
    return _guarded(handler, lambda _: api_refusal())


@overload
def require_session_page(handler: Handler, /) -> Handler: ...
@overload
def require_session_page(*, login_url: str = ..., logout_url: str = ..., default: str = ...) -> Callable[[Handler], Handler]: ...
def require_session_page(handler: Any = None, /, **urls: str) -> Any:
    """A page for signed-in users: everybody else is sent to the login page, with a `returnTo` that cannot leave the site.

    Args:
        handler: the handler, where the decorator is used bare.
        **urls: `login_url` (`/auth/login`), `logout_url` (`/auth/logout`), neither of which is returned to, and
            `default` (`/`), which is instead.
    """

    def guard(handler: Handler) -> Handler:
        return _guarded(handler, lambda request: page_refusal(AiohttpRequest(request), **urls))

    return guard if handler is None else guard(handler)


def _guarded(handler: Handler, refusal: Callable[[web.Request], Refusal]) -> Handler:
    @wraps(handler)
    async def guarded(*args: Any) -> Any:
        # of a function, of a method of some object, of a web.View
        request = args[-1].request if isinstance(args[-1], web.View) else args[-1]
        if verbs.get_session(request) is None:
            refused = refusal(request)
            return web.Response(status=refused.status, headers=refused.headers, body=refused.body)
        return await handler(*args)

    return cast("Handler", guarded)
