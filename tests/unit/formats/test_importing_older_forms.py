"""Two importers for one session: an importer of nextjs-auth0 v4 finds a v3 session too, as that library does."""

from __future__ import annotations

from typing import Any

import pytest

from sessionkit import Absence, ConfigurationError, CookieSettings, SessionStore
from sessionkit.formats import Auth0V3, Auth0V4, ExpressOpenID, Importer

from ..scene import OTHER_SECRET, SECRET, START, Scene, cookie, names

V3 = {"user": {"sub": "ada", "sid": "op"}, "accessToken": "at"}
V4 = {
    "user": {"sub": "ada", "sid": "op"},
    "tokenSet": {"accessToken": "at"},
    "internal": {"sid": "op", "createdAt": START},
}
LATER = START + 100


def scene(*importers: Importer, **settings: Any) -> Scene:
    made = Scene(accept=importers, **settings)
    made.clock.now = LATER
    return made


def importing(**settings: Any) -> Importer:
    return Importer(Auth0V4(), **{"secret": OTHER_SECRET, "until": None, **settings})


def sealed(format: Any, session: dict[str, Any], **settings: Any) -> list[str]:
    """The lines of a session that began at START, as the library sets them."""
    store = SessionStore(OTHER_SECRET, format=format, clock=lambda: START, **settings)
    with store.exchange() as exchange:
        store.create_session(session)
    return [line for name, line in exchange.response_headers if name == "Set-Cookie"]


@pytest.mark.parametrize("clear", [True, False])
def test_a_v3_session_comes_over_in_the_shape_of_v4(clear):
    moved = scene(importing(clear=clear))
    moved.browser.jar.receive(sealed(Auth0V3(), V3))
    page = moved.browser.visit()
    assert dict(page.exchange.get()) == V4
    assert page.exchange.contents.stamp.created_at == START
    assert names(page.arrive()) == ["__Host-session", *(["-appSession"] if clear else [])]
    assert moved.browser.session() == V4


def test_the_conversion_is_given_the_shape_of_v4():
    moved = scene(importing(convert=lambda one: {"user": one["user"], **one["tokenSet"]}))
    moved.browser.jar.receive(sealed(Auth0V3(), V3))
    assert moved.browser.session() == {"user": V3["user"], "accessToken": "at"}


def test_a_v3_session_in_the_cookie_of_v4_is_found_too():
    moved = scene(importing(name="app"))
    lines = sealed(Auth0V3(), V3, cookie=CookieSettings(name="app"))
    moved.browser.jar.receive(lines)
    assert moved.browser.session() == V4


def test_both_forms_are_one_session():
    moved, ids = scene(importing()), set()
    for format, session in ((Auth0V3(), V3), (Auth0V4(), V4)):
        browser = moved.another_browser()
        browser.jar.receive(sealed(format, session))
        ids.add(browser.visit().exchange.get().stamp.id)
    assert len(ids) == 1


@pytest.mark.parametrize("clear", [True, False])
@pytest.mark.parametrize("is_imported", [True, False])
def test_a_logout_clears_the_v3_cookie_and_holds_against_a_late_answer_of_v4(clear, is_imported):
    moved = scene(importing(clear=clear))
    moved.browser.jar.receive(sealed(Auth0V3(), V3))
    if is_imported:
        page = moved.browser.visit()
        page.exchange.get()
        page.arrive()
    moved.browser.logout()
    assert not any(name == "appSession" for name, *_ in moved.browser.jar.cookies)
    moved.browser.jar.receive(sealed(Auth0V4(), V4))
    assert moved.browser.absence() is Absence.LOGGED_OUT


@pytest.mark.parametrize("verb", ["delete", "create"])
def test_an_end_does_not_depend_on_the_conversion(verb):
    down = [True]

    def convert(session: dict[str, Any]) -> dict[str, Any]:
        if down[0]:
            raise RuntimeError("the database is down")
        return {"user": session["user"]}

    moved = scene(importing(convert=convert))
    moved.browser.login({"user": {"sub": "ada"}})
    moved.browser.jar.receive(sealed(Auth0V3(), V3))
    page = moved.browser.visit()
    page.exchange.delete() if verb == "delete" else page.exchange.create({"user": {"sub": "bob"}})
    page.arrive()
    if verb == "create":
        moved.browser.logout()
    down[0] = False
    for format, session in ((Auth0V3(), V3), (Auth0V4(), V4)):
        moved.browser.jar.receive(sealed(format, session))
        assert moved.browser.absence() is Absence.LOGGED_OUT


def test_it_is_ignored_from_its_day_on_and_without_a_user():
    moved = scene(importing(until=LATER))
    moved.browser.jar.receive(sealed(Auth0V3(), V3))
    assert moved.browser.absence() is Absence.NO_COOKIE
    moved = scene(importing())
    moved.browser.jar.receive(sealed(Auth0V3(), {"user": {}, "cart": 1}, guard=bool))
    assert moved.browser.absence() is Absence.MALFORMED


@pytest.mark.parametrize("format", [Auth0V3(), ExpressOpenID()])
def test_a_cookie_of_the_stores_own_is_no_earlier_form(format):
    store = SessionStore(SECRET, format=format, accept=[importing(secret=SECRET)])
    assert ["__session", "__session"] == [one.settings.name for one in store.settings.importers]
    with store.exchange() as exchange:
        store.create_session(V3)
    header = f"appSession={cookie([line for _, line in exchange.response_headers], 'appSession')}"
    with store.exchange(header) as exchange:
        assert store.get_session() == V3
    assert [name for name, _ in exchange.response_headers if name == "Set-Cookie"] == []


def test_it_is_not_the_v3_cookie_of_another_secret():
    moved = scene(importing(secret=SECRET))
    moved.browser.jar.receive(sealed(Auth0V3(), V3))
    assert moved.browser.absence() is Absence.BAD_TAG


@pytest.mark.parametrize("turned", [False, True])
def test_a_second_importer_of_the_earlier_form_is_refused_since_one_session_would_get_two_ids(
    turned,
):
    second = Importer(Auth0V3(), secret=[SECRET, OTHER_SECRET], until=None, clear=True)
    importers = [second, importing()]
    with pytest.raises(ConfigurationError, match="drop the importer of nextjs-auth0 v1-v3"):
        scene(*(reversed(importers) if turned else importers))
    for other in ({"secret": SECRET}, {"secret": OTHER_SECRET, "name": "old"}):
        scene(importing(), Importer(Auth0V3(), until=None, **other))


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("clear", [False, True])
def test_what_a_logout_ended_is_imported_by_no_other_importer_whose_format_opens_the_cookie(
    turned, clear
):
    sources = [ExpressOpenID(), Auth0V3()] if turned else [Auth0V3(), ExpressOpenID()]
    moved = scene(*(Importer(one, secret=OTHER_SECRET, until=None, clear=clear) for one in sources))
    moved.browser.jar.receive(sealed(Auth0V3(), V3))
    page = moved.browser.visit()
    page.exchange.get()
    page.arrive()
    moved.browser.jar.receive(["appSession=; Max-Age=0; Path=/; Secure"])
    moved.browser.logout()
    moved.browser.jar.receive(sealed(Auth0V3(), V3))
    assert moved.browser.absence() is Absence.LOGGED_OUT
    moved.browser.jar.receive(sealed(Auth0V3(), {"user": {"sub": "bob"}}))
    assert moved.browser.session() == {"user": {"sub": "bob"}}
