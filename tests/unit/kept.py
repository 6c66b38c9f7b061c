"""What tests of sessions on the server begin with: a scene with a backend, and its requests operation by operation."""

from __future__ import annotations

from typing import Any

from sessionkit._exchange.exchange import Exchange
from sessionkit._exchange.operations import Operation
from sessionkit._exchange.request import HeaderRequest
from sessionkit.backends import MemoryBackend
from sessionkit.errors import BackendError

from .scene import ALICE, Browser, Scene, Visit

NAME, FENCE, SEEN = "__Host-session", "__Host-out.session", "__Host-seen.session"


class KeptVisit(Visit):
    """A request whose operations are performed when the test says so."""

    def __init__(self, browser: KeptBrowser, **request: Any) -> None:
        super().__init__(browser, **request)
        self.backend = browser.backend
        self.done: list[Operation] = []
        self.exchange.supply([self.backend.load(*one) for one in self.exchange.wanted])

    def step(self, status: int = 200, headers: Any = (), *, lost: bool | None = None) -> Any:
        """Perform the next operation, and return it; None if there is none.

        `lost` is how the backend fails: False before the operation, True after it.
        """
        operation, _ = self.exchange.decide(status, headers)
        if operation is not None:
            self.done.append(operation)
            reply = None if lost is False else operation.on(self.backend)
            if lost is not None:
                reply = BackendError("the backend is down")
            self.exchange.took(operation, reply)
        return operation

    def settle(self, status: int = 200, headers: Any = ()) -> list[str]:
        """Perform every operation, and return the names of their kinds."""
        before = len(self.done)
        while self.step(status, headers) is not None:
            pass
        return [type(one).__name__ for one in self.done[before:]]

    def commit(self, status: int = 200, headers: Any = ()) -> list[tuple[str, str]]:
        self.settle(status, headers)
        return super().commit(status, headers)


class KeptBrowser(Browser):
    def __init__(self, scene: KeptScene) -> None:
        super().__init__(scene.store, scene.clock)
        self.backend = scene.backend

    def visit(self, **request: Any) -> KeptVisit:
        return KeptVisit(self, **request)


class KeptScene(Scene):
    """A store with a backend in memory."""

    def __init__(self, backend: Any = None, **settings: Any) -> None:
        self.backend: Any = backend or MemoryBackend(clock=lambda: self.clock())  # noqa: PLW0108  # made below
        super().__init__(backend=self.backend, **settings)
        self.browser: KeptBrowser = KeptBrowser(self)

    def another_browser(self) -> KeptBrowser:
        return KeptBrowser(self)

    def open(self, header: str) -> Exchange:
        """A request that is driven to the end, as a gateway would."""
        exchange = self.store.begin(HeaderRequest(header))
        exchange.drive()
        return exchange

    def alive(self, user: Any = ALICE) -> int:
        """How many sessions the user has."""
        return len(self.store.sessions_of(user))
