"""What `inspect` says of a session with a named lifetime."""

import io
import json
import sys
from typing import Any

import pytest

from sessionkit import Lifetime, SessionStore
from sessionkit._cli.inspection import inspect
from sessionkit._cli.main import main
from sessionkit.backends import MemoryBackend
from sessionkit.testing import session_cookies

from .terminal import ADA, SECRET, header

NOW = 1_700_000_000
NAMED = {"remembered": Lifetime(idle=30 * 86_400, absolute=90 * 86_400)}


def store_at(**settings: Any) -> SessionStore:
    return SessionStore(SECRET, clock=lambda: NOW, **settings)


def kept(**settings: Any) -> SessionStore:
    return store_at(backend=MemoryBackend(clock=lambda: NOW), **settings)


def remembered(store: SessionStore) -> str:
    return header(session_cookies(store, ADA, lifetime="remembered"))


def token_of(store: SessionStore, text: str, now: float = NOW) -> tuple[Any, Any]:
    report = inspect(store.settings, text, now)
    (token,) = report["tokens"]
    return report["session"], token


def test_a_session_without_a_name_has_the_default_lifetime() -> None:
    store = store_at(lifetimes=NAMED)
    session, token = token_of(store, header(session_cookies(store, ADA)))
    assert (session, token["lifetime"], token["refused"]) == (True, "the default", None)


def test_the_name_is_shown_and_its_limits_count() -> None:
    store = store_at(lifetimes=NAMED)
    session, token = token_of(store, remembered(store))
    assert (session, token["lifetime"], token["header"]["lif"]) == (
        True,
        "remembered",
        "remembered",
    )
    assert token["times"]["left"] == 30 * 86_400
    stricter = store_at(lifetimes={"remembered": Lifetime(idle=60)})
    session, token = token_of(stricter, remembered(store), NOW + 60)
    assert (session, token["refused"]) == (False, "idle too long")


def test_a_name_that_the_store_does_not_have_is_told() -> None:
    session, token = token_of(store_at(), remembered(store_at(lifetimes=NAMED)))
    assert (session, token["refused"]) == (False, "expired by its stamp")
    assert token["lifetime"] == (
        "remembered (the store has none of this name, so the session is over)"
    )


def test_a_pointer_shows_the_name_too() -> None:
    store = kept(lifetimes=NAMED)
    text = remembered(store)
    session, token = token_of(store, text)
    assert (session, token["lifetime"], token["refused"]) == (None, "remembered", None)
    session, token = token_of(kept(), text)
    assert (session, token["refused"]) == (None, "expired by its stamp")


@pytest.mark.parametrize("text", ["__Host-session=x", "__Host-session.0=W10.x; a=b"])
def test_the_command_takes_what_is_no_token(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SESSIONKIT_SECRET", SECRET)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert main(["inspect"]) == 1


def test_the_command_judges_a_named_session_by_the_times_in_its_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SESSIONKIT_SECRET", SECRET)
    text = remembered(SessionStore(SECRET, lifetimes=NAMED))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert main(["inspect"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["session"] is True
    assert report["tokens"][0]["lifetime"] == (
        "remembered (only the application knows its limits: judged by the times in the token)"
    )
