"""WebKitGTK, driven by W3C WebDriver: https://www.w3.org/TR/webdriver2/. It needs a display, so Xvfb gives one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from .interface import PATIENCE, START, Engine, EngineError, Tab, Window

BROWSERS = [Path(folder) for folder in ("/usr/lib", "/usr/libexec")]


class Connection:
    """One session of the driver: one browser."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=START)
        self._path = ""
        self._shown = ""

    @contextmanager
    def browser(self, binary: Path) -> Iterator[None]:
        """Start the browser, and end it."""
        options = {"binary": str(binary), "args": ["--automation"]}
        always = {"acceptInsecureCerts": True, "webkitgtk:browserOptions": options}
        opened = self.call("POST", "/session", capabilities={"alwaysMatch": always})
        self._path = f"/session/{opened['sessionId']}"
        try:
            yield
        finally:
            self.call("DELETE", "")
            self._connection.close()

    def call(self, method: str, path: str, **parameters: Any) -> Any:
        """Send a command and return its value."""
        body = json.dumps(parameters) if method == "POST" else None
        self._connection.request(method, self._path + path, body)
        response = self._connection.getresponse()
        value = json.loads(response.read())["value"]
        if response.status != 200:
            raise EngineError(f"{path}: {value['error']}: {value['message']}")
        return value

    def show(self, handle: str) -> None:
        """Make the commands that follow go to a tab."""
        if handle != self._shown:
            self.call("POST", "/window", handle=handle)
            self._shown = handle


class WebKitTab(Tab):
    def __init__(self, driver: Connection, handle: str, url: str) -> None:
        self._driver = driver
        self.handle = handle
        self._url = url

    def goto(self, path: str) -> None:
        self._call("POST", "/url", url=urljoin(self._url, path))

    def back(self) -> None:
        self._call("POST", "/back")

    def evaluate(self, expression: str) -> Any:
        script = (
            f"const done = arguments[0]; (async () => await ({expression}))()"
            ".then((value) => done({ value }), (error) => done({ error: String(error) }))"
        )
        found = self._call("POST", "/execute/async", script=script, args=[])
        if "error" in found:
            raise EngineError(found["error"])
        return found.get("value")

    def cookies(self) -> list[dict[str, Any]]:
        return self._call("GET", "/cookie")

    def close(self) -> None:
        self._call("DELETE", "/window")

    def forget(self) -> None:
        """Delete the cookies of the site, and leave it."""
        self._call("DELETE", "/cookie")
        self._call("POST", "/url", url="about:blank")

    def _call(self, method: str, path: str, **parameters: Any) -> Any:
        self._driver.show(self.handle)
        return self._driver.call(method, path, **parameters)


class WebKitWindow(Window):
    """The one window of the session. It is used by one visitor after another, each without the cookies of the last."""

    def __init__(self, driver: Connection, url: str) -> None:
        self._driver = driver
        self._url = url
        self._tabs: list[WebKitTab] = []
        self.complaints = []  # WebDriver does not tell

    def open_tab(self) -> WebKitTab:
        if self._tabs:
            handle = self._driver.call("POST", "/window/new", type="tab")["handle"]
        else:
            (handle,) = self._driver.call("GET", "/window/handles")
        self._tabs.append(WebKitTab(self._driver, handle, self._url))
        return self._tabs[-1]

    def cookies(self) -> list[dict[str, Any]]:
        return self._tabs[0].cookies()

    def close(self) -> None:
        for tab in self._tabs[1:]:
            tab.close()
        self._tabs[0].forget()


class WebKit(Engine):
    name = "webkit"

    def __init__(self, driver: Connection) -> None:
        self._driver = driver

    def open_window(self, url: str) -> WebKitWindow:
        return WebKitWindow(self._driver, url)


@contextmanager
def open_webkit() -> Iterator[WebKit]:
    """Start Debian's WebKitGTK, in its MiniBrowser, on a display of its own."""
    binaries = [
        found for folder in BROWSERS for found in folder.glob("**/webkit2gtk-4*/MiniBrowser")
    ]
    assert binaries, "WebKitGTK is not installed: apt-get install webkit2gtk-driver"
    with _display() as display, _driver(display) as port:
        driver = Connection(port)
        with driver.browser(binaries[0]):
            yield WebKit(driver)


@contextmanager
def _display() -> Iterator[str]:
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert server.stdout is not None
        yield f":{server.stdout.readline().strip()}"
    finally:
        server.terminate()
        server.communicate(timeout=PATIENCE)


@contextmanager
def _driver(display: str) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    variables = {
        "DISPLAY": display,
        "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",
        "NO_AT_BRIDGE": "1",  # no accessibility bus, for which it would wait
        "GSETTINGS_BACKEND": "memory",
    }
    driver = subprocess.Popen(
        ["WebKitWebDriver", f"--port={port}"],
        env={**os.environ, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + START
        while not _listens(port):
            time.sleep(0.05)
            assert time.monotonic() < until, "WebKitWebDriver does not listen"
        yield port
    finally:
        driver.terminate()
        driver.wait(PATIENCE)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
