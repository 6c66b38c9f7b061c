"""Touch, renewal, rotation and delete."""

import pytest

from sessionkit import Absence, CookieSettings, Lifetime  # fmt: skip
from sessionkit._exchange.request import HeaderRequest

from ..scene import ALICE, START, Scene, names
from .kinds import DAY, FENCE, NAME, SEEN

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
