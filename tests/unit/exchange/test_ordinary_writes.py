"""What applications do every day is no login, and no business of another gateway's."""

import pytest

from sessionkit import Lifetime, SessionStore, get_session
from sessionkit._exchange.framework_keys import FrameworkKeys
from sessionkit._frameworks.contents import LazyContents, find_or_open_exchange
from sessionkit._requests.views import WSGIRequest
from sessionkit.formats import Auth0V4
from sessionkit.testing import read_cookies, session_cookies
from sessionkit.wsgi import SessionMiddleware

from ..frameworks.framework import Framework, put
from ..scene import SECRET, START
from ..served import environ_of


def lines_of(store, act, headers=(), session=None):
    """The Set-Cookie lines of a response with these header fields of the application's."""
    jar = session_cookies(store, session or {"user": {"sub": "ann"}})
    with store.exchange(jar) as exchange:
        act()
        changes = exchange.commit(200, list(headers))
    return [value for name, value in changes.add if name == "Set-Cookie"]


@pytest.mark.parametrize(
    "line",
    [
        "__Host-session=; Max-Age=0; Path=/",
        "__Host-session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "__Host-session=deleted; Path=/",
        "__Host-session.lang=en; Path=/",
        "__Host-session.0=; Max-Age=0",
        "__Host-session2=x",
    ],
)
def test_a_cookie_of_the_applications_that_is_no_session_stands_beside_ours(line):
    store = SessionStore(SECRET)
    lines = lines_of(
        store,
        lambda: store.update_session({"user": {"sub": "ann"}, "n": 1}),
        [("Set-Cookie", line)],
    )
    assert read_cookies(store, lines) == {"user": {"sub": "ann"}, "n": 1}


def test_a_logout_may_delete_the_cookie_itself_too():
    store = SessionStore(SECRET)
    lines = lines_of(store, store.delete_session, [("Set-Cookie", "__Host-session=; Max-Age=0")])
    assert any(line.startswith("__Host-out.session=") for line in lines)


def test_another_username_of_a_signed_in_user_is_no_login():
    site = Framework()
    site.do(put("user", {"sub": "ann"}), put("username", "ann"))
    before = site.id
    site.do(put("username", "Ann"))
    assert (site.id, site.session["username"]) == (before, "Ann")


def test_a_new_username_does_not_lift_the_absolute_limit():
    site = Framework(lifetime=Lifetime(idle=3600, absolute=7200))
    site.do(put("user", {"sub": "ann"}))
    for turn in range(4):
        site.clock.now += 3000
        site.do(put("username", f"ann {turn}"))
    assert not site.signed_in


def test_a_new_username_does_not_lift_the_providers_end():
    site = Framework(format=Auth0V4())
    ends = START + 1000
    session = {
        "user": {"sub": "ann"},
        "tokenSet": {},
        "internal": {"sid": "s", "sessionExpiresAt": ends},
    }
    site.do(*(put(key, value) for key, value in session.items()))
    site.do(put("username", "Ann"))
    assert site.session["internal"]["sessionExpiresAt"] == ends


def test_a_username_alone_is_a_login():
    site = Framework()
    site.do(put("username", "ann"))
    before = site.id
    site.do(put("username", "bob"))
    assert site.id != before


def test_what_was_written_before_a_framework_serves_the_request_is_judged_as_it_was_then():
    store = SessionStore(SECRET)
    jar = session_cookies(store, {"user": {"sub": "ann"}, "account_id": 1})

    def inner(environ, start_response):
        LazyContents(find_or_open_exchange(WSGIRequest(environ), gateway.settings))["n"] = 2
        start_response("200 OK", [])
        return []

    gateway = SessionMiddleware(inner, store, framework=FrameworkKeys())

    def outer(environ, start_response):
        get_session(environ)["account_id"] = 2
        return gateway(environ, start_response)

    sent = []
    header = "; ".join(f"{name}={value}" for name, value in jar.items())
    list(store.wsgi(outer)(environ_of(header), lambda status, headers, *_: sent.extend(headers)))
    lines = [value for name, value in sent if name == "Set-Cookie"]
    assert read_cookies(store, lines) == {"user": {"sub": "ann"}, "account_id": 2, "n": 2}
