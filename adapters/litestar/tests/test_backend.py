"""Litestar's test client with a store that keeps sessions on the server, awaited or not."""

from __future__ import annotations

import pytest
from awaited_memory import AwaitedMemory

from sessionkit import SessionStore
from sessionkit.backends import MemoryBackend, SQLiteBackend
from sessionkit_litestar import SessionKitConfig

from .visitor import ANN, SECRET, client_of


@pytest.fixture(params=["memory", "sqlite", "awaited"])
def store(request, tmp_path) -> SessionStore:
    backend = {
        "memory": MemoryBackend,
        "sqlite": lambda: SQLiteBackend(tmp_path / "sessions.db"),
        "awaited": AwaitedMemory,
    }[request.param]()
    return SessionStore(SECRET, backend=backend)


def test_the_clients_session_data_are_those_of_the_record(store):
    with client_of(config=SessionKitConfig(store=store)) as client:
        client.set_session_data({**ANN, "n": 1})
        assert client.get("/all").json() == {**ANN, "n": 1}
        assert dict(client.get_session_data()) == {**ANN, "n": 1}


def test_the_session_that_the_client_replaces_or_empties_is_ended_on_the_server(store):
    with client_of(config=SessionKitConfig(store=store)) as client:
        client.set_session_data(ANN)
        earlier = dict(client.cookies)
        client.set_session_data({"user": {"sub": "bob"}})
        later = dict(client.cookies)
        assert client.get("/all").json() == {"user": {"sub": "bob"}}
        client.set_session_data({})
        for cookies in (earlier, later):
            client.cookies = cookies
            assert client.get("/all").json() == {}
