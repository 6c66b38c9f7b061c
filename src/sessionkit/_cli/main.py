"""`python -m sessionkit`: a demo, a fresh secret, and a look into a cookie."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import secrets
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from .._cookies.chunks import split_name
from .._cookies.header import HEADER
from .._cookies.settings import CookieSettings
from .._crypto.keyring import check_secrets
from .._environment import apply_variables
from ..errors import ConfigurationError
from ..formats._recognition import spoken_format
from ..store import SessionStore
from .demo import DemoError, check, serve
from .inspection import BLANK, inspect, read_pasted

__all__ = ["main"]

EXIT_CODES = "exit codes: 0 all is well; 1 no session in the cookie, or a failed check; 2 a wrong call or setting; 130 interrupted"

HIGHEST_PORT = 65_535

TERMINAL_LINE = 4095
"""Bytes that a terminal hands over of one line (MAX_CANON of Linux): what is longer arrives cut."""


class _UserError(Exception):
    """One clear line, and exit code 2."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: the arguments without the program's name; the process's own when None.

    Returns:
        The exit code: 0 when all is well, 1 when a cookie holds no session or a check failed, 2 for a wrong call
        or setting, 130 when interrupted.
    """
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except (ConfigurationError, DemoError, _UserError) as error:
        _complain(f"error: {error}")
        return 2
    except KeyboardInterrupt:
        _complain("interrupted")
        return 130


def _parser() -> argparse.ArgumentParser:
    # allow_abbrev: --host opens the demo to others, and is to be written in full.
    parser = argparse.ArgumentParser(
        prog="sessionkit",
        description="Encrypted sessions for Python web applications.",
        epilog=EXIT_CODES,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action="version", version=f"sessionkit-core {version('sessionkit-core')}"
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    demo = commands.add_parser(
        "demo",
        help="serve a small site that shows what happens to a session",
        description="Serve a small site on this machine: sign in, watch the session, its cookies and its expiries.",
        epilog="The secret is made afresh and kept in memory: a session ends with the demo at the latest.",
        allow_abbrev=False,
    )
    demo.add_argument(
        "--host",
        default="127.0.0.1",
        help="where to listen; anything but this machine's own address lets others in (%(default)s)",
    )
    demo.add_argument("--port", type=_port, default=8765, help="0 takes a free one (%(default)s)")
    demo.add_argument(
        "--asgi",
        action="store_true",
        help="serve through uvicorn, which must be installed, instead of wsgiref",
    )
    demo.add_argument(
        "--check",
        action="store_true",
        help="start it on a free port, walk through it as a browser would, say whether it works",
    )
    demo.set_defaults(run=_demo)

    secret = commands.add_parser(
        "secret",
        help="print a fresh secret",
        description="Print a fresh secret: 32 random bytes in base64url.",
    )
    secret.set_defaults(run=_secret)

    look = commands.add_parser(
        "inspect",
        help="show what is in a cookie",
        description=(
            "Show what is in a session cookie, as JSON, and why it gives no session. The whole Cookie header (name=value; ...), "
            "or the Set-Cookie lines of a response, is read from standard input, or asked for on a terminal; SESSIONKIT_SECRET "
            "and the other SESSIONKIT_ variables are read as an application reads them, and a missing secret is asked for. "
            "Neither is ever an argument: arguments stand in the process list and in the shell's history."
        ),
        epilog=EXIT_CODES + ". A terminal cuts lines of 4,095 characters: pipe what is longer.",
        allow_abbrev=False,
    )
    look.add_argument(
        "--values", action="store_true", help="show the session's values too, not only its keys"
    )
    look.set_defaults(run=_inspect)
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= HIGHEST_PORT):
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)


def _demo(arguments: argparse.Namespace) -> int:
    if arguments.check:
        return 0 if check(asgi=arguments.asgi, say=_say) else 1
    serve(arguments.host, arguments.port, asgi=arguments.asgi, say=_say, warn=_complain)
    return 0


def _secret(_arguments: argparse.Namespace) -> int:
    _say(secrets.token_urlsafe(32))
    return 0


def _inspect(arguments: argparse.Namespace) -> int:
    settings = apply_variables(_checked, os.environ, {})  # before anything is asked for
    given: dict[str, Any] = {}
    if "secret" not in settings:
        given = _checked({"secret": _asked("Secret: ").split()})
    header = _cookie_header()
    store = SessionStore.from_env(**_spoken(settings, header), **given)
    if arguments.values and not sys.stdout.isatty():
        _complain("warning: the session's values are going into a file or another program")
    report = inspect(store.settings, header, time.time(), values=arguments.values)
    sys.stdout.write(json.dumps(report, indent=2, ensure_ascii=True) + "\n")
    if not report["tokens"]:
        format = store.settings.format
        for name in sorted(
            {
                split_name(name, format.layout.separator)[0]
                for name, title in report["looks like"].items()
                if title == format.traits.title
            }
        ):
            _complain(
                f"the cookie {name} looks like a session, and was not opened: SESSIONKIT_COOKIE_NAME={name} looks into it"
            )
    return 0 if report["session"] else 1


def _checked(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings whose secrets, if there are any, could be those of some format."""
    if "secret" in settings:
        check_secrets(settings["secret"], shortest=8)
    return settings


def _spoken(settings: Mapping[str, Any], header: str) -> dict[str, Any]:
    """The format and cookie name of a session of another library, where the header has one and the variables name no cookie."""
    found = None if "cookie" in settings else spoken_format(header)
    return {} if found is None else {"format": found[0], "cookie": CookieSettings(name=found[1])}


def _cookie_header() -> str:
    """The Cookie header from standard input, or from whoever sits there; hidden, since it is as good as a password."""
    if sys.stdin.isatty():
        text = _asked("Cookie header (name=value; ...): ")
        if len(text) >= TERMINAL_LINE:
            raise _UserError("the terminal has cut the line: pipe the header in instead")
    else:
        text = sys.stdin.buffer.read(HEADER + 2).decode("latin-1")
    header = read_pasted(text)
    if not header:
        came = (
            "this is the value of a cookie, or of none: its name is needed too"
            if text.strip(BLANK).rpartition(":")[2]
            else "there is no Cookie header"
        )
        raise _UserError(f"{came}: give it as a browser sends it, name=value; name=value")
    return header


def _asked(prompt: str) -> str:
    """What is typed at a prompt, unseen; never standard input, which may hold the cookie."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(prompt)
        except EOFError:
            raise _UserError("nothing was entered") from None
        except getpass.GetPassWarning:
            raise _UserError(
                "there is no terminal to ask on: set SESSIONKIT_SECRET, and pipe the Cookie header in"
            ) from None


def _say(text: str) -> None:
    sys.stdout.write(_printable(text) + "\n")
    sys.stdout.flush()


def _complain(text: str) -> None:
    sys.stderr.write(f"sessionkit: {_printable(text)}\n")


def _printable(text: str) -> str:
    """Text without what a terminal would obey."""
    return json.dumps(text, ensure_ascii=True)[1:-1].replace('\\"', '"').replace("\\\\", "\\")
