"""An exchange belongs to one request."""

from __future__ import annotations

from typing import Any

import pytest

from sessionkit import (
    CookieSettings,
    NoActiveRequestError,
    ResponseStartedError,
    SessionStore,
    create_session,
    delete_session,
    get_session,
    update_session,
)
from sessionkit._exchange.request import HOLDER, HeaderRequest
from sessionkit._frameworks.contents import find_or_open_exchange
from sessionkit._requests.gateway import Gateway
from sessionkit._requests.lookup import find_innermost
from sessionkit._requests.views import ASGIRequest, CarriedRequest, WSGIRequest

from ..asked import header, serve, who, wsgi_page
from ..scene import ALICE, BOB, OTHER_SECRET, SECRET, Scene
from ..served import Wire, environ_of, scope_of, serve_asgi

# ---- a copy of a request


@pytest.mark.parametrize("served", [False, True])
@pytest.mark.parametrize("user", ["alice", "bob", None])
def test_a_copied_environ_is_the_request_of_its_own_cookie_header(user: Any, served: bool) -> None:
    store, seen = SessionStore(SECRET), {}
    headers = {"alice": header(store, ALICE), "bob": header(store, BOB)}

    def inner(environ: Any) -> None:
        seen["inner"] = who(get_session(environ)), who(store.get_session(environ))
        exchange = find_or_open_exchange(WSGIRequest(environ), store.settings)
        seen["framework"] = exchange is not None and who(exchange.get())

    def outer(environ: Any) -> None:
        get_session()
        copy = dict(environ)
        copy.pop("HTTP_COOKIE")
        if user is not None:
            copy["HTTP_COOKIE"] = headers[user]
        serve(store.wsgi(wsgi_page(inner)), copy) if served else inner(copy)
        seen["outer"] = who(get_session(environ)), who(get_session())

    serve(store.wsgi(wsgi_page(outer)), environ_of(headers["alice"]))
    assert seen == {"inner": (user, user), "framework": user, "outer": ("alice", "alice")}


@pytest.mark.parametrize("user", ["alice", "bob", None])
def test_a_copied_scope_with_other_headers_is_another_request(user: Any) -> None:
    store, seen = SessionStore(SECRET), {}
    headers = {"alice": header(store, ALICE), "bob": header(store, BOB)}

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen["inner"] = who(get_session(scope)), who(get_session())
        exchange = find_or_open_exchange(ASGIRequest(scope), store.settings)
        seen["framework"] = exchange is not None and who(exchange.get())
        await send({"type": "http.response.start", "status": 200, "headers": []})

    served = store.asgi(inner)

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        fields = [(b"cookie", headers[user].encode())] if user else []
        await served({**scope, "headers": fields}, receive, Wire().send)
        seen["outer"] = who(get_session(scope)), who(get_session())
        await send({"type": "http.response.start", "status": 200, "headers": []})

    serve_asgi(store.asgi(outer), headers["alice"])
    assert seen == {"inner": (user, user), "framework": user, "outer": ("alice", "alice")}


def test_a_copy_with_an_equal_cookie_header_shares_the_exchange() -> None:
    scene = Scene()

    def outer(environ: Any) -> None:
        serve(
            scene.store.wsgi(wsgi_page(lambda copy: create_session(copy, ALICE))),
            {**environ, "PATH_INFO": "/login"},
        )
        assert who(get_session(environ)) == "alice"

    lines = serve(scene.store.wsgi(wsgi_page(outer)), environ_of("theme=dark"))
    assert [value.partition("=")[0] for name, value in lines if name == "Set-Cookie"] == [
        "__Host-session"
    ]


def test_a_login_in_a_sub_request_with_another_cookie_header_stays_there() -> None:
    scene = Scene()

    def outer(environ: Any) -> None:
        copy = {**environ, "HTTP_COOKIE": ""}
        inner = serve(scene.store.wsgi(wsgi_page(lambda own: create_session(own, BOB))), copy)
        assert any(name == "Set-Cookie" for name, _ in inner)
        assert get_session(environ) is None

    lines = serve(scene.store.wsgi(wsgi_page(outer)), environ_of("theme=dark"))
    assert [name for name, _ in lines] == ["Vary"]


@pytest.mark.parametrize(("cookies", "excluded"), [("theme=dark", True), ("", False)])
def test_an_exclusion_belongs_to_one_request_too(cookies: str, excluded: bool) -> None:
    scene = Scene()
    scene.browser.login()
    seen: list[Any] = []

    def static(environ: Any) -> None:
        copy = {**environ, "HTTP_COOKIE": cookies or scene.browser.jar.header()}
        seen.append(find_or_open_exchange(WSGIRequest(copy), scene.store.settings) is None)
        seen.append(who(get_session(copy)))

    serve(
        scene.store.wsgi(wsgi_page(static), exclude="/static/*"),
        environ_of("theme=dark", path="/static/x"),
    )
    assert seen == [excluded, None if excluded else "alice"]


def test_what_somebody_else_has_put_under_our_key_is_not_looked_at() -> None:
    request = HeaderRequest()
    request.holder[HOLDER] = {"not": "ours"}
    assert find_innermost(request) is None
    assert Gateway(None, Scene().store).serving(request) is None


class Carried(CarriedRequest):
    method, path, query, scheme = "GET", "/", "", "https"

    @property
    def holder(self) -> dict[str, Any]:
        return self.request["kept"]

    def fields(self, name: str, /) -> list[str]:
        return [self.request[name]] if name in self.request else []


def test_a_clone_of_a_frameworks_request_that_shares_its_storage_is_judged_by_its_header() -> None:
    kept: dict[str, Any] = {}
    request, clone, other = ({"kept": kept, "cookie": value} for value in ("a=1", "a=1", "a=2"))
    exchange, _ = Gateway(None, Scene().store).enter(Carried(request))
    assert find_innermost(Carried(request)) is find_innermost(Carried(clone)) is exchange
    assert find_innermost(Carried(other)) is None


# ---- a request that no gateway knows


@pytest.mark.parametrize("configured", [False, True])
def test_a_verb_given_another_request_takes_the_store_of_the_current_one(
    monkeypatch: pytest.MonkeyPatch, configured: bool
) -> None:
    monkeypatch.setenv("SESSIONKIT_SECRET", OTHER_SECRET)
    store, seen = SessionStore(SECRET), []

    def view(environ: Any) -> None:
        seen.append(who(get_session(environ_of(header(store, BOB)))))
        seen.append(who(get_session(scope_of(header(store, BOB)))))
        headers: list[Any] = []
        update_session(environ_of(header(store, BOB)), headers, {**BOB, "n": 1})
        seen.append([name for name, _ in headers])
        with pytest.raises(NoActiveRequestError, match="no gateway serves this request"):
            delete_session(environ_of(header(store, BOB)))
        seen.append(who(get_session()))

    serve(store.wsgi(wsgi_page(view)), environ_of(header(store, ALICE)))
    assert seen == ["bob", "bob", ["Set-Cookie", "Vary", "Cache-Control"], "alice"]


def test_a_verb_given_another_request_under_two_gateways_does_not_guess() -> None:
    site, admin = SessionStore(SECRET), SessionStore(OTHER_SECRET, cookie=CookieSettings(name="a"))

    def view(environ: Any) -> None:
        with pytest.raises(TypeError, match="cookies 'a' and '__Host-session'"):
            get_session(environ_of(header(site, BOB)))
        assert who(site.get_session(environ_of(header(site, BOB)))) == "bob"

    serve(site.wsgi(admin.wsgi(wsgi_page(view))), environ_of())


def test_an_excluded_paths_store_serves_another_request_that_is_given() -> None:
    store, seen = SessionStore(SECRET), []

    def view(environ: Any) -> None:
        seen.append(who(get_session(environ)))
        seen.append(who(get_session(environ_of(header(store, BOB)))))

    serve(store.wsgi(wsgi_page(view), exclude="*"), environ_of(header(store, ALICE)))
    assert seen == [None, "bob"]


# ---- blocks


@pytest.mark.parametrize("order", [1, -1])
def test_two_blocks_at_once_are_two_stores_until_the_inner_one_ends(order: int) -> None:
    site, admin = SessionStore(SECRET), SessionStore(OTHER_SECRET, cookie=CookieSettings(name="a"))
    first, second = ((site, ALICE), (admin, BOB))[::order]
    with first[0].exchange(header(*first)):
        with second[0].exchange(header(*second)):
            for verb in (get_session, delete_session):
                with pytest.raises(TypeError, match="two stores could be meant") as error:
                    verb()
                assert all(repr(name) in str(error.value) for name in ("__Host-session", "a"))
            assert first[0].get_session() == first[1]
            assert second[0].get_session() == second[1]
            assert first[0].update_session({**first[1], "n": 1}) is True
        assert get_session() == {**first[1], "n": 1}
        with pytest.raises(NoActiveRequestError, match="served by another store"):
            second[0].get_session()


def test_a_block_of_the_same_store_inside_another_is_the_one_meant() -> None:
    store = SessionStore(SECRET)
    with store.exchange(header(store, ALICE)):
        with store.exchange(header(store, BOB)):
            assert [who(get_session()), who(store.get_session())] == ["bob", "bob"]
        assert [who(get_session()), who(store.get_session())] == ["alice", "alice"]


def test_two_blocks_of_one_cookie_name_are_two_requests() -> None:
    old, new = SessionStore(SECRET), SessionStore(OTHER_SECRET)
    with old.exchange(header(old, ALICE)), new.exchange():
        new.create_session({**(old.get_session() or {}), "moved": True})
        assert new.get_session() == {**ALICE, "moved": True}
        assert old.get_session() == ALICE


def test_the_part_of_an_inner_store_that_has_ended_is_not_the_current_request() -> None:
    site, admin = SessionStore(SECRET), SessionStore(OTHER_SECRET, cookie=CookieSettings(name="a"))

    def between(environ: Any, start_response: Any) -> list[bytes]:
        list(admin.wsgi(wsgi_page(lambda own: admin.get_session()))(environ, start_response))
        assert who(get_session()) == who(get_session(environ)) == "alice"
        assert who(admin.get_session(environ)) == "bob"
        with pytest.raises(NoActiveRequestError):
            admin.get_session()
        with pytest.raises(ResponseStartedError, match="has finished"):
            admin.delete_session(environ)
        return []

    cookies = f"{header(site, ALICE)}; {header(admin, BOB)}"
    list(site.wsgi(between)(environ_of(cookies), lambda *_: None))
