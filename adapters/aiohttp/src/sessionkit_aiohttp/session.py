"""What `await get_session(request)` gives, with the names that aiohttp-session has for it."""

from __future__ import annotations

from aiohttp import web

from sessionkit import NoActiveRequestError
from sessionkit.adapters import LazyContents, find_serving

from .carriers import AiohttpRequest

__all__ = ["AiohttpSession", "get_session", "new_session"]


class AiohttpSession(LazyContents):
    """The session of a request: nested changes are saved, nothing is read before it is used."""

    @property
    def new(self) -> bool:
        """Whether it is not the one that came with the request."""
        return self.exchange.is_new

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


async def get_session(request: web.Request) -> AiohttpSession:
    """The session of whoever comes, anonymous or signed in; empty when there is none.

    To ask whether somebody is signed in, use `verbs.get_session(request)` or the guards.

    Raises:
        NoActiveRequestError: `setup` was not called, or this path is excluded.
    """
    exchange = find_serving(AiohttpRequest(request))
    if exchange is None:
        raise NoActiveRequestError(
            "this request has no session: call sessionkit_aiohttp.setup(app, store), and do not exclude its path"
        )
    return AiohttpSession(exchange)


async def new_session(request: web.Request) -> AiohttpSession:
    """A new, empty session; the one that came with the request is dead from here on.

    Raises:
        ResponseStartedError: the response's headers have gone out.
        NoActiveRequestError: `setup` was not called, or this path is excluded.
    """
    session = await get_session(request)
    session.exchange.delete()
    return session
