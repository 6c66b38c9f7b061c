"""What adapters build a framework's own session object from."""

from __future__ import annotations

from collections import UserDict
from typing import Any

import pytest

from sessionkit import (
    Absence,
    BackendError,
    CookieSettings,
    Event,
    EventKind,
    Exchange,
    IdentityChangedError,
    Lifetime,
    Session,
    SessionStore,
)
from sessionkit._exchange.exchange import Phase
from sessionkit._exchange.framework_keys import FrameworkKeys
from sessionkit._exchange.request import HeaderRequest
from sessionkit._frameworks.contents import (
    LazyContents,
    Snapshot,
    find_or_open_exchange,
    find_serving,
)
from sessionkit._requests.gateway import Gateway
from sessionkit.testing import session_cookies

from ..kept import KeptScene

ANN = {"user": {"sub": "ann"}}
SECRET = "native tests: 0123456789abcdefghijklmnopqrstuvwxyz"
KEYS = FrameworkKeys(
    login=("_user_id",),
    dropped=("csrf_token", "_state_*"),
    transient=lambda contents: contents.get("brief"),
)
ENDING = FrameworkKeys(
    ends=lambda contents, updated_at: updated_at + contents.get("seconds", 10**9)
)


def begin(header: str = "", **named) -> tuple[LazyContents, Exchange]:
    store = SessionStore(SECRET, **named)
    exchange = Exchange(Gateway(None, store, framework=KEYS).settings, HeaderRequest(header))
    return LazyContents(exchange), exchange


def jar(exchange: Exchange) -> str:
    lines = [value for name, value in exchange.commit().add if name == "Set-Cookie"]
    return "; ".join(line.partition(";")[0] for line in lines if "Max-Age=0" not in line)


def lines(exchange: Exchange) -> list[str]:
    return [value for name, value in exchange.commit().add if name == "Set-Cookie"]


def test_nothing_is_read_before_it_is_used():
    _, exchange = begin("__Host-session=x")
    assert not exchange.looked_at
    assert not exchange.changed


def test_looking_at_it_is_no_change():
    contents, exchange = begin("__Host-session=x")
    assert dict(contents) == {}
    assert exchange.looked_at
    assert not exchange.changed


def test_assigning_begins_an_anonymous_session_with_an_id():
    contents, exchange = begin()
    assert contents.id is None
    contents["cart"] = [1]
    assert exchange.changed
    assert contents.stamp is not None
    assert contents.id == contents.stamp.id
    assert exchange.get() is None


def test_a_nested_change_is_seen_as_one():
    contents, exchange = begin()
    contents["cart"] = {"items": []}
    contents, exchange = begin(jar(exchange))
    contents["cart"]["items"].append(1)
    assert exchange.changed
    assert contents.copy() == {"cart": {"items": [1]}}


def test_a_change_taken_back_is_none():
    contents, exchange = begin()
    contents["a"] = 1
    contents, exchange = begin(jar(exchange))
    contents["b"] = 2
    del contents["b"]
    assert not exchange.changed


def test_a_login_key_makes_a_new_session_and_drops_what_must_not_cross():
    contents, exchange = begin()
    contents.update({"cart": [1], "csrf_token": "x", "_state_google": 1})
    before, cookie = contents.id, jar(exchange)
    contents, exchange = begin(cookie)
    contents["_user_id"] = "7"
    assert contents.copy() == {"cart": [1], "_user_id": "7"}
    assert contents.id != before
    assert [line.partition("=")[0] for line in lines(exchange)] == [
        "__Host-session",
        "__Host-out.session",
    ]


def test_clearing_a_login_is_a_logout_in_one_step():
    contents, exchange = begin()
    contents["_user_id"] = "7"
    contents, exchange = begin(jar(exchange))
    contents.clear()
    assert len(contents) == 0
    assert [line.partition("=")[0] for line in lines(exchange)] == [
        "__Host-session",
        "__Host-seen.session",
        "__Host-out.session",
    ]


def test_its_repr_shows_no_value():
    contents, _ = begin()
    contents["token"] = "canary"
    assert repr(contents) == "<LazyContents keys=['token']>"


def test_its_repr_in_an_outage_says_that_it_was_not_loaded():
    scene = KeptScene()
    scene.browser.login()
    exchange = scene.store.begin(HeaderRequest(scene.browser.jar.header()))
    exchange.supply(BackendError("the session backend is down"))
    assert repr(LazyContents(exchange)) == "<LazyContents, not loaded>"


@pytest.mark.parametrize(
    ("transient", "brief", "max_age"),
    [(False, None, True), (False, True, False), (True, None, False), (True, False, True)],
)
def test_a_session_may_say_itself_whether_the_browser_forgets_it(transient, brief, max_age):
    contents, exchange = begin(cookie=CookieSettings(transient=transient))
    contents["a"] = 1
    if brief is not None:
        contents["brief"] = brief
    assert [max_age] == ["Max-Age" in line for line in lines(exchange)]


def test_a_renewal_is_as_transient_as_the_session():
    now = 1_800_000_000
    contents, exchange = begin(clock=lambda: now, lifetime=Lifetime(idle=1000))
    contents.update({"a": 1, "brief": True})
    contents, exchange = begin(jar(exchange), clock=lambda: now + 500, lifetime=Lifetime(idle=1000))
    assert contents["a"] == 1
    (line,) = lines(exchange)
    assert line.startswith("__Host-seen.session=")
    assert "Max-Age" not in line


def ending(header: str, now: int) -> Exchange:
    store = SessionStore(SECRET, clock=lambda: now, lifetime=Lifetime(idle=1000))
    return Exchange(Gateway(None, store, framework=ENDING).settings, HeaderRequest(header))


@pytest.mark.parametrize(("after", "absence"), [(99, None), (100, Absence.EXPIRED)])
def test_a_session_may_end_by_its_own_word(after, absence):
    exchange = ending("", 1_800_000_000)
    exchange.create({"user": {"sub": "ann"}, "seconds": 100})
    assert absence is ending(jar(exchange), 1_800_000_000 + after).absence


def test_activity_counts_for_the_end_that_a_session_gives_itself():
    exchange = ending("", 1_800_000_000)
    exchange.create({"user": {"sub": "ann"}, "seconds": 100})
    session = jar(exchange)
    renewed = ending(session, 1_800_000_000 + 99)
    assert renewed.absence is None
    assert ending(f"{session}; {jar(renewed)}", 1_800_000_000 + 198).absence is None


def test_a_session_does_not_outlive_the_stores_lifetime_by_its_own_word():
    exchange = ending("", 1_800_000_000)
    exchange.create({"user": {"sub": "ann"}, "seconds": 5000})
    assert ending(jar(exchange), 1_800_000_000 + 1000).absence is Absence.IDLE


def test_the_exchange_shown_is_the_gateways():
    store, request = SessionStore(SECRET), HeaderRequest()
    gateway = Gateway(None, store, framework=KEYS)
    exchange, owner = gateway.enter(request)
    assert owner
    assert exchange is find_or_open_exchange(request, gateway.settings)


def test_without_a_gateway_the_request_keeps_one_that_nobody_answers():
    store, request = SessionStore(SECRET), HeaderRequest()
    exchange = find_or_open_exchange(request, store.settings)
    assert exchange is not None
    assert not exchange.owned
    assert exchange is find_or_open_exchange(request, store.settings)


def test_another_stores_exchange_is_not_shown():
    store, other, request = (
        SessionStore(SECRET),
        SessionStore(SECRET, cookie=CookieSettings(name="other")),
        HeaderRequest(),
    )
    outer, _ = Gateway(None, other).enter(request)
    exchange = find_or_open_exchange(request, store.settings)
    assert exchange is not None
    assert exchange is not outer
    assert outer is exchange.outer


def test_an_excluded_path_has_none():
    store, request = SessionStore(SECRET), HeaderRequest()
    Gateway(None, store).leave_out(request)
    assert find_or_open_exchange(request, store.settings) is None


def nested(header: str = "") -> tuple[LazyContents, Exchange, Exchange]:
    """A gateway of the store, and one for a framework inside it."""
    store, request = SessionStore(SECRET), HeaderRequest(header)
    outer, _ = Gateway(None, store).enter(request)
    outer.get()
    exchange, owner = Gateway(None, store, framework=KEYS).enter(request)
    assert not owner
    return LazyContents(exchange), exchange, outer


def test_a_login_through_a_framework_inside_another_gateway_of_the_store_is_one():
    contents, exchange = begin()
    contents.update({"cart": [1], "csrf_token": "x"})
    before, cookie = contents.id, jar(exchange)
    contents, exchange, outer = nested(cookie)
    assert exchange is outer
    contents["_user_id"] = "7"
    assert contents.copy() == {"cart": [1], "_user_id": "7"}
    assert contents.id != before
    assert exchange.get() is not None
    assert [line.partition("=")[0] for line in lines(outer)] == [
        "__Host-session",
        "__Host-out.session",
    ]


def test_a_frameworks_login_that_came_is_known_inside_another_gateway_of_the_store():
    contents, exchange = begin()
    contents["_user_id"] = "7"
    contents, exchange, _ = nested(jar(exchange))
    assert exchange.get() == {"_user_id": "7"}
    contents["_user_id"] = "8"
    assert "__Host-out.session" in [line.partition("=")[0] for line in lines(exchange)]


def test_what_was_made_of_a_user_before_the_framework_is_still_refused():
    store, request = SessionStore(SECRET), HeaderRequest()
    outer, _ = Gateway(None, store).enter(request)
    outer.create({"user": {"sub": "ann"}})
    request = HeaderRequest(jar(outer))
    outer, _ = Gateway(None, store).enter(request)
    session = outer.get()
    assert session is not None
    session["user"]["sub"] = "eve"
    Gateway(None, store, framework=KEYS).enter(request)
    with pytest.raises(IdentityChangedError):
        outer.commit()


def test_a_framework_inside_another_gateway_of_the_store_reads_nothing_before_it_is_asked():
    store, request = SessionStore(SECRET), HeaderRequest()
    outer, _ = Gateway(None, store).enter(request)
    exchange, _ = Gateway(None, store, framework=KEYS).enter(request)
    assert exchange.looked_at is False
    LazyContents(exchange)["_user_id"] = "7"
    assert outer.get() == {"_user_id": "7"}


def test_it_is_joined_and_read_backwards_like_a_dict():
    contents, _ = begin()
    contents.update({"a": 1, "b": 2})
    contents |= {"c": 3}
    assert contents | {"d": 4} == {"a": 1, "b": 2, "c": 3, "d": 4}
    assert {"a": 0, "d": 4} | contents == {"a": 1, "d": 4, "b": 2, "c": 3}
    assert list(reversed(contents)) == ["c", "b", "a"]


def test_what_was_written_last_is_popped_first_as_of_a_dict():
    contents, _ = begin()
    contents.update({"a": 1, "b": 2})
    assert [contents.popitem(), contents.popitem()] == [("b", 2), ("a", 1)]
    with pytest.raises(KeyError):
        contents.popitem()


def test_a_plain_gateway_inside_changes_nothing_of_how_a_framework_is_served():
    store, request = SessionStore(SECRET), HeaderRequest()
    exchange, _ = Gateway(None, store).enter(request)
    Gateway(None, store).enter(request)
    assert exchange.settings is store.settings
    framework = Gateway(None, store, framework=KEYS)
    for gateway in (
        framework,
        Gateway(None, store),
        framework,
        Gateway(None, store, framework=KEYS),
    ):
        assert gateway.enter(request) == (exchange, False)
    assert exchange.settings is framework.settings


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_frameworks_one_inside_the_other_the_keys_of_both_count(order):
    store, request = SessionStore(SECRET), HeaderRequest()
    plain = FrameworkKeys(dropped=("own",), ends=lambda contents, updated_at: 10**10)
    for keys in (KEYS, plain)[::order] * 2:
        exchange, _ = Gateway(None, store, framework=keys).enter(request)
    served = exchange.settings
    assert served.framework is not None
    assert [served.framework.drops(key) for key in ("csrf_token", "own", "other")] == [
        True,
        True,
        False,
    ]
    assert [served.framework.transient, served.framework.ends] == [KEYS.transient, plain.ends]
    assert served.same_store(store.settings)
    LazyContents(exchange)["_user_id"] = "7"
    assert exchange.get() == {"_user_id": "7"}


def test_what_serves_a_request_is_found_without_its_store():
    store, request = SessionStore(SECRET), HeaderRequest("")
    assert find_serving(request) is None
    exchange, _ = Gateway(None, store).enter(request)
    assert find_serving(request) is exchange
    exchange.finish()
    assert find_serving(request) is None


def test_nothing_serves_an_excluded_path():
    request = HeaderRequest("", path="/a")
    Gateway(None, SessionStore(SECRET), exclude="/a").leave_out(request)
    assert find_serving(request) is None


def test_a_snapshot_differs_once_a_nested_value_has_changed():
    with SessionStore(SECRET).exchange() as exchange:
        exchange.contents["cart"] = [1]
        snapshot = Snapshot(exchange.contents)
        assert snapshot.differs_from(exchange.contents) is False
        exchange.contents["cart"].append(2)
        assert snapshot.differs_from(exchange.contents) is True
        exchange.contents["cart"].pop()
        assert snapshot.differs_from(exchange.contents) is False


# ---- what an application puts in the place of the session object


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
