"""A framework inside another gateway of its store: its login keys decide anew whether a session in a cookie is a user's."""

import asyncio

import pytest

from sessionkit import CookieSettings, Native, SessionStore, get_exchange, get_session
from sessionkit import asgi as asgi_gateways
from sessionkit import wsgi as wsgi_gateways
from sessionkit._exchange.framework_keys import FrameworkKeys
from sessionkit._exchange.request import HeaderRequest
from sessionkit.backends import MemoryBackend
from sessionkit.formats import Importer
from sessionkit.testing import session_cookies

from ..backends.awaited import AwaitedMemory
from ..scene import OTHER_SECRET, SECRET, START, Clock
from ..served import answering, answering_async, serve_asgi, serve_wsgi

KEYS = FrameworkKeys(login=("_user_id",))
LOGIN = {"_user_id": "7"}


class Site:
    """A framework inside a gateway of the same store, which has no login keys."""

    def __init__(self, kind, *, reads, **settings):
        self.kind, self.reads = kind, reads
        self.clock, self.events, self.seen = Clock(), [], []
        make = AwaitedMemory if kind == "asgi" else MemoryBackend
        importer = Importer(Native(), name="first", secret=OTHER_SECRET, until=None, clear=False)
        self.store = SessionStore(
            SECRET,
            clock=self.clock,
            backend=make(clock=self.clock),
            on_event=self.events.append,
            accept=[importer],
            **settings,
        )
        theirs = SessionStore(OTHER_SECRET, cookie=CookieSettings(name="first"), clock=self.clock)
        self.theirs = session_cookies(theirs, LOGIN)
        # A session from the time before the store had a backend.
        plain = SessionStore(SECRET, clock=self.clock)
        self.own = session_cookies(plain, LOGIN)
        self.clock.wait(5)

    def look(self):
        self.seen.append(dict(get_exchange().contents))

    def visit(self, cookies):
        """What the framework finds in the session, and the cookies of the answer."""
        self.seen.clear()
        header = "; ".join(f"{name}={value}" for name, value in cookies.items())
        if self.kind == "wsgi":
            gateway = wsgi_gateways.SessionMiddleware(
                answering(self.look), self.store, framework=KEYS
            )

            def around(environ, start_response):
                if self.reads:
                    get_session()
                return gateway(environ, start_response)

            answer = serve_wsgi(self.store.wsgi(around), header)
        else:
            gateway = asgi_gateways.SessionMiddleware(
                answering_async(self.look), self.store, framework=KEYS
            )

            async def around(scope, receive, send):
                if self.reads:
                    get_session()
                await gateway(scope, receive, send)

            answer = serve_asgi(self.store.asgi(around), header).answer
        return self.seen[0], answer.lines

    def revoke(self):
        return asyncio.run(self.store.arevoke_user(LOGIN))


@pytest.fixture(params=["wsgi", "asgi"])
def kind(request):
    return request.param


@pytest.mark.parametrize("reads", [True, False])
def test_a_users_session_in_a_cookie_of_ours_is_none(kind, reads):
    site = Site(kind, reads=reads)
    assert site.visit(site.own) == ({}, [])
    assert "UNKNOWN_RECORD" in [event.reason.name for event in site.events if event.reason]


def test_an_import_gets_its_record_before_the_framework_uses_it(kind):
    site = Site(kind, reads=False)
    found, cookies = site.visit(site.theirs)
    assert found == LOGIN
    assert cookies[0].startswith("__Host-session=")
    assert site.revoke() == 1
    assert site.visit(site.theirs) == ({}, [])


def test_an_import_of_a_user_who_was_revoked_is_none(kind):
    site = Site(kind, reads=False)
    site.revoke()
    assert site.visit(site.theirs) == ({}, [])


def test_an_import_that_was_used_without_a_record_is_none(kind):
    site = Site(kind, reads=True)
    site.revoke()
    assert site.visit(site.theirs) == ({}, [])


def test_a_store_that_knows_the_login_key_imports_the_session_though_it_was_used_before(kind):
    site = Site(kind, reads=True, login_keys=["_user_id"])
    assert site.visit(site.theirs)[0] == LOGIN
    assert site.revoke() == 1
    assert site.visit(site.theirs) == ({}, [])


def test_a_session_that_the_gateway_around_has_ended_stays_ended():
    site = Site("wsgi", reads=True)
    exchange = site.store.begin(HeaderRequest(f"__Host-session={site.own['__Host-session']}"))
    exchange.drive()
    exchange.create({"user": {"sub": "ann"}})
    exchange.serve_framework(site.store.for_framework(KEYS).settings)
    assert exchange.get() == {"user": {"sub": "ann"}}
    exchange.commit()
    assert [START + 5] == [
        one.created_at for one in site.store.sessions_of({"user": {"sub": "ann"}})
    ]


def test_a_guard_of_ones_own_has_judged_already():
    site = Site("wsgi", reads=True, guard=lambda session: "_user_id" in session)
    assert site.visit(site.theirs)[0] == LOGIN
