"""The session object in an ASGI scope: a dict that is read when it is first used."""

from __future__ import annotations

import copy
import gc
import json
from typing import Any

import pytest

from sessionkit import (
    ConfigurationError,
    CookieSettings,
    NoActiveRequestError,
    ResponseStartedError,
    Session,
    SessionStore,
    create_session,
    get_session,
)
from sessionkit._exchange.request import HOLDER
from sessionkit._frameworks.scope_session import ScopeSession, ScopeSessionMiddleware

from ..served import serve_asgi

SECRET = "scope tests: 0123456789abcdefghijklmnopqrstuvwxyz"
NAME, OUT = "__Host-session", "__Host-out.session"
ANN = {"user": {"sub": "ann"}, "n": 1}
store = SessionStore(SECRET)


def app_of(view, status: int = 200):
    async def app(scope: dict[str, Any], receive, send) -> None:
        view(scope)
        start = {
            "http": {"type": "http.response.start", "status": status},
            "websocket": {"type": "websocket.accept"},
        }
        await send({**start[scope["type"]], "headers": []})

    return app


def serve(view, cookies: str = "", **request: Any) -> list[str]:
    """The Set-Cookie lines of a response whose view was given the scope."""
    return serve_asgi(ScopeSessionMiddleware(app_of(view), store), cookies, **request).answer.lines


def sent(lines: list[str]) -> str:
    return "; ".join(line.partition(";")[0] for line in lines if "Max-Age=0" not in line)


def signed_in() -> str:
    return sent(serve(lambda scope: create_session(scope, ANN)))


def held(cookies: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = []
    serve(lambda scope: found.append(dict(scope["session"])), cookies)
    return found[0]


def names(lines: list[str]) -> list[str]:
    return [line.partition("=")[0] for line in lines]


def test_nothing_is_read_for_a_request_that_does_not_use_it():
    looked: list[bool] = []
    answer = serve_asgi(
        ScopeSessionMiddleware(app_of(lambda scope: looked.append(scope[HOLDER].looked_at)), store),
        signed_in(),
    ).answer
    assert looked == [False]
    assert answer.headers == []


READINGS = {
    "[]": lambda one: one["n"], "get": lambda one: one.get("n"), "in": lambda one: "n" in one, "iter": list, "len": len, "bool": bool,
    "keys": lambda one: list(one.keys()), "values": lambda one: list(one.values()), "items": lambda one: list(one.items()),
    "==": lambda one: one == ANN, "!=": lambda one: one != ANN, "|": lambda one: one | {"a": 1}, "reversed |": lambda one: {"a": 1} | one,
    "copy": lambda one: one.copy(), "dict": dict, "**": lambda one: {**one}, "reversed": lambda one: list(reversed(one)),
    "deepcopy": copy.deepcopy, "pop": lambda one: one.pop("n"), "setdefault": lambda one: one.setdefault("n", 2),
}  # fmt: skip


@pytest.mark.parametrize("name", READINGS)
def test_whatever_is_asked_first_the_answer_is_that_of_the_session(name):
    cookies, found = signed_in(), []
    serve(lambda scope: found.append(READINGS[name](scope["session"])), cookies)
    assert found == [READINGS[name](dict(ANN))]


def test_it_is_json_once_it_was_marked_as_starlette_does():
    cookies, found = signed_in(), []
    serve(
        lambda scope: (
            scope["session"].mark_accessed(),
            found.append(json.dumps(scope["session"])),
        ),
        cookies,
    )
    assert json.loads(found[0]) == ANN


def test_it_is_the_object_of_the_verbs_whichever_comes_first():
    cookies, found = signed_in(), []
    serve(lambda scope: found.append(get_session(scope) is scope["session"]), cookies)
    serve(
        lambda scope: found.append(
            dict(scope["session"]) == get_session(scope) and get_session(scope) is scope["session"]
        ),
        cookies,
    )
    assert found == [True, True]


def test_a_look_at_it_from_outside_reads_nothing():
    def view(scope: dict[str, Any]) -> None:
        assert repr(scope["session"]) == "<Session, not read yet>"
        assert not scope["session"].accessed
        assert not scope["session"].modified
        assert not scope[HOLDER].looked_at

    serve(view, signed_in())


def test_accessed_and_modified_say_what_they_say_in_starlette():
    def view(scope: dict[str, Any]) -> None:
        session = scope["session"]
        assert dict(session) == ANN
        assert (session.accessed, session.modified) == (True, False)
        session["user"]["name"] = "Ann"
        session.mark_modified()
        assert (session.accessed, session.modified) == (True, True)

    serve(view, signed_in())


WRITINGS = {
    "[]": lambda one: one.__setitem__("n", 2), "del": lambda one: one.__delitem__("n"), "update": lambda one: one.update(n=2),
    "pop": lambda one: one.pop("n"), "setdefault": lambda one: one.setdefault("m", 2), "popitem": lambda one: one.popitem(),
    "|=": lambda one: one.__ior__({"n": 2}),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITINGS)
def test_whatever_is_written_first_is_saved(name):
    expected = copy.deepcopy(ANN)
    WRITINGS[name](expected)
    assert (
        held(sent(serve(lambda scope: WRITINGS[name](scope["session"]), signed_in()))) == expected
    )


def test_a_nested_change_is_saved():
    lines = serve(lambda scope: scope["session"]["user"].update(name="Ann"), signed_in())
    assert held(sent(lines)) == {"user": {"sub": "ann", "name": "Ann"}, "n": 1}


def test_a_dict_put_in_its_place_is_the_new_contents_of_the_same_session():
    cookies = signed_in()
    lines = serve(lambda scope: scope.update(session={"user": {"sub": "ann"}, "m": 2}), cookies)
    assert names(lines) == [NAME]
    assert held(sent(lines)) == {"user": {"sub": "ann"}, "m": 2}


def test_a_dict_with_another_user_put_in_its_place_is_a_login():
    cookies = signed_in()
    lines = serve(
        lambda scope: scope.update(session={"user": {"sub": "bob"}, "csrf_token": "planted"}),
        cookies,
    )
    assert names(lines) == [NAME, OUT]
    assert held(sent(lines)) == {"user": {"sub": "bob"}}


@pytest.mark.parametrize("nothing", [{}, None])
def test_nothing_put_in_its_place_is_a_logout(nothing):
    cookies = signed_in()
    lines = serve(lambda scope: scope.update(session=nothing), cookies)
    assert OUT in names(lines)
    assert held(f"{cookies}; {sent(lines)}") == {}


def test_a_dict_in_its_place_begins_an_anonymous_session():
    assert held(sent(serve(lambda scope: scope.update(session={"cart": ["tea"]})))) == {
        "cart": ["tea"]
    }


def test_an_equal_dict_in_its_place_is_no_change():
    assert serve(lambda scope: scope.update(session=dict(ANN)), signed_in()) == []


def test_a_dict_made_of_it_may_be_put_in_its_place():
    lines = serve(lambda scope: scope.update(session={**scope["session"], "n": 2}), signed_in())
    assert held(sent(lines)) == {**ANN, "n": 2}


def test_what_is_no_mapping_in_its_place_is_an_error():
    with pytest.raises(TypeError, match=r'scope\["session"\] was replaced by list'):
        serve(lambda scope: scope.update(session=[1]))


def test_a_scope_without_it_is_left_as_it_is():
    assert serve(lambda scope: scope.pop("session"), signed_in()) == []


class ForeignSession(dict):
    def mark_accessed(self) -> None: ...


def test_the_session_object_of_another_middleware_inside_is_not_taken_over():
    assert serve(lambda scope: scope.update(session=ForeignSession(admin=True)), signed_in()) == []


def test_a_websocket_takes_over_what_was_put_in_its_place():
    assert held(
        sent(serve(lambda scope: scope.update(session={"cart": []}), type="websocket"))
    ) == {"cart": []}


def test_two_of_one_store_share_it():
    seen: list[Any] = []

    async def between(scope, receive, send) -> None:
        seen.append(scope["session"])
        await inner(scope, receive, send)

    inner = ScopeSessionMiddleware(app_of(lambda scope: seen.append(scope["session"])), store)
    serve_asgi(ScopeSessionMiddleware(between, store), signed_in())
    assert seen[0] is seen[1]
    assert isinstance(seen[0], ScopeSession)


def test_inside_the_plain_gateway_it_is_the_session_that_was_read_there():
    seen: list[Any] = []

    async def between(scope, receive, send) -> None:
        seen.append(get_session(scope))
        await inner(scope, receive, send)

    inner = ScopeSessionMiddleware(app_of(lambda scope: seen.append(scope["session"])), store)
    serve_asgi(store.asgi(between), signed_in())
    assert seen[0] is seen[1]
    assert type(seen[0]) is Session


def test_a_mounted_application_with_a_store_of_its_own_changes_nothing_outside():
    admin = SessionStore(
        "admin tests: 0123456789abcdefghijklmnopqrstuvwxyz",
        cookie=store.settings.cookie.__class__(name="__Host-admin"),
    )
    inner = ScopeSessionMiddleware(app_of(lambda scope: scope["session"].update(a=1)), admin)
    lines = serve_asgi(ScopeSessionMiddleware(inner, store), signed_in()).answer.lines
    assert names(lines) == ["__Host-admin"]


def test_an_excluded_path_has_none():
    seen: list[bool] = []
    app = ScopeSessionMiddleware(
        app_of(lambda scope: seen.append("session" in scope)), store, exclude="/static/*"
    )
    serve_asgi(app, path="/static/a.css")
    assert seen == [False]


def test_other_scopes_pass_through():
    seen: list[dict[str, Any]] = []

    async def app(scope, receive, send) -> None:
        seen.append(scope)

    serve_asgi(ScopeSessionMiddleware(app, store), type="lifespan")
    assert HOLDER not in seen[0]
    assert "session" not in seen[0]


def test_a_write_after_the_start_is_too_late_though_nobody_read_it_before():
    async def app(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        with pytest.raises(ResponseStartedError):
            scope["session"]["n"] = 2
        assert scope["session"] == ANN

    serve_asgi(ScopeSessionMiddleware(app, store), signed_in())


def test_after_the_request_one_that_was_read_stays_readable_and_one_that_was_not_says_so():
    kept: list[ScopeSession] = []
    serve(lambda scope: (kept.append(scope["session"]), len(scope["session"])), signed_in())
    serve(lambda scope: kept.append(scope["session"]), signed_in())
    gc.collect()
    read, unread = kept
    read.mark_accessed()
    assert read == ANN
    assert (read.accessed, read.modified) == (False, False)
    with pytest.raises(NoActiveRequestError, match="nobody had read it before"):
        len(unread)


def test_it_makes_no_cycle():
    kept: list[ScopeSession] = []
    cookies = signed_in()
    gc.collect()
    gc.disable()
    try:
        serve(lambda scope: (kept.append(scope["session"]), scope["session"].get("n")), cookies)
        assert kept[0]._exchange() is None
    finally:
        gc.enable()


def test_without_a_store_it_is_made_of_starlettes_arguments():
    app = ScopeSessionMiddleware(None, secret_key=SECRET, https_only=True, max_age=60)
    assert app.settings.name == NAME
    assert app.settings.lifetime.idle == 60


@pytest.mark.parametrize("arguments", [{}, {"secret_key": ""}, {"store": store, "max_age": 60}])
def test_it_needs_a_store_or_a_secret_and_nothing_besides_a_store(arguments):
    with pytest.raises(ConfigurationError, match="SessionMiddleware"):
        ScopeSessionMiddleware(None, **arguments)


@pytest.mark.parametrize("found", [{"user": {"sub": "mallory"}}, {}, None])
def test_what_an_application_with_a_store_of_its_own_puts_into_the_scope_is_that_stores_alone(
    found,
) -> None:
    admin = SessionStore(SECRET, cookie=CookieSettings(name="__Host-admin"))
    inner = ScopeSessionMiddleware(app_of(lambda scope: scope.__setitem__("session", found)), admin)
    lines = serve_asgi(ScopeSessionMiddleware(inner, store), signed_in()).answer.lines
    assert [line.partition("=")[0] for line in lines] == (["__Host-admin"] if found else [])
