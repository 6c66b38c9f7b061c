"""A subrequest of another visitor: the verbs find its own session in it, and the outer one afterwards."""

from __future__ import annotations

import pytest
from pyramid.request import Request
from pyramid.response import Response
from two_visitors import cookie_of, who

from sessionkit import NoActiveRequestError, SessionStore, delete_session

from .visitor import SECRET, names

STORE = SessionStore(SECRET)


def inside(path: str, sub: str) -> Request:
    return Request.blank(
        path, base_url="https://localhost", headers={"Cookie": cookie_of(STORE, sub)}
    )


@pytest.mark.parametrize("use_tweens", [False, True])
def test_the_verbs_find_the_session_of_the_request_they_are_called_in(site, use_tweens):
    def outer(request):
        inner = request.invoke_subrequest(inside("/inner", "bob"), use_tweens=use_tweens)
        return [inner.json_body, who()]

    site.add("/inner", lambda request: [who(), request.session["user"]["sub"]])
    site.add("/outer", outer)
    site.get("/login")
    assert site.get("/outer").json == [["bob", "bob"], "ann"]


def test_a_logout_inside_is_refused_and_not_done_to_the_visitor_outside(site):
    def outer(request):
        with pytest.raises(NoActiveRequestError):
            request.invoke_subrequest(inside("/logout", "bob"))
        return who()

    site.add("/logout", lambda request: delete_session())
    site.add("/outer", outer)
    site.get("/login")
    answer = site.get("/outer")
    assert answer.json == "ann"
    assert names(answer) == []


@pytest.mark.parametrize("use_tweens", [False, True])
@pytest.mark.parametrize("path", ["/stream", "/sized"])
def test_a_stream_inside_finds_its_own_session(site, path, use_tweens):
    def outer(request):
        inner = request.invoke_subrequest(inside(path, "bob"), use_tweens=use_tweens)
        return [inner.content_length, inner.text, who()]

    def stream(request):
        return Response(app_iter=(who().encode() for _ in range(2)))

    def sized(request):
        return Response(app_iter=(who().encode() for _ in range(2)), content_length=6)

    site.add("/stream", stream)
    site.add("/sized", sized)
    site.add("/outer", outer)
    site.get("/login")
    assert site.get("/outer").json == [6 if path == "/sized" else None, "bobbob", "ann"]
