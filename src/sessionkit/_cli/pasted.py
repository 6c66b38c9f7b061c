"""Find the Cookie header in a text that was copied from developer tools, a log or a program."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise

__all__ = ["BLANK", "read_pasted"]

BLANK = "\r\n\t "
_FIELD = re.compile(r"[<> \t]*([\"']?)(set-)?cookie[\"']?[ \t]*:(.*)", re.IGNORECASE | re.DOTALL)
_QUOTED = re.compile(
    r"""([\"'])(?:http_)?((?:set-)?cookie)\1[ \t]*[:,][ \t]*b?([\"'])((?:\\.|(?!\3).)*)\3""",
    re.IGNORECASE,
)
"""A field in a program or in what one prints: `('Set-Cookie', 'name=value')`, `{"Cookie": "name=value"}`."""
_HEADER = re.compile(r"[<> \t]*((set-)?cookie[ \t]*:|[^\s=\"'()]+=)", re.IGNORECASE)
"""The beginning of a header field, or of its value."""
_JOIN = re.compile(r",[ \t]*(?=[!#$%&'*+\-.^_`|~0-9A-Za-z]+=)")
"""Between Set-Cookie fields that a library has joined; the comma in a date is followed by no `=`."""
_WRAPPED = re.compile(r"b?([\"'`])(.*)\1,?")
"""A header as a program or a page shows it: `b'name=value'`."""
_VARIABLE = re.compile(r"(?:export[ \t]+)?HTTP_COOKIE=(?=.*=)")
"""The beginning of a line of `env`, or of a dump of an environ."""
_POWERSHELL = re.compile(r'System\.Net\.Cookie\("([^"]+)", "([^"]*)"')
"""A cookie in the PowerShell command that developer tools copy."""
_NAMED = re.compile(r"[ \t]*[^\s=\"'()<>\[\]]*[ \t]*=")
"""The beginning of a piece of a header: the name of a cookie."""
_COLUMNS = 7
"""The columns of a line in the cookie file of curl and wget: domain, flag, path, secure, expiry, name, value."""


def read_pasted(text: str) -> str:
    """Return the Cookie header in a text that was copied.

    The text may be the header itself, its value, the Set-Cookie lines of a response, a curl or PowerShell command as a browser's
    developer tools copy it, rows of their table of cookies, a file of cookies that curl has written, a line of `env`, or header
    fields as a program prints them.

    Args:
        text: one line or several, decoded as latin-1; other header fields are ignored.

    Returns:
        The value of the header; empty if the text has no cookie.
    """
    found: dict[str, list[str]] = {"cookie": [], "set-cookie": [], "": []}
    # Windows begins a file in UTF-8 with these three bytes.
    for line in _split_lines(text.removeprefix("\xef\xbb\xbf")):
        field = _FIELD.fullmatch(line)
        value = line if field is None else field[3]
        kind = "" if field is None else "cookie"
        if field is not None and field[1]:
            # A text of a program: "Cookie: name=value",
            value = value.strip(BLANK + ",").strip(field[1])
        values = [value]
        if field is not None and field[2]:
            kind, values = "set-cookie", [one.partition(";")[0] for one in _JOIN.split(value)]
        elif field is None:
            values = [_read_row(_unwrap(value))]
        for one in (each.strip(BLANK) for each in values):
            # A cleared cookie has no value, and a browser does not send it.
            if any(map(_NAMED.match, one.split(";"))) and not (
                kind == "set-cookie" and one.endswith("=")
            ):
                found[kind].append(one)
    return "; ".join(found["cookie"] or found["set-cookie"] or found[""])


def _split_lines(text: str) -> list[str]:
    """Return the lines of a text; those of a command are its headers."""
    if text.lstrip().startswith("$session") and (cookies := _POWERSHELL.findall(text)):
        return ["Cookie: " + "; ".join(f"{name}={value}" for name, value in cookies)]
    if not text.lstrip().startswith("curl "):
        return [part for line in re.split("[\r\n]+", text) for part in _split_fields(line)]
    if '^"' in text:
        # For the command line of Windows a caret stands before each special character, and before the end of a line.
        text = re.sub(r"\^(.|\r?\n)", r"\1", text)
    try:
        # Developer tools write $'...' where a value has a quote in it.
        words = shlex.split(text.replace("$'", "'"))
    except ValueError:
        return []
    options = list(pairwise(words))
    return [
        *(value for option, value in options if option in ("-H", "--header")),
        *(f"Cookie: {value}" for option, value in options if option in ("-b", "--cookie")),
    ]


def _split_fields(line: str) -> list[str]:
    """Return the header fields that are quoted in a line of a program, or of what it prints; else the line."""
    if variable := _VARIABLE.match(line):
        return [f"Cookie: {line[variable.end() :]}"]
    if _HEADER.match(line):
        # A cookie of the application may hold such a text.
        return [line]
    quoted = [f"{field}: {value}" for _, field, _, value in _QUOTED.findall(line)]
    return quoted or [line]


def _unwrap(line: str) -> str:
    """Return a line without the quotes around it."""
    wrapped = _WRAPPED.fullmatch(line.strip(BLANK))
    return line if wrapped is None else wrapped[2]


def _read_row(line: str) -> str:
    """Return `name=value` of a row of a table of cookies, whose columns are split by tabs; other lines as they are."""
    columns = line.split("\t")
    if len(columns) == _COLUMNS and columns[1] in ("TRUE", "FALSE"):
        return "=".join(columns[-2:])
    name = columns[0].strip()
    return f"{name}={columns[1]}" if len(columns) > 2 and name and "=" not in name else line
