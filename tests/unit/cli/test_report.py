"""What `inspect` reports of a cookie."""

import json
from typing import Any

import pytest

from sessionkit import Lifetime, SessionStore
from sessionkit._cli.inspection import inspect
from sessionkit.testing import session_cookies

from .terminal import ADA, OTHER, SECRET, header

NOW = 1_700_000_000


def store_at(now: float = NOW, secret: Any = SECRET, **settings: Any) -> SessionStore:
    return SessionStore(
        secret,
        lifetime=Lifetime(idle=3600, absolute=86_400, renew_after=60),
        clock=lambda: now,
        **settings,
    )


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
    from sessionkit._session.base64url import encode

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
