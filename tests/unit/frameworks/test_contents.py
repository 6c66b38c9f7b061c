"""What adapters build a framework's own session object from."""

from __future__ import annotations

import pytest

from sessionkit import (
    Absence,
    BackendError,
    CookieSettings,
    Exchange,
    IdentityChangedError,
    Lifetime,
    SessionStore,
)
from sessionkit._exchange.framework_keys import FrameworkKeys
from sessionkit._exchange.request import HeaderRequest
from sessionkit._frameworks.contents import (
    LazyContents,
    find_or_open_exchange,
    find_serving,
)
from sessionkit._frameworks.session_place import Snapshot
from sessionkit._requests.gateway import Gateway

from ..kept import KeptScene
from .live_contents import KEYS, SECRET, begin

ENDING = FrameworkKeys(
    ends=lambda contents, updated_at: updated_at + contents.get("seconds", 10**9)
)


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
