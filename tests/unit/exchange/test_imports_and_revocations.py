"""A session in another library's cookie is revoked with the others of its user, also if it was not imported yet."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest

from sessionkit import (
    Absence,
    BackendError,
    CookieSettings,
    EventKind,
    Lifetime,
    Native,
    SessionStore,
    delete_session,
    get_exchange,
    get_session,
    rotate_session,
    update_session,
)
from sessionkit._exchange.request import HeaderRequest
from sessionkit.backends import MemoryBackend
from sessionkit.formats import Importer
from sessionkit.testing import session_cookies

from ..backends.awaited import AwaitedMemory
from ..formats.test_depth import at_depth, frames_left
from ..kept import NAME
from ..scene import ALICE, OTHER_SECRET, SECRET, Scene
from ..served import Wire, answering, answering_async, environ_of, serve_asgi, serve_wsgi

NEW_SECRET = "00112233445566778899aabbccddeeff-third"


class Failing(MemoryBackend):
    down = broken = False

    def insert(self, *args: Any) -> bool:
        if self.broken:
            raise ZeroDivisionError
        if self.down:
            raise BackendError("the session backend is down")
        return super().insert(*args)


class FailingAwaited(AwaitedMemory):
    down = broken = False

    async def insert(self, *args: Any) -> bool:
        if self.broken:
            raise ZeroDivisionError
        if self.down:
            raise BackendError("the session backend is down")
        return await super().insert(*args)


class Site(Scene):
    """A site that imports sessions, and browsers that have the other library's cookie."""

    def __init__(self, how: str = "wsgi", **settings: Any) -> None:
        self.how = how
        kind: Any = FailingAwaited if how == "asgi, awaited" else Failing
        self.backend = kind(clock=lambda: self.clock())  # noqa: PLW0108  # made below
        self.importer = Importer(
            Native(), name="first", secret=OTHER_SECRET, until=None, clear=False
        )
        super().__init__(backend=self.backend, accept=[self.importer], **settings)
        self.theirs = SessionStore(
            OTHER_SECRET, cookie=CookieSettings(name="first"), clock=self.clock
        )

    def replace_secret(self) -> None:
        """Put a new secret before the store's, as everybody does from time to time."""
        self.store = SessionStore(
            [NEW_SECRET, SECRET],
            backend=self.backend,
            accept=[self.importer],
            clock=self.clock,
            on_event=self.events.append,
        )

    def log_in_there(self, contents: Any = ALICE) -> str:
        pairs = session_cookies(self.theirs, contents)
        return "; ".join(f"{name}={value}" for name, value in pairs.items())

    def ask(self, header: str, view: Any, status: int = 200, **headers: str) -> Any:
        fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
        if self.how == "wsgi":
            return serve_wsgi(self.store.wsgi(answering(view, status, fields)), header)
        raw = [(name.encode(), value.encode()) for name, value in fields]
        app = self.store.asgi(answering_async(view, status, raw))
        return serve_asgi(app, header).answer

    def who(self, header: str) -> Any:
        """Who is signed in with a Cookie header, or why nobody is."""
        seen: list[Any] = []

        def look() -> None:
            found = get_session()
            seen.append(get_exchange().absence if found is None else dict(found))

        self.ask(header, look)
        return seen[0]

    def revoke(self) -> int:
        if self.how == "asgi, awaited":
            return asyncio.run(self.store.arevoke_user(ALICE))
        return self.store.revoke_user(ALICE)

    def alive(self) -> int:
        if self.how == "asgi, awaited":
            return len(asyncio.run(self.store.asessions_of(ALICE)))
        return len(self.store.sessions_of(ALICE))


def pointer(answer: Any) -> str:
    """The session cookie that an answer sets; empty if it sets none."""
    lines = [line for line in answer.lines if line.startswith(f"{NAME}=")]
    return lines[0].partition(";")[0] if lines else ""


@pytest.fixture(params=["wsgi", "asgi", "asgi, awaited"])
def site(request: pytest.FixtureRequest) -> Site:
    return Site(request.param)


def test_a_cookie_that_was_not_imported_yet_is_revoked_too(site: Site) -> None:
    one, other = site.log_in_there(), site.log_in_there()
    assert site.who(one) == ALICE
    site.clock.wait(5)
    assert site.revoke() == 1
    site.clock.wait(5)
    for header in (one, other):
        answer = site.ask(header, get_session)
        assert ("", Absence.REVOKED) == (pointer(answer), site.who(header))
    assert site.alive() == 0
    told = [event.reason for event in site.events if event.kind is EventKind.REFUSED]
    assert set(told) == {Absence.REVOKED}


def test_a_login_there_after_the_revocation_counts(site: Site) -> None:
    site.revoke()
    site.clock.wait(5)
    assert (site.who(site.log_in_there()), site.alive()) == (ALICE, 1)


def test_a_session_that_was_imported_already_is_as_it_is_now(site: Site) -> None:
    theirs = site.log_in_there()
    ours = pointer(site.ask(theirs, lambda: update_session({**ALICE, "n": 1})))
    assert site.who(ours) == {**ALICE, "n": 1} == site.who(theirs)
    site.ask(theirs, lambda: update_session(lambda session: {**session, "n": session["n"] + 1}))
    assert (site.who(ours), site.alive()) == ({**ALICE, "n": 2}, 1)


def test_a_session_that_was_rotated_since_its_import_does_not_come_back(site: Site) -> None:
    theirs = site.log_in_there()
    ours = pointer(site.ask(theirs, rotate_session))
    assert (site.who(ours), site.alive()) == (ALICE, 1)
    assert site.who(theirs) is Absence.UNKNOWN_RECORD


def test_an_import_counts_as_one_of_the_users_sessions() -> None:
    site = Site(max_sessions=1)
    first = pointer(site.ask(site.log_in_there(), get_session))
    site.clock.wait(5)
    second = pointer(site.ask(site.log_in_there(), get_session))
    assert (site.who(first), site.who(second)) == (Absence.UNKNOWN_RECORD, ALICE)


def test_a_logout_of_another_request_is_not_undone_by_a_rotation_of_an_import() -> None:
    site = Site()
    theirs = site.log_in_there()

    def view() -> None:
        rotate_session()
        site.ask(theirs, delete_session)

    assert pointer(site.ask(theirs, view)) == ""
    assert site.alive() == 0


def test_a_session_that_has_expired_since_its_import_does_not_come_back() -> None:
    site = Site(lifetime=Lifetime(idle=600, renew_after=60))
    theirs = site.log_in_there()
    site.who(theirs)
    site.clock.wait(610)
    assert site.who(theirs) is Absence.IDLE


def test_a_revocation_holds_for_an_import_under_a_new_secret(site: Site) -> None:
    theirs = site.log_in_there()
    site.clock.wait(5)
    site.revoke()
    site.clock.wait(5)
    site.replace_secret()
    assert (site.who(theirs), site.alive()) == (Absence.REVOKED, 0)
    assert (site.who(site.log_in_there()), site.alive()) == (ALICE, 1)


def test_under_a_new_secret_a_session_that_was_imported_before_is_as_it_is_now(site: Site) -> None:
    theirs = site.log_in_there()
    ours = pointer(site.ask(theirs, lambda: update_session({**ALICE, "n": 1})))
    site.replace_secret()
    assert site.who(theirs) == {**ALICE, "n": 1} == site.who(ours)
    site.ask(theirs, lambda: update_session({**ALICE, "n": 2}))
    assert (site.who(ours), site.alive()) == ({**ALICE, "n": 2}, 1)
    site.ask(ours, rotate_session)
    assert site.who(theirs) is Absence.UNKNOWN_RECORD


def test_under_a_new_secret_an_outage_is_raised_where_the_session_is_asked_for(site: Site) -> None:
    theirs, seen = site.log_in_there(), list[str]()

    def view() -> None:
        with pytest.raises(BackendError) as raised:
            get_session()
        seen.append(str(raised.value))

    site.replace_secret()
    site.backend.down = True
    assert "" == pointer(site.ask(theirs, view))
    assert ["the session backend is down"] == seen
    site.backend.down = False
    assert (site.who(theirs), site.alive()) == (ALICE, 1)


def test_the_request_that_imports_a_session_can_revoke_the_others() -> None:
    site = Site()
    theirs = site.log_in_there()
    site.clock.wait(5)
    ours = pointer(
        site.ask(theirs, lambda: site.store.revoke_user(get_session(), keep_current=True))
    )
    assert (site.who(ours), site.alive()) == (ALICE, 1)


def test_a_page_that_fails_leaves_the_session_of_a_parallel_request(site: Site) -> None:
    theirs = site.log_in_there()
    ours = pointer(site.ask(theirs, get_session))
    assert "" == pointer(site.ask(theirs, get_session, 500))
    assert site.who(ours) == ALICE


def test_a_page_that_fails_first_leaves_the_record(site: Site) -> None:
    theirs = site.log_in_there()
    assert "" == pointer(site.ask(theirs, get_session, 500))
    assert (site.who(theirs), site.alive()) == (ALICE, 1)


def test_an_import_is_not_worth_the_entry_of_a_cache_and_a_change_is(site: Site) -> None:
    theirs = site.log_in_there()
    assert "" == pointer(site.ask(theirs, get_session, Cache_Control="public"))
    assert "" == pointer(site.ask(theirs, get_session, 304))
    change = {**ALICE, "n": 1}
    ours = pointer(site.ask(theirs, lambda: update_session(change), Cache_Control="public"))
    assert site.who(ours) == change


def test_an_outage_is_raised_where_the_session_is_asked_for(site: Site) -> None:
    theirs, seen = site.log_in_there(), list[str]()

    def view() -> None:
        for _ in range(2):
            with pytest.raises(BackendError) as raised:
                get_session()
            seen.append(str(raised.value))

    site.backend.down = True
    assert "" == pointer(site.ask(theirs, view))
    assert ["the session backend is down"] * 2 == seen
    assert site.ask(theirs, lambda: None).status == 200
    site.backend.down = False
    assert (site.who(theirs), site.alive()) == (ALICE, 1)


def test_a_page_that_does_not_look_says_nothing_of_the_session(site: Site) -> None:
    answer = site.ask(site.log_in_there(), lambda: None)
    assert ([], []) == (answer.lines, answer.values("vary"))


@pytest.mark.parametrize("how", ["asgi", "asgi, awaited"])
def test_a_guard_that_raises_does_so_where_the_session_is_asked_for(how: str) -> None:
    fails = [False]

    def guard(session: Any) -> bool:
        if fails[0]:
            raise ZeroDivisionError
        return "user" in session

    site, wire = Site(how, guard=guard), Wire()
    theirs, seen = site.log_in_there(), list[type[BaseException]]()
    fails[0] = True

    def view() -> None:
        with pytest.raises(ZeroDivisionError) as raised:
            get_session()
        seen.append(raised.type)
        fails[0] = False

    serve_asgi(site.store.asgi(answering_async(view)), theirs, wire=wire)
    assert [ZeroDivisionError] == seen


@pytest.mark.parametrize("is_revoked", [True, False])
@pytest.mark.parametrize("how", ["asgi", "asgi, awaited"])
def test_a_session_is_not_used_if_the_guard_raised_while_its_record_was_added(
    how: str, is_revoked: bool
) -> None:
    fails, seen = list[bool](), list[Any]()

    def guard(session: Any) -> bool:
        if fails:
            fails.pop()
            raise ZeroDivisionError
        return "user" in session

    site = Site(how, guard=guard)
    theirs = site.log_in_there()
    site.clock.wait(5)
    if is_revoked:
        site.revoke()
    fails.append(True)
    answer = site.ask(theirs, lambda: seen.extend([get_session(), get_exchange().absence]))
    assert seen == [None, Absence.UNKNOWN_RECORD]
    assert pointer(answer) == ""
    assert site.who(theirs) == (Absence.REVOKED if is_revoked else ALICE)


@pytest.mark.parametrize("how", ["asgi", "asgi, awaited"])
def test_an_anonymous_session_is_used_though_the_guard_raised_at_first(how: str) -> None:
    fails, seen = list[bool](), list[Any]()

    def guard(session: Any) -> bool:
        if fails:
            fails.pop()
            raise ZeroDivisionError
        return False

    site = Site(how, guard=guard)
    theirs = site.log_in_there()
    fails.append(True)
    site.ask(theirs, lambda: seen.append(dict(get_exchange().contents)))
    assert seen == [ALICE]


@pytest.mark.parametrize("how", ["wsgi", "asgi", "asgi, awaited"])
def test_a_session_is_not_used_while_its_record_cannot_be_added(how: str) -> None:
    site, seen = Site(how), list[Any]()
    theirs = site.log_in_there()
    site.backend.broken = True
    with suppress(ZeroDivisionError):  # a server of WSGI answers it itself
        site.ask(theirs, lambda: seen.append(get_session()))
    assert seen == []
    site.backend.broken = False
    site.ask(theirs, lambda: seen.append(get_session()))
    assert seen == [ALICE]


@pytest.mark.parametrize("left", [60, 150, 250, 400])
def test_wherever_on_the_stack_a_nested_session_is_imported_nothing_is_raised(left: int) -> None:
    site, deep = Site(), list[Any]()
    for _ in range(90):
        deep = [deep]
    with site.theirs.exchange() as theirs:
        stamp = theirs.create(ALICE).stamp
    token = site.theirs.settings.codec.seal(json.dumps({**ALICE, "deep": deep}).encode(), stamp)
    exchange = site.store.begin(HeaderRequest(f"first={token}"))
    exchange.drive()
    found = at_depth(frames_left(left), exchange.get)
    assert found is None or found["user"] == ALICE["user"]


def test_an_anonymous_session_stays_in_a_cookie(site: Site) -> None:
    theirs = site.log_in_there()
    sealed = SessionStore(OTHER_SECRET, cookie=CookieSettings(name="first"), clock=site.clock)
    with sealed.exchange() as exchange:
        exchange.contents["cart"] = [1]
    theirs = exchange.response_headers[0][1].partition(";")[0]
    seen: list[Any] = []
    ours = pointer(site.ask(theirs, lambda: seen.append(dict(get_exchange().contents))))
    assert ([{"cart": [1]}], True) == (seen, bool(ours))


def test_a_request_without_a_gateway_is_refused_too() -> None:
    site = Site()
    theirs = site.log_in_there()
    site.clock.wait(5)
    site.revoke()
    assert site.store.get_session(environ_of(theirs)) is None
