"""Who finds the session while a response is streamed, asked from inside the stream of an adapter's framework."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from sessionkit import NoActiveRequestError, SessionStore, get_session
from sessionkit.testing import session_cookies

SECRET = "streams: 0123456789abcdefghijklmnopqrstuvwxyz"
STORE = SessionStore(SECRET)


def cookie_of(name: str) -> str:
    """Return the Cookie header of a signed-in user."""
    cookies = session_cookies(STORE, {"user": {"sub": name}})
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


COOKIE = cookie_of("ann")


def asked() -> str:
    """Return who is signed in, as the caller finds it without naming a request."""
    try:
        session = get_session()
    except NoActiveRequestError:
        return "refused"
    return session["user"]["sub"] if session else "nobody"


async def worker() -> str:
    """Work for whoever asks; one visitor's stream has started this task."""
    return asked()


async def parts() -> AsyncIterator[bytes]:
    """Yield what the stream, a worker that it started and a thread of the stream find."""
    yield b"stream: "
    yield asked().encode()
    yield b", worker: " + (await asyncio.create_task(worker())).encode()
    yield b", thread: " + (await asyncio.to_thread(asked)).encode()


STREAMED = "stream: ann, worker: refused, thread: ann"
