"""Values with tags that another cookie brings, and in a framework inside another one."""

from __future__ import annotations

from typing import Any

import pytest

from sessionkit import CookieSettings, SerializationError, SessionStore, anyone
from sessionkit._exchange.exchange import Exchange
from sessionkit._exchange.framework_keys import FrameworkKeys
from sessionkit._exchange.request import HeaderRequest
from sessionkit.backends import MemoryBackend
from sessionkit.formats import FlaskCookie, Importer, Native
from sessionkit.testing import session_cookies

from ..formats.foreign_cookies import NOW, b64, flask_signed
from ..formats.foreign_cookies import OLD as BEFORE
from .test_tags import ANN, KEYS, OLD, SECRET, Money, header_of, visit

TAGGED = b'{"pair":{" t":[{" m":5},2]}}'
ROOM = FrameworkKeys(login=("_user_id",))


def test_the_session_object_of_an_inner_framework_keeps_its_values() -> None:
    store = SessionStore(SECRET)
    outer = Exchange(store.settings.with_framework(ROOM), HeaderRequest(""))
    outer.serve_framework(store.settings.with_framework(KEYS))
    outer.create({**ANN, "price": (Money(5),)})
    assert {**ANN, "price": (Money(5),)} == visit(store, header_of(outer)).contents


def test_an_outer_framework_keeps_its_values_too() -> None:
    store = SessionStore(SECRET)
    outer = visit(store)
    outer.serve_framework(store.settings.with_framework(ROOM))
    outer.create({**ANN, "price": (Money(5),)})
    assert {**ANN, "price": (Money(5),)} == visit(store, header_of(outer)).contents


def moved(**importing: Any) -> tuple[SessionStore, str]:
    """A store that imports the sessions of another, and a Cookie header of that one."""
    before = SessionStore(OLD, cookie=CookieSettings(name="__Host-before"))
    first = visit(before)
    first.create({**ANN, "value": (Money(5),)})
    source = Importer(Native(), secret=OLD, name="__Host-before", until=None, **importing)
    return SessionStore(SECRET, accept=[source]), header_of(first)


def test_a_conversion_gets_the_values_and_may_pass_them_on() -> None:
    seen: list[Any] = []
    store, header = moved(convert=lambda found: seen.append(found["value"]) or {**found, "n": 1})
    taken = visit(store, header)
    assert {**ANN, "value": (Money(5),), "n": 1} == taken.contents
    assert [(Money(5),)] == seen
    assert {**ANN, "value": (Money(5),), "n": 1} == visit(store, header_of(taken)).contents


def test_a_conversion_may_make_such_a_value() -> None:
    store, header = moved(convert=lambda _: {**ANN, "made": Money(7)})
    assert {**ANN, "made": Money(7)} == visit(store, header).contents


@pytest.mark.parametrize("passes_on", [False, True])
def test_what_a_conversion_makes_without_a_tag_is_refused(passes_on: bool) -> None:
    def convert(found: dict[str, Any]) -> dict[str, Any]:
        return {**(found if passes_on else ANN), "made": object()}

    store, header = moved(convert=convert)
    with pytest.raises(SerializationError, match=r'session\["made"\]: object is not JSON'):
        visit(store, header).get()


def test_a_cookie_of_flask_keeps_the_types_that_the_framework_has_tags_for() -> None:
    source = Importer(FlaskCookie(max_age=None), secret=BEFORE, until=None)
    store = SessionStore(SECRET, accept=[source], guard=anyone, clock=lambda: NOW)
    header = f"session={flask_signed(b64(TAGGED))}"
    assert {"pair": (Money(5), 2)} == visit(store, header).contents
    plain = Exchange(store.settings, HeaderRequest(header))
    assert {"pair": [5, 2]} == plain.contents


# ---- on the server


def test_parallel_changes_on_the_server_are_merged_with_their_types() -> None:
    store = SessionStore(SECRET, backend=MemoryBackend())
    settings = store.settings.with_framework(KEYS)
    cookies = session_cookies(store, {**ANN, "paid": {" m": 1}})
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())

    def begin() -> Exchange:
        exchange = Exchange(settings, HeaderRequest(header))
        exchange.drive()
        assert exchange.contents is not None  # loads it
        return exchange

    first, second, third = begin(), begin(), begin()
    first.contents["price"] = Money(5)
    second.contents["pair"] = (Money(6), [1])
    third.update(lambda found: {**found, "paid": Money(found["paid"].cents + 1)})
    for exchange in (first, second, third):
        exchange.commit()
    expected = {**ANN, "paid": Money(2), "price": Money(5), "pair": (Money(6), [1])}
    assert expected == begin().contents == third.contents
