from enum import Enum

import pytest

from sessionkit import anyone, has_user, subject
from sessionkit._session.identity import resolve
from sessionkit._session.who import find_differing_claim, who_is

from ..scene import Scene


def same(before, after, guard=has_user, identity=subject):
    return who_is(guard, identity, before) == who_is(guard, identity, after)


def defaults(*keys, given=(None, None), own=(None, None)):
    return resolve(given, own, keys)


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


def test_an_empty_claim_names_nobody():
    assert subject(user(sub="", id=7)) == ("id", 7)
    assert subject(user(id=0, email="e")) == ("id", 0)


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
        (user(id=7), user(id=7, sub="admin")),
        (user(id=7, sub="a"), user(id=7)),
        (user(email="a@example.com"), user(email="a@example.com", sub="a")),
        (user(username="a"), user(username="a", id=1)),
        (user(name="A"), user(name="A", email="a@example.com")),
        ({"user": "a"}, user(username="a")),
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
        (user(id=7, sub="a"), user(id=1, sub="a")),
        (user(name="A", rights=[{"a": 1, "b": 2}]), user(rights=[{"b": 2, "a": 1}], name="A")),
        (user(name="A"), user(name="A")),
        ({}, {"cart": [1]}),
    ],
)
def test_the_same_user_with_other_claims_is_the_same_user(before, after):
    assert same(before, after) is True


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

    before = who_is(has_user, roles, session)
    session["user"]["roles"].append(None)
    assert before != who_is(has_user, roles, session)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1}),
        (("t", [{"a": 1, "b": 2}]), ("t", [{"b": 2, "a": 1}])),
        ([("x", {"a": 1, "b": 2})], [("x", {"b": 2, "a": 1})]),
        ({1: "a", "1": "b"}, {"1": "b", 1: "a"}),
        ({"ids": {8, 16, 0}}, {"ids": {16, 0, 8}}),
        (frozenset({(8, "a"), (16, "b")}), frozenset({(16, "b"), (8, "a")})),
        ({"role": Role.ADMIN, "id": 1}, {"id": 1, "role": Role.ADMIN}),
    ],
)
def test_the_order_of_members_says_nothing_about_the_user(before, after):
    assert same({"who": before}, {"who": after}, anyone, lambda session: session["who"]) is True


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": True}),
        ({"a": 1, "b": 2}, {"a": 2, "b": 1}),
        ({"a": 1}, {"a": 1, "b": None}),
        ({"a": 1}, {"1": "a"}),
        (["a", {"b": 1}], [{"b": 1}, "a"]),
        ({"a"}, frozenset({"a"})),
        ({"a"}, ["a"]),
        ({1}, {True}),
        ({1: "a"}, {"1": "a"}),
        ((1, {}), [1, {}]),
    ],
)
def test_members_of_another_value_or_type_are_another_user(before, after):
    assert same({"who": before}, {"who": after}, anyone, lambda session: session["who"]) is False


def test_an_update_of_a_user_whose_members_stand_in_another_order_is_one():
    scene = Scene(identity=lambda session: session["user"])
    scene.browser.login({"user": {"name": "ada", "tenant": {"a": 1, "b": 2}}})
    visit = scene.browser.visit()
    assert visit.exchange.update({"user": {"tenant": {"b": 2, "a": 1}, "name": "ada"}, "n": 1})
    visit.arrive()
    assert scene.browser.session()["n"] == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [([Role.ADMIN, 1], [Role.ADMIN, True]), ({"a": (Role.ADMIN, 1)}, {"a": (Role.ADMIN, 1.0)})],
)
def test_an_identity_of_objects_is_compared_with_the_types_inside_it(before, after):
    def identity(session):
        return session["role"]

    assert same({"role": before}, {"role": before}, anyone, identity) is True
    assert same({"role": before}, {"role": after}, anyone, identity) is False


def test_with_the_guard_anyone_a_session_without_user_has_an_identity_too():
    assert same({}, {"theme": "dark"}, guard=anyone) is True
    assert same({}, user(sub="a"), guard=anyone) is False
    assert same(user(sub="a"), {}, guard=anyone) is False


def test_who_somebody_is_shows_in_no_repr():
    assert "alice" not in repr(who_is(has_user, subject, user(sub="alice")))


def test_login_keys_sign_in_beside_the_user():
    guard, identity = defaults("_user_id")
    assert guard({"_user_id": "7"}) is True
    assert guard(user(sub="a")) is True
    assert guard({"_user_id": None}) is False
    assert identity({"_user_id": "7"}) == {"_user_id": "7"}
    assert identity({**user(sub="a"), "_user_id": "7"}) == {
        "user": ("sub", None, "a"),
        "_user_id": "7",
    }
    assert identity({"cart": 1}) is None


def test_another_login_key_is_another_user():
    guard, identity = defaults("_user_id", "account")
    assert same({"_user_id": "7"}, {"_user_id": "8"}, guard, identity) is False
    assert same({"_user_id": "7"}, {"_user_id": 7}, guard, identity) is False
    assert same({"_user_id": "7"}, {"_user_id": "7", "account": 1}, guard, identity) is False
    assert same({"_user_id": "7"}, {"_user_id": "7", "a": 1}, guard, identity) is True


def test_without_login_keys_the_defaults_stay():
    assert defaults() == (has_user, subject)


def named(session):
    return session.get("name")


def test_a_formats_own_guard_and_identity_are_the_defaults_of_its_stores():
    assert defaults(own=(named, named)) == (named, named)
    guard, identity = defaults("_user_id", own=(named, named))
    assert guard({"name": "a"}) == "a"
    assert identity({"name": "a"}) == {"user": "a"}


@pytest.mark.parametrize("given", [(has_user, subject), (anyone, named), (lambda session: 1, str)])
@pytest.mark.parametrize("keys", [(), ("_user_id",)])
@pytest.mark.parametrize("own", [(None, None), (named, named)])
def test_what_is_given_is_taken_at_its_word_be_it_a_default_or_not(given, keys, own):
    assert defaults(*keys, given=given, own=own) == given


def test_the_identity_knows_the_login_keys_where_only_a_guard_was_given():
    guard, identity = defaults("_user_id", given=(anyone, None))
    assert guard is anyone
    assert same({"_user_id": "7"}, {"_user_id": "8"}, guard, identity) is False


def test_the_guard_knows_the_login_keys_where_only_an_identity_was_given():
    guard, identity = defaults("_user_id", given=(None, named))
    assert identity is named
    assert guard({"_user_id": "7"}) is True


class Falsy:
    """A guard that is a callable object, and an empty collection too."""

    def __call__(self, session):
        return True

    def __len__(self):
        return 0


def test_a_guard_is_given_whatever_its_truth_value():
    falsy = Falsy()
    assert defaults(given=(falsy, falsy)) == (falsy, falsy)
    assert defaults(own=(falsy, falsy)) == (falsy, falsy)


# ---- the claim by which two users differ


def told(before, after, guard=has_user, identity=subject, keys=()):
    return find_differing_claim(
        who_is(guard, identity, before), who_is(guard, identity, after), tuple(keys)
    )


@pytest.mark.parametrize(
    ("before", "after", "claim"),
    [
        (user(sub="a", iss="i"), user(sub="b", iss="i"), "sub"),
        (user(sub="a", iss="i"), user(sub="a"), "iss"),
        (user(sub="a", iss="i"), user(sub="a", iss="j"), "iss"),
        (user(sub="a", iss="i"), user(sub="b"), "sub"),
        (user(sub=1), user(sub=True), "sub"),
        (user(id=7), user(id=8), "id"),
        (user(id=7), user(id=7, sub="a"), "sub"),
        (user(email="e", id=7), user(email="e"), "id"),
        (user(name="A"), user(name="B"), "user"),
        (user(name="A"), user(name="A", email="e"), "email"),
        ({"user": "a"}, {"user": "b"}, "user"),
        (user(name=Role.ADMIN), user(name="A"), "user"),
    ],
)
def test_the_claim_by_which_two_users_differ_is_named(before, after, claim):
    assert told(before, after) == claim


@pytest.mark.parametrize(
    ("before", "after", "claim"),
    [
        ({"_user_id": "7"}, {"_user_id": "8"}, "_user_id"),
        ({"_user_id": "7"}, {**user(id=1), "_user_id": "7"}, "id"),
        ({**user(id=1), "_user_id": "7"}, {**user(id=2), "_user_id": "7"}, "id"),
        ({**user(id=1), "_user_id": "7"}, user(id=1), "_user_id"),
    ],
)
def test_a_login_key_by_which_two_users_differ_is_named(before, after, claim):
    assert told(before, after, *defaults("_user_id"), ("_user_id",)) == claim


@pytest.mark.parametrize(
    "value", ["canary", 7, (), ("canary", 7), (7, "canary"), {"canary": 1}, Role.ADMIN, None]
)
def test_an_identity_of_ones_own_that_names_no_claim_tells_nothing(value):
    assert told({"a": value}, {"a": "other"}, anyone, lambda session: session["a"]) is None


def test_a_user_of_a_thousand_levels_is_somebody():
    def nested(leaf):
        value = leaf
        for _ in range(900):
            value = {"a": value}
        return {"user": {"claims": value}}

    assert same(nested(1), nested(1)) is True
    assert same(nested(1), nested(2)) is False
