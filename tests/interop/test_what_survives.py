"""What a library keeps in a session for itself survives our writes, and a logout of ours survives its writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sessionkit import Lifetime, SessionStore
from sessionkit.formats import Importer

from . import sessions
from .jar import Jar
from .javascript import Library
from .partners import (
    EXPRESS,
    NEXTJS_V3,
    NEXTJS_V4,
    NOW,
    SECRET,
    Partner,
    we_delete,
    we_read,
    we_update,
)

Get = Callable[[str], Library]
INTERNAL = {"createdAt": NOW, "sessionExpiresAt": NOW + 5000, "mcd": {"domain": "idp.example.org"}}
BARE = {"user": {"sub": "auth0|1"}, "internal": {"createdAt": NOW}}


class Browser:
    """A jar that the library and we write into, each at a time."""

    def __init__(self, library: Get, partner: Partner, **settings: Any) -> None:
        self.theirs, self.partner, self.jar, self.now = (
            library(partner.module),
            partner,
            Jar(NOW),
            NOW,
        )
        self.store = partner.store(lambda: self.now, **settings)

    def they(self, op: str, after: int, session: Any = None, cookies: str | None = None) -> Any:
        self.now = self.jar.now = NOW + after
        text = None if session is None else sessions.text(session)
        header = self.jar.header if cookies is None else cookies
        answer = self.theirs.ask(op, self.now, self.partner.options(), header, text)
        self.jar.take(answer.lines)
        return answer.contents

    def at(self, after: int) -> SessionStore:
        self.now = self.jar.now = NOW + after
        return self.store


def test_internal_survives_an_update_of_ours_that_leaves_it_out_as_it_does_one_of_theirs(
    library: Get,
) -> None:
    browser = Browser(library, NEXTJS_V4)
    browser.they("login", 0, {**BARE, "tokenSet": {}, "internal": INTERNAL})
    ours: dict[str, Any] = {"user": BARE["user"], "tokenSet": {}, "theme": "dark"}
    we_update(browser.at(10), browser.jar, ours)
    assert browser.they("read", 20)["internal"] == INTERNAL
    we_update(
        browser.at(30), browser.jar, {**ours, "internal": {"sid": "x", "sessionExpiresAt": NOW * 2}}
    )
    assert browser.they("read", 40)["internal"] == INTERNAL
    browser.they("update", 50, {**ours, "internal": {}})
    found = we_read(browser.at(60), browser.jar)
    assert found is not None
    assert found["internal"] == INTERNAL
    header = browser.jar.header
    for after, there in ((4969, True), (4970, False)):
        assert (browser.they("read", after, cookies=header) is not None) is there
        with browser.at(after).exchange(header) as exchange:
            assert (exchange.get() is not None) is there


def test_a_session_of_a_user_alone_is_read_on_both_sides_whoever_writes_it(library: Get) -> None:
    browser = Browser(library, NEXTJS_V4)
    browser.they("login", 0, BARE)
    assert we_read(browser.at(5), browser.jar) == BARE
    we_update(browser.at(10), browser.jar, {"user": BARE["user"], "theme": "dark"})
    found = browser.they("read", 20)
    assert (found["theme"], found["internal"]) == ("dark", BARE["internal"])
    browser.they("update", 30, {"user": BARE["user"], "js": 1})
    assert we_read(browser.at(40), browser.jar) == {**BARE, "js": 1}


def test_a_session_whose_tokens_the_library_has_set_to_null_is_read_on_both_sides(
    library: Get,
) -> None:
    browser = Browser(library, NEXTJS_V4)
    browser.they("login", 0, {**BARE, "tokenSet": {"accessToken": "at"}})
    browser.they("update", 5, {"user": BARE["user"], "tokenSet": None})
    assert we_read(browser.at(10), browser.jar) == {**BARE, "tokenSet": None}
    we_update(browser.at(15), browser.jar, {"user": BARE["user"], "tokenSet": None, "n": 1})
    found = browser.they("read", 20)
    assert (found["n"], found["tokenSet"]) == (1, {})


SIDS = [
    pytest.param(
        NEXTJS_V3, {"user": {"sub": "auth0|1", "sid": "op"}}, {"user": {"sub": "auth0|1"}}, id="v3"
    ),
    pytest.param(NEXTJS_V4, BARE, {"user": BARE["user"], "tokenSet": {}}, id="v4 without a sid"),
    pytest.param(
        NEXTJS_V4,
        {**BARE, "internal": {"sid": "op", "createdAt": NOW}},
        {"user": BARE["user"], "tokenSet": {}},
        id="v4",
    ),
    pytest.param(
        EXPRESS,
        EXPRESS.core,
        {"id_token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhdXRoMHwxIn0.", "access_token": "at"},
        id="express",
    ),
]


@pytest.mark.parametrize(("partner", "before", "after"), SIDS)
@pytest.mark.parametrize("writer", ["we", "they"])
@pytest.mark.parametrize("late", ["we", "they"])
def test_a_late_answer_of_either_does_not_undo_our_logout_once_either_wrote_another_sid(
    partner: Partner, before: Any, after: Any, writer: str, late: str, library: Get
) -> None:
    browser = Browser(library, partner)
    browser.they("login", 0, before)
    slow = browser.jar.header
    if writer == "we":
        we_update(browser.at(10), browser.jar, after)
    else:
        browser.they("update", 10, after)
    with browser.at(20).exchange(slow) as under_way:
        assert under_way.update({**before, "late": 1})
    assert we_read(browser.store, browser.jar) is not None
    we_delete(browser.at(30), browser.jar)
    if late == "we":
        browser.jar.take(line for name, line in under_way.response_headers if name == "Set-Cookie")
    else:
        browser.they("update", 31, {**before, "late": 1}, cookies=slow)
    assert we_read(browser.at(32), browser.jar) is None


@pytest.mark.parametrize("source", [NEXTJS_V4, EXPRESS], ids=lambda one: one.module)
def test_what_we_import_from_them_ends_when_it_would_have_there(
    source: Partner, library: Get
) -> None:
    browser = Browser(library, source)
    session = (
        {**EXPRESS.core, "sessionExpiresAt": NOW + 5000}
        if source is EXPRESS
        else {
            **BARE,
            "tokenSet": {},
            "internal": INTERNAL,
        }
    )
    browser.they("login", 0, session)
    store = SessionStore(
        SECRET,
        accept=[
            Importer(
                source.format(), until=None, clear=True, convert=lambda _: {"user": BARE["user"]}
            )
        ],
        lifetime=Lifetime(idle=4000, absolute=None),
        clock=lambda: browser.now,
    )
    for after in (100, 2000, 4000, 4969):
        browser.at(after)
        assert we_read(store, browser.jar) is not None
    header = browser.jar.header
    browser.at(4970)
    with store.exchange(header) as exchange:
        assert exchange.get() is None
