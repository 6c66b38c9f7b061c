"""The command line itself, and `secret`."""

import getpass
import re
import runpy
import sys
from base64 import urlsafe_b64decode

import pytest

from sessionkit import KeyRing
from sessionkit._cli.main import main

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


def test_a_call_without_a_command_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([])
    assert "choose a command: demo, secret, inspect or purge" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["demo", "secret", "purge"])
def test_an_unknown_argument_is_named_with_the_usage_of_its_command(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([command, "--colour", "red"])
    told = capsys.readouterr().err
    assert told.startswith(f"usage: sessionkit {command} ")
    assert "unrecognized arguments: --colour red" in told


def test_a_cookie_as_an_argument_is_not_repeated_by_the_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["inspect", "__Host-session=canary"])
    told = capsys.readouterr().err
    assert "give the Cookie header on standard input" in told
    assert "canary" not in told


@pytest.mark.parametrize("port", ["-1", "65536", "x", "\uff18\uff10"])
def test_a_port_is_a_number(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["demo", f"--port={port}"])
    assert "a port is a number from 0 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "failure"),
    [
        ([], "no session in the cookie, a failed check, or a backend that fails"),
        (["demo"], "a failed check, or a backend that fails"),
        (["inspect"], "no session in the cookie"),
        (["purge"], "a backend that fails"),
    ],
)
def test_the_help_tells_the_exit_codes(
    arguments: list[str], failure: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert (ended.value.code, told.partition("Exit codes: 0 all is well; 1 ")[2]) == (
        0,
        f"{failure}; 2 a wrong call or setting; 130 interrupted",
    )


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
