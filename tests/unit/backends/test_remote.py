"""The conformance suite on a backend with a server that can fail."""

from functools import cache

import pytest

from sessionkit.testing import backend_conformance

from .remote import AsyncRemoteBackend, RemoteBackend, Server


@cache
def server():
    return Server()


def address():
    return server().server_address


@pytest.fixture(scope="module", autouse=True)
def _closed():
    yield
    server().close()


def conformance(backend):
    return backend_conformance(
        lambda: backend(*address()),
        make_second=lambda: backend(*address()),
        make_at=backend,
        server=address,
    )


TestRemoteBackend = conformance(RemoteBackend)
TestAsyncRemoteBackend = conformance(AsyncRemoteBackend)
