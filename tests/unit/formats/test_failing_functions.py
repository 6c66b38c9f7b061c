"""A `convert` or a guard of the application that raises for a foreign cookie: a login and a logout do not depend on it."""

import pytest

from sessionkit import Absence
from sessionkit.backends import MemoryBackend
from sessionkit.formats import FlaskCookie, Importer

from ..scene import Scene, names
from .foreign_cookies import FLASK, NOW, OLD, USER, flask_signed, put, scene

FENCE = "__Host-out.session"


class Convert:
    """Raises like a database that is down, until it is up again."""

    is_down = True

    def __call__(self, session):
        if self.is_down:
            raise RuntimeError("the database is down")
        return session


def not_json(session):
    return {**session, "tags": {1, 2}}


@pytest.fixture(params=["cookie", "backend"])
def settings(request):
    return {} if request.param == "cookie" else {"backend": MemoryBackend()}


def visit(moved):
    page = moved.browser.visit()
    page.exchange.drive()
    return page


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("convert", [Convert(), not_json], ids=["raises", "no JSON"])
@pytest.mark.parametrize("verb", ["delete", "create"])
def test_an_end_is_kept_beside_a_cookie_that_cannot_be_converted(status, convert, verb, settings):
    moved = scene(Importer(FlaskCookie(), secret=OLD, until=None, convert=convert), **settings)
    login = visit(moved)
    login.exchange.create(USER)
    login.arrive()
    put(moved, FLASK)
    page = visit(moved)
    page.exchange.delete() if verb == "delete" else page.exchange.create(USER)
    lines = names(page.answer(status))
    assert {"-session", FENCE} <= set(lines)
    assert ("__Host-session" in lines) == (verb == "create" and status == 200)


def test_the_end_holds_for_the_foreign_cookie_once_it_can_be_converted():
    convert = Convert()
    moved = scene(Importer(FlaskCookie(), secret=OLD, until=None, convert=convert))
    moved.browser.login(USER)
    put(moved, FLASK)
    moved.browser.logout()
    convert.is_down = False
    put(moved, FLASK)
    assert moved.browser.absence() is Absence.LOGGED_OUT


def test_a_request_that_needs_the_foreign_cookie_still_says_that_it_cannot_be_converted():
    moved = scene(Importer(FlaskCookie(), secret=OLD, until=None, convert=Convert()))
    put(moved, FLASK)
    with pytest.raises(RuntimeError, match="the database is down"):
        moved.browser.session()


def test_two_foreign_cookies_are_ambiguous_to_a_guard_that_knows_our_contents_only():
    moved = Scene(
        accept=[Importer(FlaskCookie(), secret=OLD, until=None)],
        guard=lambda session: session["account"]["id"] > 0,
    )
    other = flask_signed("eyJhIjoxfQ", at=NOW)
    with moved.store.exchange(f"{FLASK}; session={other}") as exchange:
        assert exchange.absence is Absence.AMBIGUOUS
