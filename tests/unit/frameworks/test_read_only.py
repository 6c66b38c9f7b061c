"""Requests that were answered before: their session is read, and what is written to it is refused or told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sessionkit import EventKind, ResponseStartedError, SessionStore
from sessionkit._exchange.exchange import ENDED, OPEN, Exchange
from sessionkit._exchange.request import HOLDER, HeaderRequest
from sessionkit._frameworks.contents import open_read_only
from sessionkit._frameworks.flask_family import (
    FlaskFamilyExtension,
    FlaskFamilySession,
)
from sessionkit.testing import session_cookies

SECRET = "read only tests: 0123456789abcdefghijklmnopqrstuvwxyz"
ANN = {"user": {"sub": "ann"}}


class Kit(FlaskFamilyExtension[Any]):
    def _serve(self, app: Any) -> None: ...


class Application:
    """An application behind a gateway that is not the one that serves this request."""

    def __init__(self, store: SessionStore) -> None:
        gateway = SimpleNamespace(settings=store.settings)
        self.extensions = {"sessionkit": SimpleNamespace(current=gateway)}


@pytest.mark.parametrize(("of_socket", "phase"), [(True, ENDED), (False, OPEN)])
def test_what_no_gateway_answers_may_be_the_event_of_a_socket(
    of_socket: bool, phase: object
) -> None:
    app = Application(SessionStore(SECRET))
    exchange = Kit().open_exchange(app, HeaderRequest(""), of_socket=of_socket)
    assert exchange is not None
    assert exchange.phase is phase


def test_a_request_that_a_gateway_answers_is_no_event() -> None:
    store, request = SessionStore(SECRET), HeaderRequest("")
    served = Exchange(store.settings, request)
    request.holder[HOLDER] = served
    assert Kit().open_exchange(Application(store), request, of_socket=True) is served


def test_a_session_that_is_read_only_takes_no_assignment() -> None:
    store = SessionStore(SECRET)
    exchange = open_read_only(HeaderRequest(""), store.settings)
    assert exchange.phase is ENDED
    with pytest.raises(ResponseStartedError):
        exchange.contents["x"] = 1
    assert {} == exchange.contents


def test_saving_a_session_that_is_read_only_tells_what_is_lost() -> None:
    heard: list[EventKind] = []
    store = SessionStore(SECRET, on_event=lambda event: heard.append(event.kind))
    cookies = session_cookies(store, {**ANN, "cart": []})
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    session = FlaskFamilySession(open_read_only(HeaderRequest(header), store.settings))
    answer = SimpleNamespace(status_code=200, headers={})
    session.save_into(answer)
    assert [] == heard
    session["cart"].append("tea")
    session.save_into(answer)
    assert ([EventKind.UNANSWERED], {}) == (heard, answer.headers)
