"""One decision for a request, and what comes after it."""

import copy
import pickle

import pytest

from sessionkit import (  # fmt: skip
    CookieSettings,
    EventKind,
    ResponseStartedError,
    SessionTooLargeError,
)
from sessionkit._exchange.exchange import Exchange

from ..foreign_format import Plain, PlainCodec
from ..scene import ALICE, BOB, START, Scene, cookie, names
from .kinds import DAY, FENCE, NAME, SEEN, kinds

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


def test_values_that_the_application_holds_are_no_change_and_hide_none(scene):
    scene.browser.login({**ALICE, "cart": ["a value of some length", "another"]})
    visit = scene.browser.visit()
    session = visit.exchange.get()
    held = [*session["cart"], session["user"], session["cart"]]
    visit.exchange.check()
    held.clear()
    visit.exchange.check()
    held.extend(session["cart"])
    assert visit.answer() == []
    session["cart"].append("a third")
    visit.exchange.check()
    session["cart"].append(held[0])
    assert [NAME] == names(visit.arrive())
    assert [*held, "a third", held[0]] == scene.browser.session()["cart"]


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
    """A codec whose tokens are twice as long."""

    def size(self, plaintext, stamp):
        return 2 * super().size(plaintext, stamp)

    def seal(self, plaintext, stamp):
        token = super().seal(plaintext, stamp)
        return token + "x" * len(token)


class Doubled(Plain):
    def codec(self, keys, *, name, audience, lifetime, serializer):
        return Doubling(keys, serializer)


def test_a_format_of_somebody_elses_is_asked_for_its_size():
    scene = Scene(format=Doubled(), cookie=CookieSettings(max_bytes=2000))
    with pytest.raises(SessionTooLargeError):
        scene.browser.visit().exchange.create({**ALICE, "a": "x" * 800})
