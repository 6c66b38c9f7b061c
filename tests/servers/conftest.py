"""A server for a test, and the browsers that visit it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

STARTUP = 1_200  # tries of 0.05 seconds; a process that ends is noticed at once


class Browser:
    """A visitor with a cookie jar and one connection, which it opens again when the server closes it."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.cookies: dict[str, str] = {}

    def get(self, path: str) -> tuple[int, bytes]:
        headers = {"Cookie": self.cookie_header} if self.cookies else {}
        self.connection.request("GET", path, headers=headers)
        response = self.connection.getresponse()
        body = response.read()
        for line in response.headers.get_all("Set-Cookie") or []:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies.pop(name, None)
            if "Max-Age=0" not in line:
                self.cookies[name] = value
        return response.status, body

    def ask(self, path: str) -> Any:
        """The one JSON value of an answer."""
        status, body = self.get(path)
        assert status == 200, (path, status, body)
        return json.loads(body)

    @property
    def cookie_header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())


@pytest.fixture
def browsers() -> Iterator[Callable[[int], Browser]]:
    """Makes browsers, and closes their connections."""
    with ExitStack() as closing:

        def make(port: int) -> Browser:
            browser = Browser(port)
            closing.callback(browser.connection.close)
            return browser

        yield make


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@pytest.fixture
def served() -> Iterator[Callable[[str], int]]:
    """Starts a server of `serve.py` and gives its port."""
    running: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryFile() as log:

        def start(server: str) -> int:
            port = free_port()
            command = [sys.executable, str(Path(__file__).with_name("serve.py")), server, str(port)]
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )
            running.append(process)
            for _ in range(STARTUP):
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
                    return port
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.05)
                    break
            log.seek(0)
            pytest.fail(f"{server} did not start: {log.read().decode(errors='replace')}")

        yield start
        for process in running:
            assert process.stdin is not None
            process.stdin.close()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
