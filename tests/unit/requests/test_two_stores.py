"""Two stores in one request: independent by their cookies' names, or refused."""

from __future__ import annotations

from typing import Any

import pytest

from sessionkit import ConfigurationError, CookieSettings, Lifetime, SessionStore
from sessionkit._frameworks.contents import find_or_open_exchange
from sessionkit._requests.lookup import select_store
from sessionkit._requests.views import WSGIRequest

from ..asked import header, serve, who, wsgi_page
from ..scene import ALICE, BOB, OTHER_SECRET, SECRET
from ..served import environ_of, serve_asgi

STRICT = Lifetime(idle=600, absolute=900)


def is_admin(session: Any) -> bool:
    return bool(session.get("admin"))


ADMIN = {"lifetime": STRICT, "guard": is_admin}


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("form", ["verb", "implicit", "gateway", "asgi", "framework"])
def test_a_stricter_store_of_the_same_cookie_inside_another_is_refused_and_told_why(
    form: str, order: int
) -> None:
    site, admin = SessionStore(SECRET), SessionStore(SECRET, **ADMIN)
    outer, inner = (site, admin)[::order]
    cookies, refused = header(site, {**ALICE, "admin": True}), []

    def view(environ: Any) -> None:
        with pytest.raises(ConfigurationError, match="differ in lifetime, guard: give") as error:
            match form:
                case "verb":
                    inner.get_session(environ)
                case "implicit":
                    inner.get_session()
                case "gateway":
                    inner.wsgi(wsgi_page(print))(environ, print)
                case "framework":
                    find_or_open_exchange(WSGIRequest(environ), inner.settings)
                case _:
                    serve_asgi(inner.asgi(print), cookies, wsgi_environ=environ)
        refused.append(str(error.value))

    serve(outer.wsgi(wsgi_page(view)), environ_of(cookies))
    assert [SECRET in text for text in refused] == [False]


def test_a_store_for_an_audience_is_another_store() -> None:
    store = SessionStore(SECRET)
    with store.exchange(), pytest.raises(ConfigurationError, match="differ in audience"):
        store.for_audience("b").get_session()


def test_independent_stores_each_find_their_own() -> None:
    site, admin = SessionStore(SECRET), SessionStore(OTHER_SECRET, cookie=CookieSettings(name="a"))
    cookies = f"{header(site, ALICE)}; {header(admin, BOB)}"
    seen: list[Any] = []

    def view(environ: Any) -> None:
        seen.extend(
            (who(store.get_session()), who(store.get_session(environ))) for store in (site, admin)
        )

    serve(site.wsgi(admin.wsgi(wsgi_page(view))), environ_of(cookies))
    serve(admin.wsgi(site.wsgi(wsgi_page(view))), environ_of(cookies))
    assert seen == [("alice", "alice"), ("bob", "bob")] * 2


def test_nothing_belongs_to_a_store_where_there_is_nothing() -> None:
    assert select_store([], SessionStore(SECRET).settings) is None
