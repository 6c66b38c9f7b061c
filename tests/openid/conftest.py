"""The provider, and the applications of the pages: each page's code is saved as app.py and served as the page says."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from node_packages import install

from sessionkit import SessionStore
from sessionkit.backends import SQLiteBackend

from .browser import Browser

HERE = Path(__file__).parent
PAGES = HERE.parents[1] / "docs/how-to"
FRAMEWORKS = ("flask", "fastapi", "django")
SITES = [f"{one}-{kept}" for one in FRAMEWORKS for kept in ("in-a-cookie", "on-the-server")]
ON_SERVER = [name for name in SITES if name.endswith("-on-the-server")]
CLIENT_SECRET = "a-secret-of-the-tests-0123456789abcdef"  # the one of provider.mjs
STARTUP = 400  # tries of 0.05 seconds
BACKEND = 'backend=SQLiteBackend("sessions.db")'


def free_ports(number: int) -> list[int]:
    """Return ports that nobody listens on, each another one."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def code_of(framework: str, kept: str) -> str:
    """Return the code of a page; without its backend for sessions in cookies, as the page tells the reader."""
    page = (PAGES / f"sign-in-with-openid-{framework}.md").read_text()
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    assert code.count(BACKEND) == 1
    return code if kept == "on-the-server" else code.replace(BACKEND, "")


def command_of(framework: str) -> list[str]:
    """Return the command with which a page serves its application on port 8000."""
    page = (PAGES / f"sign-in-with-openid-{framework}.md").read_text()
    (command,) = re.findall(r"^((?:waitress-serve|uvicorn) .*8000.*)$", page, re.MULTILINE)
    return command.split()


class Running:
    """A process whose output is in a file, and which ends with the tests."""

    def __init__(self, command: list[str], folder: Path, **environ: str) -> None:
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=os.environ | environ,
                stdin=subprocess.PIPE,
                stdout=log,
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
        self.close()
        raise AssertionError(self.log.read_text())

    def close(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=30)


class Provider:
    """The OpenID provider; `origins` are those of the applications."""

    def __init__(self, folder: Path) -> None:
        install(HERE / "provider")
        ports = free_ports(len(SITES))
        self.origins = {
            name: f"http://localhost:{port}" for name, port in zip(SITES, ports, strict=True)
        }
        script = str(HERE / "provider/provider.mjs")
        told = {origin: name in ON_SERVER for name, origin in self.origins.items()}
        self.running = Running(["node", script, json.dumps(told)], folder)
        self.issuer = self.running.wait_for(
            lambda: re.search(r"^(http:\S+)$", self.running.log.read_text(), re.MULTILINE)
        )[1]

    def refreshes(self, account: str) -> int:
        """Return how many refresh tokens of a user have been used."""
        with urlopen(f"{self.issuer}/ledger") as response:
            return json.load(response).get(account, 0)


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    one = Provider(tmp_path_factory.mktemp("provider"))
    yield one
    one.running.close()


@dataclass(frozen=True, slots=True)
class Site:
    """A page's application, which is being served."""

    name: str
    origin: str
    client_id: str
    provider: Provider
    store: SessionStore
    """A store with the application's settings, to look into its sessions."""

    @property
    def on_server(self) -> bool:
        """Whether the application keeps its sessions on the server."""
        return self.name in ON_SERVER

    def contents(self, browser: Browser) -> dict[str, Any]:
        """Return the contents of a browser's session, anonymous ones too."""
        with self.store.exchange(browser.cookies) as exchange:
            return dict(exchange.contents)


@pytest.fixture(scope="session", params=SITES)
def site(
    request: pytest.FixtureRequest, provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The application of each page, with its sessions in cookies and on the server."""
    framework, _, kept = request.param.partition("-")
    origin, secret = provider.origins[request.param], token_urlsafe(32)
    port = origin.rpartition(":")[2]
    client_id = f"app-{port}"
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "app.py").write_text(code_of(framework, kept))
    program, *arguments = (word.replace("8000", port) for word in command_of(framework))
    running = Running(
        [str(Path(sys.executable).with_name(program)), *arguments],
        folder,
        SESSIONKIT_SECRET=secret,
        OPENID_ISSUER=provider.issuer,
        OPENID_CLIENT_ID=client_id,
        OPENID_CLIENT_SECRET=CLIENT_SECRET,
        APP_URL=origin,
        PYTHONUNBUFFERED="1",
    )

    def answers() -> bool:
        try:
            with urlopen(origin) as response:
                return bool(response.status == 200)
        except URLError:
            return False

    running.wait_for(answers)
    backend = SQLiteBackend(folder / "sessions.db") if request.param in ON_SERVER else None
    yield Site(request.param, origin, client_id, provider, SessionStore(secret, backend=backend))
    running.close()
    if backend is not None:
        backend.close()


@pytest.fixture
def browser(site: Site) -> Browser:
    return Browser(site.origin)
