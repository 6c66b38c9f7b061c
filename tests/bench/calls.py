"""How long the way through the package is: Python calls and modules of one request through the WSGI gateway."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any
from wsgiref.util import setup_testing_defaults

from sessions import cookie_header, session_of, store_of

import sessionkit
from sessionkit import get_session, update_session

CHANGED = {**session_of(), "theme": "light"}
PACKAGE = str(Path(sessionkit.__file__).parent)


def untouched() -> None:
    """Leave the session alone."""


def read() -> None:
    """Read one value of the session."""
    session = get_session()
    assert session is not None
    assert session["user"]


def update() -> None:
    """Replace the session by another of the same user."""
    update_session(CHANGED)


def read_and_update() -> None:
    """Change one value of the session that was read."""
    update_session({**(get_session() or {}), "theme": "light"})


def count(handler: Callable[[], None]) -> list[str]:
    """Return the calls that one request makes inside the package, as `module:function`."""
    store = store_of("json")
    with store.exchange() as exchange:
        store.create_session(session_of())
    lines = [value for name, value in exchange.response_headers if name == "Set-Cookie"]
    calls: list[str] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        handler()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"hello"]

    def seen(frame: FrameType, event: str, arg: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(PACKAGE):
            module = code.co_filename.removeprefix(PACKAGE).strip("/").removesuffix(".py")
            calls.append(f"{module.replace('/', '.')}:{code.co_name}")

    gateway = store.wsgi(app)
    for measured in (False, True):  # the first request fills caches
        environ: dict[str, Any] = {
            "HTTP_COOKIE": cookie_header(lines),
            "HTTP_HOST": "example.org",
            "wsgi.url_scheme": "https",
        }
        setup_testing_defaults(environ)
        sys.setprofile(seen if measured else None)
        try:
            body = gateway(environ, lambda status, headers, exc_info=None: lambda data: None)
            list(body)
            if hasattr(body, "close"):
                body.close()
        finally:
            sys.setprofile(None)
    return calls


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench.py calls", description=__doc__)
    parser.add_argument("--list", action="store_true", help="name each call, in order")
    options = parser.parse_args(arguments)
    print(f"\nThrough the WSGI gateway, Python {sys.version.partition(' ')[0]}: inside the package")
    for handler in (read, update, read_and_update, untouched):
        calls = count(handler)
        modules = {call.partition(":")[0] for call in calls}
        print(
            f"{handler.__name__.replace('_', ' '):18}{len(calls):5} calls in {len(modules):3} modules",
            flush=True,
        )
        if options.list:
            print("".join(f"    {call}\n" for call in calls))
