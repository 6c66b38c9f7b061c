"""Logins and logouts through a framework's own session object, by keys that nobody named."""

from __future__ import annotations

import pytest

from sessionkit import SerializationError, anyone
from sessionkit._exchange.framework_keys import LOGIN_KEYS, FrameworkKeys
from sessionkit._frameworks.session_place import replace_contents

from ..frameworks.framework import Framework, clear, pop, put
from ..scene import names

NAME, SEEN, OUT = "__Host-session", "__Host-seen.session", "__Host-out.session"
UNNAMED = [key for key in LOGIN_KEYS if key != "user"]


@pytest.fixture
def site():
    return Framework()


def test_the_keys_that_are_noticed_are_these():
    assert LOGIN_KEYS == ("user", "_user_id", "user_id", "uid", "account_id", "username")


@pytest.mark.parametrize("key", UNNAMED)
@pytest.mark.parametrize("value", [7, "ada", 0, ["ada"], {"id": 7}])
def test_a_login_by_a_key_that_nobody_named_is_a_new_session(site, key, value):
    site.do(put("cart", [1]), put("csrf_token", "x"), put("_state_op_1", "y"))
    before, late = site.id, site.late(put("page", 1))
    site.clock.wait(5)
    assert names(site.do(put(key, value))) == [NAME, OUT]
    assert site.session == {"cart": [1], key: value}
    session, _ = site.visit()
    assert session.id != before
    assert session.stamp.created_at == site.clock.now
    site.jar.receive(late)
    assert site.session == {}


@pytest.mark.parametrize("key", UNNAMED)
def test_nobody_is_signed_in_by_a_key_that_nobody_named(site, key):
    site.do(put(key, 7))
    assert site.signed_in is False


@pytest.mark.parametrize("key", UNNAMED)
def test_another_value_is_another_login(site, key):
    site.do(put(key, 7))
    before = site.id
    assert names(site.do(put(key, "7"))) == [NAME, OUT]
    assert site.id != before


@pytest.mark.parametrize("key", UNNAMED)
def test_without_the_key_the_rest_is_a_new_anonymous_session(site, key):
    site.do(put(key, 7), put("cart", [1]), put("csrf_token", "x"))
    before, late = site.id, site.late(put("page", 1))
    assert names(site.do(pop(key))) == [NAME, OUT]
    assert site.session == {"cart": [1]}
    assert site.id != before
    site.jar.receive(late)
    assert site.session == {}


LOGINS = {
    "set": put("user_id", 2),
    "setdefault": lambda session: (session.pop("user_id", None), session.setdefault("user_id", 2)),
    "update": lambda session: session.update(user_id=2),
    "update with a mapping": lambda session: session.update({"n": 1, "user_id": 2}),
    "|=": lambda session: session.__ior__({"user_id": 2}),
    "replaced": lambda session: replace_contents(session.exchange, {"user_id": 2}),
    "clear and set": lambda session: (session.clear(), session.__setitem__("user_id", 2)),
    "del and set": lambda session: (
        session.__delitem__("user_id"),
        session.__setitem__("user_id", 2),
    ),
}


@pytest.mark.parametrize("login", LOGINS.values(), ids=LOGINS)
def test_every_way_to_set_the_key_is_a_login_and_the_late_answer_of_the_earlier_user_brings_nobody_back(
    site, login
):
    site.do(put("user_id", 1))
    before, late = site.id, site.late(put("page", 1))
    site.do(login)
    assert site.session["user_id"] == 2
    assert site.id != before
    site.jar.receive(late)
    assert site.session == {}


LOGOUTS = {
    "del": lambda session: session.__delitem__("user_id"),
    "pop": pop("user_id"),
    "popitem": lambda session: session.popitem(),
    "clear": clear,
    "set to None": put("user_id", None),
    "replaced": lambda session: replace_contents(session.exchange, {}),
}


@pytest.mark.parametrize("logout", LOGOUTS.values(), ids=LOGOUTS)
def test_every_way_to_drop_the_key_is_a_logout_that_stays_one(site, logout):
    site.do(put("user_id", 1))
    before, late = site.id, site.late(put("page", 1))
    assert OUT in names(site.do(logout))
    assert site.session.get("user_id") is None
    assert site.id != before
    site.jar.receive(late)
    assert site.session == {}


def test_the_tutorials_login_of_the_same_user_is_a_login_too(site):
    site.do(clear, put("user_id", 1))
    before, late = site.id, site.late(put("page", 1))
    site.do(clear, put("user_id", 1))
    assert site.session == {"user_id": 1}
    assert site.id != before
    site.jar.receive(late)
    assert site.session == {}


def test_a_login_that_is_undone_in_the_same_request_ends_what_came(site):
    site.do(put("user_id", 1))
    late = site.late(put("page", 1))
    assert names(site.do(put("user_id", 2), clear)) == ["-" + NAME, "-" + SEEN, OUT]
    site.jar.receive(late)
    assert site.session == {}


def test_two_logins_in_one_request_leave_the_last(site):
    site.do(put("user_id", 1))
    late = site.late(put("page", 1))
    site.do(put("user_id", 2), put("user_id", 3))
    assert site.session == {"user_id": 3}
    site.jar.receive(late)
    assert site.session == {}


def test_away_and_back_in_one_request_is_a_login_too(site):
    site.do(put("user_id", 1))
    before = site.id
    site.do(put("user_id", 2), put("user_id", 1))
    assert site.session == {"user_id": 1}
    assert site.id != before


def test_what_is_written_after_a_logout_is_in_a_new_anonymous_session(site):
    site.do(put("user_id", 1), put("cart", [1]))
    late = site.late(put("page", 1))
    assert names(site.do(clear, put("notice", "bye"))) == [NAME, OUT]
    assert site.session == {"notice": "bye"}
    site.jar.receive(late)
    assert site.session == {}


def test_an_anonymous_session_that_is_emptied_and_filled_is_a_new_one(site):
    site.do(put("cart", [1]))
    before, late = site.id, site.late(put("page", 1))
    site.do(clear, put("notice", "new"))
    assert site.session == {"notice": "new"}
    assert site.id != before
    site.jar.receive(late)
    assert site.session == {}


def test_an_anonymous_session_that_is_emptied_is_gone(site):
    site.do(put("cart", [1]))
    assert names(site.do(clear)) == ["-" + NAME, "-" + SEEN, OUT]
    assert site.id is None


def test_a_failed_response_keeps_the_end_and_drops_the_login(site):
    site.do(put("user_id", 1))
    late = site.late(put("page", 1))
    site.do(put("user_id", 2), status=500)
    assert site.session == {}
    site.jar.receive(late)
    assert site.session == {}


@pytest.mark.parametrize("value", [None, {}, "", []])
def test_a_user_that_is_empty_names_nobody(site, value):
    site.do(put("cart", [1]))
    before = site.id
    assert names(site.do(put("user", value))) == [NAME]
    assert site.id == before


def test_what_names_nobody_is_no_login(site):
    site.do(put("cart", [1]), put("csrf_token", "x"))
    before = site.id
    for step in (put("user_id", None), put("page", 1), put("email", "a@example.com")):
        assert names(site.do(step)) == [NAME]
    assert site.id == before
    assert site.session["csrf_token"] == "x"


def test_the_same_value_again_is_no_login(site):
    site.do(put("user_id", 1))
    assert site.do(put("user_id", 1)) == []


PROFILES = {
    "in place": lambda session: session["user"].update(name="B"),
    "set": put("user", {"id": 7, "name": "B"}),
    "changed and set": lambda session: session.update(user={**session["user"], "name": "B"}),
}


@pytest.mark.parametrize("change", PROFILES.values(), ids=PROFILES)
@pytest.mark.parametrize("guard", [None, lambda session: "account" in session, anyone])
def test_a_change_of_the_users_profile_is_no_login(change, guard):
    site = Framework(guard=guard)
    site.do(put("user", {"id": 7, "name": "A"}), put("csrf_token", "x"))
    before = site.id
    assert names(site.do(change)) == [NAME]
    assert site.session == {"user": {"id": 7, "name": "B"}, "csrf_token": "x"}
    assert site.id == before


@pytest.mark.parametrize(
    "guard", [None, lambda session: "account" in session, anyone, lambda session: False]
)
def test_a_user_is_noticed_whatever_the_guard_says(guard):
    site = Framework(guard=guard)
    site.do(put("cart", [1]))
    before = site.id
    assert names(site.do(put("user", {"id": 7}))) == [NAME, OUT]
    middle = site.id
    assert names(site.do(put("user", {"id": 8}))) == [NAME, OUT]
    assert names(site.do(pop("user"))) == [NAME, OUT]
    assert len({before, middle, site.id}) == 3


def test_a_login_at_a_site_for_anyone_ends_what_came():
    site = Framework(guard=anyone)
    site.do(put("user_id", 1))
    old = site.jar.header()
    site.clock.wait(86_400)
    assert site.id is None
    assert old
    assert OUT in names(site.do(put("user_id", 2)))


def test_a_key_that_a_framework_names_signs_in_and_is_noticed():
    site = Framework(FrameworkKeys(login=("auth.userid",)))
    site.do(put("auth.userid", 7))
    before = site.id
    assert site.signed_in is True
    site.do(put("auth.userid", 8))
    assert site.id != before


def test_a_key_that_the_store_names_signs_in_and_is_noticed():
    site = Framework(login_keys=["member"])
    site.do(put("member", 7))
    before = site.id
    assert site.signed_in is True
    site.do(put("member", 8))
    assert site.id != before


@pytest.mark.parametrize("key", [1, None, b"a", ("a",)])
def test_a_key_that_is_no_text_beside_a_login_is_an_error_that_says_so(site, key):
    site.do(put("cart", [1]))
    with pytest.raises(SerializationError, match="keys are str"):
        site.do(lambda session: session.update({key: 1, "user_id": 7}))
    assert site.session == {"cart": [1]}
