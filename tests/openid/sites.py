"""The provider, and the applications of the pages: each page's code is saved as app.py and served as the page says."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from node_packages import install

from sessionkit import SessionStore
from sessionkit.backends import SQLiteBackend

from .browser import Browser

HERE = Path(__file__).parent
PAGES = HERE.parents[1] / "docs/how-to"
FRAMEWORKS = ("flask", "fastapi", "django")
IN_COOKIES = [f"{framework}-in-a-cookie" for framework in FRAMEWORKS]
ON_SERVER = [f"{framework}-on-the-server" for framework in FRAMEWORKS]
IN_TWO_PROCESSES = [f"{framework}-in-two-processes" for framework in FRAMEWORKS]
SITES = sorted(IN_COOKIES + ON_SERVER)
CLIENT_SECRET = "a-secret-of-the-tests-0123456789abcdef"  # the one of provider.mjs
STARTUP = 1_200  # tries of 0.05 seconds; a process that ends is noticed at once
BACKEND = 'backend=SQLiteBackend("sessions.db")'
SEVERAL = "\n## Refresh tokens with several processes\n"


def free_ports(number: int) -> list[int]:
    """Return ports that nobody listens on, each another one."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def origin_of(port: int) -> str:
    """Return the origin of an application."""
    return f"http://localhost:{port}"


def page_of(name: str) -> str:
    """Return the page of a site's framework."""
    return (PAGES / f"sign-in-with-openid-{name.partition('-')[0]}.md").read_text()


def code_of(name: str) -> str:
    """Return the code of a site as its page tells the reader: without the backend for cookies, with the lock for processes."""
    page = page_of(name)
    assert page.count(BACKEND) == 2
    assert page.count(SEVERAL) == 1
    if name not in IN_TWO_PROCESSES:
        page = page.partition(SEVERAL)[0]
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    return code.replace(BACKEND, "") if name in IN_COOKIES else code


def command_of(name: str, port: int) -> list[str]:
    """Return the command with which the page serves the application, for another port."""
    (line,) = re.findall(r"^((?:waitress-serve|uvicorn) .*8000.*)$", page_of(name), re.MULTILINE)
    program, *arguments = line.replace("8000", str(port)).split()
    return [str(Path(sys.executable).with_name(program)), *arguments]


class Running:
    """A process whose output is in a file, and which ends with the tests."""

    def __init__(self, command: list[str], folder: Path, log: str, **environ: str) -> None:
        self.log = folder / log
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=os.environ | environ,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_for(self, ready: Callable[[], Any]) -> Any:
        """Wait until something is ready, and return it."""
        for _ in range(STARTUP):
            if found := ready():
                return found
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(0.05)
                break
        raise AssertionError(self.log.read_text())

    def close(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=30)


class Provider:
    """The OpenID provider, which knows an application on each of `ports`."""

    def __init__(self, folder: Path, closing: ExitStack) -> None:
        install(HERE / "provider")
        names = SITES + IN_TWO_PROCESSES
        self.ports = dict(zip(names, free_ports(len(names)), strict=True))
        script = str(HERE / "provider/provider.mjs")
        told = {origin_of(port): name in ON_SERVER for name, port in self.ports.items()}
        self.running = Running(["node", script, json.dumps(told)], folder, "log")
        closing.callback(self.running.close)
        self.issuer = self.running.wait_for(
            lambda: re.search(r"^(http:\S+)$", self.running.log.read_text(), re.MULTILINE)
        )[1]

    def refreshes(self, account: str) -> int:
        """Return how many refresh tokens of a user have been used."""
        with urlopen(f"{self.issuer}/ledger") as response:
            return json.load(response).get(account, 0)

    def fail_once(self) -> None:
        """Let the next request for user information fail."""
        with urlopen(f"{self.issuer}/userinfo-fails"):
            pass


@dataclass(frozen=True, slots=True)
class Site:
    """A page's application, which is being served on one port, or by two processes on two."""

    name: str
    ports: list[int]
    provider: Provider
    store: SessionStore
    """A store with the application's settings, to look into its sessions."""

    @property
    def origin(self) -> str:
        """The address of the application."""
        return origin_of(self.ports[0])

    @property
    def client_id(self) -> str:
        """The name of the application at the provider."""
        return f"app-{self.ports[0]}"

    @property
    def on_server(self) -> bool:
        """Whether the application keeps its sessions on the server."""
        return self.name not in IN_COOKIES

    def contents(self, browser: Browser) -> dict[str, Any]:
        """Return the contents of a browser's session, anonymous ones too."""
        with self.store.exchange(browser.cookies) as exchange:
            return dict(exchange.contents)


def serve(name: str, provider: Provider, folder: Path, closing: ExitStack) -> Site:
    """Serve an application until the stack closes."""
    (folder / "app.py").write_text(code_of(name))
    secret, backend = token_urlsafe(32), None
    if name not in IN_COOKIES:
        backend = SQLiteBackend(folder / "sessions.db")
        closing.callback(backend.close)
    ports = [provider.ports[name], *(free_ports(1) if name in IN_TWO_PROCESSES else [])]
    site = Site(name, ports, provider, SessionStore(secret, backend=backend))
    environ = {
        "SESSIONKIT_SECRET": secret,
        "OPENID_ISSUER": provider.issuer,
        "OPENID_CLIENT_ID": site.client_id,
        "OPENID_CLIENT_SECRET": CLIENT_SECRET,
        "APP_URL": site.origin,
    }
    for port in ports:
        running = Running(command_of(name, port), folder, f"log-{port}", **environ)
        closing.callback(running.close)
        running.wait_for(lambda port=port: answers(port))
    return site


def answers(port: int) -> bool:
    """Return whether an application is being served."""
    try:
        with urlopen(origin_of(port)) as response:
            return bool(response.status == 200)
    except URLError:
        return False
