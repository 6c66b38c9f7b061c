"""A framework's own session object, as the exchange serves it."""

import threading
from collections import OrderedDict
from decimal import Decimal

import pytest

from sessionkit import IdentityChangedError, Ignored, anyone  # fmt: skip
from sessionkit._crypto.sealing import Opened
from sessionkit._exchange.exchange import Exchange
from sessionkit._exchange.framework_keys import FrameworkKeys
from sessionkit._exchange.reading import RequestCookies
from sessionkit._exchange.state import State

from ..scene import ALICE, BOB, START, Scene, names
from .kinds import FENCE, NAME, SEEN


def test_the_session_that_came_is_not_new_whatever_is_written_into_it(scene):
    scene.browser.login()
    exchange = scene.browser.visit().exchange
    assert exchange.is_new is False
    exchange.update({**ALICE, "n": 1})
    assert exchange.is_new is False


@pytest.mark.parametrize(
    "make", [Exchange.rotate, Exchange.delete, lambda exchange: exchange.create(BOB)]
)
def test_after_a_login_a_rotation_or_a_logout_it_is_new(scene, make):
    scene.browser.login()
    exchange = scene.browser.visit().exchange
    make(exchange)
    assert exchange.is_new is True


def test_where_no_session_came_it_is_new_before_and_after_it_begins(scene):
    exchange = scene.browser.visit().exchange
    assert exchange.is_new is True
    exchange.contents["cart"] = [1]
    assert exchange.is_new is True


def test_what_form_libraries_and_oauth_clients_keep_is_dropped_where_an_adapter_says_nothing():
    assert ["csrf", "csrf_token", "_state_google_x"] == [
        key
        for key in ("csrf", "csrf_token", "_state_google_x", "_stately", "theme")
        if FrameworkKeys().drops(key)
    ]


@pytest.fixture
def served(scene):
    """The store of a framework that keeps its login under `_user_id` and a CSRF token under `csrf_token`."""
    scene.store.settings = scene.store.settings.with_framework(
        FrameworkKeys(login=("_user_id",), dropped=("csrf_token", "_state_*"))
    )
    return scene


def test_a_login_by_assignment_gives_a_new_id_fences_the_old_and_drops_what_must_not_cross(served):
    browser = served.browser
    visit = browser.visit()
    visit.exchange.contents.update(
        {"cart": [1], "csrf_token": "planted", "_state_x": "s", "_stately": "kept"}
    )
    before = visit.exchange.contents.stamp
    visit.arrive()
    served.clock.wait(10)
    visit = browser.visit()
    visit.exchange.contents["_user_id"] = "7"
    assert [NAME, FENCE] == names(visit.arrive())
    session = browser.visit().exchange.get()
    assert {"cart": [1], "_stately": "kept", "_user_id": "7"} == session
    assert before.id != session.stamp.id
    assert session.stamp.created_at == START + 10


def test_a_logout_by_assignment_ends_the_session_and_keeps_the_rest_as_a_new_one(served):
    browser = served.browser
    browser.login({"_user_id": "7", "theme": "dark", "csrf_token": "x"})
    before = browser.visit().exchange.get().stamp
    visit = browser.visit()
    del visit.exchange.contents["_user_id"]
    assert [NAME, FENCE] == names(visit.arrive())
    exchange = browser.visit().exchange
    assert exchange.get() is None
    assert exchange.contents == {"theme": "dark"}
    assert exchange.contents.stamp.id != before.id


def test_what_was_updated_before_a_frameworks_gateway_serves_it_still_belongs_to_the_same_user(
    scene,
):
    scene.browser.login()
    exchange = scene.browser.visit().exchange
    exchange.update({**ALICE, "n": 1})
    before = exchange.contents.stamp.id
    exchange.serve_framework(
        scene.store.settings.with_framework(FrameworkKeys(login=("_user_id",)))
    )
    exchange.contents["m"] = 2
    assert exchange.get() == {**ALICE, "n": 1, "m": 2}
    assert exchange.contents.stamp.id == before


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("loaded", [{}, {"_user_id": "5"}])
def test_who_it_was_before_a_frameworks_gateway_serves_it_is_who_came_whether_anybody_asked_or_not(
    scene, loaded, asked
):
    scene.browser.login({**ALICE, **loaded})
    exchange = scene.browser.visit().exchange
    exchange.contents["_user_id"] = "6"
    if asked:
        assert exchange.update(BOB) is False
    exchange.serve_framework(
        scene.store.settings.with_framework(FrameworkKeys(login=("_user_id",)))
    )
    with pytest.raises(IdentityChangedError):
        exchange.commit(200)


def test_whose_it_was_that_one_thread_works_out_is_not_whose_another_has_made_it_since():
    asking, made = threading.Event(), threading.Event()

    def slow(session):
        if threading.current_thread() is not threading.main_thread():
            asking.set()
            made.wait(5)
        return session["user"]["sub"]

    scene = Scene(identity=slow)
    scene.browser.login()
    exchange = scene.browser.visit().exchange
    exchange.get()
    asker = threading.Thread(
        target=lambda: exchange.update(None) or exchange.state.owner.owns(ALICE)
    )
    asker.start()
    asking.wait(5)
    exchange.create(BOB)
    made.set()
    asker.join()
    exchange.contents["user"] = ALICE["user"]
    with pytest.raises(IdentityChangedError):
        exchange.commit(200)


def test_contents_that_came_in_types_of_their_own_belong_to_their_user(scene):
    loaded = {"user": OrderedDict(id="7"), "n": Decimal(1)}
    scene.browser.login()
    exchange = scene.browser.visit().exchange
    stamp = exchange.get().stamp
    state = State(
        scene.store.settings,
        RequestCookies(token=Opened(loaded, stamp, stamp.id), stamp=stamp),
        exchange,
    )
    loaded["user"]["id"] = "8"  # whoever holds the values
    assert state.owner.judge_update({"user": {"id": "7"}}, present=True) is None
    assert state.owner.judge_update({"user": {"id": "8"}}, present=True) is Ignored.OTHER_USER


def test_where_nobody_signs_in_a_session_that_begins_is_no_login(scene):
    scene = Scene(guard=anyone)
    scene.store.settings = scene.store.settings.with_framework(
        FrameworkKeys(dropped=("csrf_token",))
    )
    visit = scene.browser.visit()
    visit.exchange.contents["csrf_token"] = "x"
    visit.exchange.contents["theme"] = "dark"
    assert [NAME] == names(visit.arrive())
    assert scene.browser.session() == {"csrf_token": "x", "theme": "dark"}


def test_a_logout_by_clearing_ends_the_session(served):
    browser = served.browser
    browser.login({"_user_id": "7"})
    visit = browser.visit()
    visit.exchange.contents.clear()
    assert ["-" + NAME, "-" + SEEN, FENCE] == names(visit.arrive())


def test_an_assignment_that_changes_no_user_keeps_the_id(served):
    browser = served.browser
    browser.login({"_user_id": "7"})
    before = browser.visit().exchange.get().stamp
    visit = browser.visit()
    visit.exchange.contents["theme"] = "dark"
    assert [NAME] == names(visit.arrive())
    assert before.id == browser.visit().exchange.get().stamp.id


def test_a_failed_response_after_a_login_by_assignment_ends_the_earlier_session(served):
    browser = served.browser
    browser.login({"_user_id": "7"})
    visit = browser.visit()
    visit.exchange.contents["_user_id"] = "8"
    assert ["-" + NAME, "-" + SEEN, FENCE] == names(visit.arrive(500))
