"""Every form of a call, as a method and as a function of the module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..scene import Scene

Call = Callable[..., Any]


Act = Callable[[Call], Any]


class Caller:
    """One way to call the verbs, with a browser."""

    def __init__(self, scene: Scene, run: Any, verbs: Any) -> None:
        self.scene, self.run, self.verbs = scene, run, verbs

    def __call__(self, act: Act) -> Any:
        """What `act` gives, after the browser has the response."""
        results: list[Any] = []
        lines = self.run(self.scene, self.verbs, lambda call: results.append(act(call)))
        self.lines = lines
        self.scene.browser.jar.receive(lines)
        return results[0]


def begin_anonymous(scene: Scene) -> None:
    visit = scene.browser.visit()
    visit.exchange.contents["cart"] = [1]
    visit.arrive()
