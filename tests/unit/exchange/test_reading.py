"""What a request sees of its session: get, and what can be asked without looking."""

import pytest

from sessionkit import Absence, Event, EventKind, SessionStore, anyone  # fmt: skip
from sessionkit._exchange.exchange import COMMITTED, ENDED, OPEN
from sessionkit._exchange.framework_keys import FrameworkKeys
from sessionkit._exchange.request import HOLDER, HeaderRequest
from sessionkit._exchange.unread_exchange import GONE, UnreadExchange
from sessionkit.backends import MemoryBackend
from sessionkit.testing import session_cookies

from ..scene import ALICE, SECRET, START, Browser, Scene, names
from .kinds import DAY, FENCE, NAME, SEEN, kinds

# ---- get


def test_a_session_that_nobody_asked_for_costs_nothing_and_says_nothing(scene, alice):
    scene.clock.wait(3600)
    visit = alice.visit()
    assert visit.commit() == []
    assert visit.exchange.response_headers == []


def test_a_session_has_contents_and_a_stamp(alice):
    session = alice.visit().exchange.get()
    assert ALICE == session
    stamp = session.stamp
    assert (22, START, START, START + DAY) == (
        len(stamp.id),
        stamp.created_at,
        stamp.updated_at,
        stamp.expires_at,
    )


def test_every_get_of_a_request_is_the_same_live_object(alice):
    exchange = alice.visit().exchange
    assert exchange.get() is exchange.get() is exchange.contents


def test_a_look_makes_the_answer_private_and_vary(alice):
    visit = alice.visit()
    visit.exchange.get()
    assert visit.commit() == [("Vary", "Cookie"), ("Cache-Control", "private")]
    assert visit.exchange.response_headers == [("Vary", "Cookie"), ("Cache-Control", "private")]


def test_a_look_in_vain_makes_the_answer_vary(scene):
    visit = scene.browser.visit()
    assert visit.exchange.get() is None
    assert visit.commit() == [("Vary", "Cookie")]


def test_each_get_asks_the_clock(scene, alice):
    exchange = alice.visit().exchange
    assert ALICE == exchange.get()
    exchange.commit()
    scene.clock.wait(DAY)
    assert exchange.get() is None
    assert exchange.absence is Absence.IDLE


def test_an_anonymous_session_is_none_with_its_reason_and_its_contents(scene):
    visit = scene.browser.visit()
    visit.exchange.contents["cart"] = [1]
    visit.arrive()
    exchange = scene.browser.visit().exchange
    assert exchange.get() is None
    assert exchange.absence is Absence.ANONYMOUS
    assert exchange.contents == {"cart": [1]}


def test_with_the_guard_anyone_such_a_session_is_one():
    scene = Scene(guard=anyone)
    visit = scene.browser.visit()
    visit.exchange.contents["cart"] = [1]
    visit.arrive()
    assert scene.browser.session() == {"cart": [1]}


def test_a_session_has_no_absence(alice):
    assert alice.visit().exchange.absence is None


def test_a_refused_cookie_is_told_and_none_at_all_is_not(scene):
    scene.store.begin(HeaderRequest("")).get()
    assert [] == scene.events
    scene.store.begin(HeaderRequest(f"{NAME}=garbage")).get()
    assert [Event(kind=EventKind.REFUSED, reason=Absence.MALFORMED)] == scene.events


# ---- what can be asked without looking


def test_an_answer_about_a_session_that_nobody_asked_for_changes_nothing(alice):
    exchange = alice.visit().exchange
    assert exchange.answer(200, [("A", "1")]).applied([("A", "1")]) == [("A", "1")]
    assert exchange.looked_at is False
    assert exchange.phase is OPEN


def test_an_answer_closes_nothing(alice):
    exchange = alice.visit().exchange
    exchange.get()["theme"] = "dark"
    assert [NAME] == names(
        [value for name, value in exchange.answer(200, []).add if name == "Set-Cookie"]
    )
    exchange.get()["theme"] = "light"
    assert exchange.looked_at is True


def test_what_nobody_asked_for_can_be_closed_at_once(alice):
    unread, read = alice.visit().exchange, alice.visit().exchange
    read.get()
    assert (unread.close_unread(), read.close_unread()) == (True, False)
    assert (unread.phase, read.phase) == (COMMITTED, OPEN)


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lambda exchange: None, False),
        (lambda exchange: exchange.get(), False),
        (lambda exchange: exchange.touch(), False),
        (lambda exchange: exchange.update(exchange.get()), False),
        (lambda exchange: exchange.get()["user"].update(name="A"), True),
        (lambda exchange: exchange.update({**exchange.get(), "theme": "dark"}), True),
        (lambda exchange: exchange.rotate(), True),
        (lambda exchange: exchange.create(ALICE), True),
        (lambda exchange: exchange.delete(), True),
    ],
)
def test_whether_a_session_was_changed_can_be_asked(alice, act, expected):
    exchange = alice.visit().exchange
    act(exchange)
    assert exchange.changed is expected


def test_nothing_that_stays_nothing_is_unchanged(scene):
    exchange = scene.browser.visit().exchange
    exchange.get()
    assert exchange.changed is False


def test_an_exchange_that_ends_unread_leaves_only_whose_it_was_in_its_request(scene):
    request = HeaderRequest()
    outer, exchange = scene.store.begin(request), scene.store.begin(request)
    request.holder[HOLDER], exchange.outer = exchange, outer
    outer.finish()
    exchange.finish()
    left = request.holder[HOLDER]
    assert [type(left), type(left.outer)] == [UnreadExchange, UnreadExchange]
    assert [left.settings, left.owned] == [scene.store.settings, True]


def test_an_exchange_that_ends_after_it_was_read_stays_and_lets_go_of_its_request(scene):
    request = HeaderRequest(scene.browser.jar.header())
    exchange = request.holder[HOLDER] = scene.store.begin(request)
    exchange.get()
    exchange.finish()
    assert request.holder[HOLDER] is exchange
    assert exchange.request is GONE
    exchange.finish()  # a server may say so twice
    assert exchange.phase is ENDED


# ---- a session that ends while the request is served


def test_a_session_that_expires_before_the_response_is_not_saved_and_that_is_told(scene, alice):
    visit = alice.visit()
    visit.exchange.get()["theme"] = "dark"
    scene.clock.wait(DAY)
    assert visit.answer() == []
    assert [EventKind.EXPIRED_UNSAVED] == kinds(scene)


def test_a_look_at_a_changed_session_that_has_expired_tells_too(scene, alice):
    exchange = alice.visit().exchange
    exchange.get()["theme"] = "dark"
    scene.clock.wait(DAY)
    assert exchange.get() is None
    assert [EventKind.EXPIRED_UNSAVED] == kinds(scene)


def test_a_page_of_a_session_that_has_expired_since_is_kept_from_shared_caches(scene, alice):
    visit = alice.visit()
    assert visit.exchange.get() == ALICE
    scene.clock.wait(DAY)
    assert visit.exchange.get() is None
    assert visit.commit() == [("Vary", "Cookie"), ("Cache-Control", "private")]


def test_an_unchanged_session_that_expires_says_nothing(scene, alice):
    visit, other = alice.visit(), alice.visit()
    visit.exchange.get()
    other.exchange.get()
    scene.clock.wait(DAY)
    assert visit.exchange.get() is None
    assert visit.answer() == other.answer() == []
    assert [] == scene.events


def test_a_refused_cookie_is_left_to_its_max_age(scene, alice):
    scene.clock.wait(DAY)
    visit = alice.visit()
    assert visit.exchange.get() is None
    assert visit.answer() == []


# ---- an anonymous session


def test_an_anonymous_session_that_is_emptied_is_cleared(scene):
    visit = scene.browser.visit()
    visit.exchange.contents["cart"] = [1]
    assert [NAME] == names(visit.arrive())
    visit = scene.browser.visit()
    visit.exchange.contents.clear()
    assert ["-" + NAME, "-" + SEEN, FENCE] == names(visit.arrive())


def test_one_that_was_begun_and_emptied_in_one_request_leaves_nothing(scene):
    visit = scene.browser.visit()
    visit.exchange.contents["cart"] = [1]
    visit.exchange.contents.clear()
    assert visit.answer() == []


def test_an_assignment_that_leaves_nothing_begins_nothing(scene):
    visit = scene.browser.visit()
    visit.exchange.contents.pop("cart", None)
    assert visit.exchange.contents.stamp is None
    assert visit.answer() == []


def test_an_empty_session_that_passes_the_guard_is_kept():
    scene = Scene(guard=anyone, identity=lambda session: None)
    visit = scene.browser.visit()
    visit.exchange.contents["a"] = 1
    visit.exchange.contents.clear()
    assert [NAME] == names(visit.answer())


@pytest.mark.parametrize("framework", [None, FrameworkKeys()], ids=["plain", "framework"])
@pytest.mark.parametrize(
    ("verb", "sets"),
    [
        (lambda exchange: exchange.get(), []),
        (lambda exchange: exchange.contents.get("cart"), []),
        (lambda exchange: exchange.update({}), []),
        (lambda exchange: exchange.touch(), [SEEN]),
        (lambda exchange: exchange.rotate(), [NAME, FENCE]),
        (lambda exchange: exchange.create({}), [NAME, FENCE]),
    ],
    ids=["get", "contents", "update", "touch", "rotate", "create"],
)
def test_an_empty_session_that_passes_the_guard_is_ended_by_no_read_and_no_such_verb(
    verb, sets, framework
):
    scene = Scene(guard=anyone)
    if framework is not None:
        scene.browser.store = scene.store.for_framework(framework)
    scene.browser.login({})
    visit = scene.browser.visit()
    verb(visit.exchange)
    assert sets == names(visit.arrive())
    assert scene.browser.visit().exchange.get() == {}


def test_an_empty_record_that_passes_the_guard_is_deleted_by_no_read():
    store = SessionStore(SECRET, guard=anyone, backend=MemoryBackend())
    store = store.for_framework(FrameworkKeys())
    cookies = session_cookies(store, {})
    for _ in range(2):
        with store.exchange(cookies) as exchange:
            assert store.get_session() == {}
        assert "Set-Cookie" not in dict(exchange.response_headers)


@pytest.mark.parametrize("framework", [None, FrameworkKeys()], ids=["plain", "framework"])
def test_an_update_that_empties_a_session_is_no_logout(framework):
    scene = Scene(guard=anyone)
    if framework is not None:
        scene.browser.store = scene.store.for_framework(framework)
    scene.browser.login({"cart": [1]})
    visit = scene.browser.visit()
    assert visit.exchange.update({}) is True
    assert [NAME] == names(visit.arrive())
    assert scene.browser.visit().exchange.get() == {}


def test_an_empty_session_that_is_emptied_again_after_a_logout_is_ended():
    scene = Scene(guard=anyone)
    scene.browser.store = scene.store.for_framework(FrameworkKeys())
    scene.browser.login({})
    visit = scene.browser.visit()
    visit.exchange.delete()
    visit.exchange.contents["cart"] = [1]
    visit.exchange.contents.clear()
    assert ["-" + NAME, "-" + SEEN, FENCE] == names(visit.arrive())


def test_an_empty_anonymous_session_is_left_by_a_read():
    clock = Scene().clock
    jar = Browser(SessionStore(SECRET, guard=anyone, clock=clock), clock)
    jar.login({})
    jar.store = SessionStore(SECRET, clock=clock)
    visit = jar.visit()
    assert visit.exchange.get() is None
    assert [] == visit.answer()
