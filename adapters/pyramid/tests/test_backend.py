"""Pyramid with a store that keeps sessions on the server."""

from __future__ import annotations

import pytest
from awaited_memory import AwaitedMemory
from pyramid.config import Configurator
from pyramid.request import Request

from sessionkit import ConfigurationError, SessionStore, create_session
from sessionkit.backends import MemoryBackend

from .visitor import ANN, SECRET, Site


def test_an_awaited_backend_is_refused_when_the_application_is_made():
    config = Configurator()
    config.include("sessionkit_pyramid")
    config.set_sessionkit_store(SessionStore(SECRET, backend=AwaitedMemory()))
    with pytest.raises(ConfigurationError, match="AwaitedMemory is awaited"):
        config.make_wsgi_app()


def test_a_subrequest_of_another_visitor_writes_its_own_record():
    site = Site(SessionStore(SECRET, backend=MemoryBackend()))
    bob = {"user": {"sub": "bob"}}
    with site.store.exchange() as exchange:
        create_session(bob)
    cookie = exchange.response_headers[0][1].partition(";")[0]

    def outer(request):
        inner = Request.blank("/inner", base_url="https://localhost", headers={"Cookie": cookie})
        return request.invoke_subrequest(inner).json_body

    def inner(request):
        request.session["n"] = 1
        return dict(request.session)

    site.add("/inner", inner)
    site.add("/outer", outer)
    site.get("/login", base_url="https://localhost")
    assert site.get("/outer", base_url="https://localhost").json == {**bob, "n": 1}
    assert [one.contents for one in site.store.sessions_of(bob)] == [{**bob, "n": 1}]
    assert [one.contents for one in site.store.sessions_of(ANN)] == [ANN]
