import json

import pytest

from sessionkit.request import HeaderRequest, WSGIRequest
from sessionkit.required import api_refusal, page_refusal, return_to_of


def get(path="/", query="", **more):
    return HeaderRequest(path=path, query=query, **more)


def test_an_api_answers_401_with_json_and_no_store():
    refusal = api_refusal()
    assert refusal.status == 401
    assert dict(refusal.headers) == {"Content-Type": "application/json", "Cache-Control": "no-store"}
    assert json.loads(refusal.body)["error"] == "not_authenticated"
    assert refusal.location is None


@pytest.mark.parametrize(("method", "status"), [("GET", 302), ("HEAD", 302), ("POST", 303), ("DELETE", 303), ("PUT", 303)])
def test_a_page_redirects_with_302_what_only_reads_and_with_303_the_rest(method, status):
    assert status == page_refusal(get(method=method)).status


def test_a_redirect_is_not_stored():
    assert dict(page_refusal(get()).headers)["Cache-Control"] == "no-store"


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


@pytest.mark.parametrize(
    "path", ["//e.example/..", "//e", "///e", "/\\e", "/a/../b", "/./a", "/a\r\nX: y", "/a\0", "", "https://e", "/ä/../..//e"]
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
