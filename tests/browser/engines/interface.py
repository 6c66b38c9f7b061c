"""What a test may ask of an engine."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import Any

PATIENCE = 30  # seconds: how long a test waits for a browser or a server before it gives up
START = 120  # seconds: how long a browser may take to start, on a machine that is busy


class EngineError(Exception):
    """The engine refused a command; while one page follows another this is normal."""


class Tab(ABC):
    """A tab. Each engine brings `goto`, `back` and `evaluate`; the rest follows from these."""

    @abstractmethod
    def goto(self, path: str) -> None:
        """Open a path of the site, and wait until its page is loaded."""

    @abstractmethod
    def back(self) -> None:
        """Go back in the history, and wait until the page is shown."""

    @abstractmethod
    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, as JSON gives it; a promise is awaited."""

    def text(self, selector: str) -> str:
        """Return the rendered text of the first element."""
        return self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText")

    def fill(self, selector: str, value: str) -> None:
        """Write a value into a field."""
        self.evaluate(
            f"(document.querySelector({json.dumps(selector)}).value = {json.dumps(value)}).length"
        )

    def press(self, selector: str) -> None:
        """Click a button, and wait until the page that follows is loaded."""
        self.evaluate(
            f"(window.isOld = true, document.querySelector({json.dumps(selector)}).click(), true)"
        )
        self.wait_until("!window.isOld && document.readyState === 'complete'")

    def wait_until(self, condition: str) -> None:
        """Wait until a JavaScript expression is true."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                if self.evaluate(condition):
                    return
            except EngineError:
                pass  # the old page is gone, and the new one is not there yet
        raise AssertionError(f"never true: {condition}")


class Window(ABC):
    """A window with cookies of its own, as a private one has."""

    complaints: list[str]
    """What the engine wrote to the console, and which requests failed, as far as it tells."""

    @abstractmethod
    def open_tab(self) -> Tab:
        """Open a further tab."""

    @abstractmethod
    def cookies(self) -> list[dict[str, Any]]:
        """Return the cookies that the window keeps for its site, as WebDriver describes them."""

    @abstractmethod
    def close(self) -> None:
        """Close the window and forget its cookies."""


class Engine(ABC):
    """A browser that runs."""

    name: str

    @abstractmethod
    def open_window(self, url: str) -> Window:
        """Open a window whose tabs resolve paths against a URL."""


OpenEngine = AbstractContextManager[Engine]
