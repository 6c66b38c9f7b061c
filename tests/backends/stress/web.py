"""A web server in processes of its own, its visitors, and the gate at which its pages wait."""

from __future__ import annotations

import http.client
import json
import os
import queue
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from tcp_proxy import free_port

from sessionkit import CookieSettings, SessionStore
from sessionkit.backends._url import open_backend

SECRET = secrets.token_urlsafe(32)
HERE = Path(__file__).parent
LONGEST = 60  # seconds that anything takes

GUNICORN = "gunicorn --preload --worker-class gthread --threads 24 --keep-alive 60 --log-level critical app:wsgi"
UVICORN = "uvicorn --log-level critical --lifespan off app:asgi"


def open_store(url: str, **options: Any) -> SessionStore:
    """Return the store of the application, in this process."""
    return SessionStore(
        SECRET, backend=open_backend(url), cookie=CookieSettings(secure=False), **options
    )


class Gate:
    """Stops the requests that come with a name, until the test opens it for them."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = int(self._listening.getsockname()[1])
        self._waiting: defaultdict[str, queue.Queue[socket.socket]] = defaultdict(queue.Queue)
        threading.Thread(target=self._accept, daemon=True).start()

    def wait_for(self, name: str) -> socket.socket:
        """Wait until a request of this name has come; it goes on when the returned connection is closed."""
        return self._waiting[name].get(timeout=LONGEST)

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection.makefile("rb") as stream:
                name = stream.readline().decode().strip()
            self._waiting[name].put(connection)


class Answer(NamedTuple):
    """A response: its status, the JSON value of its body, and its Set-Cookie lines."""

    status: int
    value: Any
    lines: list[str]


class Visitor:
    """A browser with a connection and a cookie."""

    def __init__(self, port: int, cookie: str | None = None) -> None:
        self.cookie = cookie
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST)

    def send(self, path: str, **query: str) -> None:
        """Send a request, and do not wait for the response."""
        headers = {} if self.cookie is None else {"Cookie": self.cookie}
        self._connection.request("GET", f"/{path}?{urlencode(query)}", headers=headers)

    def receive(self) -> Answer:
        """Wait for the response, and keep its cookie."""
        response = self._connection.getresponse()
        body = response.read()
        lines = response.headers.get_all("Set-Cookie") or []
        for line in lines:
            pair, _, attributes = line.partition(";")
            self.cookie = None if "Max-Age=0" in attributes else pair
        is_json = response.headers["Content-Type"] == "application/json"
        return Answer(response.status, json.loads(body) if is_json else body, lines)

    def ask(self, path: str, **query: str) -> Answer:
        """Send a request and return the response."""
        self.send(path, **query)
        return self.receive()

    def get(self, path: str, **query: str) -> Any:
        """Return the value of a page that must be answered with 200."""
        answer = self.ask(path, **query)
        assert answer.status == 200, answer
        return answer.value

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        self._connection.close()


class Web:
    """A web server with the application.

    Attributes:
        port: where it listens.
        gate: the gate of its pages.
    """

    def __init__(
        self, command: str, port: int, gate: Gate, process: subprocess.Popen[bytes]
    ) -> None:
        self.port, self.gate = port, gate
        self._process = process
        self._visitors: list[Visitor] = []

    def visit(self, cookie: str | None = None) -> Visitor:
        """Return a new visitor."""
        self._visitors.append(Visitor(self.port, cookie))
        return self._visitors[-1]

    def kill_workers(self) -> None:
        """Kill the processes that serve requests; gunicorn starts others."""
        master = self._process.pid
        for one in Path(f"/proc/{master}/task/{master}/children").read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(one), signal.SIGKILL)

    def close(self) -> None:
        for one in self._visitors:
            one.close()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.gate.close()


@contextmanager
def serve(url: str, *, workers: int = 2) -> Iterator[Web]:
    """Serve the application: by gunicorn, or by uvicorn if the backend of this URL is awaited.

    Args:
        url: the URL of the backend.
        workers: the number of processes of gunicorn.
    """
    is_async = "+async" in url
    port, gate = free_port(), Gate()
    command = (
        f"{UVICORN} --port {port}"
        if is_async
        else f"{GUNICORN} --workers {workers} --bind 127.0.0.1:{port}"
    )
    environment = {
        **os.environ,
        "STRESS_SECRET": SECRET,
        "STRESS_BACKEND": url,
        "STRESS_GATEWAY": "async" if is_async else "",
        "STRESS_GATE": str(gate.port),
    }
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command.split()],
            cwd=HERE,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        web = Web(command, port, gate, process)
        try:
            end = time.monotonic() + LONGEST
            while True:
                with suppress(OSError, http.client.HTTPException):
                    if web.visit().get("still") == "still":
                        break
                assert process.poll() is None and time.monotonic() < end, read(log)
                time.sleep(0.02)
            yield web
        finally:
            web.close()


def read(log: Any) -> str:
    log.seek(0)
    return log.read().decode(errors="replace")[-4000:]
