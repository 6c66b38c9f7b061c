"""Sessions that another library wrote: what we would not write, and the end that the identity provider has set."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sessionkit import (
    Absence,
    CookieSettings,
    SerializationError,
    SessionStore,
    SessionTooLargeError,
    Stamp,
)
from sessionkit.backends import MemoryBackend
from sessionkit.formats import Auth0V3, Auth0V4, ExpressOpenID, Format, Importer

from ..scene import SECRET, START, Clock, names

HALF = "\ud83d"  # of a surrogate pair: JavaScript cuts one so, and writes it as an escape
HOUR = 3600


def cookie(format: Format, contents: dict[str, Any], name: str) -> str:
    """The cookie that the library would have set at the start."""
    store = SessionStore(SECRET, format=format, clock=Clock())
    stamp = Stamp(id="x", created_at=START, updated_at=START, expires_at=START + 24 * HOUR)
    return f"{name}={store.settings.codec.seal(json.dumps(contents).encode(), stamp)}"


def test_half_a_surrogate_pair_is_renewed_as_it_came() -> None:
    clock = Clock()
    store = SessionStore(SECRET, format=Auth0V3(), clock=clock)
    contents = {"user": {"sub": "alice", "name": HALF}}
    clock.wait(HOUR)
    with store.exchange(cookie(Auth0V3(), contents, "appSession")) as exchange:
        assert store.get_session() == contents
    line = next(value for name, value in exchange.response_headers if name == "Set-Cookie")
    with store.exchange(line.partition(";")[0]):
        assert store.get_session() == contents


def test_half_a_surrogate_pair_is_taken_over_as_it_came() -> None:
    store = SessionStore(SECRET, accept=[Importer(Auth0V3(), until=None)], clock=Clock())
    contents = {"user": {"sub": "alice", "name": HALF}}
    with store.exchange(cookie(Auth0V3(), contents, "appSession")) as exchange:
        assert store.get_session() == contents
    line = next(value for name, value in exchange.response_headers if name == "Set-Cookie")
    with store.exchange(line.partition(";")[0]):
        assert store.get_session() == contents


def nested(depth: int) -> dict[str, Any]:
    """An object of so many levels."""
    return {"in": nested(depth - 1)} if depth else {}


IMPORTING: dict[str, dict[str, Any]] = {
    "in its own format": {"format": Auth0V3()},
    "imported": {"accept": [Importer(Auth0V3(), until=None)]},
    "imported into a backend": {"accept": [Importer(Auth0V3(), until=None)], "backend": None},
}


@pytest.mark.parametrize("settings", IMPORTING.values(), ids=IMPORTING)
@pytest.mark.parametrize("value", [HALF, nested(80), 2**60], ids=["half", "nested", "large"])
def test_what_we_would_not_write_does_not_keep_a_session_from_being_rotated(
    settings: dict[str, Any], value: object
) -> None:
    clock = Clock()
    if "backend" in settings:
        settings = {**settings, "backend": MemoryBackend(clock=clock)}
    store = SessionStore(SECRET, clock=clock, **settings)
    contents = {"user": {"sub": "alice"}, "value": value}
    clock.wait(1)
    with store.exchange(cookie(Auth0V3(), contents, "appSession")) as exchange:
        earlier = store.get_exchange().contents.stamp
        assert store.rotate_session()
    lines = [value for name, value in exchange.response_headers if name == "Set-Cookie"]
    with store.exchange("; ".join(line.partition(";")[0] for line in lines)):
        session = store.get_session()
        assert session == contents
        assert earlier is not None and session.stamp.id != earlier.id


def test_a_rotation_drops_no_session_that_is_too_large() -> None:
    settings = {"accept": [Importer(Auth0V3(), until=None)], "clock": Clock()}
    store = SessionStore(SECRET, cookie=CookieSettings(max_bytes=1024), **settings)
    contents = {"user": {"sub": "alice"}, "value": "x" * 3000}
    with (
        pytest.raises(SessionTooLargeError),
        store.exchange(cookie(Auth0V3(), contents, "appSession")),
    ):
        store.rotate_session()


def test_an_update_refuses_half_a_surrogate_pair_still() -> None:
    store = SessionStore(SECRET, format=Auth0V3(), clock=Clock())
    contents = {"user": {"sub": "alice", "name": HALF}}
    with (
        store.exchange(cookie(Auth0V3(), contents, "appSession")),
        pytest.raises(SerializationError, match="surrogate"),
    ):
        store.update_session({**contents, "theme": "dark"})


def test_who_is_named_by_half_a_surrogate_pair_can_log_out() -> None:
    store = SessionStore(SECRET, format=Auth0V3(), clock=Clock())
    header = cookie(Auth0V3(), {"user": {"sub": HALF}}, "appSession")
    with store.exchange(header) as exchange:
        assert store.delete_session()
    lines = [value for name, value in exchange.response_headers if name == "Set-Cookie"]
    assert "out.appSession" in names(lines)
    fence = next(line.partition(";")[0] for line in lines if line.startswith("out."))
    with store.exchange(f"{header}; {fence}") as later:
        assert store.get_session() is None
        assert later.absence is Absence.LOGGED_OUT


CEILING = START + 6 * HOUR
EXPRESS = {"id_token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhdXRoMHwxIn0.", "sessionExpiresAt": CEILING}
NEXTJS = {
    "user": {"sub": "alice"},
    "tokenSet": {},
    "internal": {"sid": "op", "createdAt": START, "sessionExpiresAt": CEILING},
    "exp": START + 24 * HOUR,
}


@pytest.mark.parametrize(
    ("format", "contents", "name"),
    [(ExpressOpenID(), EXPRESS, "appSession"), (Auth0V4(), NEXTJS, "__session")],
    ids=["express-openid-connect", "nextjs-auth0 v4"],
)
def test_a_session_is_over_thirty_seconds_before_the_identity_provider_s_own(
    format: Format, contents: dict[str, Any], name: str
) -> None:
    clock, header = Clock(), cookie(format, contents, name)
    store = SessionStore(SECRET, format=format, clock=clock)
    clock.now = CEILING - 31
    with store.exchange(header):
        assert store.get_session() is not None
    clock.now = CEILING - 30
    with store.exchange(header) as exchange:
        assert store.get_session() is None
        assert exchange.absence is Absence.EXPIRED


@pytest.mark.parametrize("said", ["soon", None, CEILING * 1000, True])
def test_an_end_that_is_no_time_in_seconds_is_none(said: object) -> None:
    clock, header = (
        Clock(),
        cookie(ExpressOpenID(), EXPRESS | {"sessionExpiresAt": said}, "appSession"),
    )
    clock.now = CEILING
    store = SessionStore(SECRET, format=ExpressOpenID(), clock=clock)
    with store.exchange(header):
        assert store.get_session() is not None
