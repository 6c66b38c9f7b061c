"""A response that the application keeps and sends again carries the session of nobody but its visitor."""

from __future__ import annotations

from typing import Any

import pytest
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from werkzeug.test import Client

from sessionkit import SessionStore

SECRET = "pyramid-tests:0123456789abcdefghijklmnopqrstuvwxyz"


def page() -> Any:
    return Response("done", cache_control="public, max-age=60", vary="Accept")


def stream() -> Any:
    return Response(app_iter=iter([b"done"]), cache_control="public, max-age=60", vary="Accept")


def redirect() -> Any:
    return HTTPSeeOther("/", headers={"Cache-Control": "public, max-age=60", "Vary": "Accept"})


def client_of(done: Any) -> Client:
    def sign_in(request: Any) -> Any:
        request.session["user"] = {"sub": "ann"}
        return done

    with Configurator() as config:
        config.include("sessionkit_pyramid")
        config.set_sessionkit_store(SessionStore(SECRET))
        for path, view in {
            "/login": sign_in,
            "/through": lambda request: request.invoke_subrequest(Request.blank("/login")),
            "/tweens": lambda request: request.invoke_subrequest(
                Request.blank("/login"), use_tweens=True
            ),
            "/health": lambda request: done,
        }.items():
            config.add_route(path, path)
            config.add_view(view, route_name=path)
        return Client(config.make_wsgi_app(), use_cookies=False)


@pytest.mark.parametrize("path", ["/login", "/through", "/tweens"])
@pytest.mark.parametrize("kept", [page, stream, redirect])
def test_the_next_visitor_gets_the_response_as_the_application_made_it(
    kept: Any, path: str
) -> None:
    done = kept()
    client, made = client_of(done), set(done.headerlist)
    first = client.get(path)
    assert ["__Host-session"] == [
        line.partition("=")[0] for line in first.headers.getlist("Set-Cookie")
    ]
    assert "private, no-store" == first.headers["Cache-Control"]
    assert b"done" in first.data or kept is redirect
    # (A redirect writes its text and type into itself when Pyramid sends it.)
    assert made == set(done.headerlist) or kept is redirect
    after = client.get("/health").headers
    assert ("public, max-age=60", "Accept") == (
        after["Cache-Control"].replace("max-age=60, public", "public, max-age=60"),
        after["Vary"],
    )
    assert [] == after.getlist("Set-Cookie")
