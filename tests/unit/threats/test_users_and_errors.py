"""Attacks by who the user is, through caches, errors and depth, played."""

import json
import sys

import pytest

from sessionkit import Absence, IdentityChangedError, Native
from sessionkit._exchange.request import HeaderRequest
from sessionkit._session.json_errors import DEEPEST

from ..scene import ALICE, START, names
from .attacking import SEEN

# ---- who the user is


@pytest.mark.parametrize(
    "change",
    [
        lambda session: session["user"].update(sub="admin"),
        lambda session: session.pop("user"),
        lambda session: session.clear(),
    ],
    ids=["in-place change of sub", "removal of user", "clear()"],
)
def test_what_update_refuses_cannot_be_done_in_place(scene, change):
    browser = scene.browser
    browser.login(ALICE)
    visit = browser.visit()
    change(visit.exchange.get())
    with pytest.raises(IdentityChangedError):
        visit.commit()
    assert visit.arrive(500) == []
    assert ALICE == browser.session()


def test_an_anonymous_session_does_not_pass_for_a_sign_in(scene):
    visit = scene.browser.visit()
    visit.exchange.contents["cart"] = [1]
    visit.arrive()
    assert scene.browser.visit().exchange.get() is None


def test_a_login_carries_nothing_of_the_session_before_it(scene):
    visit = scene.browser.visit()
    visit.exchange.contents.update({"csrf_token": "planted", "next": "//evil"})
    visit.arrive()
    scene.browser.login(ALICE)
    assert ALICE == scene.browser.session()


# ---- caching


@pytest.mark.parametrize(
    "field",
    ["CDN-Cache-Control", "Cloudflare-CDN-Cache-Control", "Surrogate-Control", "X-Accel-Expires"],
)
def test_a_cdn_cache_control_does_not_let_a_cdn_keep_a_session_cookie(scene, field):
    visit = scene.browser.visit()
    visit.exchange.create(ALICE)
    headers = [
        (field, "max-age=600"),
        ("Cache-Control", "public, s-maxage=600"),
        ("Expires", "Thu, 01 Jan 2099 00:00:00 GMT"),
    ]
    after = dict(visit.exchange.commit(200, headers).applied(headers))
    assert {"Set-Cookie", "Vary", "Cache-Control"} == set(after)
    assert (after["Cache-Control"], after["Vary"]) == ("private, no-store", "Cookie")


@pytest.mark.parametrize(
    "headers", [[("Cache-Control", "public, max-age=600")], [("CDN-Cache-Control", "max-age=600")]]
)
def test_a_public_asset_is_worth_more_than_a_renewal(scene, headers):
    scene.browser.login(ALICE)
    scene.clock.wait(3600)
    visit = scene.browser.visit()
    visit.exchange.get()
    assert "Set-Cookie" not in dict(visit.exchange.commit(200, headers).add)


def test_a_304_with_a_due_renewal_has_no_set_cookie_and_the_next_200_has(scene):
    scene.browser.login(ALICE)
    scene.clock.wait(3600)
    visit = scene.browser.visit()
    visit.exchange.get()
    assert visit.answer(304) == []
    assert [SEEN] == names(visit.answer(200))


# ---- errors, sockets, depth


def test_an_exception_after_a_delete_keeps_the_logout(scene):
    scene.browser.login(ALICE)
    with pytest.raises(KeyError), scene.store.exchange(scene.browser.jar.header()) as exchange:
        exchange.delete()
        raise KeyError("broken")
    scene.browser.jar.receive(
        value for name, value in exchange.response_headers if name == "Set-Cookie"
    )
    assert scene.browser.session() == {}


def test_a_socket_that_outlives_its_session_has_none(scene):
    scene.browser.login(ALICE)
    exchange = scene.browser.visit().exchange
    exchange.get()
    exchange.commit()
    scene.clock.wait(86_400)
    assert exchange.get() is None


def deep_session():
    session = {**ALICE}
    inner = session
    for _ in range(DEEPEST - 1):
        inner["deep"] = inner = {}
    return session


def at_depth(frames, function):
    """What a function gives that is called so many frames deep, however deep this one is."""
    depth, frame = 0, sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    return _descend(frames - depth, function)


def _descend(frames, function):
    return function() if frames <= 0 else _descend(frames - 1, function)


def test_json_nested_to_depth_64_loaded_900_frames_deep_is_a_session_or_malformed_and_no_error(
    scene,
):
    # What a shallow stack could write and a deep one not read would be a 500 for that visitor, for ever.
    session = deep_session()
    scene.browser.login(session)
    header = scene.browser.jar.header()
    assert sys.getrecursionlimit() == 1000

    def look():
        exchange = scene.store.begin(HeaderRequest(header))
        return exchange.get(), exchange.absence

    found = at_depth(900, look)
    assert found in [(session, None), (None, Absence.MALFORMED)]
    assert (session, None) == at_depth(800, look)


def test_a_payload_of_any_depth_is_malformed_and_no_error(scene):
    codec = scene.store.settings.codec
    from sessionkit import Stamp

    stamp = Stamp(id="s" * 22, created_at=START, updated_at=START, expires_at=START + 100)
    payload = json.dumps(ALICE)[:-1].encode() + b',"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    assert codec.open(codec.seal(payload, stamp), START) is Absence.MALFORMED


def test_formats_are_settings_and_hold_no_secret():
    assert repr(Native()) == "Native()"
