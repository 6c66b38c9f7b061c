import getpass
import io
import json
import os
import re
import runpy
import subprocess
import sys
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from typing import Any

import pytest

from sessionkit import CookieSettings, KeyRing, Lifetime, SessionStore
from sessionkit.cli import main
from sessionkit.inspection import inspect
from sessionkit.testing import session_cookies

SECRET = "9nO-2sV0yUq1fW8zR4tK6mXcB7hJ3pLd5gQaZeTiYu0"
OTHER = "Zk3v-7QmXo1sYt5wRb9uLc2nPd8fHg4jEa6iKq0eWxM"
NOW = 1_700_000_000
ADA = {"user": {"sub": "ada", "name": "canary-name"}, "theme": "canary-theme"}


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SESSIONKIT_")]:
        monkeypatch.delenv(name)


def store_at(now: float = NOW, secret: Any = SECRET, **settings: Any) -> SessionStore:
    return SessionStore(
        secret,
        lifetime=Lifetime(idle=3600, absolute=86_400, renew_after=60),
        clock=lambda: now,
        **settings,
    )


def header(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def pipe(monkeypatch: pytest.MonkeyPatch, text: str | bytes) -> None:
    raw = text if isinstance(text, bytes) else text.encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


# ---- secret


def test_a_secret_is_one_that_the_store_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["secret"]) == 0
    assert len(KeyRing(capsys.readouterr().out.strip()).ids) == 1


def test_a_secret_is_32_bytes_of_base64url(capsys: pytest.CaptureFixture[str]) -> None:
    main(["secret"])
    assert len(urlsafe_b64decode(capsys.readouterr().out.strip() + "=")) == 32


def test_no_secret_comes_twice(capsys: pytest.CaptureFixture[str]) -> None:
    main(["secret"])
    main(["secret"])
    first, second = capsys.readouterr().out.split()
    assert first != second


# ---- the command line itself


def test_the_module_runs_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["sessionkit", "secret"])
    sys.modules.pop("sessionkit.__main__", None)
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("sessionkit", run_name="__main__")
    assert (ended.value.code, len(capsys.readouterr().out.strip())) == (0, 43)


def test_the_module_can_be_imported_without_running(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_module("sessionkit.__main__", run_name="imported")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unknown"],
        ["demo", "--ho", "0.0.0.0"],
        ["demo", "--host"],
        ["inspect", "cookie"],
        ["secret", "x"],
    ],
)
def test_a_wrong_call_exits_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert (ended.value.code, "Traceback" in capsys.readouterr().err) == (2, False)


@pytest.mark.parametrize("port", ["-1", "65536", "x", "\uff18\uff10"])
def test_a_port_is_a_number(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["demo", f"--port={port}"])
    assert "a port is a number from 0 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["inspect", "--help"]])
def test_the_help_tells_the_exit_codes(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert (ended.value.code, "exit codes: 0 all is well" in capsys.readouterr().out) == (0, True)


def test_neither_cookie_nor_secret_can_be_an_argument(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["inspect", "--help"])
    assert set(re.findall("--[a-z]+", capsys.readouterr().out)) == {"--help", "--values"}


def test_an_interrupt_exits_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_prompt: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(getpass, "getpass", interrupted)
    assert main(["inspect"]) == 130
    assert capsys.readouterr().err == "sessionkit: interrupted\n"


# ---- inspect, as a command


def test_a_good_cookie_exits_with_0_and_shows_no_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SESSIONKIT_SECRET", SECRET)
    pipe(monkeypatch, header(session_cookies(SessionStore(SECRET), ADA)) + "\n")
    assert main(["inspect"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["session"] is True
    assert ("canary" in out, SECRET in out, err) == (False, False, "")


def test_values_are_shown_when_asked_for_and_the_pipe_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SESSIONKIT_SECRET", SECRET)
    pipe(monkeypatch, header(session_cookies(SessionStore(SECRET), ADA)))
    assert main(["inspect", "--values"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["tokens"][0]["values"] == ADA
    assert (
        err
        == "sessionkit: warning: the session's values are going into a file or another program\n"
    )


def test_on_a_terminal_values_are_shown_without_a_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SESSIONKIT_SECRET", SECRET)
    pipe(monkeypatch, header(session_cookies(SessionStore(SECRET), ADA)))
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    main(["inspect", "--values"])
    assert json.loads(screen.getvalue())["tokens"][0]["values"] == ADA
    assert capsys.readouterr().err == ""


def test_what_a_terminal_would_obey_is_escaped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SESSIONKIT_SECRET", SECRET)
    nasty = {"user": {"sub": "\x1b]0;owned\x07\x9b31m\u202e"}, "\x1b[2J": 1}
    pipe(monkeypatch, header(session_cookies(SessionStore(SECRET), nasty)))
    main(["inspect", "--values"])
    out = capsys.readouterr().out
    assert json.loads(out)["tokens"][0]["values"] == nasty
    assert [one for one in out if not (" " <= one <= "~" or one == "\n")] == []


def test_a_bad_cookie_exits_with_1_and_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SESSIONKIT_SECRET", SECRET)
    pipe(monkeypatch, header(session_cookies(SessionStore(OTHER), ADA)))
    assert main(["inspect"]) == 1
    assert json.loads(capsys.readouterr().out)["absence"] == "unknown key"


@pytest.mark.parametrize("size", [1, 4000])
def test_a_session_under_another_name_is_pointed_out(
    size: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SESSIONKIT_SECRET", SECRET)
    cookie = header(
        session_cookies(
            SessionStore(SECRET, cookie=CookieSettings(secure=False)), {**ADA, "text": "x" * size}
        )
    )
    pipe(monkeypatch, cookie)
    assert main(["inspect"]) == 1
    said = "sessionkit: the cookie session looks like a session, and was not opened: SESSIONKIT_COOKIE_NAME=session looks into it\n"
    assert capsys.readouterr().err == said
    monkeypatch.setenv("SESSIONKIT_COOKIE_NAME", "session")
    pipe(monkeypatch, cookie)
    assert main(["inspect"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no Cookie header"),
        ("Cookie: \r\n", "there is no Cookie header"),
        (
            "eyJhbGciOiJkaXIifQ..a.b.c",
            "this is the value of a cookie, or of none: its name is needed too",
        ),
    ],
)
def test_what_is_no_cookie_header_is_said_to_be_none(
    text: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SESSIONKIT_SECRET", SECRET)
    pipe(monkeypatch, text)
    assert main(["inspect"]) == 2
    assert capsys.readouterr() == (
        "",
        f"sessionkit: error: {said}: give it as a browser sends it, name=value; name=value\n",
    )


@pytest.mark.parametrize("prefix", ["Cookie: ", "cookie:"])
def test_the_field_may_be_pasted_with_its_name(
    prefix: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SESSIONKIT_SECRET", SECRET)
    pipe(monkeypatch, prefix + header(session_cookies(SessionStore(SECRET), ADA)) + "\r\n")
    assert main(["inspect"]) == 0


def test_bytes_that_are_no_text_are_no_crash(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SESSIONKIT_SECRET", SECRET)
    pipe(monkeypatch, b"\xff\xfe=\x00; __Host-session=\xff\x1b")
    assert main(["inspect"]) == 1
    assert json.loads(capsys.readouterr().out)["absence"] == "malformed"


def test_more_than_64_kb_is_too_large(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SESSIONKIT_SECRET", SECRET)
    pipe(monkeypatch, "__Host-session=" + "x" * 100_000)
    assert main(["inspect"]) == 1
    assert json.loads(capsys.readouterr().out)["absence"] == "too large"


def test_the_settings_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SESSIONKIT_SECRET", f"{OTHER} {SECRET}")
    monkeypatch.setenv("SESSIONKIT_COOKIE_NAME", "mine")
    monkeypatch.setenv("SESSIONKIT_COOKIE_SECURE", "no")
    store = SessionStore(SECRET, cookie=CookieSettings(name="mine", secure=False))
    pipe(monkeypatch, header(session_cookies(store, ADA)))
    assert main(["inspect"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["cookie"], len(report["key ids"])) == ("mine", 2)


def test_a_wrong_setting_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SESSIONKIT_SECRET", "short")
    assert main(["inspect"]) == 2
    err = capsys.readouterr().err
    assert (
        err
        == "sessionkit: error: SESSIONKIT_SECRET: secret 1 has 5 bytes, at least 8 are needed: `python -m sessionkit secret` makes a real one\n"
    )


def test_an_error_cannot_command_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SESSIONKIT_\x1b[2J", "x")
    assert main(["inspect"]) == 2
    assert capsys.readouterr().err.startswith(
        "sessionkit: error: SESSIONKIT_\\u001b[2J is not a setting"
    )


def answers(monkeypatch: pytest.MonkeyPatch, *given: str) -> list[str]:
    prompts: list[str] = []
    replies: Iterator[str] = iter(given)

    def asked(prompt: str) -> str:
        prompts.append(prompt)
        return next(replies)

    monkeypatch.setattr(getpass, "getpass", asked)
    return prompts


def test_a_missing_secret_and_the_cookie_are_asked_for_unseen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts = answers(
        monkeypatch, f" {SECRET}\n", header(session_cookies(SessionStore(SECRET), ADA))
    )
    monkeypatch.setattr(sys, "stdin", Terminal())
    assert main(["inspect"]) == 0
    assert prompts == ["Secret: ", "Cookie header (name=value; ...): "]


def test_a_line_that_the_terminal_cut_is_said_to_be(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers(monkeypatch, SECRET, "x" * 4095)
    monkeypatch.setattr(sys, "stdin", Terminal())
    assert main(["inspect"]) == 2
    assert (
        capsys.readouterr().err
        == "sessionkit: error: the terminal has cut the line: pipe the header in instead\n"
    )


def test_an_empty_secret_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers(monkeypatch, "")
    assert main(["inspect"]) == 2
    assert "there is no secret" in capsys.readouterr().err


def test_without_a_terminal_nothing_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_terminal(_prompt: str) -> str:
        raise getpass.GetPassWarning

    monkeypatch.setattr(getpass, "getpass", no_terminal)
    assert main(["inspect"]) == 2
    assert capsys.readouterr().err.startswith(
        "sessionkit: error: there is no terminal to ask on: set SESSIONKIT_SECRET"
    )


def test_ctrl_d_at_a_prompt_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ended(_prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr(getpass, "getpass", ended)
    assert main(["inspect"]) == 2
    assert capsys.readouterr().err == "sessionkit: error: nothing was entered\n"


def test_the_secret_is_never_taken_from_the_pipe_that_holds_the_cookie() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "sessionkit", "inspect"],
        input=SECRET.encode(),
        capture_output=True,
        start_new_session=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert b"there is no terminal to ask on" in ran.stderr
    assert b"Traceback" not in ran.stderr


# ---- inspect, the report


def report_of(
    store: SessionStore, cookies: dict[str, str], *, now: float = NOW, values: bool = False
) -> dict[str, Any]:
    return inspect(store.settings, header(cookies), now, values=values)


def test_the_report_of_a_session_shows_header_times_and_keys() -> None:
    store = store_at()
    report = report_of(
        store, session_cookies(store, ADA, created_at=NOW - 500, updated_at=NOW - 100)
    )
    (token,) = report["tokens"]
    assert (report["session"], report["absence"]) == (True, None)
    assert (token["from"], token["tag"], token["refused"], token["signed in"]) == (
        "cookie",
        "verified",
        None,
        True,
    )
    assert token["header"]["iat"] == NOW - 500
    assert list(token["keys"]) == ["user", "theme"]
    assert token["times"] == {
        "now": NOW,
        "created": NOW - 500,
        "updated": NOW - 100,
        "expires": NOW + 3500,
        "age": 500,
        "idle for": 100,
        "left": 3500,
        "renewed by the seen cookie": False,
    }


def test_a_key_is_shown_with_its_size() -> None:
    store = store_at()
    (token,) = report_of(store, session_cookies(store, {"user": "a", "x": "y" * 100}))["tokens"]
    assert token["keys"] == {"user": len('"user":"a"'), "x": len('"x":""') + 100}


def test_a_header_is_unverified_until_the_tag_is_checked() -> None:
    store = store_at()
    ((name, value),) = session_cookies(store, ADA).items()
    forged = value[:-22] + ("B" if value[-22] == "A" else "A") + value[-21:]
    report = report_of(store, {name: forged})
    (token,) = report["tokens"]
    assert (report["absence"], token["tag"], token["refused"]) == (
        "bad tag",
        "unverified",
        "bad tag",
    )
    assert token["header"]["alg"] == "dir"
    assert "keys" not in token


@pytest.mark.parametrize("value", ["", "garbage", "e30.", "*.x", "AB.x", "bm90IGpzb24.x", "W10.."])
def test_garbage_is_malformed(value: str) -> None:
    report = report_of(store_at(), {"__Host-session": value})
    assert (report["absence"], report["tokens"][0]["tag"], report["tokens"][0]["refused"]) == (
        "malformed",
        "unverified",
        "malformed",
    )


def test_a_header_nested_too_deep_is_not_shown() -> None:
    from sessionkit.base64url import encode

    report = report_of(store_at(), {"__Host-session": encode(b"[" * 40_000).decode()})
    assert report["tokens"][0]["header"] is None


def test_another_secret_is_an_unknown_key() -> None:
    report = report_of(store_at(secret=OTHER), session_cookies(store_at(), ADA))
    assert (report["absence"], report["tokens"][0]["tag"]) == ("unknown key", "unverified")


@pytest.mark.parametrize(
    ("created", "updated", "reason"),
    [
        (NOW - 4000, NOW - 3600, "idle too long"),
        (NOW - 86_400, NOW - 10, "past its absolute lifetime"),
        (NOW + 100, NOW + 100, "not yet valid"),
    ],
)
def test_a_session_that_is_over_is_opened_all_the_same(
    created: int, updated: int, reason: str
) -> None:
    store = store_at()
    report = report_of(
        store, session_cookies(store, ADA, created_at=created, updated_at=updated), values=True
    )
    (token,) = report["tokens"]
    assert (report["session"], report["absence"]) == (False, reason)
    assert (token["tag"], token["refused"], token["values"]) == ("verified", reason, ADA)


def test_a_forged_session_that_is_over_stays_unverified() -> None:
    store = store_at()
    ((name, value),) = session_cookies(store, ADA, created_at=NOW - 86_400).items()
    (token,) = report_of(store, {name: value[:-22] + "A" * 22})["tokens"]
    assert (token["tag"], token["refused"]) == ("unverified", "past its absolute lifetime")


def test_chunks_are_joined_and_what_came_is_listed() -> None:
    store = store_at()
    cookies = session_cookies(store, {**ADA, "ballast": "x" * 4000})
    report = report_of(store, {"other": "1", **cookies})
    assert [one["role"] for one in report["found"]] == ["chunk", "chunk"]
    assert [one["bytes"] for one in report["found"]] == [
        len(name) + 1 + len(value) for name, value in cookies.items()
    ]
    assert (report["tokens"][0]["from"], report["tokens"][0]["tag"]) == ("chunks", "verified")


def test_missing_chunks_are_said_to_be() -> None:
    store = store_at()
    cookies = session_cookies(store, {**ADA, "ballast": "x" * 4000})
    del cookies["__Host-session.1"]
    report = report_of(store, cookies)
    assert (report["absence"], report["tokens"]) == (
        "incomplete chunks",
        [{"from": "chunks", "refused": "incomplete chunks"}],
    )


def test_the_seen_cookie_moves_the_times() -> None:
    store, later = store_at(), store_at(NOW + 3000)
    cookies = session_cookies(store, ADA)
    with later.exchange(header(cookies)) as exchange:
        later.touch_session()
    (line,) = [value for name, value in exchange.response_headers if name == "Set-Cookie"]
    name, _, value = line.partition(";")[0].partition("=")
    report = report_of(store, {**cookies, name: value}, now=NOW + 3500)
    assert [one["role"] for one in report["found"]] == ["session", "seen"]
    times = report["tokens"][0]["times"]
    assert (times["idle for"], times["renewed by the seen cookie"]) == (500, True)


def test_a_format_without_a_seen_cookie_is_read_too() -> None:
    store = store_at()
    store.settings.codec.seen = None  # type: ignore[misc]
    report = report_of(store, session_cookies(store, ADA))
    assert report["tokens"][0]["times"]["renewed by the seen cookie"] is False


def test_the_fence_is_shown_at_work() -> None:
    store = store_at()
    cookies = session_cookies(store, ADA)
    with store.exchange(header(cookies)) as exchange:
        store.delete_session()
    fence = next(
        value for _, value in exchange.response_headers if value.startswith("__Host-out.session=")
    )
    name, _, value = fence.partition(";")[0].partition("=")
    report = report_of(store, {**cookies, name: value})
    assert [one["role"] for one in report["found"]] == ["session", "fence"]
    assert (
        report["absence"],
        report["tokens"][0]["refused"],
        report["tokens"][0]["in the fence"],
    ) == ("logged out", "logged out", True)


def test_an_anonymous_session_is_a_session_without_a_user() -> None:
    store = store_at()
    report = report_of(store, session_cookies(store, {"cart": []}))
    assert (report["session"], report["tokens"][0]["signed in"]) == (True, False)


def test_without_a_cookie_of_the_store_there_is_none() -> None:
    report = report_of(
        store_at(), {"other": "1", "my__Host-session": "x", "__Host-session.01": "x"}
    )
    assert (report["absence"], report["found"], report["tokens"]) == ("no cookie", [], [])


def test_no_report_holds_a_secret_or_a_cookie() -> None:
    store = store_at()
    cookies = session_cookies(store, ADA)
    text = json.dumps(report_of(store, cookies, values=True))
    assert (SECRET in text, next(iter(cookies.values()))[-60:] in text) == (False, False)
