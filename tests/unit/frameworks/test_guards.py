import json

import pytest

from sessionkit import SessionStore, configure
from sessionkit._exchange.request import HeaderRequest
from sessionkit._frameworks.guards import (
    api_guard,
    api_refusal,
    page_guard,
    page_refusal,
    return_to_of,
)
from sessionkit._requests.views import WSGIRequest
from sessionkit.testing import session_cookies


def get(path="/", query="", **more):
    return HeaderRequest(path=path, query=query, **more)


def test_an_api_answers_401_with_json_and_no_store():
    refusal = api_refusal()
    assert refusal.status == 401
    assert dict(refusal.headers) == {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
    }
    assert json.loads(refusal.body)["error"] == "not_authenticated"
    assert refusal.location is None


@pytest.mark.parametrize(
    ("method", "status"),
    [("GET", 302), ("HEAD", 302), ("POST", 303), ("DELETE", 303), ("PUT", 303)],
)
def test_a_page_redirects_with_302_what_only_reads_and_with_303_the_rest(method, status):
    assert status == page_refusal(get(method=method)).status


def test_a_redirect_is_not_stored_and_has_the_type_that_checkers_of_wsgi_demand():
    fields = dict(page_refusal(get()).headers)
    assert fields["Cache-Control"] == "no-store"
    assert fields["Content-Type"] == "text/plain"


@pytest.mark.parametrize(
    ("request_", "location"),
    [
        (get("/orders", "page=2&x=a/b"), "/auth/login?returnTo=/orders%3Fpage%3D2%26x%3Da/b"),
        (get("/caf\xe9"), "/auth/login?returnTo=/caf%25C3%25A9"),
        (get("/orders", method="POST"), "/auth/login?returnTo=/"),
        (get("/auth/login"), "/auth/login?returnTo=/"),
        (get("/auth/logout", "x=1"), "/auth/login?returnTo=/"),
    ],
)
def test_a_page_takes_the_visitor_back_to_where_he_was(request_, location):
    assert location == page_refusal(request_).location


def test_a_login_url_with_a_query_keeps_it():
    assert page_refusal(get("/a"), "/in?x=1").location == "/in?x=1&returnTo=/a"
    assert page_refusal(get("/in"), "/in?x=1").location == "/in?x=1&returnTo=/"


@pytest.mark.parametrize("url", ["/abmelden/f\xfcr alle", "/abmelden/f%C3%BCr%20alle?x=1"])
def test_the_logout_is_not_returned_to_however_its_url_is_written(url):
    refusal = page_refusal(get("/abmelden/f\xfcr alle"), logout_url=url)
    assert refusal.location == "/auth/login?returnTo=/"


@pytest.mark.parametrize(
    "path",
    [
        "//e.example/..",
        "//e",
        "///e",
        "/\\e",
        "/a/../b",
        "/./a",
        "/a\r\nX: y",
        "/a\0",
        "",
        "https://e",
        "/ä/../..//e",
    ],
)
def test_a_request_for_what_could_leave_the_site_returns_to_the_default(path):
    assert return_to_of(get(path), default="/home") == "/home"


def test_a_path_that_was_encoded_twice_stays_so():
    assert return_to_of(get("/%2e%2e/a")) == "/%252e%252e/a"


@pytest.mark.parametrize("query", ["a=%0d%0ab", "a=b c", "é=1", "a=\\", "x" * 3000])
def test_a_query_that_could_break_the_header_returns_to_the_default(query):
    assert return_to_of(get("/a", query), default="/home") == "/home"


def test_neither_host_nor_forwarded_headers_have_a_say():
    environ = {
        "PATH_INFO": "/a", "HTTP_HOST": "e", "HTTP_X_FORWARDED_HOST": "e", "HTTP_X_FORWARDED_PREFIX": "//e", "HTTP_FORWARDED": "host=e",
        "HTTP_X_ORIGINAL_URL": "//e", "HTTP_REFERER": "https://e",
    }  # fmt: skip
    assert page_refusal(WSGIRequest(environ)).location == "/auth/login?returnTo=/a"


# ---- the decorators that adapters make of them


def environ_of(path="/here", **cookies):
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "HTTP_COOKIE": header,
        "wsgi.url_scheme": "https",
    }


@pytest.fixture
def store():
    store = SessionStore("0f1e2d3c4b5a69788796a5b4c3d2e1f0-first")
    configure(store)
    yield store
    configure(None)


def guarding(refuse, handler):
    """What an adapter's part does, for a framework whose handlers take an environ."""
    return lambda environ: refuse(environ) or handler(environ)


def hooked(refuse, environ, response):
    return refuse(environ), response


def signed_in(store):
    return environ_of(**session_cookies(store, {"user": {"sub": "1"}}))


@pytest.mark.parametrize("make", [api_guard, page_guard])
def test_a_signed_in_user_reaches_a_guarded_handler(store, make):
    assert "/here" == make(guarding)(lambda environ: environ["PATH_INFO"])(signed_in(store))


def test_everybody_else_is_refused_by_an_api(store):
    assert api_refusal() == api_guard(guarding)(lambda environ: "secret")(environ_of())


@pytest.mark.parametrize(
    ("decorate", "expected"),
    [
        (lambda guard: guard, "/auth/login?returnTo=/here"),
        (lambda guard: guard(login_url="/in"), "/in?returnTo=/here"),
        (lambda guard: guard(logout_url="/here"), "/auth/login?returnTo=/"),
        (lambda guard: guard(logout_url="/here", default="/home"), "/auth/login?returnTo=/home"),
    ],
)
def test_everybody_else_is_sent_to_the_login_page_bare_and_called(store, decorate, expected):
    assert (
        expected == decorate(page_guard(guarding))(lambda environ: "secret")(environ_of()).location
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, "/settings?returnTo=/here"), ({"login_url": "/in"}, "/in?returnTo=/here")],
)
def test_the_frameworks_own_setting_names_the_login_page_unless_the_call_does(
    store, given, expected
):
    guard = page_guard(guarding, login_url_of=lambda environ: "/settings")
    assert expected == guard(**given)(lambda environ: "secret")(environ_of()).location


def test_a_framework_that_has_no_such_setting_leaves_the_default(store):
    guard = page_guard(guarding, login_url_of=lambda environ: None)
    assert "/auth/login?returnTo=/here" == guard(lambda environ: "secret")(environ_of()).location


def test_a_hook_is_given_the_request_bare_and_called(store):
    hook = page_guard(hooked)
    assert (None, "response") == hook(signed_in(store), "response")
    assert "/in?returnTo=/here" == hook(login_url="/in")(environ_of(), "response")[0].location


def test_a_url_without_its_name_is_refused_where_it_is_written():
    with pytest.raises(
        TypeError, match=r"require_session_page\('/in'\): the URLs are given by name"
    ):
        page_guard(guarding)("/in")


def test_parentheses_after_the_guard_that_takes_nothing_are_refused_where_they_are_written():
    with pytest.raises(TypeError, match="write it without parentheses"):
        api_guard(guarding)()


def test_a_guard_without_a_request_says_so(store):
    with pytest.raises(TypeError, match="get_session"):
        api_guard(guarding)(lambda environ: "secret")("nothing")
