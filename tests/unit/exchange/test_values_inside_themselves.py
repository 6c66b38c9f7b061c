"""A user that contains itself, or what cannot be copied, is refused at once, wherever the owner of the session is asked for."""

from __future__ import annotations

import threading

import pytest

from sessionkit import IdentityChangedError, SerializationError
from sessionkit._session.json import is_finite, is_shallow
from sessionkit._session.who import exact
from sessionkit.formats import Auth0V4, AuthJSV5, Format

from ..frameworks.framework import Framework, put
from ..scene import Scene

ORDERS = "orders"


def ring(user: dict) -> dict:
    """The user, with two ways back to itself."""
    user[ORDERS] = [{"buyer": user}, {"buyer": user}]
    return user


def signed_in(user: dict):
    scene = Scene()
    scene.browser.login({"user": user})
    return scene.browser.visit().exchange


def test_a_change_in_place_is_refused_at_the_commit():
    exchange = signed_in({"sub": "ann"})
    ring(exchange.contents["user"])
    with pytest.raises(SerializationError):
        exchange.commit()


def test_an_update_is_refused():
    exchange = signed_in({"sub": "ann"})
    with pytest.raises(SerializationError):
        exchange.update({"user": ring(exchange.contents["user"])})


def test_a_user_without_a_claim_is_another_then():
    exchange = signed_in({"name": "ann"})
    ring(exchange.contents["user"])
    with pytest.raises(IdentityChangedError):
        exchange.commit()


def test_a_login_key_can_be_assigned_to_in_a_frameworks_session():
    site = Framework()
    site.do(put("user", {"sub": "ann"}))
    session, exchange = site.visit()
    ring(session["user"])
    session["user_id"] = None
    del session["user"][ORDERS], session["user_id"]
    exchange.commit()
    assert site.session == {"user": {"sub": "ann"}}


@pytest.mark.parametrize("value", [threading.Lock(), (one for one in ()), {}.keys()])
def test_what_cannot_be_copied_is_no_json(value: object):
    exchange = signed_in({"sub": "ann"})
    exchange.contents["user"]["lock"] = value
    with pytest.raises(SerializationError):
        exchange.commit()


def test_a_subclass_of_text_in_the_user_is_the_same_user():
    class Text(str):
        __slots__ = ()

    exchange = signed_in({"sub": "ann"})
    exchange.contents["user"]["sub"] = Text("ann")
    exchange.contents["n"] = 1
    exchange.commit()
    assert exchange.response_headers[0][0] == "Set-Cookie"


def test_an_assignment_to_a_session_that_is_not_there_begins_one():
    site = Framework()
    session, exchange = site.visit()
    dict.update(exchange.contents, user={"sub": "ann"})  # past every method that notices
    session["next"] = "/"
    assert exchange.contents.stamp is not None
    with pytest.raises(IdentityChangedError):
        exchange.commit()


def test_a_snapshot_of_what_contains_itself_equals_none():
    inside: list[object] = []
    inside.append(inside)
    assert exact(inside) != exact(inside)
    assert exact(("sub", None, "ann")) == exact(("sub", None, "ann"))


@pytest.mark.parametrize("form", [Auth0V4(), AuthJSV5()], ids=lambda form: form.traits.label)
def test_a_format_that_javascript_reads_refuses_it_at_once(form: Format):
    scene = Scene(format=form)
    exchange = scene.browser.visit().exchange
    with pytest.raises(SerializationError, match="nested"):
        exchange.create({"user": ring({"sub": "ann"}), "sub": "ann", "orders": [1.5, float(2)]})


def test_a_value_in_many_places_is_looked_at_once_in_each_level():
    value: list[object] = [1.5]
    for _ in range(45):
        value = [value, value, {"again": value}]
    assert (is_shallow(value), is_shallow([value], 90), is_finite(value)) == (True, False, True)
    value = [[float("nan")], value]
    assert is_finite([value, value]) is False
