"""Every verb through every form of its call, as a method and as a function of the module."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from wsgiref.headers import Headers

import pytest

import sessionkit
from sessionkit import (
    Absence,
    EventKind,
    IdentityChangedError,
    Ignored,
    NoActiveRequestError,
    Session,
)
from sessionkit.dispatch import register_request, register_response
from sessionkit.request import WSGIRequest

from .scene import ALICE, BOB, Scene, names
from .served import environ_of, scope_of

Call = Callable[..., Any]
Act = Callable[[Call], Any]


class Request:
    """A framework's request that carries nothing the core knows."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self.inner = environ


class Response:
    """A framework's response that keeps its headers in a way of its own."""

    def __init__(self) -> None:
        self.fields = Headers([])


class Fields:
    def __init__(self, headers: Headers) -> None:
        self.items = headers.items
        self.add = headers.add_header
        self.headers = headers

    def __delitem__(self, name: str) -> None:
        del self.headers[name]


register_request(Request, lambda request: WSGIRequest(request.inner))
register_response(Response, lambda response: Fields(response.fields))


def lines_of(headers: Any) -> list[str]:
    """The Set-Cookie lines among headers, whatever they are kept in."""
    fields = [
        (one.decode(), two.decode()) if isinstance(one, bytes) else (one, two)
        for one, two in headers
    ]
    return [value for name, value in fields if name.lower() == "set-cookie"]


# ---- under a gateway: how a view names its request


def under_wsgi(naming: Callable[[dict[str, Any]], tuple[Any, ...]]) -> Any:
    def run(scene: Scene, verbs: Any, act: Act) -> list[str]:
        started: list[Any] = []

        def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            act(
                lambda verb, *session: getattr(verbs, f"{verb}_session")(*naming(environ), *session)
            )
            start_response("200 OK", [])
            return []

        scene.store.wsgi(app)(
            environ_of(scene.browser.jar.header()), lambda status, headers: started.append(headers)
        )
        return lines_of(started[0])

    return run


def under_asgi(naming: Callable[[dict[str, Any]], tuple[Any, ...]], *, kind: str = "http") -> Any:
    def run(scene: Scene, verbs: Any, act: Act) -> list[str]:
        sent: list[Any] = []

        async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
            act(lambda verb, *session: getattr(verbs, f"{verb}_session")(*naming(scope), *session))
            await send(
                {"type": "http.response.start", "status": 200}
                if kind == "http"
                else {"type": "websocket.accept"}
            )

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(
            scene.store.asgi(app)(scope_of(scene.browser.jar.header(), type=kind), send, send)
        )
        return lines_of(sent[0].get("headers", ()))

    return run


def in_a_script(scene: Scene, verbs: Any, act: Act) -> list[str]:
    with scene.store.exchange(scene.browser.jar.header()) as exchange:
        act(lambda verb, *session: getattr(verbs, f"{verb}_session")(*session))
    return lines_of(exchange.response_headers)


# ---- without one: the request and the response in every call


def written(
    request: Callable[[str], Any], response: Callable[[], Any], headers: Callable[[Any], Any]
) -> Any:
    def run(scene: Scene, verbs: Any, act: Act) -> list[str]:
        here, there = request(scene.browser.jar.header()), response()
        act(lambda verb, *session: getattr(verbs, f"{verb}_session")(here, there, *session))
        return lines_of(headers(there))

    return run


GATEWAYS: dict[str, Any] = {
    "nothing, WSGI": under_wsgi(lambda environ: ()),
    "environ": under_wsgi(lambda environ: (environ,)),
    "environ, headers of a gateway's response": under_wsgi(lambda environ: (environ, [])),
    "object with environ": under_wsgi(lambda environ: (SimpleNamespace(environ=environ),)),
    "registered request": under_wsgi(lambda environ: (Request(environ),)),
    "nothing, ASGI": under_asgi(lambda scope: ()),
    "scope": under_asgi(lambda scope: (scope,)),
    "scope, message of a gateway's response": under_asgi(
        lambda scope: (scope, {"type": "http.response.start"})
    ),
    "object with scope": under_asgi(lambda scope: (SimpleNamespace(scope=scope),)),
    "scope of a websocket": under_asgi(lambda scope: (scope,), kind="websocket"),
    "nothing, script": in_a_script,
}
RESPONSES: dict[str, Any] = {
    "environ, list": written(environ_of, list, lambda headers: headers),
    "environ, wsgiref Headers": written(environ_of, lambda: Headers([]), Headers.items),
    "scope, message": written(
        scope_of,
        lambda: {"type": "http.response.start", "status": 200},
        lambda message: message["headers"],
    ),
    "scope, accept": written(
        scope_of,
        lambda: {"type": "websocket.accept", "headers": ()},
        lambda message: message["headers"],
    ),
    "scope, raw list": written(scope_of, list, lambda headers: headers),
    "environ, response object": written(
        environ_of,
        lambda: SimpleNamespace(headers=Headers([])),
        lambda response: response.headers.items(),
    ),
    "object with scope, raw list": written(
        lambda cookies: SimpleNamespace(scope=scope_of(cookies)),
        lambda: [(b"content-type", b"text/plain")],
        lambda headers: headers,
    ),
    "registered types": written(
        lambda cookies: Request(environ_of(cookies)),
        Response,
        lambda response: response.fields.items(),
    ),
}
FORMS = {**GATEWAYS, **RESPONSES}


class Caller:
    """One way to call the verbs, with a browser."""

    def __init__(self, scene: Scene, run: Any, verbs: Any) -> None:
        self.scene, self.run, self.verbs = scene, run, verbs

    def __call__(self, act: Act) -> Any:
        """What `act` gives, after the browser has the response."""
        results: list[Any] = []
        lines = self.run(self.scene, self.verbs, lambda call: results.append(act(call)))
        self.lines = lines
        self.scene.browser.jar.receive(lines)
        return results[0]


@pytest.fixture(params=["method", "function"])
def verbs(request: pytest.FixtureRequest) -> Iterator[Any]:
    yield request.param
    sessionkit.configure(None)


@pytest.fixture(params=FORMS)
def caller(request: pytest.FixtureRequest, verbs: str) -> Caller:
    scene = Scene()
    if verbs == "method":
        return Caller(scene, FORMS[request.param], scene.store)
    sessionkit.configure(scene.store)
    return Caller(scene, FORMS[request.param], sessionkit)


def begin_anonymous(scene: Scene) -> None:
    visit = scene.browser.visit()
    visit.exchange.contents["cart"] = [1]
    visit.arrive()


# ---- get


def test_get_gives_the_session(caller: Caller) -> None:
    caller.scene.browser.login()
    session = caller(lambda call: call("get"))
    assert (type(session), session) == (Session, ALICE)
    assert caller.lines == []


def test_get_gives_none_without_a_session(caller: Caller) -> None:
    assert caller(lambda call: call("get")) is None


def test_get_gives_none_for_an_anonymous_session(caller: Caller) -> None:
    begin_anonymous(caller.scene)
    assert caller(lambda call: call("get")) is None
    assert caller.scene.browser.absence() is Absence.ANONYMOUS


def test_get_renews_when_it_is_due(caller: Caller) -> None:
    caller.scene.browser.login()
    caller.scene.clock.wait(3600)
    caller(lambda call: call("get"))
    assert names(caller.lines) == ["__Host-seen.session"]


# ---- update


def test_update_replaces_the_session(caller: Caller) -> None:
    caller.scene.browser.login({**ALICE, "old": 1})
    assert caller(lambda call: call("update", {**ALICE, "new": 2})) is True
    assert caller.scene.browser.session() == {**ALICE, "new": 2}


def test_a_later_get_sees_the_update(caller: Caller) -> None:
    caller.scene.browser.login()

    def act(call: Call) -> Any:
        call("update", {**ALICE, "n": 1})
        return dict(call("get"))

    assert caller(act) == {**ALICE, "n": 1}


def test_update_keeps_the_id_and_the_time_of_sign_in(caller: Caller) -> None:
    caller.scene.browser.login()
    before = caller.scene.browser.visit().exchange.get().stamp
    caller.scene.clock.wait(5)
    caller(lambda call: call("update", {**ALICE, "n": 1}))
    after = caller.scene.browser.visit().exchange.get().stamp
    assert (after.id, after.created_at, after.updated_at) == (
        before.id,
        before.created_at,
        before.updated_at + 5,
    )


@pytest.mark.parametrize(
    ("signed_in", "given", "reason"),
    [
        (True, None, Ignored.NO_SESSION),
        (True, {"theme": "dark"}, Ignored.NO_USER),
        (True, {"user": None}, Ignored.NO_USER),
        (False, ALICE, Ignored.NOT_AUTHENTICATED),
        (True, BOB, Ignored.OTHER_USER),
        (True, {"user": {"sub": "alice", "iss": "https://other.example"}}, Ignored.OTHER_USER),
    ],
)
def test_update_does_nothing_and_says_why(
    caller: Caller, signed_in: bool, given: Any, reason: Ignored
) -> None:
    if signed_in:
        caller.scene.browser.login()
    before = caller.scene.browser.session()
    assert caller(lambda call: call("update", given)) is False
    assert caller.lines == []
    assert caller.scene.browser.session() == before
    assert [(event.kind, event.reason) for event in caller.scene.events] == [
        (EventKind.UPDATE_IGNORED, reason)
    ]


def test_update_does_nothing_for_an_anonymous_session(caller: Caller) -> None:
    begin_anonymous(caller.scene)
    assert caller(lambda call: call("update", ALICE)) is False
    assert [
        event.reason for event in caller.scene.events if event.kind is EventKind.UPDATE_IGNORED
    ] == [Ignored.NOT_AUTHENTICATED]
    assert caller.scene.browser.session() == {}


def test_a_user_changed_in_place_is_refused_when_the_response_is_made(caller: Caller) -> None:
    caller.scene.browser.login()

    def act(call: Call) -> None:
        call("get")["user"]["sub"] = "admin"
        call("touch")

    with pytest.raises(IdentityChangedError, match="create_session to log in"):
        caller(act)
    assert caller.scene.browser.session() == ALICE


# ---- touch, create, rotate, delete


def test_touch_moves_the_idle_expiry_at_once(caller: Caller) -> None:
    caller.scene.browser.login()
    caller.scene.clock.wait(1)
    assert caller(lambda call: call("touch")) is True
    assert names(caller.lines) == ["__Host-seen.session"]


def test_touch_gives_false_without_a_session(caller: Caller) -> None:
    assert caller(lambda call: call("touch")) is False


def test_create_begins_a_session(caller: Caller) -> None:
    session = caller(lambda call: call("create", ALICE))
    assert (type(session), session) == (Session, ALICE)
    assert names(caller.lines) == ["__Host-session"]
    assert caller.scene.browser.session() == ALICE


def test_create_over_a_session_fences_it(caller: Caller) -> None:
    caller.scene.browser.login()
    caller(lambda call: call("create", BOB))
    assert names(caller.lines) == ["__Host-session", "__Host-out.session"]
    assert caller.scene.browser.session() == BOB


@pytest.mark.parametrize("given", [{}, {"cart": [1]}])
def test_create_refuses_what_does_not_pass_the_guard(caller: Caller, given: Any) -> None:
    with pytest.raises(ValueError, match="does not pass the guard"):
        caller(lambda call: call("create", given))


@pytest.mark.parametrize("given", [(), (None,)])
def test_create_without_a_session_lists_the_valid_calls(caller: Caller, given: Any) -> None:
    with pytest.raises(
        TypeError,
        match=r"\(the session is missing\): valid are create_session\(session\), create_session\(environ, session\)",
    ):
        caller(lambda call: call("create", *given))


def test_rotate_gives_a_new_id_and_fences_the_old_one(caller: Caller) -> None:
    caller.scene.browser.login()
    before = caller.scene.browser.visit().exchange.get().stamp.id
    assert caller(lambda call: call("rotate")) is True
    assert names(caller.lines) == ["__Host-session", "__Host-out.session"]
    after = caller.scene.browser.visit().exchange.get()
    assert (dict(after), after.stamp.id != before) == (ALICE, True)


def test_rotate_gives_false_without_a_session(caller: Caller) -> None:
    assert caller(lambda call: call("rotate")) is False


def test_delete_ends_the_session(caller: Caller) -> None:
    caller.scene.browser.login()
    assert caller(lambda call: call("delete")) is True
    assert names(caller.lines) == ["-__Host-session", "-__Host-seen.session", "__Host-out.session"]
    assert caller.scene.browser.session() == {}


def test_delete_clears_even_where_there_was_no_session(caller: Caller) -> None:
    assert caller(lambda call: call("delete")) is False
    assert names(caller.lines) == ["-__Host-session", "-__Host-seen.session"]


@pytest.mark.parametrize("verb", ["touch", "rotate", "delete"])
def test_the_verbs_that_look_at_no_guard_act_on_an_anonymous_session(
    caller: Caller, verb: str
) -> None:
    begin_anonymous(caller.scene)
    assert caller(lambda call: call(verb)) is True


def test_create_then_update_then_delete_is_delete(caller: Caller) -> None:
    def act(call: Call) -> None:
        call("create", ALICE)
        call("update", {**ALICE, "n": 1})
        call("delete")

    caller(act)
    assert names(caller.lines) == ["-__Host-session", "-__Host-seen.session"]


# ---- nobody to write the response


@pytest.mark.parametrize("verb", ["update", "touch", "create", "rotate", "delete"])
@pytest.mark.parametrize(
    "request_of",
    [environ_of, scope_of, lambda cookies: SimpleNamespace(environ=environ_of(cookies))],
)
def test_a_write_that_nobody_would_send_is_an_error(verbs: str, verb: str, request_of: Any) -> None:
    scene = Scene()
    scene.browser.login()
    sessionkit.configure(scene.store)
    function = getattr(scene.store if verbs == "method" else sessionkit, f"{verb}_session")
    with pytest.raises(
        NoActiveRequestError, match=f"{verb}_session: no gateway serves this request"
    ):
        function(
            request_of(scene.browser.jar.header()),
            *([ALICE] if verb in ("update", "create") else []),
        )


@pytest.mark.parametrize("verb", ["get", "update", "touch", "create", "rotate", "delete"])
def test_no_request_at_all_is_an_error(verbs: str, verb: str) -> None:
    function = getattr(Scene().store if verbs == "method" else sessionkit, f"{verb}_session")
    with pytest.raises(NoActiveRequestError, match="no request is being served here"):
        function(*([ALICE] if verb in ("update", "create") else []))


def test_update_without_an_argument_is_a_no_op(verbs: str) -> None:
    scene = Scene()
    scene.browser.login()
    with scene.store.exchange(scene.browser.jar.header()):
        function = scene.store.update_session if verbs == "method" else sessionkit.update_session
        assert function() is False
    assert [event.reason for event in scene.events] == [Ignored.NO_SESSION]


def test_reading_without_a_gateway_is_allowed(verbs: str) -> None:
    scene = Scene()
    scene.browser.login()
    sessionkit.configure(scene.store)
    function = scene.store.get_session if verbs == "method" else sessionkit.get_session
    environ = environ_of(scene.browser.jar.header())
    assert function(environ) == ALICE
    assert function(environ) is function(environ)


@pytest.mark.parametrize("verb", ["get", "update", "touch", "create", "rotate", "delete"])
def test_the_functions_are_as_well_documented_as_the_methods(verb: str) -> None:
    function, method = (
        getattr(sessionkit, f"{verb}_session"),
        getattr(Scene().store, f"{verb}_session"),
    )
    assert (inspect.getdoc(function) or "").partition(".")[0] == (
        inspect.getdoc(method) or ""
    ).partition(".")[0]
    assert "Returns:" in (inspect.getdoc(function) or "")
    assert function.__name__ == f"{verb}_session"
