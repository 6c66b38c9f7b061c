"""The demo, served: its command line, its servers."""

import os
import re
import signal
import socket
import sys
import threading
import types
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sessionkit._cli.demo import DemoError, server
from sessionkit._cli.demo import check as walk
from sessionkit._cli.demo.server import running, serve
from sessionkit._cli.demo.site import Site
from sessionkit._cli.main import main


def test_the_check_walks_the_whole_story(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--check"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert (out[0].startswith("The sessionkit demo, checked at http://127.0.0.1:"), out[-1]) == (
        True,
        "All 13 steps did what they should.",
    )
    assert [line[:6] for line in out[1:-1]] == ["  ok  "] * 13


def test_a_check_that_fails_says_where_and_exits_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.modules["sessionkit._cli.demo.messages"], "POLICY", "default-src *")
    assert main(["demo", "--check"]) == 1
    assert capsys.readouterr().out.endswith(
        "  FAILED after step 0: the policy is another, or there is a script\n"
    )


def test_a_check_fails_when_sessions_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Site, "_sign_out", lambda *_: None)
    said: list[str] = []
    assert walk(asgi=False, say=said.append) is False
    assert said[-1] == "  FAILED after step 11: the cookies were not cleared"


def test_a_check_fails_when_a_session_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Site, "_sign_in", lambda *_: None)
    said: list[str] = []
    assert walk(asgi=False, say=said.append) is False
    assert said[-1] == "  FAILED after step 1: the session is another"


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl+C as on a terminal: a shell that starts something in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted_after(looked: Callable[[str], None]) -> Callable[[str], None]:
    """What to say: once the address is told, look at it and press Ctrl+C."""

    def visit(url: str) -> None:
        try:
            looked(url)
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    def say(text: str) -> None:
        url = re.search(r"http://\S+", text)
        assert url is not None
        threading.Thread(target=visit, args=(url[0],), daemon=True).start()

    return say


def fetched(url: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=10) as response:
        return str(response.read().decode())


@pytest.mark.usefixtures("ctrl_c")
def test_it_serves_on_this_machine_only_until_interrupted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pages: list[str] = []
    urls: list[str] = []

    def look(url: str) -> None:
        urls.append(url)
        pages.append(fetched(url))

    monkeypatch.setattr("sessionkit._cli.main._say", interrupted_after(look))
    assert main(["demo", "--port", "0"]) == 130
    assert capsys.readouterr().err == "sessionkit: interrupted\n"
    assert (urls[0].startswith("http://127.0.0.1:"), "This is a demo" in pages[0]) == (True, True)


@pytest.mark.usefixtures("ctrl_c")
def test_another_host_is_warned_of() -> None:
    warned: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        serve(
            "0.0.0.0", 0, asgi=False, say=interrupted_after(lambda _url: None), warn=warned.append
        )
    assert len(warned) == 1
    assert "listens on 0.0.0.0, and anybody who can reach it can use it" in warned[0]


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("host", ["localhost", "::1"])
def test_this_machine_by_another_name_is_not(host: str) -> None:
    warned: list[str] = []
    pages: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        serve(
            host,
            0,
            asgi=False,
            say=interrupted_after(lambda url: pages.append(fetched(url))),
            warn=warned.append,
        )
    assert (warned, len(pages)) == ([], 1)


def test_a_port_that_is_taken_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["demo", f"--port={port}"]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"sessionkit: error: cannot listen on 127.0.0.1 port {port}: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("host", ["a" * 300 + ".example", "999.999.999.999"])
def test_a_host_that_is_none_is_one_clear_line(host: str) -> None:
    with pytest.raises(DemoError, match="cannot listen on"):
        serve(host, 0, asgi=False, say=lambda _text: None, warn=lambda _text: None)


@pytest.mark.parametrize("arguments", [["--asgi"], ["--asgi", "--check"]])
def test_without_uvicorn_that_is_one_clear_line(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["demo", "--port=0", *arguments]) == 2
    assert (
        capsys.readouterr().err == "sessionkit: error: --asgi needs uvicorn: pip install uvicorn\n"
    )


def test_uvicorn_is_given_the_application_and_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in shows what is handed over; tests/servers runs the real one."""
    given: dict[str, Any] = {}

    class Server:
        should_exit = False

        def __init__(self, config: dict[str, Any]) -> None:
            given.update(config)
            self.ended = threading.Event()

        def run(self, sockets: list[socket.socket]) -> None:
            given["address"] = sockets[0].getsockname()[0]
            given["server"] = self

    module = types.ModuleType("uvicorn")
    module.Config = lambda app, **settings: {"app": app, **settings}  # type: ignore[attr-defined]
    module.Server = Server  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "uvicorn", module)
    assert main(["demo", "--asgi", "--port=0"]) == 0
    with running(Site(), asgi=True):
        pass
    assert (
        given["address"],
        given["lifespan"],
        given["server"].should_exit,
        callable(given["app"]),
    ) == ("127.0.0.1", "off", True, True)


def test_the_server_asks_no_name_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: Any) -> str:
        raise AssertionError

    monkeypatch.setattr(socket, "getfqdn", asked)
    with running(Site(), asgi=False) as url:
        assert "This is a demo" in fetched(url)


def test_requests_are_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    with running(Site(), asgi=False) as url:
        fetched(url)
    assert capsys.readouterr() == ("", "")


def test_a_silent_connection_is_given_up() -> None:
    assert server._Handler.timeout == 30
