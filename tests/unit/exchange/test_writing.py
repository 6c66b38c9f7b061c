"""What a request may write: update, create, and a change of who the user is."""

import pytest

from sessionkit import (  # fmt: skip
    Absence,
    CookieSettings,
    Event,
    EventKind,
    IdentityChangedError,
    Ignored,
    Lifetime,
    SerializationError,
    SessionTooLargeError,
)

from ..scene import ALICE, BOB, START, Scene, names
from .kinds import DAY, FENCE, NAME, SEEN, kinds

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
    "culprit",
    [object(), float("nan"), "\ud800", {1: 2}, {1, 2}, "x" * 9000],
    ids=["object", "nan", "surrogate", "number as a key", "set", "too long"],
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
