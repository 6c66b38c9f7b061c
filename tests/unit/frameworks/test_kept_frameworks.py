"""A framework's own session object, kept on the server."""

import pytest

from sessionkit import EventKind, Lifetime, SessionStore
from sessionkit._exchange.exchange import Exchange
from sessionkit._exchange.framework_keys import FrameworkKeys
from sessionkit._exchange.request import HeaderRequest
from sessionkit._frameworks.contents import LazyContents
from sessionkit.backends import MemoryBackend

from ..browser_jar import BrowserJar
from ..kept import FENCE, NAME
from ..scene import ALICE, BOB, SECRET, START, Clock, names

DAY = 86_400
LOGIN = {"_user_id": "7"}


class Site:
    """A browser at an application whose framework has a session object of its own."""

    def __init__(self, keys=None, **settings):
        self.clock = Clock()
        self.events = []
        self.backend = MemoryBackend(clock=self.clock)
        keys = keys or FrameworkKeys(login=("_user_id",))
        plain = SessionStore(
            SECRET, clock=self.clock, backend=self.backend, on_event=self.events.append, **settings
        )
        self.plain, self.store = plain, plain.for_framework(keys)
        self.jar = BrowserJar(self.clock)

    def visit(self, **request):
        exchange = Exchange(self.store.settings, HeaderRequest(self.jar.header(), **request))
        exchange.drive()
        return LazyContents(exchange), exchange

    def do(self, step, status=200, **request):
        """One request that changes the session object, and the lines of its answer."""
        session, exchange = self.visit(**request)
        step(session)
        lines = [value for name, value in exchange.commit(status).add if name == "Set-Cookie"]
        self.jar.receive(lines)
        return lines

    def show(self):
        return dict(self.visit()[0])


@pytest.fixture
def site():
    return Site()


def test_a_login_through_the_session_object_is_kept_on_the_server(site):
    site.do(lambda session: session.update(csrf_token="x", cart=[1]))
    assert 0 == len(site.backend._records)
    lines = site.do(lambda session: session.update(_user_id="7"))
    assert {NAME, FENCE} <= set(names(lines))
    assert {"cart": [1], **LOGIN} == site.show()
    assert 1 == len(site.plain.sessions_of(LOGIN))


def test_another_login_through_the_session_object_ends_the_earlier_record(site):
    site.do(lambda session: session.update(LOGIN))
    site.do(lambda session: session.update(_user_id="8"))
    assert (0, 1) == (
        len(site.plain.sessions_of(LOGIN)),
        len(site.plain.sessions_of({"_user_id": "8"})),
    )


def test_an_emptied_session_object_is_a_logout(site):
    site.do(lambda session: session.update(LOGIN))
    lines = site.do(lambda session: session.clear())
    assert f"-{NAME}" in names(lines)
    assert ({}, {}) == (site.show(), site.backend._records)


def test_a_logout_that_leaves_an_anonymous_session_moves_it_to_a_cookie(site):
    site.do(lambda session: session.update(**LOGIN, cart=[1]))
    lines = site.do(lambda session: session.pop("_user_id"))
    assert NAME in names(lines)
    assert ({"cart": [1]}, {}) == (site.show(), site.backend._records)


def test_a_login_of_a_failed_response_is_not_kept(site):
    site.do(lambda session: session.update(LOGIN), status=500)
    assert ({}, {}) == (site.show(), site.backend._records)


def test_an_explicit_save_stays_though_the_response_fails(site):
    session, exchange = site.visit()
    session.update(LOGIN)
    exchange.check()
    exchange.server.keep()
    lines = [value for name, value in exchange.commit(500).add if name == "Set-Cookie"]
    assert [NAME] == names(lines)
    site.jar.receive(lines)
    assert LOGIN == site.show()


def test_a_save_that_was_not_explicit_is_taken_back(site):
    session, exchange = site.visit()
    session.update(LOGIN)
    exchange.check()
    exchange.commit(500)
    assert {} == site.backend._records


def test_a_session_that_asks_for_a_transient_cookie_gets_its_pointer_anew(site):
    site = Site(FrameworkKeys(transient=lambda session: session.get("forget")))
    lines = site.do(lambda session: session.update(ALICE))
    assert "Max-Age" in lines[0]
    assert [] == site.do(lambda session: session.update(n=1))
    lines = site.do(lambda session: session.update(forget=True))
    assert [NAME] == names(lines)
    assert "Max-Age" not in lines[0]
    assert [] == site.do(lambda session: session.update(n=2))


def ends_after(session, updated_at):
    return updated_at + session.get("minutes", 10) * 60


def test_the_pointer_follows_the_end_that_the_contents_set(site):
    site = Site(FrameworkKeys(ends=ends_after))
    (line,) = site.do(lambda session: session.update(ALICE))
    assert "Max-Age=600;" in line
    assert [] == site.do(lambda session: session.update(n=1))
    site.clock.wait(120)
    (line,) = site.do(lambda session: session.get("n"))
    assert "Max-Age=600;" in line
    (line,) = site.do(lambda session: session.update(minutes=5))
    assert "Max-Age=300;" in line
    site.clock.wait(300)
    assert {} == site.show()


def test_a_renewal_that_would_set_the_pointer_leaves_a_page_for_shared_caches_as_it_is():
    site = Site(FrameworkKeys(ends=ends_after))
    site.do(lambda session: session.update(ALICE))
    site.clock.wait(120)
    session, exchange = site.visit()
    assert 2 == len({**session, "n": 1})
    changes = exchange.commit(200, [("Cache-Control", "public")])
    assert [] == [name for name, _ in changes.add if name == "Set-Cookie"]
    assert START == site.plain.sessions_of(ALICE)[0].updated_at


def test_a_renewal_without_such_an_end_sets_no_pointer(site):
    site.do(lambda session: session.update(ALICE))
    site.clock.wait(3600)
    assert [] == site.do(lambda session: session.get("n"))
    assert START + 3600 + DAY == site.plain.sessions_of(ALICE)[0].expires_at


def test_an_inner_framework_finds_the_session_of_the_gateway_around_it(site):
    exchange = Exchange(site.plain.settings, HeaderRequest(""))
    exchange.drive()
    exchange.contents["cart"] = [1]
    exchange.serve_framework(site.store.settings)
    exchange.contents["_user_id"] = "7"
    exchange.commit()
    assert 1 == len(site.plain.sessions_of(LOGIN))


def test_a_function_in_the_request_of_a_login_is_one_of_the_new_session(site):
    _, exchange = site.visit()
    exchange.create({**BOB, "n": 0})
    assert exchange.update(lambda live: {**live, "n": live["n"] + 1}) is True
    exchange.commit()
    assert [1] == [info.contents["n"] for info in site.plain.sessions_of(BOB)]


def test_a_session_without_an_idle_limit_is_not_renewed():
    site = Site(lifetime=Lifetime(idle=None, rolling=False))
    site.do(lambda session: session.update(ALICE))
    site.clock.wait(DAY)
    assert [] == site.do(lambda session: session.get("n"))
    assert START == site.plain.sessions_of(ALICE)[0].updated_at


def test_a_rotation_beside_a_login_elsewhere_is_a_late_write(site):
    site.do(lambda session: session.update(ALICE))
    _, exchange = site.visit()
    exchange.rotate()
    site.do(lambda session: session.update(user={"sub": "carol"}))
    exchange.commit()
    assert EventKind.LATE_WRITE in [event.kind for event in site.events]
    assert [] == site.plain.sessions_of(ALICE)
