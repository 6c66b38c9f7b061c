"""Firefox, driven by WebDriver BiDi: https://w3c.github.io/webdriver-bidi/. It speaks it itself, without geckodriver."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import websocket

from .interface import PATIENCE, START, Engine, EngineError, Tab, Window

PREFERENCES = {
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "browser.safebrowsing.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "extensions.update.enabled": False,
    "app.update.disabledForTesting": True,
}


class Connection:
    """The socket to Firefox: commands with their answers, and the events that come between them."""

    def __init__(self, address: str) -> None:
        self._socket = websocket.create_connection(address, timeout=START, suppress_origin=True)
        self._sent = 0
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        self._sent += 1
        command = {"id": self._sent, "method": method, "params": parameters}
        self._socket.send(json.dumps(command))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == self._sent:
                break
            self.events.append(message)
        if message["type"] == "error":
            raise EngineError(f"{method}: {message['message']}")
        return message["result"]

    def close(self) -> None:
        self._socket.close()


class FirefoxTab(Tab):
    def __init__(self, connection: Connection, context: str, url: str) -> None:
        self._connection = connection
        self.context = context
        self._url = url

    def goto(self, path: str) -> None:
        url = urljoin(self._url, path)
        self._connection.call(
            "browsingContext.navigate", context=self.context, url=url, wait="complete"
        )

    def back(self) -> None:
        self.evaluate("window.isOld = 'left'")
        self._connection.call("browsingContext.traverseHistory", context=self.context, delta=-1)
        self.wait_until("window.isOld !== 'left' && document.readyState === 'complete'")

    def evaluate(self, expression: str) -> Any:
        found = self._connection.call(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})))()",
            target={"context": self.context},
            awaitPromise=True,
        )
        if found["type"] == "exception":
            raise EngineError(found["exceptionDetails"]["text"])
        return json.loads(found["result"].get("value", "null"))


class FirefoxWindow(Window):
    """A user context: it has cookies of its own."""

    def __init__(self, connection: Connection, url: str) -> None:
        self._connection = connection
        self._url = url
        self._user = connection.call("browser.createUserContext", acceptInsecureCerts=True)[
            "userContext"
        ]
        self._tabs: set[str] = set()

    def open_tab(self) -> FirefoxTab:
        opened = self._connection.call(
            "browsingContext.create", type="tab", userContext=self._user, background=True
        )
        self._tabs.add(opened["context"])
        return FirefoxTab(self._connection, opened["context"], self._url)

    @property
    def complaints(self) -> list[str]:  # type: ignore[override]
        self._connection.call("session.status")  # the events that came before its answer are read
        return [
            str(event["params"].get("text") or event["params"]["request"]["url"])
            for event in self._connection.events
            if (event["params"].get("source") or event["params"]).get("context") in self._tabs
        ]

    def cookies(self) -> list[dict[str, Any]]:
        partition = {"type": "storageKey", "userContext": self._user}
        found = self._connection.call("storage.getCookies", partition=partition)["cookies"]
        return [
            {
                **cookie,
                "value": cookie["value"]["value"],
                "sameSite": str(cookie["sameSite"]).capitalize(),
            }
            for cookie in found
        ]

    def close(self) -> None:
        self._connection.call("browser.removeUserContext", userContext=self._user)
        self._connection.events.clear()


class Firefox(Engine):
    name = "firefox"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open_window(self, url: str) -> FirefoxWindow:
        return FirefoxWindow(self._connection, url)


@contextmanager
def open_firefox() -> Iterator[Firefox]:
    """Start Debian's Firefox ESR, with a profile that is empty."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        lines = (
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
            for name, value in PREFERENCES.items()
        )
        Path(profile, "user.js").write_text("".join(lines))
        command = ["firefox-esr", "--headless", "--no-remote", "--profile", profile]
        browser = subprocess.Popen(
            [*command, "--remote-debugging-port", "0"],
            env={**os.environ, "HOME": profile},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            connection = Connection(f"{_address_of(browser)}/session")
            always = {"acceptInsecureCerts": True}
            connection.call("session.new", capabilities={"alwaysMatch": always})
            connection.call("session.subscribe", events=["log.entryAdded", "network.fetchError"])
            yield Firefox(connection)
            connection.close()
        finally:
            browser.terminate()
            browser.communicate(timeout=PATIENCE)


def _address_of(browser: subprocess.Popen[str]) -> str:
    """Return the address that Firefox says it listens on."""
    said: list[str] = []
    for line in browser.stderr or ():
        said.append(line)
        if "BiDi listening on " in line:
            return line.split("listening on ")[1].strip()
    raise AssertionError(f"Firefox did not start: {''.join(said)}")
