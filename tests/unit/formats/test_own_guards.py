"""A guard of one's own decides what may be written where the library takes every token for somebody signed in."""

from __future__ import annotations

from typing import Any

import pytest

from sessionkit import Absence, SerializationError, anyone
from sessionkit.formats import Auth0V3, Auth0V4, AuthJSV5, Importer, NextAuthV4

from ..scene import OTHER_SECRET, Scene
from .test_imported_ends import source_cookie

FORMATS = [Auth0V4(), NextAuthV4(), AuthJSV5()]
each = pytest.mark.parametrize("format", FORMATS, ids=lambda one: one.traits.label)
ACCOUNT = {"accessToken": "made up", "accountId": 7}


def by_account(session: Any) -> bool:
    return session.get("accountId") is not None


def strict(session: Any) -> bool:
    return session["accountId"] > 0


@each
@pytest.mark.parametrize("guard", [by_account, strict])
@pytest.mark.parametrize("settings", [{}, {"identity": lambda session: session.get("accountId")}])
def test_what_it_passes_is_written_and_read(format, guard, settings):
    scene = Scene(format=format, guard=guard, **settings)
    scene.browser.login(ACCOUNT)
    scene.browser.update(theme="dark")
    found = scene.browser.session()
    assert {**found, **ACCOUNT, "theme": "dark"} == found


@each
@pytest.mark.parametrize("guard", [None, by_account, anyone])
@pytest.mark.parametrize("contents", [{"cart": [1]}, {"user": {}}, {"sub": "", "email": None}])
def test_a_session_of_nobody_is_refused(format, guard, contents):
    scene = Scene(format=format, **({} if guard is None else {"guard": guard}))
    visit = scene.browser.visit()
    visit.exchange.contents.update(contents)
    with pytest.raises(SerializationError, match="signed in"):
        visit.answer()


@each
@pytest.mark.parametrize("guard", [by_account, anyone])
def test_nobody_is_not_imported_as_somebody(format, guard):
    importer = Importer(Auth0V3(), secret=OTHER_SECRET, name="other", until=None)
    scene = Scene(format=format, guard=guard, accept=[importer])
    lines = source_cookie(
        scene.clock,
        Auth0V3(),
        {"cart": [1]},
        guard=anyone,
        cookie=scene.store.settings.importers[0].settings.cookie,
    )
    scene.browser.jar.receive(lines)
    assert scene.browser.absence() is Absence.MALFORMED


@each
def test_whom_it_passes_is_imported(format):
    importer = Importer(Auth0V3(), secret=OTHER_SECRET, name="other", until=None)
    scene = Scene(format=format, guard=by_account, accept=[importer])
    lines = source_cookie(
        scene.clock,
        Auth0V3(),
        ACCOUNT,
        guard=anyone,
        cookie=scene.store.settings.importers[0].settings.cookie,
    )
    scene.browser.jar.receive(lines)
    visit = scene.browser.visit()
    assert visit.exchange.get() is not None
    visit.arrive()
    assert scene.browser.session()["accountId"] == 7
