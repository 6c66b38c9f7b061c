"""Whatever is pasted into `python -m sessionkit inspect`, and whatever is in an authentic cookie, it prints its report or one clear line."""

import io
import json
import sys

import pytest

from sessionkit import Native, SessionStore
from sessionkit._cli.inspection import inspect
from sessionkit._cli.main import main
from sessionkit._cli.pasted import read_pasted
from sessionkit._session.session import Stamp
from sessionkit.formats import Auth0FastAPI, Auth0V3, Auth0V4, AuthJSV5, ExpressOpenID, NextAuthV4

from ..scene import ALICE, SECRET, START

FORMATS = [
    Native(),
    Auth0V3(),
    ExpressOpenID(),
    Auth0V4(),
    Auth0FastAPI(),
    NextAuthV4(),
    AuthJSV5(),
]
CONTENTS = {
    "user": {"sub": "ada"},
    "tokenSet": {"accessToken": "x", "expiresAt": START + 99},
    "internal": {"sid": "s", "createdAt": START},
    "sub": "ada",
    "iat": START,
    "exp": START + 999,
    "jti": "j",
}
ODD = {
    "half a surrogate": {"name": "\ud800", "\udfff": 1, "user": {"sub": "\ud800"}, "sub": "\ud800"},
    "half a surrogate in the id": {
        "jti": "\ud800",
        "internal": {"sid": "\ud800", "createdAt": START},
    },
    "not a number": {"name": float("nan"), "picture": float("-inf")},
    "4,300 digits": {"name": int("9" * 4300)},
    "control characters": {"name": "\x00\x1b[2J\x85\u2028", "\x1b[2J": "\r\n"},
    "nobody": {"user": None, "sub": None},
    "a list for a user": {"user": [1], "sub": [1]},
}


def nested(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


def authentic(format, contents):
    store = SessionStore(SECRET, format=format, clock=lambda: START)
    stamp = Stamp(id="A" * 22, created_at=START, updated_at=START, expires_at=START + 500)
    codec = store.settings.codec
    token = codec.seal(json.dumps(contents).encode(), stamp)
    return store.settings, f"{store.settings.name}={token}"


@pytest.mark.parametrize("values", [False, True], ids=["keys", "values"])
@pytest.mark.parametrize("odd", [*ODD, 60, 70, 200, 900])
@pytest.mark.parametrize("format", FORMATS, ids=lambda one: type(one).__name__)
def test_an_authentic_cookie_of_whatever_contents_is_reported(format, odd, values):
    more = {"deep": nested(odd)} if isinstance(odd, int) else ODD[odd]
    settings, header = authentic(format, {**CONTENTS, **more})
    for now in (START + 1, START + 10**6, START - 10**6):
        report = inspect(settings, header, now, values=values)
        assert json.loads(json.dumps(report, indent=2)).keys() == report.keys()
        (token,) = report["tokens"]
        assert token["from"] == "cookie"


def test_what_is_nested_too_deep_is_named_and_not_shown():
    settings, header = authentic(Native(), {**CONTENTS, "deep": nested(200)})
    (token,) = inspect(settings, header, START + 1, values=True)["tokens"]
    assert token["keys"]["deep"] is None
    assert token["values"]["deep"] == "nested too deep to be shown"
    assert token["values"]["user"] == CONTENTS["user"]


@pytest.fixture
def pasted(monkeypatch, capsys):
    def run(raw, *options):
        monkeypatch.setenv("SESSIONKIT_SECRET", SECRET)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))
        code = main(["inspect", *options])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else None, err

    return run


def fields():
    with SessionStore(SECRET).exchange() as exchange:
        exchange.create({**ALICE, "large": "x" * 5000})
    return [value for name, value in exchange.response_headers if name == "Set-Cookie"]


LINES = fields()
PAIRS = "; ".join(line.partition(";")[0] for line in LINES)
PASTED = {
    "a Cookie header": PAIRS,
    "with its name": f"Cookie: {PAIRS}\n",
    "in other letters": f"cOOkie : {PAIRS}",
    "of a request of HTTP/2": "\r\n".join(f"cookie: {one}" for one in PAIRS.split("; ")),
    "a whole request": f"GET / HTTP/1.1\r\nHost: a=b\r\nCookie: {PAIRS}\r\nAccept: */*;q=0.1\r\n\r\n",
    "of curl": "".join(f"< set-cookie: {line}\n" for line in LINES),
    "Set-Cookie lines": "\n".join(f"Set-Cookie: {line}" for line in LINES),
    "a whole response": "HTTP/1.1 200 OK\nVary: Cookie\nExpires: a=b\n"
    + "".join(f"Set-Cookie: {line}\n" for line in ["__Host-session=; Max-Age=0; Path=/", *LINES]),
    "values of Set-Cookie": "\n".join(LINES),
    "name and value on two lines": f"cookie\n{PAIRS}",
    "a mark of UTF-8": f"\xef\xbb\xbfCookie: {PAIRS}",
}


@pytest.mark.parametrize("kind", PASTED)
def test_what_a_browsers_tools_copy_is_understood(pasted, kind):
    code, report, err = pasted(PASTED[kind].encode("latin-1"))
    assert (code, report["session"], err) == (0, True, "")


def test_a_request_goes_before_a_response_and_an_answer_that_clears_leaves_nothing():
    assert read_pasted("Set-Cookie: a=1; Path=/\nCookie: a=2") == "a=2"
    assert read_pasted("Set-Cookie: a=; Max-Age=0; Path=/") == ""


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\n", b" ", b";;;", b"Cookie:", b"Set-Cookie:", b"set-cookie: a=; Max-Age=0", b"cookie: a\nb", b"\xff\xfe", b"\0",
        b"eyJhbGciOi", b"Cookie", b"\r\n\r\n",
    ],
)  # fmt: skip
def test_what_holds_no_cookie_is_one_clear_line(pasted, raw):
    code, report, err = pasted(raw)
    assert (code, report) == (2, None)
    assert err.startswith("sessionkit: error: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"=", b"\0=\0", b"a=\xff\xfe", b"\xc3\xa9=\xc3\xbc", b"__Host-session=x.y.z.w.v", b"__Host-session=" + b"A" * 70_000,
        b"__Host-session.0=a; __Host-session.00=b; __Host-session.\xb2=d; __Host-session." + b"9" * 5000 + b"=d",
        b"__Host-session=eyJ1YXQiOltdfQ....", b"__Host-seen.session=" + b"9" * 5000 + b"; __Host-out.session=x", b"Set-Cookie: =x",
        b"Set-Cookie: __Host-session=x; Max-Age=" + b"9" * 5000,
    ],
)  # fmt: skip
def test_garbage_is_reported_and_no_session(pasted, raw):
    for options in ([], ["--values"]):
        code, report, _ = pasted(raw, *options)
        assert (code, report["session"]) == (1, False)
