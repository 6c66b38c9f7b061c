"""What `store.exchange` is given: a Cookie header, a dict of cookies, or nothing."""

from http.cookies import SimpleCookie
from types import MappingProxyType, SimpleNamespace

import pytest

from sessionkit import Absence, SessionStore
from sessionkit.testing import session_cookies

from ..scene import ALICE, SECRET
from ..served import environ_of, scope_of


@pytest.mark.parametrize("given", [None, "", {}])
def test_an_exchange_takes_none_and_nothing_for_no_cookie(given):
    store = SessionStore(SECRET)
    with store.exchange(given) as exchange:
        assert store.get_session() is None
        assert exchange.absence is Absence.NO_COOKIE


@pytest.mark.parametrize("name", ["Cookie", "cookie"])
def test_an_exchange_finds_the_cookie_header_among_the_headers(name):
    store = SessionStore(SECRET)
    header = "; ".join(f"{one}={value}" for one, value in session_cookies(store, ALICE).items())
    with store.exchange(headers={name: header}):
        assert store.get_session() == ALICE
    with store.exchange("", headers={name: header}):
        assert store.get_session() is None


@pytest.mark.parametrize("before", ["Cookie: ", "cookie:", " COOKIE : "])
def test_what_stands_before_a_name_belongs_to_it(before):
    """A sibling host can set `cookie:__Host-session`, which is no prefixed name to the browser."""
    store = SessionStore(SECRET)
    header = "; ".join(f"{one}={value}" for one, value in session_cookies(store, ALICE).items())
    with store.exchange(before + header):
        assert store.get_session() is None


@pytest.mark.parametrize("headers", [None, [("Cookie", "a=b")], "Cookie: a=b"])
def test_headers_that_are_no_dict_are_refused(headers):
    with pytest.raises(TypeError, match="wants a dict of header fields"):
        SessionStore(SECRET).exchange(headers=headers)


@pytest.mark.parametrize("name", ["cookies", "header", "cookie"])
def test_an_argument_with_another_name_is_refused(name):
    with pytest.raises(TypeError, match=f"{name}=...\\): give the cookies first, without a name"):
        SessionStore(SECRET).exchange(**{name: "a=b"})


@pytest.mark.parametrize("kind", [dict, MappingProxyType])
def test_an_exchange_takes_a_mapping_of_cookies(kind):
    store = SessionStore(SECRET)
    cookies = kind({"theme": "dark", **session_cookies(store, ALICE)})
    with store.exchange(cookies):
        assert store.get_session() == ALICE


@pytest.mark.parametrize("name", ["a; {}", "{}=a"])
def test_a_mapping_of_cookies_plants_none_that_no_browser_sent(name):
    store = SessionStore(SECRET)
    ((own, token),) = session_cookies(store, ALICE).items()
    planted = {name.format(own): token, "theme": f"dark; {own}={token}"}
    with store.exchange(planted) as exchange:
        assert exchange.absence is Absence.NO_COOKIE


@pytest.mark.parametrize(
    ("given", "way_out"),
    [
        (b"__Host-session=x", "decode"),
        (bytearray(b"__Host-session=x"), "decode"),
        (memoryview(b"__Host-session=x"), "decode"),
        (environ_of("__Host-session=x"), "get_session"),
        ({"REQUEST_METHOD": "GET", "HTTP_COOKIE": "__Host-session=x"}, "get_session"),
        (scope_of("__Host-session=x"), "get_session"),
        (SimpleNamespace(environ=environ_of("__Host-session=x")), "get_session"),
        ({"Accept": "*/*", "Cookie": "__Host-session=x"}, "named Cookie"),
        ({"__Host-session": b"x"}, "are str"),
        ({b"__Host-session": "x"}, "are str"),
        (SimpleCookie("session=x"), "are str"),
        ([("__Host-session", "x")], "headers"),
        (7, "headers"),
    ],
)
def test_an_exchange_of_something_else_says_what_is_wanted_and_the_way_out(given, way_out):
    with pytest.raises(TypeError, match=f"a Cookie header is wanted .*{way_out}"):
        SessionStore(SECRET).exchange(given)
