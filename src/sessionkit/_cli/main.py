"""The command line, `python -m sessionkit`: a demo, a fresh secret, the inspection of a cookie, and the purge of a backend."""

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
from functools import partial
from importlib.metadata import version
from typing import Any, NoReturn

from .._cookies.chunks import split_name
from .._cookies.header import HEADER
from .._cookies.settings import CookieSettings
from .._crypto.keyring import check_secrets
from .._environment import BACKEND, apply_variables
from ..backends import MemoryBackend
from ..errors import BackendError, ConfigurationError
from ..formats._recognition import spoken_format
from ..store import SessionStore
from .demo import check, opened_backend, serve
from .inspection import assume_lifetimes, inspect
from .pasted import BLANK, read_pasted
from .purging import purge

__all__ = ["main"]

EXIT_CODES = "Exit codes: 0 all is well; 1 {}; 2 a wrong call or setting; 130 interrupted"

NO_ARGUMENT = (
    "inspect takes no argument but --values: give the Cookie header on standard input, "
    "as in `python -m sessionkit inspect < header.txt`"
)
"""The error does not repeat the argument, which may be a cookie."""

HIGHEST_PORT = 65_535

HIGHEST_LIMIT = 999_999_999

TERMINAL_LINE = 4095
"""The bytes of the longest line that a terminal passes on (MAX_CANON of Linux). It cuts a longer line."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: the arguments without the program's name; None means those of the process.

    Returns:
        The exit code: 0 for success, 1 if a cookie gives no session, a check failed or the backend fails, 2 for a wrong call
        or setting, 130 if interrupted.
    """
    arguments, unknown = _build_parser().parse_known_args(argv)
    if unknown:
        arguments.parser.error(arguments.unknown.format(" ".join(unknown)))
    try:
        return int(arguments.run(arguments))
    except ConfigurationError as error:
        _complain(f"error: {error}")
        return 2
    except BackendError as error:
        _complain(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        _complain("interrupted")
        return 130


def _build_parser() -> argparse.ArgumentParser:
    # No abbreviations: --host lets other machines in, and must be written in full.
    parser = argparse.ArgumentParser(
        prog="sessionkit",
        description="Encrypted sessions for Python web applications.",
        epilog=EXIT_CODES.format(
            "no session in the cookie, a failed check, or a backend that fails"
        ),
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action="version", version=f"sessionkit-core {version('sessionkit-core')}"
    )
    parser.set_defaults(run=_ask_for_command, parser=parser, unknown="unrecognized arguments: {}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    demo = commands.add_parser(
        "demo",
        help="serve a small site that shows a session, its cookies and its expiries",
        description="Serve a small site on this machine. Sign in there, and watch the session, its cookies and its expiries.",
        epilog="Each run has a secret of its own, in memory only: when the demo stops, its sessions are over. "
        "With --backend, sign in from a second, private window with the same name: each lists both sessions, and can end either. "
        + EXIT_CODES.format("a failed check, or a backend that fails"),
        allow_abbrev=False,
    )
    demo.add_argument(
        "--host",
        default="127.0.0.1",
        help="the address to listen on (%(default)s); any other than this machine's own lets other machines in",
    )
    demo.add_argument(
        "--port",
        type=partial(
            _parse_number, least=0, most=HIGHEST_PORT, rule="a port is a number from 0 to 65535"
        ),
        default=8765,
        help="the port to listen on (%(default)s); 0 takes a free one",
    )
    demo.add_argument(
        "--asgi",
        action="store_true",
        help="serve with uvicorn (which must be installed) instead of wsgiref",
    )
    demo.add_argument(
        "--backend",
        metavar="NAME",
        help="keep the sessions on the server: sqlite (a temporary file), memory, or a URL as in SESSIONKIT_BACKEND",
    )
    demo.add_argument(
        "--check",
        action="store_true",
        help="start the demo on a free port, use it as a browser would, and report whether it works",
    )
    demo.set_defaults(run=_run_demo, parser=demo)

    secret = commands.add_parser(
        "secret",
        help="print a new random secret",
        description="Print a new secret for SESSIONKIT_SECRET: 32 random bytes in base64url.",
        epilog='In a shell: export SESSIONKIT_SECRET="$(python -m sessionkit secret)"',
    )
    secret.set_defaults(run=_print_secret, parser=secret)

    look = commands.add_parser(
        "inspect",
        help="show what a session cookie holds and when it ends, or why it gives no session",
        description=(
            "Print the keys and times of a session cookie as JSON, and the reason if it gives no session. Give the whole Cookie "
            "header (name=value; ...), or the Set-Cookie lines of a response, on standard input; a terminal asks for it. The secret "
            "and the other settings come from the SESSIONKIT_ variables, as in an application; a missing secret is asked for. "
            "Neither cookie nor secret is ever an argument: other users see arguments in the process list."
        ),
        epilog="Example: python -m sessionkit inspect < header.txt. A terminal cuts lines of 4,095 characters: pipe a longer header. "
        + EXIT_CODES.format("no session in the cookie"),
        allow_abbrev=False,
    )
    look.add_argument(
        "--values",
        action="store_true",
        help="print the values of the session too, not only its keys",
    )
    look.set_defaults(run=_run_inspect, parser=look, unknown=NO_ARGUMENT)

    tidy = commands.add_parser(
        "purge",
        help="remove expired sessions from the backend",
        description=(
            "Remove expired sessions from the backend of SESSIONKIT_BACKEND, 50 at a time, and say how many. Every login removes "
            "a few, so that no cron job is needed: this is for a backlog. The server of Redis or Valkey removes them itself."
        ),
        epilog=EXIT_CODES.format("a backend that fails"),
        allow_abbrev=False,
    )
    most = tidy.add_mutually_exclusive_group()
    most.add_argument(
        "--limit",
        type=partial(
            _parse_number,
            least=1,
            most=HIGHEST_LIMIT,
            rule="a limit is a whole number of at least 1",
        ),
        default=500,
        metavar="N",
        help="remove at most N (%(default)s)",
    )
    most.add_argument(
        "--all",
        action="store_const",
        const=None,
        dest="limit",
        help="remove every session that has expired",
    )
    tidy.set_defaults(run=_run_purge, parser=tidy)
    return parser


def _parse_number(text: str, *, least: int, most: int, rule: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(most))
    if not (is_number and least <= int(text) <= most):
        raise argparse.ArgumentTypeError(rule)
    return int(text)


def _ask_for_command(arguments: argparse.Namespace) -> NoReturn:
    parser: argparse.ArgumentParser = arguments.parser
    parser.error("choose a command: demo, secret, inspect or purge")


def _run_demo(arguments: argparse.Namespace) -> int:
    with opened_backend(arguments.backend) as backend:
        if arguments.check:
            return 0 if check(asgi=arguments.asgi, say=_say, backend=backend) else 1
        serve(
            arguments.host,
            arguments.port,
            asgi=arguments.asgi,
            say=_say,
            warn=_complain,
            backend=backend,
        )
    return 0


def _print_secret(_arguments: argparse.Namespace) -> int:
    _say(secrets.token_urlsafe(32))
    return 0


def _run_inspect(arguments: argparse.Namespace) -> int:
    # A wrong variable is reported before any question. No record is loaded, so the backend is not opened.
    names_backend = os.environ.get(BACKEND, "none").strip().lower() != "none"
    given: dict[str, Any] = {"backend": MemoryBackend() if names_backend else None}
    settings = apply_variables(_check_secrets, os.environ, given)
    if "secret" not in settings:
        given |= _check_secrets({"secret": _prompt("Secret: ").split()})
    header = _read_cookie_header()
    store = SessionStore.from_env(**_find_format(settings, header), **given)
    if arguments.values and not sys.stdout.isatty():
        _complain("warning: the session's values are going into a file or another program")
    assumed = assume_lifetimes(store.settings, header)
    report = inspect(assumed, header, time.time(), values=arguments.values)
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
    return 1 if report["session"] is False else 0


def _run_purge(arguments: argparse.Namespace) -> int:
    # No secret is needed: nothing is opened.
    backend = apply_variables(lambda settings: settings.get("backend"), os.environ, {})
    if backend is None:
        raise ConfigurationError(
            "SESSIONKIT_BACKEND is not set, so there are no sessions to purge: set it to the URL of your backend"
        )
    if isinstance(backend, MemoryBackend):
        raise ConfigurationError(
            "SESSIONKIT_BACKEND is memory:, and no other process sees those sessions. The process that has them must purge them"
        )
    removed = 0
    try:
        for count in purge(backend, time.time, limit=arguments.limit):
            removed += count
    finally:
        _say(f"removed {removed:,} expired sessions")
    if removed == arguments.limit:
        _say("that is the limit, and there may be more: --all removes every expired session")
    return 0


def _check_secrets(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings as they are; raise ConfigurationError if no format could take their secrets."""
    if "secret" in settings:
        check_secrets(settings["secret"], shortest=8)
    return settings


def _find_format(settings: Mapping[str, Any], header: str) -> dict[str, Any]:
    """Return the format and name of another library's session in a header, as settings, unless the variables name a cookie."""
    found = None if "cookie" in settings else spoken_format(header)
    return {} if found is None else {"format": found[0], "cookie": CookieSettings(name=found[1])}


def _read_cookie_header() -> str:
    """Read the Cookie header from standard input, or from a hidden prompt: it is as good as a password."""
    if sys.stdin.isatty():
        text = _prompt("Cookie header (name=value; ...): ")
        if len(text) >= TERMINAL_LINE:
            raise ConfigurationError("the terminal has cut the line: pipe the header in instead")
    else:
        text = sys.stdin.buffer.read(HEADER + 2).decode("latin-1")
    header = read_pasted(text)
    if not header:
        came = (
            "there is no cookie name in this text"
            if text.strip(BLANK).rpartition(":")[2]
            else "there is no Cookie header"
        )
        raise ConfigurationError(
            f"{came}: give the whole header as a browser sends it, name=value; name=value"
        )
    return header


def _prompt(prompt: str) -> str:
    """Return the line that is typed at a hidden prompt. Standard input is never read, since it may hold the cookie."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(prompt)
        except EOFError:
            raise ConfigurationError(
                "nothing was entered: run the command again, and paste what it asks for"
            ) from None
        except getpass.GetPassWarning:
            raise ConfigurationError(
                "there is no terminal to ask on: set SESSIONKIT_SECRET, and pipe the Cookie header in"
            ) from None


def _say(text: str) -> None:
    sys.stdout.write(_escape(text) + "\n")
    sys.stdout.flush()


def _complain(text: str) -> None:
    sys.stderr.write(f"sessionkit: {_escape(text)}\n")


def _escape(text: str) -> str:
    """Return text in ASCII, with everything else escaped, so that a terminal obeys no control character."""
    return json.dumps(text, ensure_ascii=True)[1:-1].replace('\\"', '"').replace("\\\\", "\\")
