"""What an application puts in the place of the session object, and what becomes of it."""

from __future__ import annotations

from collections import UserDict
from typing import Any

import pytest

from sessionkit import (
    Event,
    EventKind,
    Exchange,
    Session,
    SessionStore,
)
from sessionkit._exchange.exchange import Phase
from sessionkit._exchange.request import HeaderRequest
from sessionkit._frameworks.contents import (
    LazyContents,
)
from sessionkit.testing import session_cookies

from .live_contents import ANN, SECRET, begin


def put_in_place(exchange, found):
    """What stands in the place of the session object once an object that was put there was taken over."""
    contents = LazyContents(exchange)
    attributes: dict[str, Any] = {"session": contents}
    contents.stand_in(attributes)
    attributes["session"] = found
    exchange.place.take_over()
    return "itself" if attributes["session"] is contents else attributes["session"]


def test_a_dict_in_the_place_of_the_session_object_replaces_the_contents():
    contents, exchange = begin()
    contents["cart"] = ["tea"]
    assert put_in_place(exchange, {"n": 1}) == "itself"
    assert dict(exchange.contents) == {"n": 1}
    assert put_in_place(exchange, {}) == "itself"
    assert dict(exchange.contents) == {}


@pytest.mark.parametrize("kind", ["another of the request", "live", "nothing", "of a database"])
def test_what_is_no_dict_of_the_application_is_left_alone(kind):
    contents, exchange = begin()
    contents["cart"] = ["tea"]
    other, _ = begin()
    other["n"] = 1
    found = {
        "another of the request": contents, "live": other.exchange.contents, "nothing": None, "of a database": object(),
    }  # fmt: skip
    assert put_in_place(exchange, found[kind]) is found[kind]
    assert dict(contents) == {"cart": ["tea"]}


def test_a_session_that_the_application_made_replaces_the_contents():
    _, exchange = begin()
    assert put_in_place(exchange, Session({"n": 1})) == "itself"
    assert dict(exchange.contents) == {"n": 1}


@pytest.mark.parametrize(("late", "told"), [({}, [EventKind.LATE_CHANGE]), ({"n": 1}, [])])
def test_a_dict_that_comes_after_the_response_has_started_is_reported(late, told):
    heard: list[Event] = []
    with SessionStore(SECRET, on_event=heard.append).exchange() as exchange:
        exchange.contents["n"] = 1
        attributes: dict[str, Any] = {}
        LazyContents(exchange).stand_in(attributes)
        exchange.commit()
        attributes["session"] = late
    assert told == [event.kind for event in heard]


def lose(act, *, start=None):
    """The kinds of events once a request has acted on a dict that it had put in the place of its session, and the contents."""
    heard: list[Event] = []
    store = SessionStore(SECRET, on_event=heard.append)
    with store.exchange(session_cookies(store, ANN)) as exchange:
        attributes: dict[str, Any] = {}
        LazyContents(exchange).stand_in(attributes)
        attributes["session"] = given = start or {**ANN, "cart": ["tea"], "n": 1}
        act(exchange, given, attributes)
        if exchange.phase is Phase.OPEN:
            exchange.place.take_over()
    return [event.kind for event in heard], dict(exchange.contents)


def update(exchange, **more):
    exchange.place.take_over()
    assert exchange.update({**exchange.get(), **more})


def put_again(exchange, given, attributes):
    update(exchange, n=2)
    given["n"] = 3
    attributes["session"] = given
    exchange.place.take_over()


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (lambda given: given.update(n=3), 2),
        (lambda given: given.update(late=3), 2),
        (lambda given: given.pop("n"), 2),
        (lambda given: given.update(n=True), 2),
        (lambda given: given.update(n=1.0), 2),
        (lambda given: given.update(n=object()), 2),
    ],
)
def test_a_change_of_a_detached_dict_is_reported(change, left):
    def act(exchange, given, _):
        update(exchange, n=2)
        change(given)

    told, contents = lose(act)
    assert (told, contents["n"]) == ([EventKind.DETACHED_CHANGE], left)


@pytest.mark.parametrize(
    ("act", "left"),
    [
        (lambda exchange, given, _: update(exchange, n=2), 2),
        (lambda exchange, given, _: (update(exchange, n=2), given.update(n=2)), 2),
        (lambda exchange, given, _: (update(exchange, n=2), given["cart"].append("milk")), 2),
        (lambda exchange, given, _: (update(exchange, n=2), given.update(n=1)), 2),
        (lambda exchange, given, _: (exchange.place.take_over(leaving=True), given.update(n=4)), 4),
        (put_again, 3),
    ],
)
def test_a_change_that_is_kept_all_the_same_is_not_reported(act, left):
    told, contents = lose(act)
    assert (told, contents["n"]) == ([], left)


def test_a_change_of_a_detached_dict_after_a_logout_is_reported():
    def act(exchange, given, _):
        exchange.place.take_over()
        exchange.delete()
        given["n"] = 2

    assert lose(act) == ([EventKind.DETACHED_CHANGE], {})


def test_a_change_of_a_dict_after_the_response_has_started_is_reported():
    def act(exchange, given, _):
        exchange.place.take_over()
        exchange.commit()
        given["n"] = 2

    assert lose(act)[0] == [EventKind.DETACHED_CHANGE]


def test_a_dict_that_was_put_there_unchanged_again_replaces_what_a_verb_wrote():
    def act(exchange, given, attributes):
        update(exchange, n=2)
        attributes["session"] = given
        exchange.place.take_over()

    told, contents = lose(act)
    assert (told, contents["n"]) == ([], 1)


def test_a_dict_whose_values_can_no_longer_be_read_is_reported():
    class Mean(UserDict):
        def __getitem__(self, key):
            if self.mean:
                raise RuntimeError
            return super().__getitem__(key)

        mean = False

    def act(exchange, given, _):
        exchange.place.take_over()
        exchange.commit()
        given.mean = True

    assert lose(act, start=Mean(ANN))[0] == [EventKind.LATE_CHANGE]


def test_the_places_of_applications_one_inside_the_other_may_be_closed_in_any_order():
    heard: list[Event] = []
    with SessionStore(SECRET, on_event=heard.append).exchange() as exchange:
        holders: list[dict[str, Any]] = [{}, {}, {}]
        places = [LazyContents(exchange).stand_in(holder) for holder in holders]
        holders[2]["session"] = {"n": 1}
        exchange.place.take_over()
        places[1].close()
        assert (exchange.place, places[2].before) == (places[2], places[0])
        places[0].close()
        assert (exchange.place, places[2].before) == (places[2], None)
    assert exchange.place is None
    assert dict(exchange.contents) == {"n": 1}


def test_what_was_put_there_for_a_response_that_never_came_is_rolled_back_and_reported():
    heard: list[Event] = []
    exchange = Exchange(SessionStore(SECRET, on_event=heard.append).settings, HeaderRequest(""))
    attributes: dict[str, Any] = {}
    LazyContents(exchange).stand_in(attributes)
    attributes["session"] = {"n": 1}
    exchange.finish()
    assert [EventKind.ROLLED_BACK] == [event.kind for event in heard]


def replace_by(acts):
    """The contents, and the attribute, after acts on the attributes of a request whose session is in a place."""
    contents, exchange = begin()
    contents["n"] = 0
    attributes: dict[str, Any] = {"session": contents}
    contents.stand_in(attributes)
    place = exchange.place
    for act in acts:
        act(place, attributes)
    place.take_over()
    return dict(exchange.contents), attributes["session"] is contents


READ, WRITE = (
    lambda place, _: place.take_over(leaving=True),
    lambda place, _: place.take_over(),
)


@pytest.mark.parametrize(
    ("acts", "left"),
    [
        ([], {"n": 0}),
        ([READ, WRITE], {"n": 0}),
        ([lambda _, attributes: attributes.update(session={})], {}),
        ([lambda _, attributes: attributes.update(session={"n": 1}), WRITE], {"n": 1}),
        ([lambda _, attributes: attributes.update(session={"n": 1}), READ, READ], {"n": 1}),
        (
            [
                lambda _, attributes: attributes.update(session={"n": 1}),
                READ,
                lambda _, attributes: attributes["session"].update(n=2),
            ],
            {"n": 2},
        ),
        (
            [
                lambda _, attributes: attributes.update(session={"n": 1}),
                READ,
                lambda _, attributes: attributes.update(session={"n": 2}),
            ],
            {"n": 2},
        ),
    ],
)
def test_a_place_takes_over_what_was_put_there_and_is_the_session_objects_again(acts, left):
    assert replace_by(acts) == (left, True)


def test_what_a_verb_has_read_does_not_replace_a_later_change_of_the_session():
    contents, exchange = begin()
    attributes: dict[str, Any] = {"session": {"n": 1}}
    contents.stand_in(attributes)
    place = exchange.place
    place.take_over(leaving=True)
    contents["n"] = 2
    place.take_over()
    assert dict(exchange.contents) == {"n": 2}


@pytest.mark.parametrize(
    ("change", "left", "told"),
    [
        (lambda given: given.update(b=2), {"n": 1, "a": 1, "b": 2}, []),
        (lambda given: given.pop("n"), {"a": 1}, []),
        (lambda given: given.update(a=1), {"n": 1, "a": 1}, []),
        (lambda given: given.update(a=2), {"n": 1, "a": 1}, [EventKind.DETACHED_CHANGE]),
        (lambda given: given.update(list=[2]), {"n": 1, "a": 1, "list": [2]}, []),
    ],
)
def test_changes_of_the_session_and_of_a_dict_in_its_place_are_merged(change, left, told):
    def act(exchange, given, _):
        exchange.place.take_over(leaving=True)
        exchange.contents["a"] = 1
        change(given)

    heard, contents = lose(act, start={**ANN, "n": 1})
    assert (heard, contents) == (told, {**ANN, **left})


@pytest.mark.parametrize(
    "change",
    [
        lambda exchange, given: given["user"].update(name="Ann"),
        lambda exchange, given: exchange.contents["user"].update(name="Ann"),
        lambda exchange, given: exchange.contents.update(user={**ANN["user"], "name": "Ann"}),
        lambda exchange, given: exchange.contents.update(n=2),
    ],
)
def test_a_logout_by_emptying_a_dict_in_the_place_is_kept_beside_other_changes(change):
    contents, exchange = begin()
    exchange.create(ANN)
    attributes: dict[str, Any] = {}
    contents.stand_in(attributes)
    attributes["session"] = given = {"user": dict(ANN["user"]), "n": 1}
    exchange.place.take_over(leaving=True)
    change(exchange, given)
    given.clear()
    exchange.place.take_over()
    assert exchange.get() is None
    assert dict(exchange.contents) == {}


def test_a_request_that_has_ended_lets_go_of_the_place():
    contents, exchange = begin()
    contents.stand_in({})
    exchange.finish()
    assert exchange.place is None
