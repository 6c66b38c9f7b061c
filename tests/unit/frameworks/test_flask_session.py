"""The session object of Flask and Quart: what it says of itself, its flashed messages, and how it is saved."""

from __future__ import annotations

from dataclasses import replace
from wsgiref.headers import Headers

import pytest

from sessionkit import (
    ResponseStartedError,
    SerializationError,
    SessionStore,
)
from sessionkit._exchange.request import HeaderRequest
from sessionkit._frameworks.flask_session import KEYS, FlaskFamilySession
from sessionkit._session.tags import Tags

KEY = "flask: 0123456789abcdefghijklmnopqrstuvwxyz"


def test_the_session_object_tells_whether_it_was_accessed_and_modified():
    with SessionStore(KEY).exchange() as exchange:
        session = FlaskFamilySession(exchange)
        assert (session.accessed, session.modified) == (False, False)
        session.accessed = session.modified = True  # what the frameworks and their extensions do
        assert (session.accessed, session.modified) == (False, False)
        session["cart"] = []
        assert (session.accessed, session.modified) == (True, True)


def test_flashed_messages_are_tuples():
    with SessionStore(KEY).exchange() as exchange:
        session = FlaskFamilySession(exchange)
        session["_flashes"] = session["cart"] = [["message", "saved"]]
        assert (session["_flashes"], session["cart"]) == (
            [("message", "saved")],
            [["message", "saved"]],
        )


@pytest.mark.parametrize("first", [["message", "saved"], ("message", "saved")])
def test_a_message_that_is_appended_to_the_messages_is_saved(first):
    tags = Tags(tag=lambda value: value, untag=lambda value: value)
    framework = SessionStore(KEY).for_framework(replace(KEYS, tags=tags))
    with framework.exchange() as exchange:
        session = FlaskFamilySession(exchange)
        session["_flashes"] = [first]
        session["_flashes"].append(("message", "too"))
        session.setdefault("_flashes", []).append(("message", "twice"))
        assert ["saved", "too", "twice"] == [text for _, text in session["_flashes"]]


@pytest.mark.parametrize(
    ("contents", "transient"),
    [({}, None), ({"_permanent": True}, False), ({"_permanent": False}, True)],
)
def test_permanent_says_whether_the_browser_forgets_it(contents, transient):
    assert KEYS.transient(contents) is transient


class Answer:
    """A response of Werkzeug's, as far as it matters here."""

    def __init__(self, status_code=200):
        self.status_code, self.headers = status_code, Headers([("Content-Type", "text/plain")])


def test_to_save_writes_the_response_where_no_gateway_does():
    exchange = SessionStore(KEY).begin(HeaderRequest(), owned=False)
    session, answer = FlaskFamilySession(exchange), Answer()
    session["cart"] = ["tea"]
    session.save_into(answer)
    assert [line.partition("=")[0] for line in answer.headers.get_all("Set-Cookie")] == [
        "__Host-session"
    ]


def test_to_save_leaves_the_response_to_the_gateway_and_raises_what_cannot_be_kept():
    with SessionStore(KEY).exchange() as exchange:
        session, answer = FlaskFamilySession(exchange), Answer()
        session["cart"] = ["tea"]
        session.save_into(answer)
        assert answer.headers.items() == [("Content-Type", "text/plain")]
        session["cart"] = {1}
        with pytest.raises(SerializationError):
            session.save_into(answer)
        session.save_into(Answer(500))  # is rolled back
        del session["cart"]


# ---- flashed messages, when the request is over

store = SessionStore(KEY)


def flashing(*, active: bool) -> FlaskFamilySession:
    """A session with a message, whose response has gone out."""
    with store.exchange() as exchange:
        session = FlaskFamilySession(exchange)
        session["_flashes"] = [("message", "saved")]
        session["cart"] = 1
        if active:
            exchange.commit()
            with pytest.raises(ResponseStartedError):
                session.pop("_flashes")
    return session


def test_messages_can_be_read_where_the_request_is_not_served() -> None:
    session = flashing(active=False)
    assert [("message", "saved")] == session.pop("_flashes")
    assert [("message", "saved")] == session["_flashes"]
    for key in ("cart", "other"):
        with pytest.raises((ResponseStartedError, KeyError)):
            del session[key]
    assert session["cart"] == 1


def test_messages_cannot_be_taken_out_too_late_where_it_is_served() -> None:
    assert [("message", "saved")] == flashing(active=True)["_flashes"]
