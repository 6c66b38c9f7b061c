"""What people paste into `inspect`: lines of headers, commands and tables that hold cookies."""

from __future__ import annotations

import pytest

from sessionkit._cli.pasted import read_pasted

WANTED = "__Host-session=eyJ.x.y; a=b"

PASTED = {
    "the header": "Cookie: __Host-session=eyJ.x.y; a=b",
    "its value": "__Host-session=eyJ.x.y; a=b",
    "Set-Cookie lines": "Set-Cookie: __Host-session=eyJ.x.y; Max-Age=9; Path=/; HttpOnly\nset-cookie: a=b; Path=/\n",
    "output of curl -v": "> GET / HTTP/1.1\n> Host: x\n> Cookie: __Host-session=eyJ.x.y; a=b\n< HTTP/1.1 200 OK\n",
    "curl as Chromium copies it": "curl 'https://x.org/?a=1' \\\n  -H 'accept: */*' \\\n  -b '__Host-session=eyJ.x.y; a=b' \\\n  -H 'x: y=z'",
    "curl as Firefox copies it": "curl 'https://x.org/' --compressed -H 'Cookie: __Host-session=eyJ.x.y; a=b' -H 'Priority: u=0, i'",
    "curl with a quote in it": "curl 'https://x.org/' -b $'__Host-session=eyJ.x.y; a=b' -H 'x: y'",
    "a file of curl's": "# Netscape HTTP Cookie File\n\n#HttpOnly_localhost\tFALSE\t/\tTRUE\t1795730681\t__Host-session\teyJ.x.y\nlocalhost\tFALSE\t/\tFALSE\t0\ta\tb\n",
    "rows of a table": "__Host-session\teyJ.x.y\tlocalhost\t/\t2027-01-01T00:00:00.000Z\t500\t✓\na\tb\tlocalhost\t/\tSession\t2\n",
    "curl for the command line of Windows": 'curl ^"https://x.org/?a=1^%^20^" ^\r\n  -H ^"accept: */*^" ^\r\n  -b ^"__Host-session=eyJ.x.y; a=b^" ^\r\n  -H ^"x: ^\\^"y=z^\\^"^"',
    "Set-Cookie fields that a library has joined": "Set-Cookie: __Host-session=eyJ.x.y; Expires=Thu, 01 Jan 2027 00:00:00 GMT; Path=/, c=; Max-Age=0, a=b; Path=/",
    "our own header lines": "[('Set-Cookie', '__Host-session=eyJ.x.y; Path=/; HttpOnly'), ('Set-Cookie', 'a=b; Path=/'), ('Vary', 'Cookie')]",
    "header fields of ASGI": "(b'set-cookie', b'__Host-session=eyJ.x.y; Path=/')\n(b'set-cookie', b'a=b')",
    "bytes": "b'__Host-session=eyJ.x.y; a=b'",
    "what document.cookie shows": '"__Host-session=eyJ.x.y; a=b"\n',
    "code in a page": "`__Host-session=eyJ.x.y; a=b`",
    "a line of env": "HTTP_HOST=x\nHTTP_COOKIE=__Host-session=eyJ.x.y; a=b",
    "PowerShell": '$session.Cookies.Add((New-Object System.Net.Cookie("__Host-session", "eyJ.x.y", "/", "x.org")))\n$session.Cookies.Add((New-Object System.Net.Cookie("a", "b", "/", "x.org")))\nInvoke-WebRequest -Uri "https://x.org/?a=1"',
    "a header in quotes": "'Cookie: __Host-session=eyJ.x.y; a=b',",
    "a dict of headers": "headers = {'Accept': '*/*', 'Cookie': '__Host-session=eyJ.x.y; a=b'}",
    "an environ": "{'HTTP_COOKIE': '__Host-session=eyJ.x.y; a=b', 'HTTP_HOST': 'x'}",
    "a line of JavaScript": '  "accept": "*/*",\n  "cookie": "__Host-session=eyJ.x.y; a=b",\n  "x": "y=z"\n',
}  # fmt: skip


@pytest.mark.parametrize("text", PASTED.values(), ids=PASTED)
def test_the_cookies_are_found_in(text: str) -> None:
    assert read_pasted(text) == WANTED


@pytest.mark.parametrize("before", ["", "Cookie: ", "> cookie: "])
def test_a_cookie_that_holds_a_header_field_hides_no_other(before: str) -> None:
    header = """a={"cookie": "b=c"}; d=System.Net.Cookie("e", "f"); __Host-session=eyJ.x.y"""
    assert read_pasted(before + header) == header


@pytest.mark.parametrize("text", ["curl", "curl 'https://x.org", "curl 'https://x.org' -H", "curl x -H 'a: b'", "\t\t", "a\tb", "<RequestsCookieJar[<Cookie session=eyJ.x.y for x.org/>]>", "<Cookies[<Cookie session=eyJ.x.y for x.org />]>"])  # fmt: skip
def test_a_text_without_cookies_has_none(text: str) -> None:
    assert read_pasted(text) == ""
