"""The way of a request through the package stays short, counted in Python calls: each costs more than what most of them do."""

from __future__ import annotations

import sys
from pathlib import Path
from wsgiref.util import setup_testing_defaults

import pytest

import sessionkit
from sessionkit import SessionStore, get_session, update_session
from sessionkit.testing import session_cookies

PACKAGE = str(Path(sessionkit.__file__).parent)
ALICE = {"user": {"sub": "alice"}, "theme": "dark"}


def look_away():
    pass


def read():
    assert get_session() == ALICE


def update():
    assert update_session({**ALICE, "theme": "light"})


def calls_of(handler, once_started=look_away):
    store = SessionStore("0123456789abcdefghijklmnopqrstuvwxyz")
    cookies = {"theme": "dark", **session_cookies(store, ALICE), "_ga": "GA1.2.3"}
    calls = []

    def app(environ, start_response):
        handler()
        start_response("200 OK", [("Content-Type", "text/plain")])
        once_started()
        return [b"hello"]

    def seen(frame, event, arg):
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            calls.append(frame.f_code.co_name)

    gateway = store.wsgi(app)
    for measured in (False, True):  # the first request fills caches
        environ = {
            "HTTP_COOKIE": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "wsgi.url_scheme": "https",
        }
        setup_testing_defaults(environ)
        before = sys.getprofile()
        sys.setprofile(seen if measured else before)
        try:
            gateway(environ, lambda status, headers, exc_info=None: None)
        finally:
            sys.setprofile(before)
    return calls


@pytest.mark.parametrize(("handler", "most"), [(look_away, 8), (read, 32), (update, 70)])
def test_a_request_goes_through_few_calls(handler, most):
    assert len(calls_of(handler)) <= most


def test_contents_of_which_the_application_holds_a_part_are_compared_once():
    held = []
    calls = calls_of(lambda: held.append(get_session()["user"]["sub"]), held.clear)
    assert calls.count("finish") == 1
    assert calls.count("are_equal") == 1
