"""Run the examples of the documentation: every ```python and ```console block of these pages and of the README.

Examples of one page share their names, in order. A block in a comment (`<!-- invisible-code-block: python`) runs too
and checks what the page has just claimed. Blocks of other languages (```sh: installing things) do not run.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import subprocess
import sys
from dataclasses import dataclass, field
from doctest import ELLIPSIS, OutputChecker
from io import BytesIO
from pathlib import Path
from secrets import token_urlsafe
from types import ModuleType
from typing import Any
from urllib.parse import urlencode
from wsgiref.util import setup_testing_defaults

import pytest
from sybil import Example, Sybil
from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser, SkipParser

import sessionkit

ROOT = Path(__file__).parent.parent


def run_console(example: Example) -> None:
    """Run the lines after `$ ` and compare what they print; `...` stands for anything."""
    commands = ("\n" + example.parsed).split("\n$ ")[1:]
    assert commands, "a console block has lines that begin with `$ `"
    for one in commands:
        command, _, expected = one.partition("\n")
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        ran = subprocess.run(
            ["bash", "-ec", command],
            cwd=ROOT,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
        assert OutputChecker().check_output(expected.rstrip() + "\n", ran.stdout, ELLIPSIS), (
            f"{command}\nprinted:\n{ran.stdout}"
        )


@dataclass
class Response:
    status: int
    headers: list[tuple[str, str]]
    text: str

    def __getitem__(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def set_cookies(self) -> list[str]:
        return [value for key, value in self.headers if key.lower() == "set-cookie"]


@dataclass
class Browser:
    """A cookie jar in front of a WSGI or ASGI application, over https."""

    app: Any
    jar: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Response:
        return self.send("GET", path, headers)

    def post(self, path: str, form: dict[str, str] | None = None, **headers: str) -> Response:
        return self.send("POST", path, headers, urlencode(form or {}).encode())

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Response:
        path, _, query = path.partition("?")
        fields = {
            "host": "example.org",
            "cookie": "; ".join(f"{name}={value}" for name, value in self.jar.items()),
            **headers,
        }
        over_asgi = inspect.iscoroutinefunction(self.app) or inspect.iscoroutinefunction(
            type(self.app).__call__
        )
        response = (self._asgi if over_asgi else self._wsgi)(method, path, query, fields, body)
        for line in response.set_cookies:
            pair, *attributes = line.split("; ")
            name, _, value = pair.partition("=")
            if "Max-Age=0" in attributes:
                self.jar.pop(name, None)
            else:
                self.jar[name] = value
        return response

    def _wsgi(
        self, method: str, path: str, query: str, headers: dict[str, str], body: bytes
    ) -> Response:
        environ: dict[str, Any] = {
            f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()
        }
        environ |= {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "wsgi.url_scheme": "https",
        }
        environ |= {
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "wsgi.input": BytesIO(body),
        }
        setup_testing_defaults(environ)
        started: list[tuple[str, list[tuple[str, str]]]] = []
        chunks = self.app(
            environ, lambda status, fields, *_exc_info: started.append((status, fields))
        )
        text = b"".join(chunks).decode()
        if hasattr(chunks, "close"):
            chunks.close()
        status, fields = started[-1]
        return Response(int(status[:3]), fields, text)

    def _asgi(
        self, method: str, path: str, query: str, headers: dict[str, str], body: bytes
    ) -> Response:
        fields = [(name.encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "https", "path": path,
            "raw_path": path.encode(), "query_string": query.encode(), "root_path": "", "headers": fields, "server": ("example.org", 443),
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        start = next(message for message in sent if message["type"] == "http.response.start")
        text = b"".join(
            message.get("body", b"") for message in sent if message["type"] == "http.response.body"
        ).decode()
        return Response(
            start["status"],
            [(name.decode(), value.decode()) for name, value in start["headers"]],
            text,
        )


class Page(ModuleType):
    """The module of a page's examples: Flask asks for its file, Django imports it for its `urlpatterns`."""

    def __init__(self, names: dict[str, Any]) -> None:
        super().__init__("page")
        self.__file__ = __file__
        self.__dict__["_names"] = names

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_names"][name]
        except KeyError:
            raise AttributeError(name) from None


def begin(namespace: dict[str, Any]) -> None:
    namespace["_environ"] = dict(os.environ)
    os.environ["SESSIONKIT_SECRET"] = token_urlsafe(32)
    namespace["Browser"] = Browser
    sys.modules["page"] = Page(namespace)
    namespace["__name__"] = "page"


def end(namespace: dict[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(namespace["_environ"])
    sessionkit.configure(None)


class Examples:
    """Registered for the whole run, since the README lies above this folder."""

    pytest_collect_file = staticmethod(
        Sybil(
            path=str(ROOT),
            patterns=["README.md", "SECURITY.md", "CONTRIBUTING.md", "docs/*.md", "docs/**/*.md"],
            excludes=["docs/_build/**"],
            parsers=[
                PythonCodeBlockParser(doctest_optionflags=ELLIPSIS),
                CodeBlockParser("console", run_console),
                SkipParser(),
            ],
            setup=begin,
            teardown=end,
        ).pytest()
    )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Examples(), "examples")
