from enum import Enum

import pytest

from sessionkit import anyone, has_user, subject
from sessionkit.identity import same_user, who_is, with_login_keys


def same(before, after, guard=has_user, identity=subject):
    return same_user(guard, identity, after, who_is(guard, identity, before))


def user(**claims):
    return {"user": claims}


@pytest.mark.parametrize("session", [{}, {"user": None}, {"user": {}}, {"user": ""}, {"cart": [1]}])
def test_a_session_without_a_user_fails_the_default_guard(session):
    assert has_user(session) is False


@pytest.mark.parametrize("session", [user(sub="a"), {"user": "a"}, {"user": 7}])
def test_a_session_with_a_user_passes_the_default_guard(session):
    assert has_user(session) is True


def test_anyone_passes_everything():
    assert anyone({}) is True


def test_the_subject_of_an_openid_user_is_issuer_and_subject():
    assert subject(user(sub="a", iss="i", id=7)) == ("sub", "i", "a")


@pytest.mark.parametrize("key", ["id", "user_id", "uid", "username", "email"])
def test_without_sub_the_subject_is_the_first_claim_that_names_somebody(key):
    assert subject({"user": {"name": "A", key: "x"}}) == (key, "x")


def test_the_order_of_the_claims_that_name_somebody_is_fixed():
    assert subject(user(email="e", username="n", uid="u", user_id="ui", id="i")) == ("id", "i")


def test_a_claim_that_is_none_names_nobody():
    assert subject(user(sub=None, id=None, email="e")) == ("email", "e")


@pytest.mark.parametrize("whole", [{"name": "A"}, "alice", 7, ["a"]])
def test_a_user_without_any_such_claim_is_itself_whole(whole):
    assert subject({"user": whole}) == ("user", whole)


def test_there_is_no_subject_without_a_user():
    assert subject({"cart": []}) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (user(sub="a"), user(sub="b")),
        (user(sub="a", iss="i"), user(sub="a", iss="j")),
        (user(sub="a"), user(sub="a", iss="i")),
        (user(id=7), user(id=1)),
        (user(id=7), user(id="7")),
        (user(id=1), user(id=True)),
        (user(id=1), user(id=1.0)),
        (user(id=True), user(id="1")),
        (user(id=7), user(sub="7")),
        (user(id=7), {"user": 7}),
        (user(sub="a"), {"user": "a"}),
        (user(name="A"), user(name="B")),
        ({"user": "a"}, {"user": "b"}),
        (user(id={"a": 1}), user(id={"a": True})),
        (user(sub="a"), {}),
        ({}, user(sub="a")),
    ],
)
def test_another_user_is_another_user(before, after):
    assert same(before, after) is False


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (user(sub="a", iss="i", name="A"), user(iss="i", sub="a", name="B")),
        (user(id=7), user(id=7, role="admin")),
        (user(id=7), user(id=7, sub="gained", iss="later")),
        (user(name="A"), user(name="A")),
        ({}, {"cart": [1]}),
    ],
)
def test_the_same_user_with_other_claims_is_the_same_user(before, after):
    assert same(before, after) is True


def test_the_loaded_session_chooses_the_claim_that_decides():
    # Known by id: a sub that joins does not take over, and cannot be used to slip another id in.
    assert same(user(id=7), user(id=8, sub="x")) is False


class Role(Enum):
    ADMIN = 1


def test_an_identity_of_ones_own_may_be_any_object():
    def role(session):
        return Role[session["role"]] if "role" in session else None

    assert same({"role": "ADMIN"}, {"role": "ADMIN", "a": 1}, anyone, role) is True
    assert same({"role": "ADMIN"}, {}, anyone, role) is False


def test_an_identity_of_ones_own_is_kept_by_value_against_changes_in_place():
    session = {"user": {"roles": [Role.ADMIN]}}

    def roles(session):
        return session["user"]["roles"]

    who = who_is(has_user, roles, session)
    session["user"]["roles"].append(None)
    assert same_user(has_user, roles, session, who) is False


def test_with_the_guard_anyone_a_session_without_user_has_an_identity_too():
    assert same({}, {"theme": "dark"}, guard=anyone) is True
    assert same({}, user(sub="a"), guard=anyone) is False
    assert same(user(sub="a"), {}, guard=anyone) is False


def test_who_somebody_is_shows_in_no_repr():
    assert "alice" not in repr(who_is(has_user, subject, user(sub="alice")))


def test_login_keys_sign_in_beside_the_user():
    guard, identity = with_login_keys(has_user, subject, ("_user_id",))
    assert guard({"_user_id": "7"}) is True
    assert guard(user(sub="a")) is True
    assert guard({"_user_id": None}) is False
    assert identity({"_user_id": "7"}) == (None, ("7",))
    assert identity({"cart": 1}) is None


def test_another_login_key_is_another_user():
    guard, identity = with_login_keys(has_user, subject, ("_user_id",))
    assert same({"_user_id": "7"}, {"_user_id": "8"}, guard, identity) is False
    assert same({"_user_id": "7"}, {"_user_id": "7", "a": 1}, guard, identity) is True


@pytest.mark.parametrize(("guard", "identity"), [(anyone, subject), (has_user, lambda session: 1)])
def test_a_guard_or_identity_of_ones_own_replaces_login_keys(guard, identity):
    assert with_login_keys(guard, identity, ("_user_id",)) == (guard, identity)


def test_without_login_keys_the_defaults_stay():
    assert with_login_keys(has_user, subject, ()) == (has_user, subject)


def test_a_user_of_a_thousand_levels_is_somebody():
    def nested(leaf):
        value = leaf
        for _ in range(900):
            value = {"a": value}
        return {"user": {"claims": value}}

    assert same(nested(1), nested(1)) is True
    assert same(nested(1), nested(2)) is False
