"""What most tests begin with: a clock that stands still, a store, and a browser that visits it."""

from __future__ import annotations

from typing import Any

from sessionkit import Event, Session, SessionStore
from sessionkit._exchange.exchange import Exchange
from sessionkit._exchange.request import HeaderRequest

from .browser_jar import BrowserJar

SECRET = "0f1e2d3c4b5a69788796a5b4c3d2e1f0-first"
OTHER_SECRET = "ffeeddccbbaa99887766554433221100-second"
START = 1_700_000_000

ALICE = {"user": {"sub": "alice", "iss": "https://issuer.example"}}
BOB = {"user": {"sub": "bob", "iss": "https://issuer.example"}}


class Clock:
    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


class Visit:
    """One request of a browser: it leaves with the cookies of its beginning and answers whenever `arrive` is called."""

    def __init__(self, browser: Browser, **request: Any) -> None:
        self.browser = browser
        self.exchange: Exchange = browser.store.begin(
            HeaderRequest(browser.jar.header(), **request)
        )

    def commit(self, status: int = 200, headers: Any = ()) -> list[tuple[str, str]]:
        return list(self.exchange.commit(status, list(headers)).add)

    def answer(self, status: int = 200, headers: Any = ()) -> list[str]:
        """The Set-Cookie lines of the response."""
        return [value for name, value in self.commit(status, headers) if name == "Set-Cookie"]

    def arrive(self, status: int = 200, headers: Any = ()) -> list[str]:
        """Commit, and let the browser have the answer."""
        lines = self.answer(status, headers)
        self.browser.jar.receive(lines)
        return lines


class Browser:
    def __init__(self, store: SessionStore, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.jar = BrowserJar(clock)

    def visit(self, **request: Any) -> Visit:
        return Visit(self, **request)

    def login(self, session: dict[str, Any] = ALICE) -> list[str]:
        visit = self.visit()
        visit.exchange.create(session)
        return visit.arrive()

    def logout(self) -> list[str]:
        visit = self.visit()
        visit.exchange.delete()
        return visit.arrive()

    def update(self, **changes: Any) -> list[str]:
        visit = self.visit()
        assert visit.exchange.update({**self.session(), **changes}) is True
        return visit.arrive()

    def session(self) -> dict[str, Any]:
        """What a page shows that is asked now (and whose answer is thrown away)."""
        found: Session | None = self.visit().exchange.get()
        return {} if found is None else dict(found)

    def absence(self) -> Any:
        return self.visit().exchange.absence


class Scene:
    """A store, its clock, its events, and a browser."""

    def __init__(self, **settings: Any) -> None:
        self.clock = Clock()
        self.events: list[Event] = []
        settings.setdefault("secret", SECRET)
        self.store = SessionStore(clock=self.clock, on_event=self.events.append, **settings)
        self.browser = Browser(self.store, self.clock)

    def another_browser(self) -> Browser:
        return Browser(self.store, self.clock)


def names(lines: list[str]) -> list[str]:
    """The cookie names of Set-Cookie lines, a cleared one with a minus before it."""
    return [("-" if "; Max-Age=0;" in line else "") + line.partition("=")[0] for line in lines]


def cookie(lines: list[str], name: str) -> str:
    """The value that Set-Cookie lines give a cookie."""
    return next(
        line.partition("=")[2].partition(";")[0] for line in lines if line.partition("=")[0] == name
    )
