"""A change in place, of a framework's own session object too, is no login: it is refused where it makes another user."""

from __future__ import annotations

import pytest

from sessionkit import IdentityChangedError, anyone
from sessionkit._frameworks.session_place import replace_contents

from ..frameworks.framework import Framework, clear, pop, put
from ..scene import names

NAME, OUT = "__Host-session", "__Host-out.session"


@pytest.fixture
def site():
    return Framework()


def nested(*path):
    *way, key, value = path

    def change(session):
        for step in way:
            session = session[step]
        session[key] = value

    return change


IN_PLACE = {
    "another id": nested("user", "id", 1),
    "a claim that outranks it": nested("user", "sub", "admin"),
    "the id gone": lambda session: session["user"].pop("id"),
    "emptied": lambda session: session["user"].clear(),
    "in an unnamed key": nested("account_id", "n", 1),
}


@pytest.mark.parametrize("guard", [None, anyone])
@pytest.mark.parametrize("change", IN_PLACE.values(), ids=IN_PLACE)
@pytest.mark.parametrize(
    "afterwards",
    [
        [],
        [put("page", 1)],
        [put("username", "root")],
        [lambda session: session.__setitem__("user", session["user"])],
        [lambda session: replace_contents(session.exchange, {**session, "page": 1})],
    ],
    ids=["nothing", "a write", "a key that is noticed", "itself assigned", "all assigned"],
)
def test_a_change_in_place_of_who_it_is_is_refused_whatever_is_written_afterwards(
    change, afterwards, guard
):
    site = Framework(guard=guard)
    before = {"user": {"id": 7, "name": "A"}, "account_id": {"n": 7}}
    site.do(lambda session: session.update(before))
    session, exchange = site.visit()
    for step in [change, *afterwards]:
        step(session)
    with pytest.raises(IdentityChangedError):
        exchange.commit()
    assert site.answer(exchange, 500) == []
    assert site.session == {"user": {"id": 7, "name": "A"}, "account_id": {"n": 7}}


@pytest.mark.parametrize("logout", [[pop("user")], [clear], [clear, put("notice", "bye")]])
def test_a_logout_after_a_change_in_place_is_a_logout(site, logout):
    site.do(put("user", {"id": 7}), put("cart", [1]))
    late = site.late(put("page", 1))
    assert OUT in names(site.do(nested("user", "id", 1), *logout))
    assert "user" not in site.session
    site.jar.receive(late)
    assert site.session == {}


def test_a_change_in_place_that_is_taken_back_is_none(site):
    site.do(put("user", {"id": 7}))
    before = site.id
    assert names(site.do(nested("user", "id", 1), nested("user", "id", 7), put("n", 1))) == [NAME]
    assert site.id == before


def test_a_login_after_a_change_in_place_that_says_so_stands(site):
    site.do(put("user", {"id": 7}))
    session, exchange = site.visit()
    session["user"]["id"] = 1
    exchange.create({"user": {"id": 8}})
    session["page"] = 1
    site.jar.receive(site.answer(exchange))
    assert site.session == {"user": {"id": 8}, "page": 1}


def test_what_an_update_put_there_is_what_it_is_compared_with(site):
    site.do(put("user", {"id": 7}), put("user_id", 7))
    before = site.id
    session, exchange = site.visit()
    assert exchange.update({"user": {"id": 7}, "user_id": 8}) is True
    session["page"] = 1
    assert names(site.answer(exchange)) == [NAME]
    assert session.id == before
