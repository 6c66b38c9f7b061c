"""Whatever comes over the network, the demo refuses or answers it, and prints no traceback."""

import socket
import struct
from urllib.parse import urlsplit

import pytest

from sessionkit._cli.demo import server
from sessionkit._cli.demo.server import running
from sessionkit._cli.demo.site import Site

COOKIE = "sessionkit-demo"


@pytest.fixture(scope="module")
def address():
    with running(Site(), asgi=False) as url:
        yield urlsplit(url).netloc


@pytest.fixture(autouse=True)
def nothing_on_the_terminal(capsys):
    yield
    assert capsys.readouterr() == ("", "")


def connected(address):
    host, _, port = address.partition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def answer(address, head, body="", **fields):
    """The status of the answer to a request that says it comes from our own page; None without one."""
    told = {"Host": address, "Origin": f"http://{address}", "Connection": "close", **fields}
    lines = [head, *(f"{name.rstrip('_')}: {value}" for name, value in told.items())]
    raw = "\r\n".join([*lines, "", body]).encode("latin-1")
    with connected(address) as one:
        one.sendall(raw)
        one.shutdown(socket.SHUT_WR)
        return one.makefile("rb").readline().decode("latin-1").split()[1:2]


@pytest.mark.parametrize(
    "length",
    [
        "9" * 5000, "9" * 4300, "-1", "-" + "9" * 5000, "\xb2", "\u0663".encode().decode("latin-1"), "1_000", "+5", "0x10", "1.5", "x", "6, 6",
    ],
)  # fmt: skip
def test_a_length_that_is_too_long_or_no_number_is_refused(address, length):
    fields = {"Content-Length": length}
    assert answer(address, "POST /note HTTP/1.1", "note=x", **fields) == ["413"]


@pytest.mark.parametrize("length", ["6", "06", "0" * 5000 + "6", "0", ""])
def test_a_length_is_a_number_whatever_its_zeros(address, length):
    fields = {"Content-Length": length}
    assert answer(address, "POST /note HTTP/1.1", "note=x", **fields) == ["303"]


def test_a_form_without_a_length_is_empty(address):
    assert answer(address, "POST /note HTTP/1.1") == ["303"]


def test_a_length_that_comes_twice_is_refused(address):
    fields = {"Content-Length": "6", "Content-Length_": "7"}
    assert answer(address, "POST /note HTTP/1.1", "note=x", **fields) == ["413"]


@pytest.mark.parametrize("more", [{}, {"Content-Length": "6"}])
def test_chunks_are_refused(address, more):
    fields = {"Transfer-Encoding": "chunked", **more}
    body = "6\r\nnote=x\r\n0\r\n\r\n"
    assert answer(address, "POST /note HTTP/1.1", body, **fields) == ["413"]


@pytest.mark.parametrize(
    "path",
    [
        "/" + "a" * 70_000,
        "/%",
        "/%zz",
        "/%ff",
        "/%00",
        "/\0",
        "/\xff",
        "*",
        "/%ed%a0%80",
        "?",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_path_that_is_none_is_refused(address, method, path):
    (status,) = answer(address, f"{method} {path} HTTP/1.1")
    assert status in ("400", "404", "414")


@pytest.mark.parametrize(
    "host",
    [
        "",
        "[",
        "]",
        "\0",
        "\xff",
        ":",
        "127.1",
        "127.0.0.1%00",
        "a" * 60_000,
        "[fe80::1%25lo]",
    ],
)
def test_a_host_that_is_none_is_refused(address, host):
    assert answer(address, "GET / HTTP/1.1", Host=host) == ["421"]


@pytest.mark.parametrize("origin", ["", "null", "[", "\0", "\xff", "http://", "http://[::1"])
def test_an_origin_that_is_none_is_refused(address, origin):
    assert answer(address, "POST /note HTTP/1.1", Origin=origin) == ["403"]


@pytest.mark.parametrize(
    "method", ["OPTIONS", "PUT", "TRACE", "CONNECT", "get", "\xff", "A" * 5000]
)
def test_a_method_that_is_none_is_refused(address, method):
    assert answer(address, f"{method} / HTTP/1.1") == ["405"]


@pytest.mark.parametrize(
    "body",
    [
        "note=%",
        "note=%ff%00",
        "note=\xff",
        "=",
        "&" * 100,
        "note=%ed%a0%80",
        "note=\x1b[2J",
        "note",
    ],
)
@pytest.mark.parametrize("path", ["/note", "/sign-in"])
def test_a_form_of_whatever_bytes_is_answered(address, path, body):
    fields = {"Content-Length": str(len(body))}
    (status,) = answer(address, f"POST {path} HTTP/1.1", body, **fields)
    assert status in ("303", "400")


@pytest.mark.parametrize(
    "cookie",
    [
        f"{COOKIE}=", f"{COOKIE}=\x01", f"{COOKIE}=" + "\xff" * 30, f"{COOKIE}=" + "A" * 60_000, f"{COOKIE}." + "9" * 5000 + "=a", "\0=\0", "=;=;",
        f"{COOKIE}.0=; {COOKIE}.\xb2=b", f"seen.{COOKIE}=" + "9" * 5000, f"{COOKIE}=a; {COOKIE}=b; out.{COOKIE}=x",
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["", "tamper", "touch", "sign-out"])
def test_cookies_of_whatever_bytes_are_answered(address, path, cookie):
    head = f"{'POST' if path else 'GET'} /{path} HTTP/1.1"
    assert answer(address, head, Cookie=cookie) == (["303"] if path else ["200"])


def test_connections_that_break_are_no_news(address):
    begun = [
        b"",
        b"GET / HT",
        f"GET / HTTP/1.1\r\nHost: {address}\r\n\r\n".encode(),
        f"POST /note HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nContent-Length: 60\r\n\r\nn".encode(),
    ]
    for raw in begun:
        one = connected(address)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.sendall(raw)
        one.close()  # with a reset
    assert answer(address, "GET / HTTP/1.1") == ["200"]


def test_what_is_wrong_with_the_server_itself_is_shown(capsys):
    try:
        raise KeyError("of the server's own")
    except KeyError:
        server._Server.handle_error(object.__new__(server._Server), None, ("127.0.0.1", 1))
    assert "of the server's own" in capsys.readouterr().err


def test_what_is_wrong_with_the_demo_itself_is_shown(capsys):
    site = Site()
    site.respond = None  # nothing of this can come over the network
    with running(site, asgi=False) as url:
        assert answer(urlsplit(url).netloc, "GET / HTTP/1.1") == ["500"]
    assert "TypeError" in capsys.readouterr().err
