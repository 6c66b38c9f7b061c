"""One request's session: what came, what the verbs make of it, and what the response says."""

import copy
import pickle
import threading
from collections import OrderedDict
from decimal import Decimal

import pytest

from sessionkit import (
    Absence,
    CookieSettings,
    Event,
    EventKind,
    IdentityChangedError,
    Ignored,
    Lifetime,
    Native,
    ResponseStartedError,
    SerializationError,
    SessionTooLargeError,
    anyone,
)  # fmt: skip
from sessionkit.exchange import COMMITTED, ENDED, GONE, OPEN, Exchange, Unread
from sessionkit.formats.codec import Opened
from sessionkit.incoming import Incoming
from sessionkit.live import Live
from sessionkit.request import HOLDER, HeaderRequest
from sessionkit.settings import NativeKeys

from .foreign_format import Plain, PlainCodec
from .scene import ALICE, BOB, START, Scene, cookie, names

NAME, SEEN, FENCE = "__Host-session", "__Host-seen.session", "__Host-out.session"
DAY = 86_400


@pytest.fixture
def scene():
    return Scene()


@pytest.fixture
def alice(scene):
    """A browser that is signed in."""
    scene.browser.login()
    return scene.browser


def kinds(scene):
    return [event.kind for event in scene.events]


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


# ---- update


def test_an_update_replaces_the_contents_and_keeps_id_and_creation_time(scene, alice):
    before = alice.visit().exchange.get().stamp
    scene.clock.wait(100)
    alice.update(theme="dark")
    session = alice.visit().exchange.get()
    assert {**ALICE, "theme": "dark"} == session
    assert (before.id, before.created_at, START + 100) == (
        session.stamp.id,
        session.stamp.created_at,
        session.stamp.updated_at,
    )


def test_an_update_is_seen_by_the_next_get_of_the_request(alice):
    exchange = alice.visit().exchange
    exchange.update({**exchange.get(), "theme": "dark"})
    assert exchange.get()["theme"] == "dark"


def test_a_change_in_place_is_saved_nested_ones_too(alice):
    visit = alice.visit()
    session = visit.exchange.get()
    session["list"] = [1]
    session["user"]["name"] = "Alice"
    visit.arrive()
    assert {"user": {**ALICE["user"], "name": "Alice"}, "list": [1]} == alice.session()


def test_an_update_to_what_is_there_already_sends_nothing(alice):
    visit = alice.visit()
    assert visit.exchange.update(dict(visit.exchange.get())) is True
    assert visit.answer() == []


def test_the_live_session_itself_may_be_given(alice):
    visit = alice.visit()
    session = visit.exchange.get()
    session["theme"] = "dark"
    assert visit.exchange.update(session) is True
    visit.arrive()
    assert alice.session()["theme"] == "dark"


@pytest.mark.parametrize(
    ("session", "why"),
    [
        (None, Ignored.NO_SESSION),
        ({}, Ignored.NO_USER),
        ({"theme": "dark"}, Ignored.NO_USER),
        ({"user": None}, Ignored.NO_USER),
        (BOB, Ignored.OTHER_USER),
        ({"user": {"sub": "alice"}}, Ignored.OTHER_USER),
    ],
)
def test_an_update_that_would_log_in_or_out_does_nothing_and_says_why(scene, alice, session, why):
    visit = alice.visit()
    assert visit.exchange.update(session) is False
    assert [Event(kind=EventKind.UPDATE_IGNORED, reason=why)] == scene.events
    assert visit.answer() == []
    assert ALICE == visit.exchange.get()


def test_an_update_without_argument_does_nothing(alice):
    assert alice.visit().exchange.update() is False


def test_an_update_without_a_session_does_nothing(scene):
    visit = scene.browser.visit()
    assert visit.exchange.update(ALICE) is False
    assert [Event(kind=EventKind.UPDATE_IGNORED, reason=Ignored.NOT_AUTHENTICATED)] == scene.events
    assert visit.answer() == []


def test_an_update_of_an_anonymous_session_does_not_log_in(scene):
    exchange = scene.browser.visit().exchange
    exchange.contents["cart"] = [1]
    assert exchange.update({"cart": [1], **ALICE}) is False
    assert Ignored.NOT_AUTHENTICATED is scene.events[-1].reason


def test_an_update_that_is_not_json_fails_at_the_call_and_leaves_the_session(alice):
    visit = alice.visit()
    with pytest.raises(
        SerializationError, match=r'session\["user"\]\["joined"\]: object is not JSON'
    ):
        visit.exchange.update({"user": {**ALICE["user"], "joined": object()}})
    assert ALICE == visit.exchange.get()
    assert visit.answer() == []


def test_an_update_that_is_too_large_fails_at_the_call_with_its_three_largest_keys(alice):
    visit = alice.visit()
    with pytest.raises(SessionTooLargeError) as caught:
        visit.exchange.update({**ALICE, "a": "x" * 9000, "b": "x" * 200, "c": "x" * 100, "d": "x"})
    assert "max_bytes allows 7168" in str(caught.value)
    assert "'a' (9006 bytes), 'b' (206 bytes), 'c' (106 bytes)." in str(caught.value)
    assert ALICE == visit.exchange.get()


def test_max_bytes_counts_what_the_cookies_add_to_a_header():
    scene = Scene(cookie=CookieSettings(max_bytes=512))
    size = 1
    while True:
        browser = scene.another_browser()
        visit = browser.visit()
        try:
            visit.exchange.create({**ALICE, "a": "x" * size})
        except SessionTooLargeError as error:
            assert "makes 51" in str(error)
            break
        visit.arrive()
        assert len(browser.jar.header()) + 2 <= 512
        size += 1
    assert size > 50


@pytest.mark.parametrize(
    ("status", "kept"),
    [(200, True), (302, True), (404, True), (499, True), (500, False), (503, False)],
)
def test_a_response_of_500_and_more_rolls_an_update_back(scene, alice, status, kept):
    visit = alice.visit()
    visit.exchange.update({**ALICE, "theme": "dark"})
    visit.arrive(status)
    assert kept is ("theme" in alice.session())
    assert (EventKind.ROLLED_BACK in kinds(scene)) is not kept


# ---- a change of who the user is, in place

IN_PLACE = {
    "another sub": lambda session: session["user"].update(sub="admin"),
    "the user removed": lambda session: session.pop("user"),
    "the user emptied": lambda session: session["user"].clear(),
    "another user": lambda session: session.update(BOB),
    "cleared": lambda session: session.clear(),
}


@pytest.mark.parametrize("change", IN_PLACE.values(), ids=IN_PLACE)
def test_a_change_in_place_of_who_the_user_is_raises_at_commit_and_saves_nothing(alice, change):
    visit = alice.visit()
    session = visit.exchange.get()
    session["theme"] = "dark"
    change(session)
    with pytest.raises(
        IdentityChangedError, match="create_session to log in, delete_session to log out"
    ):
        visit.commit()
    assert visit.commit(500) == [("Vary", "Cookie"), ("Cache-Control", "private")]
    assert ALICE == alice.session()


def test_a_login_in_place_of_an_anonymous_session_raises_too(scene):
    exchange = scene.browser.visit().exchange
    exchange.contents["cart"] = [1]
    exchange.contents["user"] = {"sub": "admin"}
    with pytest.raises(IdentityChangedError):
        exchange.commit()


def test_a_login_in_place_after_a_logout_raises_even_of_somebody_who_was_there_before(alice):
    exchange = alice.visit().exchange
    live = exchange.create(BOB)
    exchange.delete()
    live.update(BOB)
    with pytest.raises(IdentityChangedError):
        exchange.commit()


def test_a_change_in_place_to_what_is_not_json_raises_at_commit_and_closes_nothing(alice):
    visit = alice.visit()
    session = visit.exchange.get()
    session["user"]["when"] = object()
    with pytest.raises(SerializationError, match="object is not JSON"):
        visit.commit()
    del session["user"]["when"]
    assert visit.answer() == []


@pytest.mark.parametrize(
    "culprit", [object(), float("nan"), "\ud800", {1: 2}, {1, 2}, "x" * 9000], ids=str
)
def test_a_failed_response_never_raises_whatever_is_in_the_session(alice, culprit):
    visit = alice.visit()
    visit.exchange.get()["a"] = culprit
    assert visit.commit(500) == [("Vary", "Cookie"), ("Cache-Control", "private")]
    visit.exchange.finish()


def test_a_session_inside_itself_is_an_error_at_commit_and_none_in_a_failed_response(alice):
    visit = alice.visit()
    session = visit.exchange.get()
    session["self"] = [session]
    with pytest.raises(SerializationError):
        visit.commit()
    assert visit.answer(500) == []


# ---- touch


def test_touch_moves_the_idle_expiry_now_and_sends_the_small_cookie_only(scene, alice):
    scene.clock.wait(1)
    visit = alice.visit()
    assert visit.exchange.touch() is True
    assert [SEEN] == names(visit.arrive())
    assert alice.visit().exchange.get().stamp.expires_at == START + 1 + DAY


def test_touch_without_a_session_or_an_idle_expiry_is_false(scene):
    assert scene.browser.visit().exchange.touch() is False
    fixed = Scene(lifetime=Lifetime(rolling=False))
    fixed.browser.login()
    visit = fixed.browser.visit()
    assert visit.exchange.touch() is False
    assert visit.answer() == []


def test_touch_is_not_skipped_where_a_renewal_is(scene, alice):
    for status, headers in [(304, ()), (200, [("Cache-Control", "public")])]:
        visit = alice.visit(method="OPTIONS")
        visit.exchange.touch()
        assert [SEEN] == names(visit.answer(status, headers))


def test_touch_is_rolled_back_by_a_failed_response(alice):
    visit = alice.visit()
    visit.exchange.touch()
    assert visit.answer(500) == []


def test_touch_acts_on_an_anonymous_session(scene):
    visit = scene.browser.visit()
    visit.exchange.contents["cart"] = [1]
    visit.arrive()
    assert scene.browser.visit().exchange.touch() is True


# ---- renewal


def test_a_look_renews_once_renew_after_has_passed(scene, alice):
    scene.clock.wait(59)
    visit = alice.visit()
    visit.exchange.get()
    assert visit.arrive() == []
    scene.clock.wait(1)
    visit = alice.visit()
    visit.exchange.get()
    lines = visit.arrive()
    assert [SEEN] == names(lines)
    assert f"; Max-Age={DAY};" in lines[0]
    assert len(lines[0]) < 200


def test_a_renewal_is_throttled_by_the_last_renewal(scene, alice):
    for wait, expected in [(60, [SEEN]), (59, []), (1, [SEEN])]:
        scene.clock.wait(wait)
        visit = alice.visit()
        visit.exchange.get()
        assert expected == names(visit.arrive())


def test_a_renewed_session_lives_on_and_an_unrenewed_one_ends(scene, alice):
    scene.clock.wait(DAY - 1)
    visit = alice.visit()
    visit.exchange.get()
    visit.arrive()
    scene.clock.wait(DAY - 1)
    assert ALICE == alice.session()
    scene.clock.wait(1)
    assert alice.session() == {}


def test_no_renewal_moves_the_absolute_end(scene, alice):
    for _ in range(14):
        scene.clock.wait(DAY // 2 - 1)
        visit = alice.visit()
        assert visit.exchange.get() is not None
        visit.arrive()
    scene.clock.wait(14)
    assert alice.session() == {}


@pytest.mark.parametrize(
    ("request_", "status", "headers"),
    [
        ({"method": "OPTIONS"}, 200, ()),
        ({"headers": {"Sec-Purpose": "prefetch"}}, 200, ()),
        ({}, 304, ()),
        ({}, 500, ()),
        ({}, 200, [("Cache-Control", "public, max-age=9")]),
        ({}, 200, [("Cache-Control", "s-maxage=9")]),
        ({}, 200, [("CDN-Cache-Control", "max-age=9")]),
        ({}, 200, [("Surrogate-Control", "max-age=9")]),
    ],
)
def test_a_renewal_is_skipped_where_it_is_not_worth_it(scene, alice, request_, status, headers):
    scene.clock.wait(3600)
    visit = alice.visit(**request_)
    visit.exchange.get()
    assert visit.answer(status, headers) == []


def test_renews_is_the_stores_to_say():
    scene = Scene(renews=lambda request: request.path != "/poll")
    scene.browser.login()
    scene.clock.wait(3600)
    for path, expected in [("/poll", []), ("/", [SEEN])]:
        visit = scene.browser.visit(path=path)
        visit.exchange.get()
        assert expected == names(visit.answer())


def test_with_renew_after_nought_every_look_renews():
    scene = Scene(lifetime=Lifetime(renew_after=0))
    scene.browser.login()
    visit = scene.browser.visit()
    visit.exchange.get()
    assert [SEEN] == names(visit.answer())


def test_a_clock_that_went_back_moves_no_time_back(scene, alice):
    scene.clock.wait(-50)
    alice.update(theme="dark")
    assert alice.visit().exchange.get().stamp.updated_at == START


# ---- create


def test_a_login_gives_a_new_id_a_new_time_and_exactly_the_contents(scene, alice):
    before = alice.visit().exchange.get().stamp
    alice.update(theme="dark")
    scene.clock.wait(10)
    visit = alice.visit()
    session = visit.exchange.create(BOB)
    assert visit.exchange.get() is session
    visit.arrive()
    session = alice.visit().exchange.get()
    assert BOB == session
    assert session.stamp.created_at == START + 10
    assert session.stamp.id != before.id


def test_contents_that_fail_the_guard_are_no_login(scene):
    with pytest.raises(ValueError, match="does not pass the guard"):
        scene.browser.visit().exchange.create({"cart": [1]})


def test_a_login_that_does_not_fit_leaves_the_earlier_session(alice):
    visit = alice.visit()
    with pytest.raises(SessionTooLargeError):
        visit.exchange.create({**BOB, "a": "x" * 9000})
    assert ALICE == visit.exchange.get()
    assert visit.answer() == []


def test_a_first_login_sets_one_cookie_and_no_fence(scene):
    lines = scene.browser.login()
    assert [NAME] == names(lines)
    assert lines[0].endswith(
        f"; Max-Age={7 * DAY}; Path=/; HttpOnly; Secure; SameSite=Lax; Priority=High"
    )


def test_a_login_over_a_session_fences_the_earlier(alice):
    assert [NAME, FENCE] == names(alice.login(BOB))


def test_a_failed_login_ends_the_earlier_session_and_issues_none(scene, alice):
    visit = alice.visit()
    visit.exchange.create(BOB)
    assert ["-" + NAME, "-" + SEEN, FENCE] == names(visit.arrive(500))
    assert alice.session() == {}


def test_a_failed_first_login_says_nothing(scene):
    visit = scene.browser.visit()
    visit.exchange.create(BOB)
    assert visit.answer(500) == []


def test_a_login_whose_session_is_over_before_the_response_still_ends_the_earlier():
    scene = Scene(lifetime=Lifetime(idle=10))
    scene.browser.login()
    visit = scene.browser.visit()
    visit.exchange.create(BOB)
    scene.clock.wait(10)
    visit.arrive()
    scene.clock.wait(-9)
    assert scene.browser.absence() is Absence.NO_COOKIE
    assert EventKind.EXPIRED_UNSAVED in kinds(scene)


def test_a_renewal_cookie_lives_no_longer_than_browsers_keep_one():
    scene = Scene(lifetime=Lifetime(absolute=None, idle=500 * DAY))
    scene.browser.login()
    scene.clock.wait(DAY)
    visit = scene.browser.visit()
    visit.exchange.get()
    (line,) = visit.answer()
    assert line.startswith("__Host-seen.session=")
    assert f"; Max-Age={400 * DAY};" in line


def test_without_an_absolute_end_the_cookie_lives_400_days():
    scene = Scene(lifetime=Lifetime(absolute=None))
    assert f"; Max-Age={400 * DAY};" in scene.browser.login()[0]


def test_the_cookie_lives_for_what_is_left_of_the_absolute_time(scene, alice):
    scene.clock.wait(100)
    assert f"; Max-Age={7 * DAY - 100};" in alice.update(theme="dark")[0]


# ---- rotate


def test_a_rotation_keeps_contents_and_creation_time_and_fences_the_earlier_id(scene, alice):
    before = alice.visit().exchange.get().stamp
    scene.clock.wait(10)
    visit = alice.visit()
    assert visit.exchange.rotate() is True
    assert [NAME, FENCE] == names(visit.arrive())
    session = alice.visit().exchange.get()
    assert ALICE == session
    assert (before.created_at, START + 10) == (session.stamp.created_at, session.stamp.updated_at)
    assert before.id != session.stamp.id


def test_a_rotation_without_a_session_is_false(scene):
    assert scene.browser.visit().exchange.rotate() is False


def test_a_rotation_is_rolled_back_whole_and_the_old_id_stays_unfenced(alice):
    visit = alice.visit()
    visit.exchange.rotate()
    assert visit.arrive(500) == []
    assert ALICE == alice.session()


# ---- delete


def test_a_logout_clears_the_cookies_and_fences_the_session(alice):
    visit = alice.visit()
    assert visit.exchange.delete() is True
    assert visit.exchange.get() is None
    assert visit.exchange.absence is Absence.LOGGED_OUT
    assert ["-" + NAME, "-" + SEEN, FENCE] == names(visit.arrive())
    assert [FENCE] == alice.jar.names()


def test_a_logout_without_a_session_clears_all_the_same(scene):
    visit = scene.browser.visit()
    assert visit.exchange.delete() is False
    assert ["-" + NAME, "-" + SEEN] == names(visit.answer())


def test_a_logout_clears_every_canonical_chunk_name_that_came(scene):
    exchange = scene.store.begin(HeaderRequest(f"{NAME}.0=x; {NAME}.17=x; {NAME}.01=x"))
    exchange.delete()
    lines = [value for name, value in exchange.commit().add if name == "Set-Cookie"]
    assert ["-" + NAME, f"-{NAME}.0", f"-{NAME}.17", "-" + SEEN] == names(lines)


@pytest.mark.parametrize("status", [200, 500])
def test_a_logout_is_kept_whatever_the_status(alice, status):
    visit = alice.visit()
    visit.exchange.delete()
    visit.arrive(status)
    assert alice.session() == {}


def test_a_clearing_line_has_the_attributes_that_the_cookie_was_set_with():
    scene = Scene(
        cookie=CookieSettings(
            name="app", path="/app", domain="example.org", same_site="None", partitioned=True
        )
    )
    [line] = scene.browser.login()
    cleared = scene.browser.logout()[0]
    assert cleared == "app=; Max-Age=0" + line[line.index("; Path") :]


def test_a_session_begun_in_place_after_a_logout_is_anonymous_and_new(alice):
    visit = alice.visit()
    session = visit.exchange.get()
    visit.exchange.delete()
    session["notice"] = "Good bye"
    assert [NAME, FENCE] == names(visit.arrive())
    exchange = alice.visit().exchange
    assert exchange.get() is None
    assert exchange.contents == {"notice": "Good bye"}


# ---- one decision for a request


def test_create_update_and_delete_give_exactly_the_lines_of_delete(alice):
    visit, plain = alice.visit(), alice.visit()
    visit.exchange.create(BOB)
    visit.exchange.update({**BOB, "big": "x" * 5000})
    visit.exchange.delete()
    plain.exchange.delete()
    assert plain.answer() == visit.answer()


def test_delete_and_create_give_the_lines_of_create(alice):
    visit = alice.visit()
    visit.exchange.delete()
    visit.exchange.create(BOB)
    assert [NAME, FENCE] == names(visit.arrive())
    assert BOB == alice.session()


def test_a_failed_response_after_delete_and_create_ends_only(alice):
    visit = alice.visit()
    visit.exchange.delete()
    visit.exchange.create(BOB)
    assert ["-" + NAME, "-" + SEEN, FENCE] == names(visit.answer(500))


def test_commit_may_be_asked_again_with_another_status(alice):
    visit = alice.visit()
    visit.exchange.update({**ALICE, "theme": "dark"})
    assert [NAME] == names(visit.answer(200))
    assert visit.answer(500) == []
    assert visit.exchange.get()["theme"] == "dark"


# ---- after the response has started

WRITES = {
    "update": lambda exchange: exchange.update(ALICE),
    "touch": lambda exchange: exchange.touch(),
    "create": lambda exchange: exchange.create(ALICE),
    "rotate": lambda exchange: exchange.rotate(),
    "delete": lambda exchange: exchange.delete(),
    "assign": lambda exchange: exchange.get().update(theme="dark"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_late_write_raises_and_says_what_to_do(alice, write):
    visit = alice.visit()
    visit.exchange.get()
    visit.commit()
    with pytest.raises(ResponseStartedError, match="before the response starts"):
        write(visit.exchange)
    assert ALICE == visit.exchange.get()


def test_a_nested_change_that_came_too_late_is_reported_at_the_end(scene, alice):
    visit = alice.visit()
    session = visit.exchange.get()
    visit.commit()
    session["user"]["name"] = "late"
    visit.exchange.finish()
    assert [EventKind.LATE_CHANGE] == kinds(scene)


@pytest.mark.parametrize("status", [200, 500])
def test_a_change_in_time_is_not_reported_as_late(scene, alice, status):
    visit = alice.visit()
    visit.exchange.update({**ALICE, "theme": "dark"})
    visit.commit(status)
    visit.exchange.finish()
    assert EventKind.LATE_CHANGE not in kinds(scene)


def test_a_first_look_after_the_response_has_started_is_no_late_change(scene, alice):
    visit = alice.visit()
    visit.commit()
    assert ALICE == visit.exchange.get()
    visit.exchange.finish()
    assert [] == scene.events


def test_a_request_that_ends_without_a_look_reports_nothing(scene, alice):
    visit = alice.visit()
    visit.commit()
    visit.exchange.finish()
    assert [] == scene.events


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
    assert [type(left), type(left.outer)] == [Unread, Unread]
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


# ---- a framework's own session object


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
        if NativeKeys().drops(key)
    ]


@pytest.fixture
def served(scene):
    """The store of a framework that keeps its login under `_user_id` and a CSRF token under `csrf_token`."""
    scene.store.settings = scene.store.settings.served_natively(
        NativeKeys(login=("_user_id",), dropped=("csrf_token", "_state_*"))
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
    exchange.serve_natively(scene.store.settings.served_natively(NativeKeys(login=("_user_id",))))
    exchange.contents["m"] = 2
    assert exchange.get() == {**ALICE, "n": 1, "m": 2}
    assert exchange.contents.stamp.id == before


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("came", [{}, {"_user_id": "5"}])
def test_who_it_was_before_a_frameworks_gateway_serves_it_is_who_came_whether_anybody_asked_or_not(
    scene, came, asked
):
    scene.browser.login({**ALICE, **came})
    exchange = scene.browser.visit().exchange
    exchange.contents["_user_id"] = "6"
    if asked:
        assert exchange.update(BOB) is False
    exchange.serve_natively(scene.store.settings.served_natively(NativeKeys(login=("_user_id",))))
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
        target=lambda: exchange.update(None) or exchange._live.is_owners(ALICE)
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
    came = {"user": OrderedDict(id="7"), "n": Decimal(1)}
    scene.browser.login()
    exchange = scene.browser.visit().exchange
    stamp = exchange.get().stamp
    live = Live(
        scene.store.settings, Incoming(opened=Opened(came, stamp, stamp.id), stamp=stamp), exchange
    )
    came["user"]["id"] = "8"  # whoever holds the values
    assert live.ignored({"user": {"id": "7"}}) is None
    assert live.ignored({"user": {"id": "8"}}) is Ignored.OTHER_USER


def test_where_nobody_signs_in_a_session_that_begins_is_no_login(scene):
    scene = Scene(guard=anyone)
    scene.store.settings = scene.store.settings.served_natively(NativeKeys(dropped=("csrf_token",)))
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


# ---- cookies of a growing and shrinking session


def test_a_session_that_grows_splits_and_one_that_shrinks_joins_and_nothing_stale_is_left(alice):
    for size, expected in [
        (5000, [f"{NAME}.0", f"{NAME}.1"]),
        (100, [NAME]),
        (5000, [f"{NAME}.0", f"{NAME}.1"]),
        (0, [NAME]),
    ]:
        alice.update(big="x" * size)
        assert expected == alice.jar.names()
        assert alice.session()["big"] == "x" * size


def test_every_line_is_of_4096_bytes_at_most_and_the_first_chunk_uses_them_all(alice):
    lines = alice.update(big="x" * 5000)
    assert len(lines[0]) == 4096
    assert all(len(line) <= 4096 for line in lines)


def test_transient_cookies_are_gone_when_the_browser_closes_and_the_fence_is_not():
    scene = Scene(cookie=CookieSettings(transient=True))
    scene.browser.login()
    scene.browser.login(BOB)
    scene.clock.wait(100)
    visit = scene.browser.visit()
    visit.exchange.touch()
    assert "Max-Age" not in visit.arrive()[0]
    scene.browser.jar.close_browser()
    assert [FENCE] == scene.browser.jar.names()


# ---- plain http


@pytest.mark.parametrize(
    ("scheme", "host", "expected"),
    [
        ("http", "example.org", 1),
        ("ws", "example.org", 1),
        ("http", "localhost:8000", 0),
        ("https", "example.org", 0),
        ("wss", "example.org", 0),
    ],
)
def test_a_secure_cookie_over_plain_http_is_reported_once(scene, scheme, host, expected):
    for _ in range(3):
        visit = scene.browser.visit(scheme=scheme, headers={"Host": host})
        visit.exchange.create(ALICE)
        visit.commit()
    assert [EventKind.INSECURE] * expected == kinds(scene)


def test_a_cookie_that_is_not_secure_is_no_matter_of_the_scheme():
    scene = Scene(cookie=CookieSettings(secure=False))
    visit = scene.browser.visit(scheme="http", headers={"Host": "example.org"})
    visit.exchange.create(ALICE)
    visit.commit()
    assert [] == scene.events


# ---- formats without an id of ours


def test_a_format_without_a_renewal_cookie_renews_by_sealing_again():
    scene = Scene(format=Plain(), cookie=CookieSettings(secure=False, name="plain"))
    browser = scene.browser
    [line] = browser.login()
    assert f"; Max-Age={DAY};" in line
    scene.clock.wait(100)
    visit = browser.visit()
    assert ALICE == visit.exchange.get()
    assert ["plain"] == names(visit.arrive())
    assert browser.visit().exchange.get().stamp.updated_at == START + 100


def test_a_format_without_an_id_that_signs_in_again_at_once_is_not_refused():
    scene = Scene(format=Plain())
    browser = scene.browser
    browser.login()
    browser.logout()
    browser.login()
    assert ALICE == browser.session()
    assert browser.visit().exchange.get().stamp.created_at == START + 1


def test_a_format_with_chunks_of_a_fixed_size_is_set_and_read_in_them():
    scene = Scene(format=Plain())
    scene.browser.login({**ALICE, "big": "x" * 5000})
    assert ["plain__0", "plain__1"] == scene.browser.jar.names()
    assert scene.browser.session()["big"] == "x" * 5000


# ---- what an exchange is not


@pytest.mark.parametrize("how", [pickle.dumps, copy.copy])
def test_an_exchange_does_not_pickle(alice, how):
    with pytest.raises(TypeError, match="belongs to one request"):
        how(alice.visit().exchange)


def test_a_deep_copy_of_an_exchange_is_itself(alice):
    exchange = alice.visit().exchange
    assert copy.deepcopy([exchange]) == [exchange]


def test_the_repr_of_an_exchange_shows_its_phase_alone(alice):
    exchange: Exchange = alice.visit().exchange
    exchange.get()
    assert repr(exchange) == "<Exchange open>"
    exchange.commit()
    assert repr(exchange) == "<Exchange committed>"
    exchange.finish()
    assert repr(exchange) == "<Exchange ended>"


def test_what_the_browser_sends_back_is_what_was_set(alice):
    lines = alice.update(theme="dark")
    assert cookie(lines, NAME) == alice.jar.value(NAME)


class Doubling(PlainCodec):
    """A codec whose tokens are twice as long as ours."""

    def size(self, payload, stamp):
        return 2 * super().size(payload, stamp)

    def seal(self, payload, stamp):
        token = super().seal(payload, stamp)
        return token + "x" * len(token)


class Doubled(Native):
    def codec(self, keys, *, name, audience, lifetime, serializer):
        return Doubling(keys, name, audience, lifetime.absolute, serializer)


def test_a_format_of_somebody_elses_is_asked_for_its_size():
    scene = Scene(format=Doubled(), cookie=CookieSettings(max_bytes=2000))
    with pytest.raises(SessionTooLargeError):
        scene.browser.visit().exchange.create({**ALICE, "a": "x" * 800})
