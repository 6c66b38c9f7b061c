"""Sign-ins that were begun and abandoned do not fill a session until nobody can sign in any more."""

from __future__ import annotations

import pytest

from sessionkit import CookieSettings, EventKind, SessionStore, SessionTooLargeError
from sessionkit._exchange.exchange import Exchange
from sessionkit._exchange.framework_keys import DROPPED_AT_LOGIN, FrameworkKeys
from sessionkit._exchange.request import HeaderRequest
from sessionkit._frameworks.contents import LazyContents
from sessionkit._requests.gateway import Gateway

from ..scene import SECRET

ANN = {"user": {"sub": "ann"}}
KEYS = FrameworkKeys(dropped=(*DROPPED_AT_LOGIN, "_csrft_"))


class Site:
    """A browser at a site whose sessions may take 2,000 bytes; it has no framework if `framework` is None."""

    def __init__(self, framework: FrameworkKeys | None = KEYS) -> None:
        self.events = []
        store = SessionStore(
            SECRET, cookie=CookieSettings(max_bytes=2000), on_event=self.events.append
        )
        self.settings = Gateway(None, store, framework=framework).settings
        self.header = ""

    def visit(self) -> Exchange:
        return Exchange(self.settings, HeaderRequest(self.header))

    def arrive(self, exchange: Exchange) -> None:
        lines = [value for name, value in exchange.commit().add if name == "Set-Cookie"]
        found = [line.partition(";")[0] for line in lines if "Max-Age=0;" not in line]
        self.header = "; ".join(found) if lines else self.header

    def put(self, **contents) -> None:
        exchange = self.visit()
        session = LazyContents(exchange)
        for key, value in contents.items():
            session[key] = value
        self.arrive(exchange)

    @property
    def session(self) -> dict:
        return LazyContents(self.visit()).copy()

    @property
    def told(self) -> list[EventKind]:
        return [event.kind for event in self.events]


def state(number: int, size: int = 300) -> dict[str, str]:
    return {f"_state_op_{number}": "x" * size}


@pytest.fixture(params=[KEYS, None], ids=["framework", "contents"])
def site(request):
    return Site(request.param)


def test_what_was_begun_first_makes_room_for_what_is_begun_now(site):
    for number in range(14):
        site.put(**state(number))
        assert f"_state_op_{number}" in site.session
    assert list(site.session) == [f"_state_op_{number}" for number in (10, 11, 12, 13)]
    assert set(site.told) == {EventKind.MADE_ROOM}


def test_what_else_an_anonymous_session_holds_stays(site):
    site.put(cart=["x" * 300], **state(0))
    for number in range(1, 9):
        site.put(**state(number))
    assert list(site.session) == ["cart", "_state_op_6", "_state_op_7", "_state_op_8"]


def test_the_oldest_goes_first_whatever_kind_it_is(site):
    site.put(csrf_token="x" * 300, **state(0))
    site.put(**state(1))
    site.put(**state(2, 600))
    assert list(site.session) == ["_state_op_0", "_state_op_1", "_state_op_2"]
    site.put(csrf_token="x" * 300)
    assert list(site.session) == ["_state_op_1", "_state_op_2", "csrf_token"]


def test_a_key_that_a_framework_names_may_go_too():
    site = Site()
    site.put(_csrft_="x" * 600)
    site.put(cart="x" * 900)
    assert list(site.session) == ["cart"]


def test_no_more_goes_than_must(site):
    site.put(**state(0, 100), **state(1, 400), **state(2, 400))
    site.put(**state(3, 400))
    assert list(site.session) == ["_state_op_1", "_state_op_2", "_state_op_3"]


def test_what_this_request_wrote_goes_after_what_came(site):
    site.put(csrf_token="old", **state(0, 700))
    site.put(csrf_token="new", **state(1, 700))
    assert list(site.session) == ["csrf_token", "_state_op_1"]
    assert site.session["csrf_token"] == "new"


def test_of_what_this_request_wrote_the_last_stays(site):
    site.put(**state(0, 900), **state(1, 900))
    assert list(site.session) == ["_state_op_1"]


def test_nothing_goes_in_vain(site):
    site.put(cart="x" * 900, **state(0, 100))
    before = site.session
    for written in ({"cart": "x" * 3000}, state(1, 3000), state(0, 3000)):
        exchange = site.visit()
        session = LazyContents(exchange)
        session.update(written)
        with pytest.raises(SessionTooLargeError):
            exchange.commit()
        assert session.copy() == {**before, **written}
        assert exchange.commit(500).add == (("Vary", "Cookie"), ("Cache-Control", "private"))
    assert site.session == before
    assert EventKind.MADE_ROOM not in site.told


def test_a_change_in_place_makes_room_too(site):
    site.put(cart=[], **state(0, 900))
    exchange = site.visit()
    LazyContents(exchange)["cart"].append("x" * 600)
    site.arrive(exchange)
    assert site.session == {"cart": ["x" * 600]}


def test_it_is_told_once_and_the_session_object_shows_it(site, caplog):
    site.put(**state(0, 900))
    exchange = site.visit()
    session = LazyContents(exchange)
    session.update(state(1, 900))
    exchange.answer(200, ())
    assert list(session) == ["_state_op_1"]
    site.arrive(exchange)
    exchange.finish()
    assert site.told == [EventKind.MADE_ROOM]
    [record] = caplog.records
    assert record.levelname == "WARNING"
    assert "op_" not in record.getMessage()


def test_a_signed_in_user_loses_only_sign_ins_in_progress(site):
    exchange = site.visit()
    exchange.create({**ANN, "csrf_token": "x" * 300, **state(0, 500)})
    site.arrive(exchange)
    site.put(**state(1, 500))
    assert list(site.session) == ["user", "csrf_token", "_state_op_1"]
    exchange = site.visit()
    LazyContents(exchange).update({"page": "x" * 600, "_state_op_1": "y" * 500})
    with pytest.raises(SessionTooLargeError):
        exchange.commit()


def test_what_a_verb_was_given_is_never_shortened(site):
    exchange = site.visit()
    with pytest.raises(SessionTooLargeError):
        exchange.create({**ANN, **state(0, 1000), **state(1, 1000)})
    exchange.create({**ANN, **state(0, 900)})
    with pytest.raises(SessionTooLargeError):
        exchange.update({**ANN, **state(0, 1000), **state(1, 1000)})
    session = LazyContents(exchange)
    session.update(state(1, 900))
    with pytest.raises(SessionTooLargeError):
        exchange.commit()
    session.pop("_state_op_1")
    site.arrive(exchange)
    assert site.session == {**ANN, **state(0, 900)}


def test_a_login_drops_them_before_anything_must_make_room():
    site = Site()
    site.put(**state(0, 600), **state(1, 600))
    site.put(**ANN, page="x" * 1000)
    assert list(site.session) == ["user", "page"]
    assert site.told == []
