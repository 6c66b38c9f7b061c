"""The chunks of shared cookies: their size, and which ones a write clears, though they did not come."""

import pytest

from sessionkit import CookieSettings
from sessionkit.formats import (
    Auth0FastAPI,
    Auth0V3,
    Auth0V4,
    AuthJSV5,
    ExpressOpenID,
    NextAuthV4,
)

from ..scene import Scene, names
from .shared_formats import ALICE, FORMATS, SECRET, each


@pytest.mark.parametrize(
    ("format", "cookie", "size"),
    [
        (Auth0V3(), {}, 4004),
        (Auth0V3(), {"secure": False}, 4012),
        (Auth0V3(), {"transient": True}, 4043),
        (ExpressOpenID(), {"domain": "example.org"}, 3984),
        (Auth0V4(), {}, 3500),
        (NextAuthV4(), {}, 3933),
        (AuthJSV5(), {}, 3936),
    ],
)
def test_a_chunk_has_the_size_that_the_library_gives_it(format, cookie, size):
    settings = CookieSettings(max_bytes=20_000, **cookie)
    scene = Scene(secret=SECRET, format=format, cookie=settings)
    lines = scene.browser.login({**ALICE, "blob": "x" * 9000})
    values = [line.partition(";")[0].partition("=")[2] for line in lines if "Max-Age=0" not in line]
    assert [len(value) for value in values[:2]] == [size, size]


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
