"""Waiting for a connection: with `poll`, and with `select` where there is no other (Windows, eventlet)."""

import select
import socket
import time
from selectors import EVENT_READ, EVENT_WRITE

import pytest
from sql_clients import BLOCKING, SERVERS, Clients, changed, new, took

from sessionkit import BackendError
from sessionkit.backends._sql_time import wait_for

EITHER = EVENT_READ | EVENT_WRITE


@pytest.fixture(params=["poll", "select"], autouse=True)
def way(request, monkeypatch):
    if request.param == "select":
        monkeypatch.delattr(select, "poll", raising=False)


@pytest.fixture
def ends():
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def test_a_wait_tells_whether_reading_or_writing_is_possible(ends):
    one, other = ends
    assert wait_for(one, EVENT_READ, 0) == 0
    assert wait_for(one, EVENT_WRITE, 0) == EVENT_WRITE
    assert wait_for(one, EITHER, 0) == EVENT_WRITE
    other.send(b"x")
    assert wait_for(one, EVENT_READ, 0) == EVENT_READ
    assert wait_for(one, EVENT_WRITE, 0) == EVENT_WRITE
    assert wait_for(one, EITHER, 0) == EITHER


def test_the_other_side_has_gone(ends):
    one, other = ends
    other.close()
    assert wait_for(one, EVENT_READ, 0) == EVENT_READ
    assert wait_for(one, EITHER, 0) == EITHER


def test_a_wait_ends_with_its_time(ends):
    one, _ = ends
    start = time.monotonic()
    assert wait_for(one, EVENT_READ, 0.05) == 0
    assert 0.04 < time.monotonic() - start < 2


@pytest.mark.parametrize("kind", BLOCKING)
def test_a_backend_notices_closed_connections_and_ends_in_time(kind):
    server, clients = SERVERS[kind.split()[0]](), Clients()
    backend, record = clients.make(kind), new()
    assert backend.insert(record, 0) is True
    server.end_connections()
    later = changed(record)
    assert backend.replace(later, record.version) is True
    with server.frozen():
        outcome, seconds = took(backend.load, record.key, record.owner)
    assert isinstance(outcome, BackendError) and seconds < 3
    assert backend.load(record.key, record.owner) == later
    clients.close()
