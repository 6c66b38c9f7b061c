"""`inspect`, as a command."""

import getpass
import io
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from sessionkit import CookieSettings, SessionStore
from sessionkit._cli.main import main
from sessionkit.testing import session_cookies

from .terminal import ADA, OTHER, SECRET, header


def pipe(monkeypatch: pytest.MonkeyPatch, text: str | bytes) -> None:
    raw = text if isinstance(text, bytes) else text.encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


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
        ("eyJhbGciOiJkaXIifQ..a.b.c", "there is no cookie name in this text"),
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
        f"sessionkit: error: {said}: give the whole header as a browser sends it, name=value; name=value\n",
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
    # The second is the same command in one character, as terminals with eight bits obey it.
    monkeypatch.setenv("SESSIONKIT_\x1b[2J\x9b2J", "x")
    assert main(["inspect"]) == 2
    assert capsys.readouterr().err.startswith(
        "sessionkit: error: SESSIONKIT_\\u001b[2J\\u009b2J is not a setting"
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
    assert (
        capsys.readouterr().err
        == "sessionkit: error: nothing was entered: run the command again, and paste what it asks for\n"
    )


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
