from types import SimpleNamespace

import pytest

from sessionkit import is_activity
from sessionkit._exchange.request import HeaderRequest
from sessionkit._requests.views import ASGIRequest, CarriedRequest, WSGIRequest


def scope(**changes):
    return {"type": "http", "headers": [], **changes}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, ("", "GET", "", "", "http")),
        (
            {
                "HTTP_COOKIE": "a=\xa0", "REQUEST_METHOD": "POST", "SCRIPT_NAME": "/app", "PATH_INFO": "/caf\xc3\xa9",
                "QUERY_STRING": "a=%20", "wsgi.url_scheme": "https",
            },
            ("a=\xa0", "POST", "/app/café", "a=%20", "https"),
        ),
        ({"PATH_INFO": "/\xff", "HTTP_COOKIE": ""}, ("", "GET", "/\ufffd", "", "http")),
        ({"PATH_INFO": "/\u20ac"}, ("", "GET", "/?", "", "http")),
    ],
)  # fmt: skip
def test_a_view_of_an_environ(environ, expected):
    view = WSGIRequest(environ)
    assert expected == (view.cookie_header, view.method, view.path, view.query, view.scheme)
    assert view.holder is environ


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (scope(), ("", "GET", "", "", "http")),
        (
            scope(
                method="PUT",
                path="/café",
                query_string=b"a=\xe9",
                scheme="https",
                headers=[(b"cookie", b"a=\xa0")],
            ),
            ("a=\xa0", "PUT", "/café", "a=\xe9", "https"),
        ),
        ({"type": "websocket", "scheme": "wss"}, ("", "GET", "", "", "wss")),
        (
            scope(headers=[(b"cookie", b"a=1"), (b"x", b"y"), (b"cookie", b"b=2")]),
            ("a=1; b=2", "GET", "", "", "http"),
        ),
    ],
)
def test_a_view_of_a_scope(given, expected):
    view = ASGIRequest(given)
    assert expected == (view.cookie_header, view.method, view.path, view.query, view.scheme)
    assert view.holder is given


def test_a_header_is_found_whatever_the_case_of_its_name():
    assert WSGIRequest({"HTTP_SEC_PURPOSE": "prefetch"}).header("Sec-Purpose") == "prefetch"
    assert (
        ASGIRequest(scope(headers=[(b"sec-purpose", b"prefetch")])).header("SEC-Purpose")
        == "prefetch"
    )
    assert HeaderRequest(headers={"SEC-PURPOSE": "prefetch"}).header("sec-purpose") == "prefetch"


def test_a_header_that_did_not_come_is_none():
    assert [
        view.header("X-A") for view in (WSGIRequest({}), ASGIRequest(scope()), HeaderRequest())
    ] == [None, None, None]


def test_a_header_that_came_twice_is_joined():
    assert ASGIRequest(scope(headers=[(b"x-a", b"1"), (b"x-a", b"2")])).header("X-A") == "1, 2"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HTTP_HOST": "a.example:80", "SERVER_NAME": "b"}, "a.example:80"),
        ({"SERVER_NAME": "b"}, "b"),
        ({}, None),
    ],
)
def test_the_host_of_a_request_without_a_host_header_is_the_servers_name(environ, expected):
    assert expected == WSGIRequest(environ).header("Host")


def test_a_request_of_a_script_has_what_it_is_given():
    request = HeaderRequest("a=1", method="POST", path="/p", query="q=1", scheme="http")
    assert ("a=1", "POST", "/p", "q=1", "http", {}) == (
        request.cookie_header, request.method, request.path, request.query, request.scheme, request.holder,
    )  # fmt: skip


def test_a_request_of_a_script_is_a_secure_get_of_the_root_by_default():
    request = HeaderRequest()
    assert ("", "GET", "/", "", "https") == (
        request.cookie_header,
        request.method,
        request.path,
        request.query,
        request.scheme,
    )


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (HeaderRequest(), True),
        (HeaderRequest(method="POST"), True),
        (HeaderRequest(method="OPTIONS"), False),
        (HeaderRequest(headers={"Sec-Purpose": "prefetch"}), False),
        (HeaderRequest(headers={"Sec-Purpose": "prefetch;prerender"}), False),
        (HeaderRequest(headers={"Sec-Purpose": "PRERENDER"}), False),
        (HeaderRequest(headers={"Purpose": "prefetch"}), False),
        (HeaderRequest(headers={"Purpose": "preview"}), False),
        (HeaderRequest(headers={"X-Moz": "prefetch"}), False),
        (HeaderRequest(headers={"x-moz": "PreFetch"}), False),
        (HeaderRequest(headers={"X-Purpose": "prefetch"}), False),
        (HeaderRequest(headers={"X-Purpose": "Preview"}), False),
        (HeaderRequest(headers={"X-Sec-Purpose": "prefetch"}), False),
        (HeaderRequest(headers={"Next-Router-Prefetch": "1"}), False),
        (HeaderRequest(headers={"Next-Router-Prefetch": "2"}), False),
        (HeaderRequest(headers={"HX-Preloaded": "true"}), False),
        (HeaderRequest(headers={"HX-Request": "true"}), True),
        (HeaderRequest(headers={"Next-Router-Segment-Prefetch": "/_tree"}), False),
        (HeaderRequest(headers={"X-Middleware-Prefetch": "1"}), False),
        (WSGIRequest({"HTTP_X_MOZ": "prefetch"}), False),
        (WSGIRequest({"HTTP_NEXT_ROUTER_PREFETCH": "1"}), False),
        (ASGIRequest(scope(headers=[(b"next-router-prefetch", b"1")])), False),
        (HeaderRequest(headers={"X-Moz": "something-else", "Next-Router-Prefetch": ""}), True),
        (HeaderRequest(headers={"Sec-Purpose": "something-else"}), True),
    ],
)
def test_prefetches_prerenders_and_preflights_are_no_activity(request_, expected):
    assert is_activity(request_) is expected


class Carried(CarriedRequest):
    """The view of a framework whose requests are lists of fields."""

    method, path, query, scheme = "GET", "/", "", "https"

    def fields(self, name):
        return [value for field, value in self.request if field == name.lower()]


def test_a_frameworks_own_request_is_known_by_its_fields():
    view = Carried([("cookie", "a=1"), ("x-a", "1"), ("cookie", "b=2"), ("x-a", "2")])
    assert "a=1; b=2" == view.cookie_header
    assert ("1, 2", None) == (view.header("X-A"), view.header("x-b"))


def test_a_frameworks_own_request_without_cookies_has_an_empty_cookie_header():
    assert "" == Carried([]).cookie_header


class Named(CarriedRequest):
    """The view of a framework whose requests have the usual names."""

    path, query, holder = "/", "", {}

    def fields(self, name):
        return []


@pytest.mark.parametrize(("method", "expected"), [("POST", "POST"), (None, "GET")])
def test_a_frameworks_own_request_has_its_method_and_scheme_under_the_usual_names(method, expected):
    view = Named(SimpleNamespace(method=method, scheme="http"))
    assert (view.method, view.scheme) == (expected, "http")


def test_a_header_that_is_empty_is_there():
    assert ("", None) == (
        WSGIRequest({"HTTP_X_A": ""}).header("X-A"),
        WSGIRequest({}).header("X-A"),
    )
