"""Which chunks of a shared cookie a write clears, though they did not come."""

import pytest

from sessionkit import CookieSettings
from sessionkit.formats import Auth0FastAPI, Auth0V4, ExpressOpenID

from ..scene import Scene, names
from .shared_formats import ALICE, FORMATS, SECRET, each


@each
@pytest.mark.parametrize("act", ["update", "touch", "rotate", "create", "delete"])
@pytest.mark.parametrize(("before", "after"), [(10, 9000), (9000, 10)])
def test_a_write_clears_what_another_tab_has_set_meanwhile(format, act, before, after):
    scene = Scene(secret=SECRET, format=format, cookie=CookieSettings(max_bytes=60_000))
    scene.browser.login({**ALICE, "blob": "x" * before})
    scene.clock.wait(100)
    visit = scene.browser.visit()
    visit.exchange.get()
    scene.browser.update(blob="x" * after)
    if act in ("update", "create"):
        getattr(visit.exchange, act)({**ALICE, "blob": "x" * before})
    else:
        getattr(visit.exchange, act)()
    written = {name for name in names(visit.arrive()) if not name.startswith("-")}
    settings = scene.store.settings
    left = {one for one, *_ in scene.browser.jar.cookies if one.startswith(settings.name)}
    assert left == {one for one in written if one.startswith(settings.name)}


def test_four_chunks_that_become_two_leave_nothing_behind():
    scene = Scene(secret=SECRET, format=ExpressOpenID(), cookie=CookieSettings(max_bytes=60_000))
    scene.browser.login({**ALICE, "blob": "x" * 36_000})
    assert len(scene.browser.jar.cookies) == 13
    scene.browser.update(blob="x" * 5000)
    assert len(scene.browser.jar.cookies) == 2


@each
@pytest.mark.parametrize(("before", "after"), [(10, 9000), (9000, 10)])
def test_a_renewal_by_a_request_that_only_read_clears_nothing_that_did_not_come(
    format, before, after
):
    scene = Scene(secret=SECRET, format=format, cookie=CookieSettings(max_bytes=60_000))
    scene.browser.login({**ALICE, "blob": "x" * before})
    scene.clock.wait(100)
    slow = scene.browser.visit()
    slow.exchange.get()
    scene.browser.logout()
    scene.browser.login({**ALICE, "blob": "x" * after})
    lines = names(slow.arrive())
    assert lines != []
    assert any(line.startswith("-") for line in lines) is isinstance(format, Auth0V4)


@pytest.mark.parametrize(
    "format", [one for one in FORMATS if not isinstance(one, (Auth0V4, Auth0FastAPI))]
)
def test_a_late_renewal_does_not_end_a_login_that_is_in_other_cookies(format):
    scene = Scene(secret=SECRET, format=format)
    scene.browser.login(ALICE)
    scene.clock.wait(100)
    slow = scene.browser.visit()
    slow.exchange.get()
    scene.browser.logout()
    scene.browser.login({**ALICE, "blob": "x" * 4500})
    slow.arrive()
    assert "blob" in scene.browser.session()
