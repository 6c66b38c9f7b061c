"""Which request is this? Every form of a call, and the calls that are none."""

from __future__ import annotations

import sys
from collections import UserDict
from collections.abc import Mapping
from types import ModuleType, SimpleNamespace
from typing import Any
from wsgiref.headers import Headers

import pytest

from sessionkit import Session, SessionStore
from sessionkit._exchange.request import HeaderRequest
from sessionkit._requests.call_forms import parse_call
from sessionkit._requests.recognition import as_request, register_request
from sessionkit._requests.responses import as_fields, is_message, register_response
from sessionkit._requests.views import ASGIRequest, WSGIRequest

from ..scene import SECRET

ENVIRON: dict[str, Any] = {"REQUEST_METHOD": "GET"}
SCOPE: dict[str, Any] = {"type": "http", "headers": []}
SESSION = {"user": {"sub": "1"}}


class Starlettish(Mapping[str, Any]):
    """A request that is a Mapping over its scope."""

    def __init__(self, scope: dict[str, Any]) -> None:
        self.scope = scope

    def __getitem__(self, key: str) -> Any:
        return self.scope[key]

    def __iter__(self) -> Any:
        return iter(self.scope)

    def __len__(self) -> int:
        return len(self.scope)


class Multi:
    """Headers that call "add" something of their own."""

    def __init__(self, adding: str) -> None:
        self.fields: list[tuple[str, str]] = []
        if adding:
            setattr(self, adding, lambda name, value: self.fields.append((name, value)))

    def items(self) -> list[tuple[str, str]]:
        return list(self.fields)

    def __delitem__(self, name: str) -> None:
        self.fields = [field for field in self.fields if field[0].lower() != name.lower()]


class MultiMapping(Starlettish):
    """Headers that are a Mapping, as Starlette's are."""

    def append(self, name: str, value: str) -> None: ...

    def __delitem__(self, name: str) -> None: ...


class ForeignRequest(UserDict[str, Any]):
    """A request like aiohttp's, which is a mapping, and like Sanic's, whose `scope` raises without ASGI."""

    @property
    def scope(self) -> Any:
        raise NotImplementedError


class OwnRequest(ForeignRequest):
    """An application's subclass of it."""


# ---- a request that only its adapter knows


@pytest.fixture(params=["aiohttp", "sanic", "tornado"])
def framework(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(ForeignRequest, "__module__", f"{request.param}.request")
    monkeypatch.delitem(sys.modules, f"sessionkit_{request.param}", raising=False)
    return str(request.param)


@pytest.mark.parametrize("kind", [ForeignRequest, OwnRequest])
@pytest.mark.parametrize(
    ("verb", "more"),
    [
        ("get_session", ()),
        ("get_session", ([],)),
        ("create_session", (SESSION,)),
        ("update_session", (SESSION,)),
        ("get_exchange", ()),
    ],
)
def test_a_request_whose_adapter_is_not_imported_is_an_error_that_names_it(
    framework: str, kind: Any, verb: str, more: Any
) -> None:
    with pytest.raises(TypeError, match=rf"is not a valid call \(import sessionkit_{framework}, "):
        getattr(SessionStore(SECRET), verb)(kind(), *more)


def test_such_a_request_is_no_dict_of_cookies(framework: str) -> None:
    with pytest.raises(TypeError, match=r"call the verbs with it, store.get_session\(request\)"):
        SessionStore(SECRET).exchange(ForeignRequest())


def test_once_the_adapter_is_imported_it_is_not_named(
    framework: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, f"sessionkit_{framework}", ModuleType("adapter"))
    with pytest.raises(TypeError, match="is not a valid call: valid are"):
        SessionStore(SECRET).get_session(ForeignRequest())


# ---- is it a request?


@pytest.mark.parametrize(
    "environ", [ENVIRON, {"wsgi.version": (1, 0)}, {"HTTP_COOKIE": "a=b"}, UserDict(ENVIRON)]
)
def test_an_environ_is_known(environ: Any) -> None:
    found = as_request(environ)
    assert isinstance(found, WSGIRequest)
    assert found.holder is environ


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_scope_is_known(kind: str) -> None:
    scope = {"type": kind, "headers": []}
    found = as_request(scope)
    assert isinstance(found, ASGIRequest)
    assert found.holder is scope


@pytest.mark.parametrize("make", [lambda scope: SimpleNamespace(scope=scope), Starlettish])
def test_an_object_that_carries_a_scope_is_known(make: Any) -> None:
    found = as_request(make(SCOPE))
    assert isinstance(found, ASGIRequest)
    assert found.holder is SCOPE


def test_an_attribute_of_that_name_that_is_no_mapping_is_the_applications() -> None:
    found = as_request(SimpleNamespace(scope="openid email", environ=ENVIRON))
    assert isinstance(found, WSGIRequest)
    assert found.holder is ENVIRON


def test_an_object_that_carries_an_environ_by_falcons_name_is_known() -> None:
    found = as_request(SimpleNamespace(env=ENVIRON))
    assert isinstance(found, WSGIRequest)
    assert found.holder is ENVIRON


def test_an_object_that_carries_an_environ_is_known() -> None:
    found = as_request(SimpleNamespace(environ=ENVIRON, scope=None))
    assert isinstance(found, WSGIRequest)
    assert found.holder is ENVIRON


@pytest.mark.parametrize("scope", [{}, {"read": True}, "openid"])
def test_a_scope_of_the_applications_own_hides_no_environ(scope: Any) -> None:
    found = as_request(SimpleNamespace(environ=ENVIRON, scope=scope))
    assert isinstance(found, WSGIRequest)
    assert found.holder is ENVIRON


def test_a_mapping_that_carries_a_scope_is_looked_into() -> None:
    request = UserDict({"GET": "param"})
    request.scope = SCOPE  # type: ignore[attr-defined]
    assert isinstance(as_request(request), ASGIRequest)


@pytest.mark.parametrize(
    "value",
    [None, 1, "x", [], {}, SESSION, Session(SESSION), {"type": "lifespan"}, {"type": "http.response.start", "headers": []}, object(),
     SimpleNamespace(environ=7), SimpleNamespace(scope={}), {"type": "http"}],
)  # fmt: skip
def test_anything_else_is_no_request(value: Any) -> None:
    assert as_request(value) is None


class Registered:
    def __init__(self, inner: Any) -> None:
        self.inner = inner


class Child(Registered):
    pass


register_request(Registered, lambda request: request.inner)


class Proxied:
    """A thread-local proxy: its class is that of what it stands for."""

    def __init__(self, target: Any) -> None:
        object.__setattr__(self, "_target", target)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return self._target.__class__

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


@pytest.mark.parametrize("make", [Registered, Child, lambda inner: Proxied(Registered(inner))])
def test_a_registered_type_its_children_and_its_proxies_are_known(make: Any) -> None:
    request = HeaderRequest()
    assert as_request(make(request)) is request
    assert isinstance(as_request(make(ENVIRON)), WSGIRequest)
    assert isinstance(as_request(make(UserDict(SCOPE))), ASGIRequest)


# ---- is it a response?


def test_the_messages_that_take_headers_are_three() -> None:
    kinds = [
        "http.response.start",
        "websocket.accept",
        "websocket.http.response.start",
        "http.response.body",
        "http",
        None,
    ]
    assert [is_message({"type": kind}) for kind in kinds] == [True, True, True, False, False, False]
    assert is_message([("type", "http.response.start")]) is False


@pytest.mark.parametrize("adding", ["add", "add_header", "append"])
def test_headers_are_added_to_by_whatever_name_they_have_for_it(adding: str) -> None:
    headers = Multi(adding)
    for response in (headers, SimpleNamespace(headers=headers)):
        fields = as_fields(response)
        assert fields is not None
        fields.add("X", "1")
        assert list(fields.items()) == [("X", "1")]
        del fields["x"]
        assert list(fields.items()) == []


@pytest.mark.parametrize(
    "value",
    [object(), {}, SimpleNamespace(headers={}), Multi(""), set(), SimpleNamespace(headers=[])],
)
def test_what_cannot_be_added_to_is_no_response(value: Any) -> None:
    assert as_fields(value) is None


class Reply:
    def __init__(self) -> None:
        self.multi = Multi("add")


register_response(Reply, lambda reply: reply.multi)


def test_a_registered_response_is_known() -> None:
    reply = Reply()
    assert as_fields(reply) is reply.multi


# ---- the arguments told apart

REQUESTS = [
    ENVIRON,
    SCOPE,
    SimpleNamespace(environ=ENVIRON),
    SimpleNamespace(scope=SCOPE),
    Starlettish(SCOPE),
    Registered(HeaderRequest()),
]
RESPONSES = [
    [], [("A", "b")], [(b"a", b"b")], Headers([]), {"type": "http.response.start"}, {"type": "websocket.accept"},
    SimpleNamespace(headers=Headers([])), Reply(), Multi("add"), MultiMapping({}),
]  # fmt: skip


def test_no_arguments_mean_the_current_request() -> None:
    assert parse_call("get_session", ()) == (None, None, None)


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_request_alone(request_: Any) -> None:
    found = parse_call("get_session", (request_,))
    assert found.request is not None
    assert found[1:] == (None, None)


@pytest.mark.parametrize("session", [SESSION, Session(SESSION), UserDict(SESSION), {}, None])
def test_a_session_alone(session: Any) -> None:
    found = parse_call("update_session", (session,))
    assert (found.request, found.response, found.session is session) == (None, None, True)


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("response", RESPONSES)
def test_a_request_and_its_response_with_and_without_a_session(
    request_: Any, response: Any
) -> None:
    found = parse_call("get_session", (request_, response))
    assert found.request is not None
    assert found.response is response
    found = parse_call("update_session", (request_, response, SESSION))
    assert found.response is response
    assert found.session is SESSION


WRONG_WITHOUT_A_SESSION: list[tuple[Any, ...]] = [
    (1,), (None,), (SESSION,), ({"type": "http.response.start"},), ([],), (ENVIRON, None), (ENVIRON, SESSION), (ENVIRON, ENVIRON),
    (ENVIRON, SimpleNamespace(scope=SCOPE, headers=Headers([]))), (ENVIRON, "headers"), (ENVIRON, [], []), ([], ENVIRON),
    (SESSION, []), (SimpleNamespace(),), (ENVIRON, SimpleNamespace(headers={})),
]  # fmt: skip


@pytest.mark.parametrize("args", WRONG_WITHOUT_A_SESSION)
def test_a_wrong_call_of_a_verb_without_a_session_lists_the_valid_ones(
    args: tuple[Any, ...],
) -> None:
    with pytest.raises(TypeError) as caught:
        parse_call("get_session", args)
    for form in (
        "get_session()",
        "get_session(environ)",
        "get_session(environ, headers)",
        "get_session(scope, message)",
        "get_session(request, response)",
    ):
        assert form in str(caught.value)
    assert "missing" not in str(caught.value)


FORGOTTEN: list[tuple[Any, ...]] = [(request,) for request in REQUESTS] + [
    (ENVIRON, response) for response in RESPONSES
]
WRONG_WITH_A_SESSION: list[tuple[Any, ...]] = [
    (1,), ("x",), ([],), (Headers([]),), ({"type": "http.response.start"},), (SESSION, SESSION), (SESSION, ENVIRON), (ENVIRON, 1),
    (ENVIRON, SESSION, SESSION), (ENVIRON, SESSION, []), (ENVIRON, None, SESSION), (ENVIRON, [], SESSION, 1), (ENVIRON, ENVIRON, SESSION),
    (ENVIRON, [], ENVIRON), (MultiMapping({}),),
]  # fmt: skip


@pytest.mark.parametrize("args", [*FORGOTTEN, *WRONG_WITH_A_SESSION])
def test_a_wrong_call_of_a_verb_with_a_session_lists_the_valid_ones(args: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError) as caught:
        parse_call("update_session", args)
    valid = [
        "update_session(session)",
        "update_session(environ, session)",
        "update_session(environ, headers, session)",
        "update_session(scope, message, session)",
    ]
    for form in valid:
        assert form in str(caught.value)


@pytest.mark.parametrize("args", FORGOTTEN)
def test_a_forgotten_session_is_named(args: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError, match=r"\(the session is missing\)"):
        parse_call("update_session", args)


@pytest.mark.parametrize("kind", [[], {}, None, 1, "http.request"], ids=repr)
def test_a_session_may_hold_any_type(kind):
    session = {"user": {"sub": "ann"}, "type": kind}
    store = SessionStore(SECRET)
    with store.exchange():
        assert store.create_session(session) == session
