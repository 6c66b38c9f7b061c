"""Websockets: a session is read and written until the socket is accepted, and read afterwards."""

from __future__ import annotations

import json

import pytest

from contract.keeping import NAME
from contract.setting import START
from contract.sockets import opened, tell

pytestmark = pytest.mark.needs("websocket")

ANN = {"user": {"sub": "ann"}, "n": 1}


def test_a_socket_reads_the_session(browser):
    browser.do(["create", ANN])
    with opened(browser, ["get"]) as socket:
        assert json.loads(socket.recv(timeout=20)) == [ANN]
        assert tell(socket, ["get"]) == [ANN]


def test_a_visitor_without_a_session_has_none_on_a_socket(browser):
    with opened(browser, ["get"]) as socket:
        assert json.loads(socket.recv(timeout=20)) == [None]


@pytest.mark.parametrize(
    "form", ["none", "request", pytest.param("raw", marks=pytest.mark.needs("raw"))]
)
def test_what_is_written_before_it_is_accepted_goes_out_with_it(browser, form):
    browser.do(["create", ANN])
    with opened(browser, ["merge", {"n": 2}], form=form) as socket:
        assert json.loads(socket.recv(timeout=20)) == [True]
        assert tell(socket, ["get"]) == [{**ANN, "n": 2}]
    assert browser.do(["get"])["n"] == 2


@pytest.mark.needs("framework")
def test_the_framework_session_is_saved_with_the_acceptance(browser):
    with opened(browser, ["framework", "set", "cart", ["tea"]]) as socket:
        socket.recv(timeout=20)
        assert tell(socket, ["framework", "all"]) == [{"cart": ["tea"]}]
        assert tell(socket, ["attempt", ["framework", "set", "cart", []]]) == [
            {"raised": "ResponseStartedError"}
        ]
    assert browser.do(["framework", "all"]) == {"cart": ["tea"]}


def test_a_write_on_an_open_socket_comes_too_late_and_says_so(browser):
    browser.do(["create", ANN])
    with opened(browser) as socket:
        socket.recv(timeout=20)
        for verb in (["merge", {"n": 3}], ["touch"], ["rotate"], ["create", ANN], ["delete"]):
            assert tell(socket, ["attempt", verb]) == [{"raised": "ResponseStartedError"}]
        assert tell(socket, ["get"]) == [ANN]
    assert browser.do(["get"]) == ANN


def test_a_session_that_expires_while_a_socket_is_open_becomes_none(browser, clock):
    browser.do(["create", ANN])
    with opened(browser, ["get"]) as socket:
        assert json.loads(socket.recv(timeout=20)) == [ANN]
        clock.set(START + 86_400)
        assert tell(socket, ["get"]) == [None]


def test_opening_a_socket_renews(browser, clock, keeping):
    browser.do(["create", ANN])
    clock.set(START + 100)
    with opened(browser, ["get"]) as socket:
        socket.recv(timeout=20)
    assert browser.jar.names == {NAME} | keeping.renewed
    assert browser.do(["stamp"])[2] == START + 100
