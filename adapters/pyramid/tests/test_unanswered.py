"""A request that `prepare` makes for a script: nobody answers it, and what was changed in its session is lost, and told."""

from __future__ import annotations

import gc

import pytest
from pyramid.config import Configurator
from pyramid.response import Response
from pyramid.scripting import prepare

from sessionkit import EventKind, SessionStore

from .visitor import SECRET


class Script:
    def __init__(self) -> None:
        self.told: list[EventKind] = []
        store = SessionStore(SECRET, on_event=lambda event: self.told.append(event.kind))
        self.config = Configurator()
        self.config.include("sessionkit_pyramid")
        self.config.set_sessionkit_store(store)
        self.config.make_wsgi_app()

    def run(self, act) -> None:
        env = prepare(registry=self.config.registry)
        try:
            act(env["request"])
        finally:
            env["closer"]()


CHANGES = {
    "assigned": lambda request: request.session.__setitem__("n", 1),
    "flashed": lambda request: request.session.flash("hello"),
    "nested": lambda request: request.session.setdefault("cart", []).append("tea"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_in_a_script_is_told_when_its_request_goes(change):
    script = Script()
    script.run(CHANGES[change])
    gc.collect()
    assert script.told == [EventKind.UNANSWERED]


def test_a_session_that_a_script_reads_is_not_told_of():
    script = Script()
    script.run(lambda request: request.session.get("n"))
    gc.collect()
    assert script.told == []


def test_a_change_that_a_response_of_the_script_carries_is_not_told_of():
    script, lines = Script(), []

    def act(request) -> None:
        request.environ["wsgi.url_scheme"] = "https"
        request.session["n"] = 1
        response = Response()
        request._process_response_callbacks(response)
        lines.extend(response.headers.getall("Set-Cookie"))

    script.run(act)
    gc.collect()
    assert [line.partition("=")[0] for line in lines] == ["__Host-session"]
    assert script.told == []
