"""The session object of `await get_session(request)`, with the names of aiohttp-session."""

from __future__ import annotations

from aiohttp import web

from sessionkit import NoActiveRequestError
from sessionkit.adapters import LazyContents, find_serving

from .requests import AiohttpRequest

__all__ = ["AiohttpSession", "get_session", "new_session"]


class AiohttpSession(LazyContents):
    """The session of a request. Nested changes are saved, and nothing is read before its first use."""

    @property
    def new(self) -> bool:
        """Whether the session is not the one that came with the request."""
        return self.exchange.is_new

    @property
    def empty(self) -> bool:
        """Whether the session is empty."""
        return not self

    @property
    def identity(self) -> str | None:
        """The session's id, never the token."""
        return self.id

    @property
    def created(self) -> int | None:
        """When the session began, in seconds since the epoch; None while there is no session."""
        return None if self.stamp is None else self.stamp.created_at

    def changed(self) -> None:
        """Do nothing: a nested change is saved without this call of aiohttp-session."""

    def invalidate(self) -> None:
        """Empty the session: a logout, if the user is signed in."""
        self.clear()


async def get_session(request: web.Request) -> AiohttpSession:
    """Return the session of a visitor, anonymous or signed in; it is empty if there is none.

    To ask whether somebody is signed in, use `verbs.get_session(request)` or the guards.

    Raises:
        NoActiveRequestError: `setup` was not called, this path is excluded, or the caller is a middleware around that of `setup`.
    """
    exchange = find_serving(AiohttpRequest(request))
    if exchange is None:
        raise NoActiveRequestError(
            "this request has no session: call sessionkit_aiohttp.setup(app, store), do not exclude its path, and leave its middleware "
            "the first, since one around it has no session"
        )
    return AiohttpSession(exchange)


async def new_session(request: web.Request) -> AiohttpSession:
    """Return a new, empty session, and end the one that came with the request.

    Raises:
        ResponseStartedError: the response's headers have gone out.
        NoActiveRequestError: `setup` was not called, or this path is excluded.
    """
    session = await get_session(request)
    session.exchange.delete()
    return session
