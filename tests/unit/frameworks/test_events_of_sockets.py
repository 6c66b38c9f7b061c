"""Events of a socket, whose handshake was answered before: what needs no cookie is kept, and the rest is refused or told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sessionkit import (
    EventKind,
    NoActiveRequestError,
    ResponseStartedError,
    SessionStore,
    get_session,
    update_session,
)
from sessionkit._exchange.exchange import COMMITTED, ENDED, OPEN, Exchange
from sessionkit._exchange.request import HOLDER, HeaderRequest
from sessionkit._frameworks.flask_extension import FlaskFamilyExtension
from sessionkit._frameworks.flask_session import KEYS, FlaskFamilySession
from sessionkit._frameworks.socket_exchange import SocketExchange
from sessionkit._requests.lookup import Exclusion
from sessionkit.backends import MemoryBackend
from sessionkit.testing import session_cookies

SECRET = "event tests: 0123456789abcdefghijklmnopqrstuvwxyz"
ANN = {"user": {"sub": "ann"}}
BOTH = pytest.mark.parametrize("on_server", [False, True])


class Kit(FlaskFamilyExtension[Any]):
    def _serve(self, app: Any) -> None: ...


class Visitor:
    """A visitor whose socket is open, and who may visit pages beside it."""

    def __init__(self, contents: dict[str, Any] | None, *, on_server: bool) -> None:
        self.heard: list[EventKind] = []
        backend = MemoryBackend() if on_server else None
        self.store = SessionStore(
            SECRET, backend=backend, on_event=lambda event: self.heard.append(event.kind)
        )
        self.settings = self.store.settings.with_framework(KEYS)
        self.header = ""
        if contents is not None:
            cookies = session_cookies(self.store, contents)
            self.header = "; ".join(f"{name}={value}" for name, value in cookies.items())
        self.answer = SimpleNamespace(status_code=200, headers={})

    def event(self) -> FlaskFamilySession:
        return FlaskFamilySession(SocketExchange(self.settings, HeaderRequest(self.header)))

    def page(self) -> dict[str, Any]:
        with self.store.exchange(self.header) as exchange:
            return dict(exchange.contents)


# ---- which request context is that of an event


class Application:
    """An application behind a gateway that is not the one that serves this request."""

    def __init__(self, store: SessionStore) -> None:
        gateway = SimpleNamespace(settings=store.settings)
        self.extensions = {"sessionkit": SimpleNamespace(current=gateway)}


STORE = SessionStore(SECRET)


def opened(request: HeaderRequest, *, socket: bool | None) -> tuple[Any, Any]:
    entered = SimpleNamespace()
    exchange = Kit().open_exchange(Application(STORE), request, entered=entered, socket=socket)
    Kit.leave_context(entered)
    return type(exchange), exchange


@pytest.mark.parametrize("socket", [True, None])
def test_what_no_gateway_serves_may_be_an_event(socket: bool | None) -> None:
    assert SocketExchange is opened(HeaderRequest(""), socket=socket)[0]
    assert SocketExchange is not opened(HeaderRequest(""), socket=False)[0]


def test_a_verb_that_was_given_the_request_of_the_handshake_changes_nothing_of_that() -> None:
    request = HeaderRequest("")
    opened(request, socket=False)
    assert SocketExchange is opened(request, socket=None)[0]


@pytest.mark.parametrize(("socket", "served"), [(True, False), (None, True), (False, True)])
def test_a_gateway_that_serves_the_request_may_be_that_of_the_handshake(
    socket: bool | None, served: bool
) -> None:
    request = HeaderRequest("")
    serving = Exchange(STORE.settings, request)
    request.holder[HOLDER] = serving
    assert served is (opened(request, socket=socket)[1] is serving)


@pytest.mark.parametrize("socket", [True, None])
def test_an_excluded_handshake_has_no_session(socket: bool | None) -> None:
    request = HeaderRequest("")
    request.holder[HOLDER] = Exclusion(STORE.settings)
    assert opened(request, socket=socket)[1] is None


# ---- reading


@BOTH
def test_the_verbs_without_arguments_read_the_session_while_the_event_lasts(
    on_server: bool,
) -> None:
    visitor, entered = Visitor(ANN, on_server=on_server), SimpleNamespace()
    app = Application(visitor.store)
    Kit().open_exchange(app, HeaderRequest(visitor.header), entered=entered, socket=True)
    assert get_session() == ANN
    with pytest.raises(NoActiveRequestError):
        update_session({**ANN, "x": 1})
    Kit.leave_context(entered)
    with pytest.raises(NoActiveRequestError):
        get_session()
    assert [] == visitor.heard


def test_with_a_backend_each_event_reads_the_session_of_now() -> None:
    visitor = Visitor(ANN, on_server=True)
    with visitor.store.exchange(visitor.header) as exchange:
        exchange.update({**ANN, "x": 1})
    assert {**ANN, "x": 1} == dict(visitor.event())
    visitor.store.revoke_user(ANN)
    assert {} == dict(visitor.event())


# ---- writing


@pytest.mark.parametrize("contents", [ANN, None])
def test_without_a_backend_an_assignment_raises(contents: dict[str, Any] | None) -> None:
    visitor = Visitor(contents, on_server=False)
    session = visitor.event()
    assert session.exchange.phase is COMMITTED
    with pytest.raises(ResponseStartedError):
        session["x"] = 1
    assert (contents or {}) == dict(session)


def test_without_a_backend_a_nested_change_is_told_once() -> None:
    visitor = Visitor({**ANN, "cart": []}, on_server=False)
    session = visitor.event()
    session.save_into(visitor.answer)
    assert [] == visitor.heard
    session["cart"].append("tea")
    session.save_into(visitor.answer)
    session.exchange.leave()
    assert ([EventKind.UNANSWERED], {}) == (visitor.heard, visitor.answer.headers)


def test_with_a_backend_changes_are_kept() -> None:
    visitor = Visitor({**ANN, "cart": []}, on_server=True)
    session = visitor.event()
    assert session.exchange.phase is OPEN
    session["x"] = 1
    session["cart"].append("tea")
    session.save_into(visitor.answer)
    session.exchange.leave()
    assert session.exchange.phase is ENDED
    assert {**ANN, "x": 1, "cart": ["tea"]} == visitor.page()
    assert ([], {}) == (visitor.heard, visitor.answer.headers)


def test_with_a_backend_a_logout_is_kept() -> None:
    visitor = Visitor(ANN, on_server=True)
    session = visitor.event()
    session.clear()
    session.save_into(visitor.answer)
    assert ([], []) == (visitor.heard, visitor.store.sessions_of(ANN))
    assert {} == visitor.page()


def change_the_user(session: FlaskFamilySession) -> None:
    session["user"] = {"sub": "bob"}


def become_anonymous(session: FlaskFamilySession) -> None:
    session["cart"] = []
    del session["user"]


def rotate(session: FlaskFamilySession) -> None:
    session.exchange.rotate()


@pytest.mark.parametrize("change", [change_the_user, become_anonymous, rotate])
def test_with_a_backend_what_needs_a_cookie_raises_and_changes_nothing(change: Any) -> None:
    visitor = Visitor(ANN, on_server=True)
    session = visitor.event()
    change(session)
    with pytest.raises(ResponseStartedError, match="it can set no cookie"):
        session.save_into(visitor.answer)
    assert ANN == visitor.page()
    assert 1 == len(visitor.store.sessions_of(ANN))


def test_an_anonymous_session_is_in_a_cookie_with_a_backend_too() -> None:
    visitor = Visitor(None, on_server=True)
    session = visitor.event()
    session["cart"] = ["tea"]
    with pytest.raises(ResponseStartedError, match="change an anonymous one in a request"):
        session.save_into(visitor.answer)


def test_a_change_of_an_event_that_fails_is_told() -> None:
    visitor = Visitor(ANN, on_server=True)
    session = visitor.event()
    session["x"] = 1
    session.exchange.leave()
    assert ([EventKind.UNANSWERED], ANN) == (visitor.heard, visitor.page())


def test_an_event_that_reads_nothing_keeps_nothing() -> None:
    visitor = Visitor(ANN, on_server=True)
    session = visitor.event()
    session.save_into(visitor.answer)
    session.exchange.leave()
    assert ([], False) == (visitor.heard, session.exchange.looked_at)


# ---- saving a session whose request was answered


def test_a_session_that_is_saved_after_its_response_tells_what_is_lost() -> None:
    visitor = Visitor({**ANN, "cart": []}, on_server=False)
    exchange = Exchange(visitor.settings, HeaderRequest(visitor.header))
    session = FlaskFamilySession(exchange)
    assert session["cart"] == []
    exchange.commit()
    session.save_into(visitor.answer)
    assert [] == visitor.heard
    session["cart"].append("tea")
    session.save_into(visitor.answer)
    assert ([EventKind.UNANSWERED], {}) == (visitor.heard, visitor.answer.headers)
