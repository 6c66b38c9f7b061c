"""Without a gateway: each call puts what must be said now in the place of what an earlier call said."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from wsgiref.headers import Headers

import pytest

from sessionkit import IdentityChangedError, ResponseStartedError
from sessionkit._exchange.request import HeaderRequest
from sessionkit._requests.responses import ResponseFields, commit_response

from ..scene import ALICE, Scene, names
from ..served import environ_of, scope_of

APPLICATION = [
    ("Content-Type", "text/html"),
    ("Set-Cookie", "theirs=1"),
    ("Vary", "Accept"),
    ("Cache-Control", "public, max-age=60"),
]
UNSAVED = [
    ("Content-Type", "text/html"),
    ("Set-Cookie", "theirs=1"),
    ("Vary", "Accept, Cookie"),
    ("Cache-Control", "public, max-age=60"),
]
CHANGED = {**ALICE, "n": 1}


def signed_in() -> Scene:
    scene = Scene()
    scene.browser.login()
    return scene


def ours(headers: Any) -> list[str]:
    return names(
        [value for name, value in headers if name.lower() == "set-cookie" and value != "theirs=1"]
    )


def rest(headers: Any) -> list[tuple[str, str]]:
    return sorted(
        (name, value)
        for name, value in headers
        if name.lower() != "set-cookie" or value == "theirs=1"
    )


def test_the_lines_of_an_earlier_call_are_replaced() -> None:
    scene = signed_in()
    environ, headers = environ_of(scene.browser.jar.header()), list(APPLICATION)
    scene.store.update_session(environ, headers, CHANGED)
    first = list(headers)
    scene.store.update_session(environ, headers, {**ALICE, "n": 2})
    assert ours(headers) == ours(first) == ["__Host-session"]
    assert headers != first
    assert (
        rest(headers)
        == rest(first)
        == sorted(
            [*APPLICATION[:2], ("Vary", "Accept, Cookie"), ("Cache-Control", "private, no-store")]
        )
    )


def test_what_an_earlier_call_said_is_taken_back_caching_included() -> None:
    scene = signed_in()
    environ, headers = environ_of(scene.browser.jar.header()), list(APPLICATION)
    scene.store.update_session(environ, headers, CHANGED)
    scene.store.update_session(environ, headers, ALICE)
    assert rest(headers) == sorted(UNSAVED)
    assert ours(headers) == []


def test_an_update_then_a_delete_is_a_delete() -> None:
    scene = signed_in()
    scope, message = (
        scope_of(scene.browser.jar.header()),
        {"type": "http.response.start", "status": 200, "headers": [[b"x", b"y"]]},
    )
    scene.store.update_session(scope, message, CHANGED)
    scene.store.delete_session(scope, message)
    fields = [(name.decode(), value.decode()) for name, value in message["headers"]]
    assert ours(fields) == ["-__Host-session", "-__Host-seen.session", "__Host-out.session"]
    assert rest(fields) == [("cache-control", "private, no-store"), ("vary", "Cookie"), ("x", "y")]


def test_headers_objects_are_rewritten_as_lists_are() -> None:
    scene = signed_in()
    environ, response = (
        environ_of(scene.browser.jar.header()),
        SimpleNamespace(headers=Headers(list(APPLICATION))),
    )
    scene.store.update_session(environ, response, CHANGED)
    scene.store.delete_session(environ, response)
    assert ours(response.headers.items()) == [
        "-__Host-session",
        "-__Host-seen.session",
        "__Host-out.session",
    ]
    assert rest(response.headers.items()) == sorted(
        [*APPLICATION[:2], ("Vary", "Accept, Cookie"), ("Cache-Control", "private, no-store")]
    )
    assert response.headers.get_all("set-cookie")[0] == "theirs=1"


def test_headers_that_need_no_change_are_not_touched() -> None:
    scene = signed_in()

    class Watched(Headers):
        def __delitem__(self, name: str) -> None:
            deleted.append(name)
            super().__delitem__(name)

    deleted: list[str] = []
    headers = Watched(list(APPLICATION))
    scene.store.get_session(environ_of(scene.browser.jar.header()), headers)
    assert deleted == ["Vary"]


def test_what_the_application_adds_between_two_calls_stays() -> None:
    scene = signed_in()
    environ, headers = environ_of(scene.browser.jar.header()), list(APPLICATION)
    scene.store.update_session(environ, headers, CHANGED)
    headers.append(("Set-Cookie", "later=1"))
    headers.insert(0, ("Expires", "0"))
    scene.store.update_session(environ, headers, ALICE)
    assert rest(headers) == sorted([*UNSAVED, ("Expires", "0")])
    assert ("Set-Cookie", "later=1") in headers


def test_a_field_that_the_application_sets_anew_is_not_restored() -> None:
    scene = signed_in()
    environ, headers = environ_of(scene.browser.jar.header()), list(APPLICATION)
    scene.store.update_session(environ, headers, CHANGED)
    headers[:] = [
        ("Cache-Control", "no-cache") if name == "Cache-Control" else (name, value)
        for name, value in headers
    ]
    scene.store.update_session(environ, headers, ALICE)
    assert [value for name, value in headers if name == "Cache-Control"] == ["no-cache"]
    assert ours(headers) == []


def test_another_response_of_the_same_request_gets_nothing_of_the_first() -> None:
    scene = signed_in()
    environ, first, second = (
        environ_of(scene.browser.jar.header()),
        list(APPLICATION),
        [("Content-Type", "text/plain")],
    )
    scene.store.update_session(environ, first, CHANGED)
    scene.store.get_session(environ, second)
    assert ours(second) == ["__Host-session"]
    assert rest(second) == sorted(
        [("Content-Type", "text/plain"), ("Vary", "Cookie"), ("Cache-Control", "private, no-store")]
    )


def test_two_reads_say_the_same_as_one() -> None:
    scene = signed_in()
    environ, headers = environ_of(scene.browser.jar.header()), [("Content-Type", "text/html")]
    scene.store.get_session(environ, headers)
    once = list(headers)
    scene.store.get_session(environ, headers)
    assert (
        headers
        == once
        == [("Content-Type", "text/html"), ("Vary", "Cookie"), ("Cache-Control", "private")]
    )


def test_a_change_in_place_is_in_the_next_call() -> None:
    scene = signed_in()
    environ, headers = environ_of(scene.browser.jar.header()), []
    scene.store.get_session(environ)["user"]["name"] = "Alice"
    scene.store.get_session(environ, headers)
    scene.browser.jar.receive([value for name, value in headers if name == "Set-Cookie"])
    assert scene.browser.session()["user"]["name"] == "Alice"


def test_the_status_of_the_message_decides() -> None:
    scene = signed_in()
    scope, message = (
        scope_of(scene.browser.jar.header()),
        {"type": "http.response.start", "status": 500},
    )
    scene.store.update_session(scope, message, CHANGED)
    assert message["headers"] == [(b"vary", b"Cookie"), (b"cache-control", b"private")]


def test_an_empty_list_is_filled_in_the_kind_of_its_request() -> None:
    scene = signed_in()
    for request, kind in (
        (environ_of(scene.browser.jar.header()), str),
        (scope_of(scene.browser.jar.header()), bytes),
    ):
        headers: list[Any] = []
        scene.store.update_session(request, headers, CHANGED)
        assert {type(part) for field in headers for part in field} == {kind}


def test_a_list_of_text_is_understood_with_a_scope_too() -> None:
    scene = signed_in()
    headers: list[Any] = [("X", "y")]
    scene.store.update_session(scope_of(scene.browser.jar.header()), headers, CHANGED)
    assert {type(part) for field in headers for part in field} == {str}


def test_bytes_beyond_ascii_survive() -> None:
    scene = signed_in()
    headers = [(b"x-name", b"caf\xe9")]
    scene.store.update_session(scope_of(scene.browser.jar.header()), headers, CHANGED)
    assert headers[0] == (b"x-name", b"caf\xe9")


def test_the_headers_given_to_a_gateways_verbs_are_left_to_the_gateway() -> None:
    scene = signed_in()
    headers: list[Any] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        scene.store.update_session(environ, headers, CHANGED)
        start_response("200 OK", [])
        return []

    scene.store.wsgi(app)(environ_of(scene.browser.jar.header()), lambda *args: None)
    assert headers == []


class Fields:
    """Headers as `Fields` has them."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self.pairs = list(pairs)

    def items(self) -> list[tuple[str, str]]:
        return list(self.pairs)

    def __delitem__(self, name: str) -> None:
        self.pairs = [pair for pair in self.pairs if pair[0].lower() != name.lower()]

    def add(self, name: str, value: str) -> None:
        self.pairs.append((name, value))


def test_a_committed_exchange_writes_into_the_headers_of_the_response_that_starts() -> None:
    scene, fields = signed_in(), Fields(*APPLICATION)
    exchange = scene.store.begin(HeaderRequest(scene.browser.jar.header()))
    exchange.update(CHANGED)
    commit_response(exchange, 200, fields)
    assert ours(fields.pairs) == ["__Host-session"]
    assert rest(fields.pairs) == sorted(
        [*APPLICATION[:2], ("Vary", "Accept, Cookie"), ("Cache-Control", "private, no-store")]
    )
    with pytest.raises(ResponseStartedError):
        exchange.update(ALICE)


def test_a_committed_exchange_only_adds_where_the_response_says_nothing_of_caches() -> None:
    scene, fields = signed_in(), Fields(*APPLICATION[:2])
    exchange = scene.store.begin(HeaderRequest(scene.browser.jar.header()))
    exchange.update(CHANGED)
    commit_response(exchange, 200, fields)
    assert fields.pairs[:2] == APPLICATION[:2]
    assert ours(fields.pairs) == ["__Host-session"]
    added = [("Vary", "Cookie"), ("Cache-Control", "private, no-store")]
    assert rest(fields.pairs) == sorted([*APPLICATION[:2], *added])
    commit_response(exchange, 200, fields)
    assert rest(fields.pairs) == sorted([*APPLICATION[:2], *added])
    assert ours(fields.pairs) == ["__Host-session"]


def test_checking_a_session_that_nobody_has_read_reads_nothing() -> None:
    scene = signed_in()
    exchange = scene.store.begin(HeaderRequest(scene.browser.jar.header()))
    exchange.check()
    assert not exchange.looked_at


def test_a_session_that_cannot_be_kept_is_found_by_a_check_which_closes_nothing() -> None:
    exchange = signed_in().browser.visit().exchange
    exchange.contents["user"]["sub"] = "another"
    with pytest.raises(IdentityChangedError):
        exchange.check()
    exchange.contents["user"] = ALICE["user"]
    exchange.check()
    assert exchange.update(CHANGED)


def test_a_commit_that_fails_writes_nothing_and_leaves_the_exchange_open() -> None:
    scene, fields = signed_in(), Fields(*APPLICATION)
    exchange = scene.store.begin(HeaderRequest(scene.browser.jar.header()))
    exchange.contents["user"]["sub"] = "another"
    with pytest.raises(IdentityChangedError):
        commit_response(exchange, 200, fields)
    assert fields.pairs == APPLICATION
    commit_response(exchange, 500, fields)
    assert ours(fields.pairs) == []


def test_a_field_that_is_there_twice_is_deleted_once() -> None:
    class Once(Fields):
        def __delitem__(self, name: str) -> None:
            assert name.lower() in {field.lower() for field, _ in self.pairs}
            super().__delitem__(name)

    scene, fields = (
        signed_in(),
        Once(("Vary", "Accept"), ("vary", "Accept-Language"), ("Vary", "Origin")),
    )
    exchange = scene.store.begin(HeaderRequest(scene.browser.jar.header()))
    exchange.get()
    commit_response(exchange, 200, fields)
    assert fields.pairs == [
        ("Vary", "Accept, Accept-Language, Origin, Cookie"),
        ("Cache-Control", "private"),
    ]


class Strict(dict[str, str]):
    """Headers that refuse to delete what is not there, as WebOb's and Bottle's do."""

    def add(self, name: str, value: str) -> None:
        self[name] = value


def test_nothing_is_deleted_that_is_not_there() -> None:
    scene = signed_in()
    response = SimpleNamespace(headers=Strict({"Content-Type": "text/html"}))
    scene.store.update_session(environ_of(scene.browser.jar.header()), response, CHANGED)
    assert {"Content-Type", "Set-Cookie", "Vary", "Cache-Control"} == set(response.headers)


def test_fields_are_made_of_what_a_framework_calls_them() -> None:
    headers = [("A", "1")]
    fields = ResponseFields(
        lambda: iter(headers),
        lambda name, value: headers.append((name, value)),
        lambda name: headers.remove((name, "1")),
    )
    fields.add("B", "2")
    del fields["A"]
    assert [("B", "2")] == list(fields.items())


def test_a_response_that_is_committed_again_carries_each_line_once() -> None:
    scene = signed_in()
    exchange = scene.browser.visit().exchange
    exchange.update(CHANGED)
    headers = Headers([("Vary", "Accept")])
    fields = ResponseFields(headers.items, headers.add_header, headers.__delitem__)
    commit_response(exchange, 200, fields)
    once = headers.items()
    commit_response(exchange, 200, fields)
    assert (
        sorted(name for name, _ in once)
        == sorted(name for name, _ in headers.items())
        == ["Cache-Control", "Set-Cookie", "Vary"]
    )


def test_a_response_to_whom_nobody_asked_for_the_session_is_left_as_it_is() -> None:
    exchange = signed_in().browser.visit().exchange
    headers = Headers([("Vary", "Accept")])
    commit_response(
        exchange, 200, ResponseFields(headers.items, headers.add_header, headers.__delitem__)
    )
    assert headers.items() == [("Vary", "Accept")]
    with pytest.raises(ResponseStartedError):
        exchange.update(CHANGED)


def test_the_applications_own_cookies_are_left_where_they_are() -> None:
    exchange = signed_in().browser.visit().exchange
    exchange.update(CHANGED)
    headers = [("Set-Cookie", "theirs=1"), ("Vary", "Accept")]
    deleted: list[str] = []

    def delete(name: str) -> None:
        deleted.append(name)
        headers[:] = [one for one in headers if one[0] != name]

    commit_response(
        exchange,
        200,
        ResponseFields(
            lambda: list(headers), lambda name, value: headers.append((name, value)), delete
        ),
    )
    assert deleted == ["Vary"]
    assert headers[0] == ("Set-Cookie", "theirs=1")
    assert ours(headers) == ["__Host-session"]
