"""A browser at an application of a framework whose own session object is served, and what handlers do to that object."""

from __future__ import annotations

from sessionkit import SessionStore
from sessionkit._exchange.exchange import Exchange
from sessionkit._exchange.framework_keys import FrameworkKeys
from sessionkit._exchange.request import HeaderRequest
from sessionkit._frameworks.contents import LazyContents
from sessionkit._requests.gateway import Gateway

from ..browser_jar import BrowserJar
from ..scene import SECRET, Clock


class Framework:
    """A browser, and an application of a framework whose own session object is served."""

    def __init__(self, keys: FrameworkKeys | None = None, **settings) -> None:
        self.clock = Clock()
        store = SessionStore(**{"secret": SECRET, "clock": self.clock, **settings})
        self.settings = Gateway(None, store, framework=keys or FrameworkKeys()).settings
        self.jar = BrowserJar(self.clock)

    def visit(self) -> tuple[LazyContents, Exchange]:
        exchange = Exchange(self.settings, HeaderRequest(self.jar.header()))
        return LazyContents(exchange), exchange

    def answer(self, exchange: Exchange, status: int = 200) -> list[str]:
        return [value for name, value in exchange.commit(status).add if name == "Set-Cookie"]

    def do(self, *steps, status: int = 200) -> list[str]:
        """One request that changes the session object; what its answer sets."""
        session, exchange = self.visit()
        for step in steps:
            step(session)
        lines = self.answer(exchange, status)
        self.jar.receive(lines)
        return lines

    def late(self, *steps) -> list[str]:
        """The answer to a request that left now, which the browser has not received yet."""
        session, exchange = self.visit()
        for step in steps:
            step(session)
        return self.answer(exchange)

    @property
    def session(self) -> dict:
        return self.visit()[0].copy()

    @property
    def id(self) -> str | None:
        return self.visit()[0].id

    @property
    def signed_in(self) -> bool:
        return self.visit()[1].get() is not None


def put(key, value):
    return lambda session: session.__setitem__(key, value)


def pop(key):
    return lambda session: session.pop(key)


def clear(session):
    session.clear()
