"""What `inspect` says of a pointer to a record on the server."""

import io
import json
import sys
from typing import Any

import pytest

from sessionkit import Lifetime, SessionStore
from sessionkit._cli.inspection import inspect
from sessionkit._cli.main import main
from sessionkit._cookies import fence
from sessionkit.backends import MemoryBackend
from sessionkit.testing import session_cookies

from .terminal import ADA, OTHER, SECRET, header

NOW = 1_700_000_000


def store_at(now: float = NOW, secret: Any = SECRET, **settings: Any) -> SessionStore:
    settings = {"backend": MemoryBackend(clock=lambda: now), **settings}
    return SessionStore(
        secret, lifetime=Lifetime(idle=3600, absolute=86_400), clock=lambda: now, **settings
    )


def report_of(store: SessionStore, cookie_header: str, now: float = NOW) -> dict[str, Any]:
    return inspect(store.settings, cookie_header, now)


def test_a_pointer_is_opened_and_its_session_depends_on_the_record() -> None:
    store = store_at()
    report = report_of(store, header(session_cookies(store, ADA)), NOW + 60)
    (token,) = report["tokens"]
    (info,) = store.sessions_of(ADA)
    assert (report["session"], report["absence"]) == (None, None)
    assert (token["tag"], token["kind"], token["refused"], token["in the fence"]) == (
        "verified",
        "pointer to a record on the server",
        None,
        False,
    )
    assert f"{token['owner']}.{token['record']}" == info.handle
    assert token["header"]["iat"] == NOW
    assert token["times"] == {
        "now": NOW + 60,
        "created": NOW,
        "expires": NOW + 86_400,
        "age": 60,
        "left": 86_340,
    }


@pytest.mark.parametrize("later", [86_400, 90_000])
def test_a_pointer_that_is_over_is_opened_all_the_same(later: int) -> None:
    store = store_at()
    report = report_of(store, header(session_cookies(store, ADA)), NOW + later)
    (token,) = report["tokens"]
    assert report["session"] is False
    assert (token["tag"], token["refused"]) == ("verified", "past its absolute lifetime")
    assert token["times"]["left"] == 86_400 - later


def test_a_pointer_of_another_secret_or_a_forged_one_stays_unverified() -> None:
    theirs = store_at(secret=OTHER)
    (token,) = report_of(store_at(), header(session_cookies(theirs, ADA)))["tokens"]
    assert (token["tag"], "kind" in token) == ("unverified", False)
    good = header(session_cookies(store_at(), ADA))
    (token,) = report_of(store_at(), good[:-1] + ("A" if good[-1] != "A" else "Q"))["tokens"]
    assert (token["tag"], token["refused"], "owner" in token) == ("unverified", "bad tag", False)


def test_a_pointer_in_the_fence_is_logged_out() -> None:
    store = store_at(backend=MemoryBackend())
    pointer = session_cookies(store, ADA)
    fence = fence_of(store, pointer)
    report = report_of(store, header({**pointer, **fence}))
    (token,) = [one for one in report["tokens"] if one.get("kind")]
    assert (report["session"], token["in the fence"], token["refused"]) == (
        False,
        True,
        "logged out",
    )


def fence_of(store: SessionStore, pointer: dict[str, str]) -> dict[str, str]:
    """The fence after the end of a session in a cookie that had the pointer's id."""
    opened = store.settings.records.open_pointer(pointer["__Host-session"], NOW)  # type: ignore[union-attr]
    mark = fence.mark(store.settings.name, opened.stamp.id)  # type: ignore[union-attr]
    return {store.settings.fence: mark}


def test_a_store_without_a_backend_opens_a_pointer_and_refuses_it() -> None:
    report = report_of(store_at(backend=None), header(session_cookies(store_at(), ADA)))
    (token,) = report["tokens"]
    assert (report["session"], token["tag"], token["refused"]) == (
        False,
        "verified",
        "the store has no backend: set SESSIONKIT_BACKEND",
    )


def test_a_signed_in_session_in_a_cookie_is_refused_where_there_is_a_backend() -> None:
    cookie = header(session_cookies(store_at(backend=None), ADA))
    report = report_of(store_at(), cookie)
    (token,) = report["tokens"]
    assert (report["session"], token["kind"]) == (False, "session")
    assert token["refused"] == report["absence"]
    assert "no record on the server" in token["refused"]


def test_the_command_opens_no_backend_and_exits_with_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SESSIONKIT_SECRET", SECRET)
    monkeypatch.setenv("SESSIONKIT_BACKEND", "redis://:s3cret@127.0.0.1:1/0")
    monkeypatch.setenv("SESSIONKIT_MAX_SESSIONS", "3")
    text = header(session_cookies(SessionStore(SECRET, backend=MemoryBackend()), ADA))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert main(["inspect"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["tokens"][0]["kind"] == "pointer to a record on the server"
    assert ("s3cret" in out, "canary" in out, err) == (False, False, "")


def test_a_wrong_url_is_reported_before_any_question(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SESSIONKIT_BACKEND", "postgres://u:s3cret@h/d")
    assert main(["inspect"]) == 2
    err = capsys.readouterr().err
    assert ("SESSIONKIT_BACKEND: " in err, "s3cret" in err) == (True, False)
