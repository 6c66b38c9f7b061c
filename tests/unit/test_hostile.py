"""What a hostile reader found, each with what it did."""

from collections import OrderedDict

import pytest

from sessionkit import Session

from .scene import ALICE, BOB, Scene


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_the_live_session_may_be_put_into_what_replaces_it(scene):
    scene.browser.login()
    visit = scene.browser.visit()
    assert visit.exchange.update({**ALICE, "before": visit.exchange.get()}) is True
    visit.arrive()
    assert scene.browser.session() == {**ALICE, "before": ALICE}


def test_a_login_as_another_may_keep_the_session_it_came_from(scene):
    scene.browser.login()
    visit = scene.browser.visit()
    visit.exchange.create({**BOB, "impersonator": visit.exchange.get()})
    visit.arrive()
    assert scene.browser.session() == {**BOB, "impersonator": ALICE}


def test_what_is_changed_in_a_session_inside_the_session_is_saved(scene):
    scene.browser.login()
    visit = scene.browser.visit()
    visit.exchange.update({**ALICE, "draft": Session({"title": "a"})})
    visit.exchange.get()["draft"]["title"] = "b"
    visit.arrive()
    assert scene.browser.session() == {**ALICE, "draft": {"title": "b"}}


class Text(str):
    __slots__ = ()


def test_a_user_is_the_same_whichever_kind_of_text_names_them(scene):
    scene.browser.login({"user": {"sub": Text("alice")}})
    visit = scene.browser.visit()
    assert visit.exchange.update({"user": {"sub": Text("alice")}, "theme": "dark"}) is True
    visit.exchange.get()["theme"] = "light"
    visit.arrive()
    assert scene.browser.session() == {"user": {"sub": "alice"}, "theme": "light"}


def test_a_login_with_another_kind_of_dict_may_be_changed_before_the_response(scene):
    visit = scene.browser.visit()
    visit.exchange.create({"user": OrderedDict(name="Alice")})["theme"] = "dark"
    visit.arrive()
    assert scene.browser.session() == {"user": {"name": "Alice"}, "theme": "dark"}
